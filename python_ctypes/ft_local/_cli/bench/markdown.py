"""Reports of several interpreters as tables for a document."""

from collections.abc import Collection, Iterator
from typing import Any

from . import report as reports
from .report import Report

_WAIT_UNITS = ("p50_us", "p99_us", "p99.9_us", "per_second")


def tables(found: list[Report], groups: Collection[str]) -> Iterator[str]:
    """The lines of the tables of these groups."""
    yield from _machine(found)
    if "programs" in groups:
        yield ""
        yield from _programs(found)
    if "takes" in groups:
        for name in dict.fromkeys(name for one in found for name in reports.rows(one, "takes")):
            yield ""
            yield from _takes(found, name)
        yield ""
        yield from _counted(found)
    if "waits" in groups:
        yield ""
        yield from _waits(found[-1])


def _machine(found: list[Report]) -> Iterator[str]:
    machines = dict.fromkeys(
        f"{one['processor']}, {one['cores']} cores, {one['rounds']} rounds" for one in found
    )
    pythons = ", ".join(map(reports.interpreter, found))
    yield f"{'; '.join(machines)}; Python {pythons} (t: without the GIL)."


def _programs(found: list[Report]) -> Iterator[str]:
    """What two threads take, bare and in the best way."""
    names = dict.fromkeys(name for one in found for name in reports.rows(one, "programs"))
    numbers = [reports.most_threads(one) for one in found]
    yield (
        "| ns a turn, threads: | "
        + " | ".join(
            f"{reports.interpreter(one)}: 1 → {number}, best way"
            for one, number in zip(found, numbers, strict=True)
        )
        + " |"
    )
    yield "| --- " * (len(found) + 1) + "|"
    for name in names:
        cells = (
            _program(reports.rows(one, "programs").get(name, {}), number)
            for one, number in zip(found, numbers, strict=True)
        )
        yield f"| {name} | {' | '.join(cells)} |"


def _program(row: reports.Row, threads: int) -> str:
    best = reports.best(row, threads)
    if best is None:
        return "-"
    bare = row["bare"]
    before = f"{bare.get(1, bare[threads]):.0f} → {bare[threads]:.0f}"
    if best.way == "bare":
        return f"{before}, bare"
    return f"{before}, {best.way} {best.alone:.0f} → {best.together:.0f} (**{best.gain:.1f}**)"


def _takes(found: list[Report], name: str) -> Iterator[str]:
    """What a result takes, for each way and number of threads."""
    rows = [reports.rows(one, "takes").get(name, {}) for one in found]
    ways = dict.fromkeys(way for row in rows for way in row)
    heads = (
        f"{reports.interpreter(one)}: {' / '.join(map(str, _threads(row)))}"
        for one, row in zip(found, rows, strict=True)
    )
    yield f"| {name}: ns a result, threads: | {' | '.join(heads)} |"
    yield "| --- " + "| ---: " * len(found) + "|"
    for way in ways:
        cells = (" / ".join(f"{ns:.0f}" for ns in row.get(way, {}).values()) or "-" for row in rows)
        yield f"| {way} | {' | '.join(cells)} |"


def _threads(row: reports.Row) -> list[int]:
    return sorted({number for figures in row.values() for number in figures})


def _waits(report: Report) -> Iterator[str]:
    """Percentiles of the waits of one interpreter with most threads."""
    rows: dict[str, dict[str, float]] = {}
    threads = max(
        (one["threads"] for one in report["figures"] if one["group"] == "waits"), default=0
    )
    for one in report["figures"]:
        if (one["group"], one["threads"]) == ("waits", threads):
            rows[one["way"]] = {unit: one[unit]["median"] for unit in _WAIT_UNITS}
    yield (
        f"| source of 200 us, {threads} threads, {reports.interpreter(report)} | "
        "p50, us | p99, us | p99.9, us | results a second |"
    )
    yield "| --- " + "| ---: " * len(_WAIT_UNITS) + "|"
    for way, figures in rows.items():
        yield f"| {way} | {' | '.join(f'{figures[unit]:,.0f}' for unit in _WAIT_UNITS)} |"


def _counted(found: list[Report]) -> Iterator[str]:
    counted: list[dict[str, Any]] = [one for report in found for one in report["counted"]]
    wrong = dict.fromkeys(one["way"] for one in counted if not one["exact"])
    yield (
        f"Each result came to exactly one thread in {sum(one['exact'] for one in counted)} of "
        f"{len(counted)} counts." + (f" Not with: {', '.join(wrong)}." if wrong else "")
    )
