#!/usr/bin/env python3
"""Tries the faults that cargo-mutants makes in the core. Those that no test finds must be listed.

The unit tests of the core look for each fault first, then the tests of the public API and of the C
interface. A few faults are tried at a time, and what came of them is kept in build/mutations until
their file changes: a run that was ended continues where it was.

tests/mutants-alive.toml lists the faults that no test finds, each with a reason. One that is not
listed is an error, and so is one on the list that a test finds.

  tools/mutations.py CARGO_MUTANTS [--minutes N] [--copies N] [--again] [WORD...]

  --minutes N  begin nothing more after that time
  --copies N   how many faults are tried at the same time, 2 if not given
  --again      also those that no test has found, since there are new tests
  WORD         only files whose names contain one; those of the first word first
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
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from mutants import ROOT, copy_library

WORK = ROOT / "build/mutations"
ALIVE = ROOT / "tests/mutants-alive.toml"

# A test that never ends is noticed by what runs the tests, within seconds. This is for what nobody
# thought of.
LIMIT_SECONDS = 600
RUNNER = ROOT / "tools/until_it_hangs.py"
# How many faults of a file are tried together.
CHUNK = 12
STREAM = ["--features", "ft_local/stream"]
PUBLIC = ["--test", "library", "--test", "stream"]
# Few faults get as far as the second step.
STEPS = (
    ["--package", "ft_local", *STREAM, "--lib"],
    ["--package", "ft_local", "--package", "ft_local_capi", *STREAM, "--lib", *PUBLIC],
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
    "Timeout": "found",
    "Unviable": "not compiled",
    "MissedMutant": "alive",
}


def fault(name: str) -> str:
    """The name without its place, which every change of the file moves."""
    return re.sub(r"^[^ ]+:\d+:\d+: ", "", name)


class Copy:
    """A copy of the library, in which faults are made one after the other."""

    def __init__(self, tool: str, number: int) -> None:
        self.tool = tool
        self.place = WORK / f"copy{number}"
        self.output = WORK / f"out{number}"
        version = subprocess.check_output(["rustc", "-vV"], text=True)
        host = re.search(r"^host: (.*)$", version, re.MULTILINE)[1]
        runner = f"CARGO_TARGET_{host.upper().replace('-', '_')}_RUNNER"
        target = {"CARGO_TARGET_DIR": str(ROOT / f"target/mutations/{number}")}
        self.environment = os.environ | ENVIRONMENT | target | {runner: str(RUNNER)}

    def list_faults(self) -> dict[str, list[str]]:
        """Those of each file."""
        copy_library(self.place)
        command = [*self.command(), "--list", "--json"]
        listed = subprocess.run(command, cwd=self.place, capture_output=True, check=True).stdout
        faults = defaultdict(list)
        for one in json.loads(listed):
            faults[one["file"]].append(one["name"])
        return faults

    def command(self) -> list[str]:
        config = ROOT / ".cargo/mutants.toml"
        return [self.tool, "mutants", "--config", str(config), "--package", "ft_local"]

    def pass_without_a_fault(self) -> None:
        copy_library(self.place)
        for step in STEPS:
            command = ["cargo", "test", "--locked", "--quiet", *step, *QUICKLY]
            subprocess.run(command, cwd=self.place, env=self.environment, check=True)

    def try_faults(self, file: str, names: list[str]) -> dict[str, str]:
        """What came of each of these faults of the file."""
        verdicts: dict[str, str] = {}
        for step in STEPS:
            verdicts |= self.try_step(file, step, names)
            names = [name for name in names if verdicts[name] == "alive"]
            if not names:
                break
        return verdicts

    def try_step(self, file: str, tests: list[str], names: list[str]) -> dict[str, str]:
        copy_library(self.place)
        self.output.mkdir(parents=True, exist_ok=True)
        limits = ["--timeout", str(LIMIT_SECONDS), "--build-timeout", str(LIMIT_SECONDS)]
        where = ["--in-place", "--baseline", "skip", "--output", str(self.output), "--file", file]
        only = f"--re=^(?:{'|'.join(map(re.escape, names))})$"
        # --cargo-test-arg would have all tests compiled and these run.
        passed_on = [f"--cargo-arg={argument}" for argument in ("--locked", *tests)]
        command = [*self.command(), *limits, *where, only, *passed_on, "--colors", "never"]
        log = self.output / "log"
        with log.open("a") as sink:
            tried = subprocess.run(
                [*command, "--", *QUICKLY],
                cwd=self.place,
                env=self.environment,
                stdout=sink,
                stderr=sink,
                check=False,
            )
        # 2: some are alive; 3: some tests did not end.
        if tried.returncode not in (0, 2, 3):
            sys.exit(f"cargo-mutants ended with {tried.returncode}: {log}")
        outcomes = json.loads((self.output / "mutants.out/outcomes.json").read_text())["outcomes"]
        verdicts = {
            one["scenario"]["Mutant"]["name"]: VERDICTS[one["summary"]]
            for one in outcomes
            if one["scenario"] != "Baseline"
        }
        if verdicts.keys() != set(names):
            sys.exit(f"cargo-mutants has not tried what it was given: {log}")
        return verdicts


class Kept:
    """What came of the faults of each file, for as long as it is what it was."""

    def __init__(self) -> None:
        self.path = WORK / "results.json"
        kept = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.files = {f: r for f, r in kept.items() if r["source"] == self.source(f)}

    @staticmethod
    def source(file: str) -> str:
        path = ROOT / file
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    def verdicts(self, file: str) -> dict[str, str]:
        return self.files.get(file, {}).get("verdicts", {})

    def add(self, file: str, source: str, verdicts: dict[str, str]) -> None:
        if source != self.files.setdefault(file, {"source": source, "verdicts": {}})["source"]:
            sys.exit(f"{file} has changed meanwhile")
        self.files[file]["verdicts"] |= verdicts
        self.path.write_text(json.dumps(self.files, indent=1))


def report(kept: Kept, faults: dict[str, list[str]]) -> int:
    """Compares what lives with the list."""
    listed = tomllib.loads(ALIVE.read_text())
    found: Counter[str] = Counter()
    wrong = [f"{file}: listed, but there is no such file" for file in listed.keys() - faults.keys()]
    untried = []
    for file, names in sorted(faults.items()):
        verdicts = kept.verdicts(file)
        found.update(verdicts.values())
        alive = {fault(name) for name, verdict in verdicts.items() if verdict == "alive"}
        known = set(listed.get(file, {}))
        wrong += [f"{file}: no test finds: {name}" for name in sorted(alive - known)]
        if left := len(set(names) - verdicts.keys()):
            untried.append(f"{left} of {file}")
        else:
            gone = sorted(known - alive)
            wrong += [f"{file}: listed, but found or gone: {name}" for name in gone]
    print("\n".join(wrong))
    tried, viable = sum(found.values()), sum(found.values()) - found["not compiled"]
    print(
        f"note: {tried} of {sum(map(len, faults.values()))} faults tried, {viable} of them "
        f"compile; {found['alive']} live, {len(wrong)} of the list is wrong"
    )
    print(f"not tried: {', '.join(untried) or 'none'}")
    return bool(wrong)


def chunks(faults: dict[str, list[str]], words: list[str]) -> Iterable[tuple[str, list[str]]]:
    """What is tried together, in the order of the words."""
    files = dict.fromkeys(file for word in words or [""] for file in faults if word in file)
    for file in files:
        for start in range(0, len(faults[file]), CHUNK):
            yield file, faults[file][start : start + CHUNK]


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("tool")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("words", nargs="*")
    chosen = parser.parse_intermixed_args()
    WORK.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * chosen.minutes
    copies = [Copy(chosen.tool, number) for number in range(1, chosen.copies + 1)]
    faults = copies[0].list_faults()
    kept = Kept()
    done = ("found", "not compiled") if chosen.again else VERDICTS.values()
    left = {
        file: [name for name in names if kept.verdicts(file).get(name) not in done]
        for file, names in faults.items()
    }
    queue = deque(chunks(left, chosen.words))

    def work(copy: Copy) -> None:
        copy.pass_without_a_fault()
        while queue and time.monotonic() < end:
            file, names = queue.popleft()
            start, source = time.monotonic(), kept.source(file)
            verdicts = copy.try_faults(file, names)
            kept.add(file, source, verdicts)
            took = time.monotonic() - start
            print(f"{took:4.0f} s  {file}: {dict(Counter(verdicts.values()))}", flush=True)

    with ThreadPoolExecutor(len(copies)) as workers:
        list(workers.map(work, copies))
    return report(kept, faults)


if __name__ == "__main__":
    sys.exit(main())
