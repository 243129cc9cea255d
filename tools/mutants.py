#!/usr/bin/env python3
"""Shows that the checks of the library can fail.

tests/mutants.toml lists faults. This script injects those into a copy of the library that a loom
model, a shuttle scene, a unit test or the stress test must find, one after the other. A mutant that
survives is a hole in the checks. Other checks take the rest of the list: tools/sanitizers.py,
tools/shims.py and c_tests/header.

  tools/mutants.py [WORD]             all, or those whose names contain WORD
  tools/mutants.py --inject NAME DIR  only copy the library to DIR, with that fault in it
"""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# What the library is built from, and what finds faults in it.
SOURCES = """src include benches tests proptest-regressions python_ctypes/shim Cargo.toml Cargo.lock
    build.rs cbindgen.toml"""


class Kind(NamedTuple):
    """How tests are built, and where the session that runs them without a mutant builds them."""

    options: list[str]
    environment: dict[str, str]
    built_in: str


# Only little changes from one mutant to the next, and most are found soon: what counts is the time
# to build. Without optimization the models of the library take a second instead of 27.
MODELS = [
    *("--lib", "--profile", "model", "--config", "profile.model.incremental=true"),
    *("--config", "profile.model.package.{}.opt-level=0"),
]
WITHOUT_DEBUG = "profile.dev.package.{}.debug=false"
KINDS = {
    "loom": Kind(MODELS, {"RUSTFLAGS": "--cfg loom"}, "target/loom/model"),
    "shuttle": Kind(MODELS, {"RUSTFLAGS": "--cfg shuttle"}, "target/shuttle/model"),
    "stress": Kind(["--test", "stress", "--release"], {}, "target/release"),
    "unit": Kind(["--lib", "--config", WITHOUT_DEBUG], {}, "target/debug"),
}
OTHERS = {"asan", "tsan", "fuzz", "shim", "header"}

# The models that are small enough for every order.
COMPLETE = ("models::notices", "models::parts", "models::queue", "models::returned")

# A check that finds a mutant takes a tenth of it. A unit test that does not end has found one whose
# threads wait forever; a model may only have many executions.
LIMITS_SECONDS = {"loom": 60, "shuttle": 60, "stress": 120, "unit": 10}
NEVER = "a test that never ends"
# How often a test is run that finds a mutant only if threads meet by chance.
TRIES = 3


class Mutant(NamedTuple):
    """A fault: what to change in which file, and what must find it."""

    name: str
    file: str
    changes: list[tuple[str, str]]
    kind: str
    # Which tests to run; for `stress` and the sanitizers, a pattern that their report matches.
    finder: str

    def mutated(self) -> str:
        """The text of the file with its changes."""
        text = (ROOT / self.file).read_text()
        for old, new in self.changes:
            if text.count(old) != 1:
                sys.exit(f"{self.name}: {self.file} contains {text.count(old)} times: {old!r}")
            text = text.replace(old, new)
        return text


def mutants(*kinds: str) -> list[Mutant]:
    """Those of these kinds."""
    found = []
    listed = tomllib.loads((ROOT / "tests/mutants.toml").read_text())
    for file, name, entry in ((f, n, e) for f, named in listed.items() for n, e in named.items()):
        changes = [(entry.pop("text"), entry.pop("becomes")), *map(tuple, entry.pop("also", []))]
        if len(entry) != 1 or not set(entry) <= KINDS.keys() | OTHERS:
            sys.exit(f"{name}: name one of {sorted(KINDS.keys() | OTHERS)}, and not {list(entry)}")
        kind, finder = entry.popitem()
        if kind in kinds:
            found.append(Mutant(name, file, changes, kind, finder))
    return found


