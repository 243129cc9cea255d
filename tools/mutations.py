#!/usr/bin/env python3
"""Tries the faults that cargo-mutants makes in the core. Those that no test finds must be listed.

The unit tests of the core look for each fault first, then the tests of the public API and of the C
interface. Each file of the core is tried by itself, and what came of it is kept in build/mutations
until the file changes: a run that was ended continues where it was.

tests/mutants-alive.toml lists the faults that no test finds, each with a reason. One that is not
listed is an error, and so is one on the list that a test finds.

  tools/mutations.py CARGO_MUTANTS [--minutes N] [--again] [WORD...]

  --minutes N  begin no further file after that time
  --again      also files whose results are kept, since the tests have changed
  WORD         only files whose names contain one
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from mutants import ROOT, copy_library

WORK = ROOT / "build/mutations"
ALIVE = ROOT / "tests/mutants-alive.toml"

# A fault that makes a thread wait forever takes this long; all tests of a step take a tenth of it.
LIMIT_SECONDS = 30
# Few faults get as far as the second step.
STEPS = (
    ["--package", "ft_local", "--lib"],
    ["--package", "ft_local", "--package", "ft_local_capi", "--lib", "--test", "library"],
)
# The first test that fails is enough; asking for that needs a compiler that takes itself for a
# nightly one.
QUICKLY = ["--", "-Zunstable-options", "--fail-fast"]
ENVIRONMENT = {
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "PROPTEST_CASES": "32",
    "RUST_BACKTRACE": "0",
    "RUSTC_BOOTSTRAP": "1",
}
# How cargo-mutants calls what came of a fault, and how this does.
VERDICTS = {
    "CaughtMutant": "found",
    "Timeout": "found by a test that never ends",
    "Unviable": "not compiled",
    "MissedMutant": "alive",
}


def fault(name: str) -> str:
    """The name without its place, which every change of the file moves."""
    return re.sub(r"^[^ ]+:\d+:\d+: ", "", name)


class Copy:
    """A copy of the library, in which faults are made one after the other."""

    def __init__(self, tool: str, name: str) -> None:
        self.tool = tool
        self.place = WORK / name
        self.environment = os.environ | ENVIRONMENT
        self.environment["CARGO_TARGET_DIR"] = str(ROOT / "target/mutations" / name)

    def list_faults(self) -> Counter[str]:
        """How many there are in each file."""
        copy_library(self.place)
        listed = subprocess.run(
            [*self.command(), "--list", "--json"],
            cwd=self.place,
            capture_output=True,
            check=True,
        ).stdout
        return Counter(one["file"] for one in json.loads(listed))

    def command(self) -> list[str]:
        config = ROOT / ".cargo/mutants.toml"
        return [self.tool, "mutants", "--config", str(config), "--package", "ft_local"]

    def pass_without_a_fault(self) -> None:
        copy_library(self.place)
        for step in STEPS:
            command = ["cargo", "test", "--locked", *step, *QUICKLY]
            subprocess.run(command, cwd=self.place, env=self.environment, check=True)

    def try_file(self, file: str) -> dict[str, str]:
        """What came of each fault in the file."""
        verdicts: dict[str, str] = {}
        for step in STEPS:
            verdicts |= self.try_step(file, step, [n for n in verdicts if verdicts[n] == "alive"])
            if "alive" not in verdicts.values():
                break
        return verdicts

    def try_step(self, file: str, tests: list[str], names: list[str]) -> dict[str, str]:
        copy_library(self.place)
        output = WORK / file.replace("/", "-").removesuffix(".rs")
        output.mkdir(parents=True, exist_ok=True)
        limits = ["--timeout", str(LIMIT_SECONDS), "--build-timeout", "600"]
        where = ["--in-place", "--baseline", "skip", "--output", str(output), "--file", file]
        only = [f"--re=^(?:{'|'.join(map(re.escape, names))})$"] if names else []
        passed_on = ["--cargo-arg=--locked", *(f"--cargo-test-arg={test}" for test in tests)]
        command = [*self.command(), *limits, *where, *only, *passed_on, "--colors", "never"]
        with (output / "log").open("a") as log:
            tried = subprocess.run(
                [*command, "--", *QUICKLY],
                cwd=self.place,
                env=self.environment,
                stdout=log,
                stderr=log,
                check=False,
            )
        # 2: some are alive; 3: some tests did not end.
        if tried.returncode not in (0, 2, 3):
            sys.exit(f"cargo-mutants ended with {tried.returncode}: {output}/log")
        outcomes = json.loads((output / "mutants.out/outcomes.json").read_text())["outcomes"]
        return {
            one["scenario"]["Mutant"]["name"]: VERDICTS[one["summary"]]
            for one in outcomes
            if one["scenario"] != "Baseline"
        }


class Kept:
    """What came of each file, for as long as it is what it was."""

    def __init__(self) -> None:
        self.path = WORK / "results.json"
        kept = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.files = {f: r for f, r in kept.items() if r["source"] == self.source(f)}

    @staticmethod
    def source(file: str) -> str:
        path = ROOT / file
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    def add(self, file: str, source: str, verdicts: dict[str, str]) -> None:
        self.files[file] = {"source": source, "verdicts": verdicts}
        self.path.write_text(json.dumps(self.files, indent=1))


def report(kept: Kept, counts: Counter[str]) -> int:
    """Compares what lives with the list."""
    listed = tomllib.loads(ALIVE.read_text())
    found: Counter[str] = Counter()
    wrong = []
    for file, result in sorted(kept.files.items()):
        verdicts = result["verdicts"]
        found.update(verdicts.values())
        alive = {fault(name) for name, verdict in verdicts.items() if verdict == "alive"}
        known = set(listed.get(file, {}))
        wrong += [f"{file}: no test finds: {name}" for name in sorted(alive - known)]
        wrong += [f"{file}: listed, but found or gone: {name}" for name in sorted(known - alive)]
    wrong += [
        f"{file}: listed, but there is no such file" for file in listed.keys() - counts.keys()
    ]
    print("\n".join(wrong))
    tried, viable = sum(found.values()), sum(found.values()) - found["not compiled"]
    untried = sorted(counts.keys() - kept.files.keys())
    print(
        f"note: {tried} of {sum(counts.values())} faults tried, {viable} of them compile; "
        f"{found['alive']} live, {len(wrong)} of the list is wrong"
    )
    print(f"not tried: {', '.join(untried) or 'none'}")
    return bool(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("tool")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("words", nargs="*")
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * chosen.minutes
    copies = [Copy(chosen.tool, name) for name in ("first", "second")]
    counts = copies[0].list_faults()
    kept = Kept()
    wanted = [file for file in counts if any(w in file for w in chosen.words or [""])]
    # The longest first, so that the two copies end at the same time.
    left = iter(
        sorted(
            (file for file in wanted if chosen.again or file not in kept.files),
            key=lambda file: -counts[file],
        )
    )

    def work(copy: Copy) -> None:
        copy.pass_without_a_fault()
        for file in left:
            if time.monotonic() > end:
                return
            start, source = time.monotonic(), kept.source(file)
            verdicts = copy.try_file(file)
            kept.add(file, source, verdicts)
            took = (time.monotonic() - start) / 60
            print(f"{took:4.1f} min  {file}: {dict(Counter(verdicts.values()))}", flush=True)

    with ThreadPoolExecutor(len(copies)) as workers:
        list(workers.map(work, copies))
    return report(kept, counts)


if __name__ == "__main__":
    sys.exit(main())
