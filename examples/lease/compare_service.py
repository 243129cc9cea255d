#!/usr/bin/env python3
"""Drives service.py with ApacheBench, on both stores, with a round trip each and with a lease.

    compare_service.py [REQUESTS]    starts the stores, and prints a table

It needs `ab` (Debian: apache2-utils), redis-server, PostgreSQL, and the packages in
python_ctypes/lease_tests/requirements.txt.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "python_ctypes" / "lease_tests"))

import servers

CLIENTS = 8


def ab():
    path = shutil.which("ab")
    if path is None:
        raise servers.Missing("ab is not installed; run: apt-get install apache2-utils")
    return path


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


@contextlib.contextmanager
def service(store, address, name, *options):
    """A running service's port."""
    port = servers.free_port()
    words = [store, address, name, "--port", str(port), *options]
    with subprocess.Popen([sys.executable, str(HERE / "service.py"), *words]) as process:
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    get(port, "/seen")
                    break
            yield port
        finally:
            process.terminate()


def drive(port, requests):
    """Requests per second, and the median and the 99th percentile in milliseconds."""
    words = [ab(), "-k", "-q", "-n", str(requests), "-c", str(CLIENTS), f"http://127.0.0.1:{port}/"]
    # Ids grow longer, which ab takes for failures unless told (-l).
    text = subprocess.run(
        [*words[:1], "-l", *words[1:]], capture_output=True, text=True, check=True
    ).stdout
    failed = int(re.search(r"Failed requests:\s+(\d+)", text)[1])
    if failed or "Non-2xx" in text:
        raise RuntimeError(f"requests failed:\n{text}")
    rate = float(re.search(r"Requests per second:\s+([\d.]+)", text)[1])
    half, late = (
        int(re.search(rf"^\s+{share}%\s+(\d+)", text, re.MULTILINE)[1]) for share in (50, 99)
    )
    return rate, half, late


def compare(stores, requests):
    """(store, way, rate, median, p99, given, different) for each store and each way."""
    for store, address, make in stores:
        for way, options in (("a round trip each", ["--each"]), ("a lease", [])):
            name = f"ids_{len(options)}"
            make(name)
            with service(store, address, name, *options) as port:
                figures = drive(port, requests)
                seen = get(port, "/seen")
            yield store, way, *figures, seen["given"], seen["different"]


def both(redis, postgres):
    def sequence(name):
        subprocess.run(
            ["psql", "-q", postgres.conninfo, "-c", f"CREATE SEQUENCE {name}"], check=True
        )

    return [
        ("redis", getattr(redis, "url", None), lambda _: None),
        ("postgres", getattr(postgres, "conninfo", None), sequence),
    ]


def main(requests=20_000):
    print("| store | ids by | requests/s | median ms | p99 ms | ids | different |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    with servers.Redis() as redis, servers.Postgres() as postgres:
        for store, way, rate, half, late, given, different in compare(
            both(redis, postgres), requests
        ):
            print(f"| {store} | {way} | {rate:.0f} | {half} | {late} | {given} | {different} |")


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except servers.Missing as error:
        sys.exit(str(error))
