#!/usr/bin/env python3
"""Which branches no test takes. Each must be in tests/uncovered.toml, with the reason.

    tools/uncovered.py [REPORT...]          of reports in the formats of lcov and of
                                            gcov --json-format
    tools/uncovered.py --table [REPORT...]  only a table of files, of what gcov reports

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

# How often each branch of a line was taken, by the line's number.
Lines = dict[int, Counter]

# In place of a branch: how often the line itself ran.
RUN = "run"


def of_lcov(report: Path) -> Iterator[tuple[str, Lines]]:
    """What LLVM says of Rust: generic code is there once, with the counts of all its uses."""
    for part in report.read_text().split("end_of_record"):
        lines: Lines = defaultdict(Counter)
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
            for number, branch in enumerate(line["branches"]):
                lines[line["line_number"]][number] += branch["count"]
            # How often the line ran stands beside its branches, and is taken away in `merged`.
            lines[line["line_number"]][RUN] += line["count"]
        yield file["file"], lines


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


def merged(*reports: str) -> Iterator[tuple[str, int, Counter]]:
    """Each line of each file, and how often each of its branches was taken."""
    builds: dict[str, dict[int, list[Counter]]] = defaultdict(lambda: defaultdict(list))
    for report in map(Path, reports):
        read = of_gcov if report.suffix == ".gz" else of_lcov
        for file, lines in read(report):
            path = Path(file).resolve()
            if path.is_relative_to(ROOT):
                for number, branches in lines.items():
                    builds[str(path.relative_to(ROOT))][number].append(branches)
    for file, lines in sorted(builds.items()):
        for number, several in sorted(lines.items()):
            alike: dict[tuple, Counter] = {}
            for one in several:
                alike.setdefault(tuple(sorted(map(str, one))), Counter()).update(one)
            yield (
                file,
                number,
                min(alike.values(), key=lambda one: sum(n == 0 for n in one.values())),
            )


def table(*reports: str) -> None:
    """Prints how many lines and branches of each file ran."""
    sums: dict[str, Counter] = defaultdict(Counter)
    for file, _, branches in merged(*reports):
        runs = branches.pop(RUN)
        taken = sum(n > 0 for n in branches.values())
        for name in (Path(file).name, "~ all"):
            sums[name].update(
                {"lines": 1, "run": runs > 0, "branches": len(branches), "taken": taken}
            )
    for name, n in sorted(sums.items()):
        lines = f"{100 * n['run'] / n['lines']:5.1f} % of {n['lines']:4} lines"
        branches = f"{100 * n['taken'] / (n['branches'] or 1):5.1f} % of {n['branches']:4} branches"
        print(f"{name:22} {lines}, {branches}")


def main(*reports: str) -> int:
    reasons = Reasons()
    wrong = list(reasons.without_a_line())
    all_branches, never = 0, 0
    for file, number, branches in merged(*reports):
        branches.pop(RUN, None)
        all_branches += len(branches)
        missing = sum(n == 0 for n in branches.values())
        never += missing
        text = (ROOT / file).read_text().splitlines()[number - 1].strip()
        if missing and not reasons.reason(file, text):
            wrong.append(f"{file}:{number}: {missing} of {len(branches)} never taken: {text}")
    print("\n".join(wrong))
    print(
        f"note: {100 * (1 - never / all_branches):.1f} % of {all_branches} branches are taken; "
        f"{len(wrong)} lines have no reason in {REASONS.relative_to(ROOT)}"
    )
    return bool(wrong)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--table"]:
        table(*sys.argv[2:])
    else:
        sys.exit(main(*sys.argv[1:]))
