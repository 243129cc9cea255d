"""How long threads wait for results of a slow source: 200 us, as a round trip to a database.

The source sleeps. Each thread works on a result for as long as the source needs for one and a half
results for all threads, so that the source could keep up with them; that work sleeps too, so that
the cores do not matter.
"""

import contextlib
import functools
import inspect
import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import ft_local

from .rounds import Cell, elapsed, run_threads
from .takes import BLOCK, Source

SOURCE_SECONDS = 0.0002

Way = Callable[[Source], contextlib.AbstractContextManager[Source]]

_has = inspect.signature(ft_local.BatchExecutor).parameters


def _source() -> Source:
    numbers = itertools.count()

    def make() -> int:
        time.sleep(SOURCE_SECONDS)
        return next(numbers)

    return make


def _by_load(**options: Any) -> Way:
    @contextlib.contextmanager
    def way(source: Source) -> Iterator[Source]:
        yield ft_local.BatchExecutor(source, BLOCK, **options).load

    return way


@contextlib.contextmanager
def prefilled(source: Source) -> Iterator[Source]:
    """A thread of its own makes results ahead of time."""
    executor = ft_local.BatchExecutor(source, BLOCK)

    def prefill() -> None:
        with contextlib.suppress(ft_local.ExecutorClosed):
            while True:
                executor.prefill(low_water=BLOCK // 2, timeout=None)

    thread = threading.Thread(target=prefill, daemon=True)
    thread.start()
    try:
        yield executor.load
    finally:
        executor.close()
        thread.join()


@contextlib.contextmanager
def in_each_thread(source: Source) -> Iterator[Source]:
    """Each thread runs the source itself."""
    yield source


@contextlib.contextmanager
def under_a_lock(source: Source) -> Iterator[Source]:
    """Each thread runs the source, one at a time."""
    lock = threading.Lock()

    def take() -> Any:
        with lock:
            return source()

    yield take


def _from_producers(count: int) -> Way:
    @contextlib.contextmanager
    def way(source: Source) -> Iterator[Source]:
        results: queue.Queue[Any] = queue.Queue(BLOCK)
        stop = threading.Event()

        def produce() -> None:
            while not stop.is_set():
                with contextlib.suppress(queue.Full):
                    results.put(source(), timeout=0.05)

        producers = [threading.Thread(target=produce, daemon=True) for _ in range(count)]
        for producer in producers:
            producer.start()
        try:
            yield results.get
        finally:
            stop.set()
            for producer in producers:
                producer.join()

    return way


WAYS: dict[str, Way] = {
    "load": _by_load(),
    "load, fill_budget=4": _by_load(fill_budget=4),
    "load, with a prefill thread": prefilled,
    **({"load, fillers=4": _by_load(fillers=4)} if "fillers" in _has else {}),
    "the source in each thread": in_each_thread,
    "the source under a lock": under_a_lock,
    "Queue and a producer": _from_producers(1),
    "Queue and 4 producers": _from_producers(4),
}


def cells(threads: list[int], results: int) -> Iterator[Cell]:
    """A cell for each way and number of threads."""
    for title, way in WAYS.items():
        for number in threads:
            yield Cell("waits", "source of 200 us", title, number, _sampler(way, number, results))


def _sampler(way: Way, threads: int, each: int) -> Callable[[], dict[str, float]]:
    def sample() -> dict[str, float]:
        waits: list[list[int]] = [[] for _ in range(threads)]
        results: list[list[Any]] = [[] for _ in range(threads)]
        with way(_source()) as load:

            def work(index: int) -> None:
                for _ in range(each):
                    began = time.perf_counter_ns()
                    results[index].append(load())
                    waits[index].append(time.perf_counter_ns() - began)
                    time.sleep(1.5 * SOURCE_SECONDS * threads)

            bodies = [functools.partial(work, index) for index in range(threads)]
            spans = run_threads(bodies, pinned=False)
        taken = list(itertools.chain.from_iterable(results))
        if len(set(taken)) != len(taken):
            raise AssertionError("a result of the slow source came twice")
        return {**_percentiles(waits), "per_second": len(taken) / elapsed(spans) * 1e9}

    return sample


def _percentiles(waits: list[list[int]]) -> dict[str, float]:
    every = sorted(itertools.chain.from_iterable(waits))
    at = {"p50_us": 0.5, "p99_us": 0.99, "p99.9_us": 0.999}
    return {
        name: every[min(len(every) - 1, int(len(every) * part))] / 1000 for name, part in at.items()
    }
