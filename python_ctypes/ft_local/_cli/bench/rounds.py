"""Samples in interleaved rounds, and threads that start at the same time."""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ft_local._cli.progress import Progress


@dataclass(frozen=True)
class Cell:
    """What is measured: a way to do one thing, with so many threads."""

    group: str
    name: str
    way: str
    threads: int
    # One sample: figures by their unit. None if the machine disturbed it.
    sample: Callable[[], Mapping[str, float] | None] = field(compare=False)


# A thread that needed so many times its own time had lost its core.
_DISTURBED = 1.15

# Threads ran at the same time if they did for this part of it.
_TOGETHER = 0.7

Figures = dict[Cell, dict[str, dict[str, float]]]


def run_rounds(cells: list[Cell], rounds: int) -> Figures:
    """Samples all cells in each round, those with the same name side by side; sums them up."""
    found: dict[Cell, list[Mapping[str, float]]] = {cell: [] for cell in cells}
    names = list(dict.fromkeys((cell.group, cell.name) for cell in cells))
    progress = Progress("bench", len(cells) * rounds)
    done = 0
    for group, name in names:
        row = [cell for cell in cells if (cell.group, cell.name) == (group, name)]
        for turn in range(rounds):
            # Another one begins each time, so that none always follows the same.
            first = turn % len(row)
            for cell in row[first:] + row[:first]:
                progress.show(done, done, f"samples of {len(cells) * rounds:,}: {name}")
                sample = cell.sample()
                if sample is not None:
                    found[cell].append(sample)
                done += 1
    progress.close()
    return {cell: _sum_up(samples) for cell, samples in found.items()}


def _sum_up(samples: list[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The median of each figure, and between which values the middle half lies."""
    figures = {}
    for unit in samples[0] if samples else ():
        values = [sample[unit] for sample in samples]
        low, _, high = (
            statistics.quantiles(values, method="inclusive") if values[1:] else values * 3
        )
        figures[unit] = {"median": statistics.median(values), "low": low, "high": high}
    return figures


def run_threads(
    bodies: Iterable[Callable[[], Any]],
    *,
    pinned: bool,
    warm_up: Callable[[int], Any] | None = None,
) -> list[tuple[int, int, bool]]:
    """Runs each body in a thread of its own; when it began and ended, and whether it had a core.

    Raises what a thread raised.
    """
    todo = list(bodies)
    gate = threading.Barrier(len(todo))
    spans: list[tuple[int, int, bool]] = []
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            if pinned:
                _pin(index)
            if warm_up:
                warm_up(index)
            gate.wait()
            began, core = time.perf_counter_ns(), time.thread_time_ns()
            todo[index]()
            core, ended = time.thread_time_ns() - core, time.perf_counter_ns()
            spans.append((began, ended, ended - began <= core * _DISTURBED))
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
            gate.abort()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(todo))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if not isinstance(error, threading.BrokenBarrierError):
            raise error
    return spans


def undisturbed(spans: list[tuple[int, int, bool]]) -> bool:
    """Whether all threads were at work for most of the time in which one was."""
    begins, ends, had_cores = zip(*spans, strict=True)
    together = min(ends) - max(begins) >= _TOGETHER * (max(ends) - min(begins))
    return all(had_cores) and together


def elapsed(spans: list[tuple[int, int, bool]]) -> int:
    """From when the first thread began to when the last ended, in nanoseconds."""
    return max(ended for _, ended, _ in spans) - min(began for began, _, _ in spans)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pin(index: int) -> None:
    """Keeps this thread on a core of its own, if there are enough and the system can."""
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {usable[index % len(usable)]})
