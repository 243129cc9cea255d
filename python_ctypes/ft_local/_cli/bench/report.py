"""What was measured, as JSON and as a table."""

import dataclasses
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import ft_local
from ft_local._cli.info import gil

from .rounds import Figures, cores
from .taking import Count

# Raised when a reader of older reports would not understand a newer one.
SCHEMA = 1

Report = dict[str, Any]

# A way that is no quicker than this is not worth a change of the program.
_NO_GAIN = 1.05

# Medians in nanoseconds: of each way, by number of threads.
Row = dict[str, dict[int, float]]


def make(figures: Figures, counts: list[Count], rounds: int) -> Report:
    """All of it, as JSON has it."""
    return {
        "schema": SCHEMA,
        "ft_local": ft_local.__version__,
        "backend": ft_local.backend,
        "python": platform.python_version(),
        "gil": gil().partition(":")[0],
        "processor": processor(),
        "cores": cores(),
        "rounds": rounds,
        "figures": [
            {
                "group": cell.group,
                "name": cell.name,
                "way": cell.way,
                "threads": cell.threads,
                **figure,
            }
            for cell, figure in figures.items()
        ],
        "counted": [{**count._asdict(), "exact": count.exact} for count in counts],
    }


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def interpreter(report: Report) -> str:
    """The interpreter in a few letters, such as 3.14.7t."""
    return str(report["python"]) + ("t" if report["gil"].startswith("off") else "")


def rows(report: Report, group: str, unit: str = "ns") -> dict[str, Row]:
    """The medians of one group, by name, way and number of threads."""
    found: dict[str, Row] = {}
    for one in report["figures"]:
        if one["group"] == group:
            by_threads = found.setdefault(one["name"], {}).setdefault(one["way"], {})
            if unit in one:
                by_threads[one["threads"]] = one[unit]["median"]
    return found


@dataclasses.dataclass(frozen=True)
class Best:
    """The quickest way of a row, by its figure with most threads."""

    way: str
    alone: float
    together: float
    # How many times as long the bare object takes.
    gain: float


def most_threads(report: Report, group: str = "programs") -> int:
    """The largest number of threads that have cores of their own."""
    numbers = {one["threads"] for one in report["figures"] if one["group"] == group}
    return max((n for n in numbers if n <= report["cores"]), default=min(numbers, default=0))


def best(row: Row, threads: int) -> Best | None:
    """The quickest way, or bare if none gains; None if a way was not measured."""
    figures = {way: row[way] for way in row if way != "ft_utils"}
    if "bare" not in figures or any(threads not in one for one in figures.values()):
        return None
    way = min(figures, key=lambda one: figures[one][threads])
    bare = figures["bare"][threads]
    if bare <= figures[way][threads] * _NO_GAIN:
        way = "bare"
    together = figures[way][threads]
    return Best(way, figures[way].get(1, together), together, bare / together)


def text(report: Report) -> Iterator[str]:
    """The lines of a table for a terminal."""
    yield f"ft_local {report['ft_local']}, {report['backend']} backend"
    yield f"Python {report['python']}, GIL {report['gil']}"
    yield f"{report['processor']}, {report['cores']} cores, {report['rounds']} rounds"
    for name, row in rows(report, "programs").items():
        yield from ("", f"{name}: ns a turn of a thread", *_lines(row))
        found = best(row, most_threads(report))
        if found:
            yield f"  best: {found.way}, {found.gain:.1f} times as fast as bare"
    for name, row in rows(report, "takes").items():
        yield from ("", f"{name}: ns a result, of all threads together", *_lines(row))
    yield from _waits(report)
    yield ""
    yield from _counted(report["counted"])


def _lines(row: Row) -> Iterator[str]:
    threads = sorted({number for figures in row.values() for number in figures})
    width = max(map(len, row))
    yield "  ".join(["  threads".ljust(width + 2), *(f"{number:>8}" for number in threads)])
    for way, figures in row.items():
        cells = (f"{figures[n]:>8.0f}" if n in figures else f"{'-':>8}" for n in threads)
        yield "  ".join([f"  {way:{width}}", *cells])


def _waits(report: Report) -> Iterator[str]:
    units = ("p50_us", "p99_us", "p99.9_us", "per_second")
    by_unit = {unit: rows(report, "waits", unit) for unit in units}
    for name, ways in by_unit["p50_us"].items():
        yield from ("", f"{name}: wait for a result in us, results a second")
        width = max(map(len, ways))
        yield "  ".join(["  threads".ljust(width + 2), " " * 3, *(f"{unit:>10}" for unit in units)])
        for way, by_threads in ways.items():
            for number in by_threads:
                cells = (f"{by_unit[unit][name][way][number]:>10,.0f}" for unit in units)
                yield "  ".join([f"  {way:{width}}", f"{number:>3}", *cells])


def _counted(counted: Iterable[dict[str, Any]]) -> Iterator[str]:
    every = list(counted)
    for one in every:
        if not one["exact"]:
            yield (
                f"WRONG: {one['name']}, {one['way']}, {one['threads']} threads: "
                f"{one['twice']:,} twice, {one['lost'] or 0:,} lost"
            )
    if every:
        exact = sum(one["exact"] for one in every)
        yield f"exactly once: {exact} of {len(every)} ways, {every[0]['taken']:,} results each"
