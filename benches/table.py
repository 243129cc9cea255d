#!/usr/bin/env python3
"""Writes the results of benches/batch into docs/performance.md, between its two markers.

benches/table.py JSON...    several runs give several columns, such as one with near cores and one
                             with far ones
"""

import json
import sys
from pathlib import Path
from statistics import median

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/performance.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def machine(measured):
    """A line about one run."""
    transfer = [
        ns
        for comparison in measured["comparisons"]
        for ns in comparison["transfer_ns"]
        if ns is not None
    ]
    told = f"a cache line took {min(transfer):.0f} to {max(transfer):.0f} ns" if transfer else ""
    about = measured["machine"]
    parts = [about["processor"], f"{about['cores']} cores", told, f"{about['rounds']} rounds"]
    return ", ".join(part for part in parts if part)


def cell(goal):
    """What was measured, and whether that is what was wanted."""
    if goal is None or goal["measured"] is None:
        return "not measured here"
    met = "" if goal["met"] else " **missed**"
    return f"{goal['measured']:.2f}{met}"


def shown(name):
    """A name such as Mutex<VecDeque>, which Markdown would take for HTML."""
    return name.replace("<", "&lt;")


def table(runs):
    """Rows of all runs, in the order of the first run that has them."""
    # The goal is part of the key: near and far cores have different ones.
    rows = dict.fromkeys((goal["what"], goal["goal"]) for run in runs for goal in run["goals"])
    found = [{(goal["what"], goal["goal"]): goal for goal in run["goals"]} for run in runs]
    columns = ["measured"] if len(runs) == 1 else [f"run {n + 1}" for n in range(len(runs))]
    yield f"| what | goal | {' | '.join(columns)} |"
    yield "| --- | --- " + "| ---: " * len(runs) + "|"
    for what, goal in rows:
        cells = [cell(run.get((what, goal))) for run in found]
        yield f"| {shown(what)} | {goal} | {' | '.join(cells)} |"


def ratio(series, unit):
    """The middle of a candidate's multiples of the unit within the rounds."""
    return median(ns / one for ns, one in zip(series["ns"], unit["ns"], strict=True))


def side_by_side(run):
    """Rows of all candidates that hand out items, as multiples of the first, which is the unit."""
    comparisons = [one for one in run["comparisons"] if one["group"] == "claims"]
    yield f"| in multiples of fetch_add | {' | '.join(one['title'] for one in comparisons)} |"
    yield "| --- " + "| ---: " * len(comparisons) + "|"
    for candidate in zip(*(one["series"] for one in comparisons), strict=True):
        cells = [
            f"{ratio(series, one['series'][0]):.2f}"
            for series, one in zip(candidate, comparisons, strict=True)
        ]
        yield f"| {shown(candidate[0]['name'])} | {' | '.join(cells)} |"


def main():
    """Replaces the part between the marks."""
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    if not runs or sys.argv[1].startswith("-"):
        sys.exit("usage: benches/table.py JSON...")
    wrong = [fault for run in runs for fault in run["faults"]]
    if wrong:
        sys.exit(f"table: not written, since items were lost or doubled: {wrong[0]}")
    head, begin, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        sys.exit(f"table: {DOCUMENT.name} has not both of its marks")
    names = [f"Run {n + 1}: " if len(runs) > 1 else "" for n in range(len(runs))]
    machines = [f"{name}{machine(run)}.  " for name, run in zip(names, runs, strict=True)]
    lines = [*machines, "", *table(runs)]
    for name, run in zip(names, runs, strict=True):
        lines += ["", f"{name}All side by side.", "", *side_by_side(run)]
    DOCUMENT.write_text(head + begin + "\n" + "\n".join(lines) + "\n\n" + end + tail)


if __name__ == "__main__":
    main()