def copy_library(place: Path, mutant: Mutant | None = None) -> None:
    """Makes the copy in `place` what the library is, with the mutant in it.

    Files that are right already keep their times, which tell cargo what to build again.
    """
    wanted = {}
    for name in SOURCES.split():
        top = ROOT / name
        for file in top.rglob("*") if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                wanted[place / file.relative_to(ROOT)] = file.read_bytes()
    if mutant:
        wanted[place / mutant.file] = mutant.mutated().encode()
    for file in place.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()
    for file, content in wanted.items():
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def run(command: list, environment: dict[str, str], place: Path, limit: float | None = None):
    """What the command prints, and how it was ended if not by itself."""
    try:
        output = subprocess.run(
            command,
            cwd=place,
            env=os.environ | environment,
            text=True,
            errors="replace",
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").decode(errors="replace"), NEVER
    return output.stdout, "a crash" if output.returncode < 0 else "a failure" * bool(
        output.returncode
    )


def copy_dependencies(built: Path, target: Path) -> None:
    """Copies what was compiled from other crates, so that it is not compiled again."""
    for folder in ("deps", "build", ".fingerprint"):
        for entry in (built / folder).glob("*"):
            copy = target / folder / entry.name
            is_wanted = folder != "deps" or entry.suffix in (".rlib", ".rmeta", ".so", ".d")
            if "ft_local" in entry.name or not is_wanted:
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            if entry.is_dir():
                shutil.copytree(entry, copy)
            else:
                shutil.copy2(entry, copy)


def build(mutant: Mutant, place: Path) -> str:
    """Builds the tests of the mutant's kind in its crate, and returns the program."""
    kind = KINDS[mutant.kind]
    crate = "ft_local_capi" if mutant.file.startswith(("include/", "src/capi/")) else "ft_local"
    target = ROOT / "target/mutants" / place.name / mutant.kind
    if not target.exists():
        copy_dependencies(ROOT / kind.built_in, target / Path(kind.built_in).name)
    options = [option.format(crate) for option in kind.options]
    command = ["cargo", "test", "--package", crate, "--locked", "--no-run", *options]
    output, _ = run(command, kind.environment | {"CARGO_TARGET_DIR": str(target)}, place)
    program = re.search(r"^ *Executable .*\((.*)\)$", output, re.MULTILINE)
    if not program:
        sys.exit(f"not built\n{output}")
    return program[1]


def failed(output: str) -> list[str]:
    """The tests that failed."""
    if "\ntest result: " in output:
        # Not those that panic on purpose.
        return re.findall(r"^    ([\w:]+)$", output.rpartition("\nfailures:\n")[2], re.MULTILINE)
    # A second panic has ended the run.
    names = re.findall(r"^thread '([\w:]+)'.* panicked at", output, re.MULTILINE)
    return [name for name in names if "::" in name]


def finders(mutant: Mutant, place: Path) -> tuple[list[str], str]:
    """The tests that failed, and in how many executions or schedules the others were run."""
    program = build(mutant, place)
    # Models have no chance in them.
    for _ in range(1 if mutant.kind == "loom" else TRIES):
        found, ran = finders_of_one_run(mutant, program, place)
        if found:
            break
    return found, ran


def finders_of_one_run(mutant: Mutant, program: str, place: Path) -> tuple[list[str], str]:
    environment = {
        "FT_LOCAL_SCHEDULES": os.environ.get("FT_LOCAL_SCHEDULES", "40000"),
        "FT_LOCAL_STRESS_LOADS": "10000000",
        "RUST_BACKTRACE": "0",
    }
    if not mutant.finder.startswith(COMPLETE):
        # Those of registrations are quick, and need one more.
        usual = "3" if mutant.finder.startswith("models::notify") else "2"
        environment["LOOM_MAX_PREEMPTIONS"] = os.environ.get("LOOM_MAX_PREEMPTIONS", usual)
    filters = [] if mutant.kind == "stress" else [mutant.finder]
    command = [program, *filters, "--nocapture", "--test-threads=2"]
    output, end = run(command, environment, place, LIMITS_SECONDS[mutant.kind])
    found = failed(output)
    if not re.search(r"^running [1-9]", output, re.MULTILINE):
        sys.exit(f"{mutant.name}: no test matches {mutant.finder!r}\n{output}")
    if mutant.kind == "stress":
        found = [end] if end and re.search(mutant.finder, output) else []
    # A model may run out of time because it has many executions.
    elif not found and (end == "a crash" or (end == NEVER and mutant.kind == "unit")):
        found = [end]
    counts = re.findall(r"(\d+) (executions|schedules)$", output, re.MULTILINE)
    ran = sum(int(number) for number, _ in counts)
    names = sorted({name.split("::")[-1] for name in found})
    return names, f", {ran} {counts[0][1]}" if counts else ""


def check_each(take, place: Path) -> list[str]:
    """Takes mutants until there are no more, and returns those that were not found.

    What finds a mutant shows something only if it passes without one, which other sessions show.
    """
    survivors = []
    while True:
        try:
            mutant = take()
        except IndexError:
            return survivors
        start = time.monotonic()
        copy_library(place, mutant)
        found, ran = finders(mutant, place)
        verdict = f"found by {mutant.kind}: {', '.join(found)}" if found else "not found"
        print(f"{time.monotonic() - start:4.0f} s  {mutant.name}: {verdict}{ran}", flush=True)
        if not found:
            survivors.append(mutant.name)


def check_all(word: str) -> int:
    """Checks those whose names contain the word, in two copies at the same time."""
    chosen = [mutant for mutant in mutants(*KINDS) if word in mutant.name]
    for mutant in mutants(*KINDS, *OTHERS):
        # One that no longer fits its file is to be seen at once, not after minutes.
        mutant.mutated()
    if not chosen:
        sys.exit(f"no mutant has {word!r} in its name")
    # From both ends, so that each copy builds few kinds.
    queue = deque(sorted(chosen, key=lambda mutant: mutant.kind))
    places = [ROOT / "build/mutants/first", ROOT / "build/mutants/second"]
    with ThreadPoolExecutor(max_workers=2) as workers:
        missed = list(workers.map(check_each, (queue.popleft, queue.pop), places))
    survivors = [name for names in missed for name in names]
    if survivors:
        print(f"not found: {'; '.join(survivors)}")
        return 1
    print(f"note: all {len(chosen)} were found")
    return 0


def inject(name: str, place: Path) -> int:
    """Copies the library with one fault in it."""
    for mutant in mutants(*KINDS, *OTHERS):
        if mutant.name == name:
            copy_library(place, mutant)
            return 0
    sys.exit(f"no mutant is called {name!r}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--inject", name, place]:
            sys.exit(inject(name, Path(place)))
        case [] | [_]:
            sys.exit(check_all("".join(sys.argv[1:])))
        case _:
            sys.exit(__doc__)
