#!/usr/bin/env python3
"""Runs `python -m ft_local bench` on several Pythons, and writes docs/performance.md.

    benches/python.py [--pythons PYTHON ...] [-- ARGUMENT ...]    measures; ARGUMENTS go to bench
    benches/python.py --read REPORT ...                           only writes, from these reports

ft_local must be installed for each. What it is compared with comes from the package index, into
build/; a package that has no wheel for an interpreter is left out. The first Python draws and
writes, and needs matplotlib, as this script itself. Reports are build/bench/python-<tag>.json.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
WANTED = ROOT / "python_ctypes/benchmarks/requirements-bench.txt"
TAG = """import sys, sysconfig
threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(f"cp{sys.version_info[0]}{sys.version_info[1]}{threads}")"""


def install_peers(python, folder):
    """Installs what has a wheel for this interpreter, once for each list."""
    made_from = folder / "made-from"
    if made_from.exists() and made_from.read_text() == WANTED.read_text():
        return
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    target = ["--only-binary", ":all:", "--upgrade", "--target", str(folder)]
    for line in WANTED.read_text().splitlines():
        if line.startswith("#"):
            continue
        if subprocess.run([*pip, *target, line], check=False).returncode:
            print(f"left out: {line}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    made_from.write_text(WANTED.read_text())


def measure(python, arguments):
    """The file with the report of one Python."""
    tag = subprocess.run([python, "-c", TAG], stdout=subprocess.PIPE, text=True, check=True)
    name = tag.stdout.strip()
    peers = BUILD / f"peers-bench-{name}"
    install_peers(python, peers)
    report = BUILD / f"bench/python-{name}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    # Some of the packages would switch the GIL on.
    gil = {"PYTHON_GIL": "0"} if name.endswith("t") else {}
    print(f"measuring {name}", file=sys.stderr)
    bench = [python, "-m", "ft_local", "bench", "--json", *arguments]
    with report.open("w") as output:
        environment = {**os.environ, "PYTHONPATH": str(peers), **gil}
        subprocess.run(bench, stdout=output, env=environment, check=True)
    return report


def write(python, reports):
    """Draws the plot and writes the tables. A fault in a report ends it."""
    bench = [python, "-m", "ft_local", "bench", "--read", *map(str, reports), "--markdown"]
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    plot = ROOT / "docs/performance-python.svg"
    shown = f"![A turn of each program, bare and in the best way]({plot.name})\n\n"
    parts = {
        "programs": ["--group", "programs", "--svg", str(plot)],
        "takes": ["--group", "takes", "waits"],
    }
    for part, options in parts.items():
        tables = subprocess.run(
            [*bench, *options], stdout=subprocess.PIPE, text=True, env=environment, check=True
        )
        splice = [sys.executable, str(ROOT / "benches/splice.py"), part]
        content = (shown if part == "programs" else "") + tables.stdout
        subprocess.run(splice, input=content, text=True, check=True)


def main():
    """Measures on each Python, then writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pythons", nargs="+", default=[sys.executable], metavar="PYTHON")
    parser.add_argument("--read", nargs="+", type=Path, metavar="REPORT")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")
    options = parser.parse_args()
    reports = options.read or [measure(one, options.arguments) for one in options.pythons]
    write(options.pythons[0], reports)


if __name__ == "__main__":
    main()
