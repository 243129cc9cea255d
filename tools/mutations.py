#!/usr/bin/env python3
"""Tries the faults that cargo-mutants makes in the core. Those that no test finds must be listed.

The unit tests of the core look for each fault first, then the tests of the public API and of the C
interface. Most faults are compiled once, all together, and a variable turns one on; the rest are
made one after the other: tools/switches.py. What came of each is kept in build/mutations until its
file changes: a run that was ended continues where it was.

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
import re
import sys
import threading
import time
import tomllib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from mutants import ROOT
from trials import VERDICTS, WORK, Copy, Switchable, list_faults

ALIVE = ROOT / "tests/mutants-alive.toml"

# How many faults of a file are tried together, of those that are made one after the other.
CHUNK = 12


def fault(name: str) -> str:
    """The name without its place, which every change of the file moves."""
    return re.sub(r"^[^ ]+:\d+:\d+: ", "", name)


class Kept:
    """What came of the faults of each file, for as long as it is what it was."""

    def __init__(self) -> None:
        self.path = WORK / "results.json"
        self.lock = threading.Lock()
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
        with self.lock:
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


def chunks(faults: dict[str, list[str]]) -> Iterable[tuple[str, list[str]]]:
    """What is tried together."""
    for file, names in faults.items():
        for start in range(0, len(names), CHUNK):
            yield file, names[start : start + CHUNK]


class Run:
    """One run of this script: what it tries, and until when."""

    def __init__(self, chosen: argparse.Namespace, faults: list[dict]) -> None:
        self.tool, self.copies = chosen.tool, chosen.copies
        self.end = time.monotonic() + 60 * chosen.minutes
        self.kept = Kept()
        done = ("found", "not compiled") if chosen.again else VERDICTS.values()
        files = dict.fromkeys(one["file"] for one in faults)
        files = dict.fromkeys(
            file for word in chosen.words or [""] for file in files if word in file
        )
        order = {file: place for place, file in enumerate(files)}
        left = [
            one
            for one in faults
            if one["file"] in order and self.kept.verdicts(one["file"]).get(one["name"]) not in done
        ]
        self.left = sorted(left, key=lambda one: order[one["file"]])
        self.sources = {file: Kept.source(file) for file in files}

    def keep(self, file: str, verdicts: dict[str, str]) -> None:
        self.kept.add(file, self.sources[file], verdicts)

    def try_all(self) -> None:
        if not self.left:
            return
        switchable = Switchable(self.left)
        with_a_switch = {one["name"] for one in switchable.switched.faults.values()}
        self.at_once(switchable.switched.faults.items(), switchable)
        rest: dict[str, list[str]] = defaultdict(list)
        for one in self.left:
            if one["name"] not in with_a_switch:
                rest[one["file"]].append(one["name"])
        self.one_by_one(deque(chunks(rest)))

    def at_once(self, faults: Iterable[tuple[int, dict]], switchable: Switchable) -> None:
        queue = deque(faults)

        def work(_: int) -> None:
            while queue and time.monotonic() < self.end:
                number, one = queue.popleft()
                self.keep(one["file"], {one["name"]: switchable.try_fault(number)})
                if not queue or queue[0][1]["file"] != one["file"]:
                    print(f"{one['file']}: {self.summary(one['file'])}", flush=True)

        with ThreadPoolExecutor(self.copies) as workers:
            list(workers.map(work, range(self.copies)))

    def summary(self, file: str) -> dict[str, int]:
        return dict(Counter(self.kept.verdicts(file).values()))

    def one_by_one(self, queue: deque[tuple[str, list[str]]]) -> None:
        def work(copy: Copy) -> None:
            copy.pass_without_a_fault()
            while queue and time.monotonic() < self.end:
                file, names = queue.popleft()
                self.keep(file, copy.try_faults(file, names))
                print(f"{file}: {self.summary(file)}", flush=True)

        copies = [Copy(self.tool, number) for number in range(1, self.copies + 1)] if queue else []
        with ThreadPoolExecutor(self.copies) as workers:
            list(workers.map(work, copies))


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("tool")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("words", nargs="*")
    chosen = parser.parse_intermixed_args()
    WORK.mkdir(parents=True, exist_ok=True)
    faults = list_faults(chosen.tool)
    run = Run(chosen, faults)
    run.try_all()
    names: dict[str, list[str]] = defaultdict(list)
    for one in faults:
        names[one["file"]].append(one["name"])
    return report(run.kept, names)


if __name__ == "__main__":
    sys.exit(main())
