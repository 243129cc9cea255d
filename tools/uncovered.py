#!/usr/bin/env python3
"""Which branches no test takes. Each must be in tests/uncovered.toml, with the reason.

    tools/uncovered.py REPORT...          in the formats of lcov and of gcov --json-format
    tools/uncovered.py --table REPORT...  only a table of files

A report of one build may say what another does not: a branch is taken if it is in one of them, and
a line that each compiles to other branches if one takes all of its own.
"""

import gzip
import json
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REASONS = ROOT / "tests/uncovered.toml"
WORK = ROOT / "build/coverage"

# By the line's number: how often each of its branches was taken, and the line itself, "line".
Lines = dict[int, Counter]


def of_lcov(report: Path) -> Iterator[tuple[str, Lines]]:
    """What LLVM says of Rust: generic code is there once, with the counts of all its uses."""
    for part in report.read_text().split("end_of_record"):
        lines: Lines = defaultdict(Counter)
        for line, count in re.findall(r"^DA:(\d+),(\d+)", part, re.MULTILINE):
            lines[int(line)]["line"] += int(count)
        for line, branch, taken in re.findall(
            r"^BRDA:(\d+),(\d+,\d+),(\d+|-)$", part, re.MULTILINE
        ):
            lines[int(line)][branch] += int(taken.replace("-", "0"))
        if file := re.search(r"^SF:(.*)$", part, re.MULTILINE):
            yield file[1], lines


def of_gcov(report: Path) -> Iterator[tuple[str, Lines]]:
    """What gcc says of C."""
    for file in json.loads(gzip.decompress(report.read_bytes()))["files"]:
        lines: Lines = defaultdict(Counter)
        for line in file["lines"]:
            lines[line["line_number"]]["line"] += line["count"]
            for number, branch in enumerate(line["branches"]):
                lines[line["line_number"]][str(number)] += branch["count"]
        yield file["file"], lines


def unit_tests_of(lines: list[str]) -> int:
    """The line where the unit tests of a file begin, which are its end."""
    starts = (n for n, line in enumerate(lines, 1) if re.match(r"(pub )?mod tests \{", line))
    return next(starts, len(lines) + 1)


class Reasons:
    """Why no test takes a branch: tests/uncovered.toml."""

    def __init__(self) -> None:
        self.of = tomllib.loads(REASONS.read_text())

    def reason(self, file: str, text: str) -> str | None:
        for name, known in self.of.items():
            if fnmatch(file, name):
                for key, reason in known.items():
                    if key == text or (key.startswith("~ ") and re.search(key[2:], text)):
                        return reason
        return None

    def without_a_line(self) -> Iterator[str]:
        """Those of lines that are not there any more."""
        for name, known in self.of.items():
            lines = {
                line.strip() for file in ROOT.glob(name) for line in file.read_text().splitlines()
            }
            for key in known:
                if key not in lines and not (
                    key.startswith("~ ") and any(re.search(key[2:], line) for line in lines)
                ):
                    yield f"{name}: there is no such line: {key}"


def merged(several: list[Counter]) -> Counter:
    """How often a line was reached in all builds, and its branches in the one that takes most."""
    alike: dict[tuple, Counter] = {}
    for one in several:
        alike.setdefault(tuple(sorted(one)), Counter()).update(one)
    best = min(alike.values(), key=lambda one: sum(n == 0 for n in one.values()))
    return best | {"line": sum(one["line"] for one in several)}


def read(*reports: str) -> dict[str, dict[int, list[Counter]]]:
    """What the builds say of each line of each file."""
    builds: dict[str, dict[int, list[Counter]]] = defaultdict(lambda: defaultdict(list))
    for report in map(Path, reports):
        for file, lines in (of_gcov if report.suffix == ".gz" else of_lcov)(report):
            path = Path(file).resolve()
            if path.is_relative_to(ROOT):
                for number, counts in lines.items():
                    builds[str(path.relative_to(ROOT))][number].append(counts)
    return dict(sorted(builds.items()))


class Findings:
    """What is never reached or taken, and how much is."""

    def __init__(self) -> None:
        self.reasons = Reasons()
        self.lines: list[str] = []
        self.branches: list[str] = []
        self.total: Counter[str] = Counter()

    def add(self, file: str, lines: dict[int, list[Counter]]) -> None:
        """Prints the shares of a file."""
        texts = (ROOT / file).read_text().splitlines()
        tests = unit_tests_of(texts)
        here: Counter[str] = Counter()
        for number, several in sorted(lines.items()):
            if number >= tests:
                continue
            text, counts = texts[number - 1].strip(), merged(several)
            is_reached = counts.pop("line") > 0
            missing = sum(n == 0 for n in counts.values())
            here["lines"] += 1
            here["reached"] += is_reached
            here["branches"] += len(counts)
            here["taken"] += len(counts) - missing
            if not is_reached:
                self.lines.append(f"{file}:{number}: {text}")
            if missing and not self.reasons.reason(file, text):
                self.branches.append(f"{file}:{number}: {missing} of {len(counts)}: {text}")
        print(f"{file + ':':42} {shares(here)}")
        self.total += here


def shares(of: Counter[str]) -> str:
    return ", ".join(
        f"{100 * of[part] / (of[whole] or 1):5.1f} % of {of[whole]:4} {whole}"
        for part, whole in (("reached", "lines"), ("taken", "branches"))
    )


def main(*reports: str) -> int:
    only_table = reports[0] == "--table"
    found = Findings()
    for file, lines in read(*reports[only_table:]).items():
        found.add(file, lines)
    print(f"{'all:':42} {shares(found.total)}")
    if only_table:
        return 0
    never = WORK / "never-reached.txt"
    never.write_text("".join(f"{line}\n" for line in found.lines))
    print(f"note: the {len(found.lines)} lines that no test reaches are in {never}")
    wrong = [*found.branches, *found.reasons.without_a_line()]
    print("\n".join(wrong))
    print(f"note: {REASONS.relative_to(ROOT)} is wrong for {len(wrong)} lines")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
