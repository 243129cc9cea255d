"""`bench`: shared objects, shared sources and waits, in all ways side by side."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ft_local._cli.numbers import number

from . import markdown, plot, report, sharing, takes, taking, waits
from .programs import PROGRAMS
from .rounds import Cell, cores, run_rounds

DESCRIPTION = """\
Measure on this machine what ft_local gains, and where it does not.

programs  threads share one object: bare, through a LocalWrapper each, shared, immortal, copied
takes     threads take ids, tokens and GUIDs: from an executor, and in other ways
waits     how long threads wait for a source of 200 us

Ways take turns in each round; a figure is the median of the rounds. First each way to take is
counted: did each result come to exactly one thread? Modules used if they are installed: modern-di,
ft_utils, cereggii, culsans, numpy, uuid_utils. Leave the machine alone meanwhile.

Exit status: 0 if each result of ft_local came to exactly one thread, 1 if not.
"""

_GROUPS = ("programs", "takes", "waits")

_READING = "measure nothing: read these reports, made with --json"


def _default_threads() -> list[int]:
    """1, 2, 4 and so on, up to the cores there are, but 4 at least."""
    return [
        2**power for power in range(max(4, cores()).bit_length()) if 2**power <= max(4, cores())
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    whole = {
        "threads": (
            1,
            1000,
            "numbers of threads (default: 1, 2, 4 ... up to the cores, at least 4)",
        ),
        "rounds": (1, 10_000, "how often each is measured (default: 15)"),
        "turns": (0, 10_000_000, "turns and results of a thread a sample (default: by --ms)"),
        "counted": (1, 10_000_000, "results a thread takes to be counted (default: 20000)"),
        "waited": (1, 1_000_000, "results a thread waits for in a sample (default: 100)"),
    }
    defaults = {"threads": None, "rounds": 15, "turns": 0, "counted": 20_000, "waited": 100}
    for name, (least, most, text) in whole.items():
        parser.add_argument(
            f"--{name}",
            type=number(int, least, most),
            nargs="+" if name == "threads" else None,
            default=defaults[name],
            metavar="N",
            help=text,
        )
    parser.add_argument(
        "--ms", type=number(float, 0.1, 10_000), default=5.0, help="length of a sample (default: 5)"
    )
    parser.add_argument("--group", choices=_GROUPS, nargs="+", default=_GROUPS)
    parser.add_argument("--only", default="", metavar="TEXT", help="what has TEXT in its name")
    parser.add_argument("--read", type=Path, nargs="+", metavar="FILE", help=_READING)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the programs; matplotlib")


def run(options: argparse.Namespace) -> int:
    """Measures or reads, then prints and draws what was asked for."""
    if options.svg and not plot.available():
        print("bench: --svg needs matplotlib: python -m pip install matplotlib", file=sys.stderr)
        return 2
    found = _read(options.read) if options.read else _measure(options)
    if not found:
        return 2
    if options.svg:
        plot.draw(found, options.svg)
    if options.json:
        print(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    elif options.markdown:
        print("\n".join(markdown.tables(found, options.group)))
    else:
        print("\n\n".join("\n".join(report.text(one)) for one in found))
    counted = (count for one in found for count in one["counted"])
    return int(any(count["way"] in takes.OURS and not count["exact"] for count in counted))


def _read(files: list[Path]) -> list[report.Report]:
    found: list[report.Report] = []
    for file in files:
        try:
            one = json.loads(file.read_text(encoding="utf-8"))
            schema = one["schema"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"bench: {file} is not a report: {error!r}", file=sys.stderr)
            return []
        if schema != report.SCHEMA:
            print(f"bench: {file} has schema {schema}, not {report.SCHEMA}", file=sys.stderr)
            return []
        found.append(one)
    return found


def _measure(options: argparse.Namespace) -> list[report.Report]:
    threads = options.threads or _default_threads()
    programs = [name for name in PROGRAMS if options.only in name and "programs" in options.group]
    sources = [name for name in takes.SOURCES if options.only in name and "takes" in options.group]
    slow = "waits" in options.group and options.only in "waits"
    if not (programs or sources or slow):
        print(f"bench: nothing has {options.only!r} in its name", file=sys.stderr)
        return []
    counts = list(taking.counts(sources, max(threads), options.counted))

    def cells() -> Iterator[Cell]:
        yield from sharing.cells(programs, threads, options.turns, options.ms)
        yield from taking.cells(sources, threads, options.turns, options.ms)
        if slow:
            yield from waits.cells(threads, options.waited)

    return [report.make(run_rounds(list(cells()), options.rounds), counts, options.rounds)]
