"""Loads from one executor that threads share: what one costs, and whether each result came once."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from ft_local import BatchExecutor
from operations import loop
from timing import PER_REPEAT, ROUNDS, THREAD_REPEATS, in_threads

SIZE = 1000
CHECKED = 100_000
# Threads that share a queue take a while until they run in step.
REPEATS = 4 * THREAD_REPEATS

# An object that one thread makes and another drops goes back to the first over a queue of the
# interpreter's, which costs more than to load it. An immortal one shows the load alone.
SOURCES: dict[str, Callable[[], Iterator[Any]]] = {
    "immortal results": lambda: itertools.repeat(None),
    "new results": itertools.count,
}


@dataclass(frozen=True)
class Way:
    """One row of the table: a way for a thread to load."""

    name: str
    goal: str
    of: Callable[[Any], Any]
    # What the peer has no counterpart of.
    ours_only: bool = False


WAYS = (
    Way("load()", "less than ft_utils", lambda executor: executor),
    Way("as_local().load()", "less than ft_utils", lambda executor: executor.as_local()),
    Way("cursor().load()", "2:1 at most 1.15", lambda executor: executor.cursor(), ours_only=True),
)


def count_wrong(make: Callable[[Callable[[], int], int], Any], way: Way) -> int:
    """How many results were lost by two threads, or came twice."""
    executor = make(itertools.count().__next__, SIZE)
    lists: list[list[int]] = []

    def body(thing: Any, _kind: Any, repeats: int) -> None:
        lists.append([thing.load() for _ in range(repeats)])

    in_threads(body, lambda: way.of(executor), 2, CHECKED)
    # What is left in the buffer, which holds no more than this; then all numbers were there.
    lists.append([executor.load() for _ in range(SIZE)])
    results = list(itertools.chain.from_iterable(lists))
    different = set(results)
    return len(results) - len(different) + max(different) + 1 - len(different)


def check_accounts(executor: BatchExecutor[int], operations: int) -> None:
    """Refuses figures of loads that the executor did not count."""
    stats = executor.stats()
    went = stats.claimed + stats.loads + stats.released + stats.dropped_on_fork
    taken = stats.loads + stats.claimed - stats.given_back
    if stats.produced + stats.given_back != went + len(executor) or taken != operations:
        raise AssertionError(f"{operations} loads, but {stats}")


def time_loads(
    make: Callable[[Callable[[], Any], int], Any], way: Way, source: Callable[[], Any]
) -> list[list[float]]:
    """The times of a load in one thread and in two, by the clock on the wall: waiting counts."""
    executor = make(source, SIZE)
    body = loop("thing.load()")
    times: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for count, column in zip((1, 2), times, strict=True):
            make_one = functools.partial(way.of, executor)
            column.append(in_threads(body, make_one, count, REPEATS, time.perf_counter_ns))
    if isinstance(executor, BatchExecutor):
        check_accounts(executor, ROUNDS * 3 * REPEATS * PER_REPEAT)
    return times


def peers() -> dict[str, Any]:
    """The executors that are compared."""
    makers: dict[str, Any] = {"ft_local": BatchExecutor}
    with contextlib.suppress(ImportError):
        makers["ft_utils"] = importlib.import_module("ft_utils.local").BatchExecutor
    return makers


def measure(name: str, way: int, results: str) -> tuple[list[list[float]], int]:
    """The times of one row, and how many results were lost or came twice."""
    make = peers()[name]
    source = SOURCES[results]().__next__
    return time_loads(make, WAYS[way], source), count_wrong(make, WAYS[way])


def cells(name: str, way: int, results: str) -> str:
    """One row, measured in a process of its own: a way that hands a result out twice may crash."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        try:
            (one, two), wrong = pool.submit(measure, name, way, results).result()
        except BrokenProcessPool:
            return f"{'crashed':>10}{'':>26}"
    ratio = statistics.median(b / a for a, b in zip(one, two, strict=True))
    return f"{statistics.median(one):>10.1f}{statistics.median(two):>10.1f}{ratio:>8.2f}{wrong:>8}"


def compare_shared_loads() -> None:
    """Prints the tables of threads that load from one executor."""
    for results in SOURCES:
        print(f"\nns per load from one shared executor, {results}")
        print(f"wrong: lost or twice, of {2 * CHECKED}")
        print(f"{'':<30}{'1 thread':>10}{'2 threads':>10}{'2:1':>8}{'wrong':>8}  goal")
        for (index, way), name in itertools.product(enumerate(WAYS), peers()):
            if name != "ft_local" and way.ours_only:
                continue
            goal = f"{way.goal}, 0 wrong" if name == "ft_local" else ""
            row = cells(name, index, results)
            print(f"{name + ' ' + way.name:<30}{row}  {goal}", flush=True)
