#!/usr/bin/env python3
"""Which branches no test takes. Each must be in tests/uncovered.toml, with the reason.

    tools/uncovered.py [REPORT...]    reports in the formats of lcov and of gcov --json-format

A report of one build may say what another does not: a branch is taken if it is in one of them, and a
line that each compiles to other branches if one takes all of its own.
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
NEVER_REACHED = ROOT / "build/coverage/never-reached.txt"

# How often each branch of a line was taken, by the line's number; "line" is how often it was reached.
Lines = dict[int, Counter]


def of_lcov(report: Path) -> Iterator[tuple[str, Lines]]:
    """What LLVM says of Rust: generic code is there once, with the counts of all its uses."""
    for part in report.read_text().split("end_of_record"):
        lines: Lines = defaultdict(Counter)
        for line, count in re.findall(r"^DA:(\d+),(\d+)", part, re.M):
            lines[int(line)]["line"] += int(count)
        for line, branch, taken in re.findall(r"^BRDA:(\d+),(\d+,\d+),(\d+|-)$", part, re.M):
            lines[int(line)][branch] += int(taken.replace("-", "0"))
        if file := re.search(r"^SF:(.*)$", part, re.M):
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
            lines = {line.strip() for file in ROOT.glob(name) for line in file.read_text().splitlines()}
            for key in known:
                if key not in lines and not (
                    key.startswith("~ ") and any(re.search(key[2:], line) for line in lines)
                ):
                    yield f"{name}: there is no such line: {key}"


def merged(several: list[Counter]) -> Counter:
    """What all builds say of a line: how often it was reached, and the branches of the best build."""
    alike: dict[tuple, Counter] = {}
    for one in several:
        alike.setdefault(tuple(sorted(one)), Counter()).update(one)
    best = min(alike.values(), key=lambda one: sum(n == 0 for n in one.values()))
    return best | {"line": sum(one["line"] for one in several)}


def main(*reports: str) -> int:
    builds: dict[str, dict[int, list[Counter]]] = defaultdict(lambda: defaultdict(list))
    for report in map(Path, reports):
        read = of_gcov if report.suffix == ".gz" else of_lcov
        for file, lines in read(report):
            path = Path(file).resolve()
            if path.is_relative_to(ROOT):
                for number, counts in lines.items():
                    builds[str(path.relative_to(ROOT))][number].append(counts)
    reasons = Reasons()
    wrong, never_reached = list(reasons.without_a_line()), []
    total: Counter[str] = Counter()
    for file, lines in sorted(builds.items()):
        texts = (ROOT / file).read_text().splitlines()
        tests = unit_tests_of(texts)
        here: Counter[str] = Counter()
        for number, several in sorted(lines.items()):
            if number >= tests:
                continue
            text, counts = texts[number - 1].strip(), merged(several)
            reached = counts.pop("line") > 0
            missing = sum(n == 0 for n in counts.values())
            here += Counter(
                lines=1, reached=reached, branches=len(counts), taken=len(counts) - missing
            )
            if not reached:
                never_reached.append(f"{file}:{number}: {text}")
            if missing and not reasons.reason(file, text):
                wrong.append(f"{file}:{number}: {missing} of {len(counts)} never taken: {text}")
        print(f"{file}: {shares(here)}")
        total += here
    NEVER_REACHED.parent.mkdir(parents=True, exist_ok=True)
    NEVER_REACHED.write_text("".join(f"{line}\n" for line in never_reached))
    print("\n".join(wrong))
    print(
        f"note: {shares(total)}; the lines that were never reached are in "
        f"{NEVER_REACHED.relative_to(ROOT)}; {len(wrong)} branches have no reason in "
        f"{REASONS.relative_to(ROOT)}"
    )
    return bool(wrong)


def shares(of: Counter[str]) -> str:
    return ", ".join(
        f"{100 * of[part] / (of[whole] or 1):.1f} % of {of[whole]} {whole}"
        for part, whole in (("reached", "lines"), ("taken", "branches"))
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
