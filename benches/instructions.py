#!/usr/bin/env python3
"""Counts the instructions of the library's hot paths, refills included, and compares.

benches/instructions.py             compare with instructions.txt, and fail if a path got longer
benches/instructions.py --update    rewrite that file
benches/instructions.py LIBRARY     compare that library

The loops of benches/c_loops.c run on the shared library under valgrind's callgrind, which counts
exactly. They run once with few iterations and once with many, so that startup and shutdown cancel
out. Other compilers generate other code, so for them the counts are reported, not enforced.
"""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHES = ROOT / "benches"
EXPECTED = BENCHES / "instructions.txt"
LIBRARY = ROOT / "target/release/libft_local.so"
WORK = ROOT / "build/instructions"
# What alignment and the dynamic linker may move.
TOLERANCE = 0.02
# Whole refills.
FEW, MANY = 8 * 1024, 40 * 1024


def output(*command, **options):
    """What a command prints; its complaint, if it fails."""
    run = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if run.returncode != 0:
        sys.exit(f"instructions: {' '.join(map(str, command))}\n{run.stdout}{run.stderr}")
    return run


def compilers():
    """What the counts depend on."""
    cc = output(os.environ.get("CC", "cc"), "--version").stdout.splitlines()[0]
    return [output("rustc", "--version").stdout.strip(), cc, platform.machine()]


def build(library):
    """The program, linked to the library."""
    WORK.mkdir(parents=True, exist_ok=True)
    program = WORK / "instructions"
    # The library's own name is libft_local.so.N: the program looks for that here.
    dynamic = output("objdump", "-p", library).stdout
    name = re.search(r"SONAME\s+(\S+)", dynamic)[1]
    link = WORK / name
    link.unlink(missing_ok=True)
    link.symlink_to(library)
    sources = [BENCHES / "c_loops.c", BENCHES / "instructions.c"]
    output(
        *(os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"),
        *("-I", ROOT / "include", *sources, link, "-o", program, f"-Wl,-rpath,{WORK}"),
    )
    return program


def counted(program, path, times):
    """Instructions of one run."""
    run = output(
        *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
        *(program, path, str(times)),
    )
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def measured(library):
    """Instructions per turn of each path."""
    program = build(library)
    counts = {}
    for path in output(program).stdout.split():
        few, many = counted(program, path, FEW), counted(program, path, MANY)
        counts[path] = (many - few) / (MANY - FEW)
        print(f"instructions: {path} {counts[path]:.2f}", file=sys.stderr)
    return counts


def expected():
    """The compilers and the counts in the file."""
    lines = EXPECTED.read_text().splitlines()
    made_by = [line[2:] for line in lines if line.startswith("# ")][1:]
    rows = (line.split() for line in lines if not line.startswith("#"))
    return made_by, {path: float(count) for path, count in rows}


def update(counts):
    """Writes the file."""
    lines = ["# Instructions per turn, by benches/instructions.py --update, with:"]
    lines += [f"# {compiler}" for compiler in compilers()]
    lines += [f"{path:<22}{count:.2f}" for path, count in counts.items()]
    EXPECTED.write_text("\n".join(lines) + "\n")


def compare(counts):
    """Prints a table, and fails if a path is longer than expected."""
    made_by, wanted = expected()
    missing = sorted(counts.keys() ^ wanted.keys())
    if missing:
        sys.exit(f"instructions: only on one side: {', '.join(missing)}; run --update")
    longer, shorter = [], []
    for path, count in counts.items():
        alone = counts[path.removesuffix("-idle")]
        if count > alone * (1 + TOLERANCE):
            sys.exit(f"instructions: idle cursors cost {path}: {count:.2f} instead of {alone:.2f}")
    for path, count in counts.items():
        change = count / wanted[path] - 1
        print(f"{path:<22}{wanted[path]:>10.2f}{count:>10.2f}  {change:+.1%}")
        if change > TOLERANCE:
            longer.append(f"{path} {change:+.1%}")
        elif change < -TOLERANCE:
            shorter.append(f"{path} {change:+.1%}")
    changed = [now for now, then in zip(compilers(), made_by, strict=True) if now != then]
    if changed:
        print(f"note: not judged, the counts are for other than: {', '.join(changed)}")
    elif longer:
        sys.exit(
            f"instructions: longer than in {EXPECTED.relative_to(ROOT)}: {', '.join(longer)}; "
            "shorten the path, or accept it by benches/instructions.py --update and say why"
        )
    elif shorter:
        print(f"note: shorter, so update the file: {', '.join(shorter)}")
    else:
        print(f"note: {len(counts)} paths as expected")


def main():
    """Counts, and compares or updates."""
    arguments = sys.argv[1:]
    if len(arguments) > 1 or (
        arguments and arguments[0].startswith("-") and arguments[0] != "--update"
    ):
        sys.exit("usage: benches/instructions.py [--update | LIBRARY]")
    if not arguments or arguments[0] == "--update":
        output("cargo", "build", "--quiet", "--release", "--lib", "--locked", cwd=ROOT)
        library = LIBRARY
    else:
        library = Path(arguments[0]).resolve()
    counts = measured(library)
    if arguments == ["--update"]:
        update(counts)
    else:
        compare(counts)


if __name__ == "__main__":
    main()
