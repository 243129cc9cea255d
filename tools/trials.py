"""Two ways to try the faults of cargo-mutants: all in one copy of the library, or one by one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from mutants import ROOT, copy_library
from switches import VARIABLE, Switched

WORK = ROOT / "build/mutations"

# A test that never ends is noticed by what runs the tests, within seconds. This is for what nobody
# thought of.
LIMIT_SECONDS = 600
RUNNER = ROOT / "tools/until_it_hangs.py"
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


def environment(folder: str) -> dict[str, str]:
    """With a folder for what is compiled, and with a runner that ends what hangs."""
    version = subprocess.check_output(["rustc", "-vV"], text=True)
    host = re.search(r"^host: (.*)$", version, re.MULTILINE)[1]
    runner = f"CARGO_TARGET_{host.upper().replace('-', '_')}_RUNNER"
    target = {"CARGO_TARGET_DIR": str(ROOT / "target/mutations" / folder)}
    return os.environ | ENVIRONMENT | target | {runner: str(RUNNER)}


def list_faults(tool: str) -> list[dict]:
    """What cargo-mutants knows of each fault."""
    command = [*cargo_mutants(tool), "--list", "--json"]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


def cargo_mutants(tool: str) -> list[str]:
    config = ROOT / ".cargo/mutants.toml"
    return [tool, "mutants", "--config", str(config), "--package", "ft_local"]


class Switchable:
    """A copy of the library with all these faults, of which one is turned on."""

    def __init__(self, faults: list[dict]) -> None:
        self.place = WORK / "switchable"
        self.environment = environment("switchable")
        copy_library(self.place)
        self.switched = Switched(ROOT, faults)
        tests = ("cargo", "test", "--locked", "--no-run", *STEPS[-1])
        programs = self.switched.compile(self.place, self.environment, *tests)
        # The unit tests of the core, which find most, first.
        by_step = sorted(
            programs,
            key=lambda one: ("capi" in one["package_id"], one["target"]["kind"] != ["lib"]),
        )
        self.programs = [(Path(one["manifest_path"]).parent, one["executable"]) for one in by_step]
        if self.try_fault(0) != "alive":
            sys.exit(f"the tests fail without a fault: {self.place}")

    def try_fault(self, number: int) -> str:
        """What came of a fault; none has the number 0."""
        if number in self.switched.refused:
            return "not compiled"
        for folder, program in self.programs:
            # As cargo runs it.
            its_own = {VARIABLE: str(number), "CARGO_MANIFEST_DIR": str(folder)}
            command = [str(RUNNER), program, *QUICKLY[1:], "--quiet"]
            tried = subprocess.run(
                command,
                cwd=folder,
                env=self.environment | its_own,
                capture_output=True,
                check=False,
            )
            if tried.returncode:
                return "found"
        return "alive"


class Copy:
    """A copy of the library, in which faults are made one after the other."""

    def __init__(self, tool: str, number: int) -> None:
        self.tool = tool
        self.place = WORK / f"copy{number}"
        self.output = WORK / f"out{number}"
        self.environment = environment(str(number))

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
        command = [
            *cargo_mutants(self.tool),
            *limits,
            *where,
            only,
            *passed_on,
            "--colors",
            "never",
        ]
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
