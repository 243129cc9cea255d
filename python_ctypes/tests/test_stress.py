"""Exactly once, under load: threads, sizes and sources, with every result accounted for.

FT_LOCAL_STRESS_LOADS is how many loads all cases make together; the default is quick.
"""

import itertools
import os
import threading
import time

import pytest
from ft_local import BatchExecutor

THREADS = (4, 16)
SIZES = (1, 2, 8, 64, 1000)
SLEEPING_LOADS = 400

# Every size and number of threads with each of three sources and with each other way to load; the
# source that sleeps has its own.
CASES = len(THREADS) * len(SIZES) * (3 + 3)
LOADS = max(160, int(os.environ.get("FT_LOCAL_STRESS_LOADS", "300000")) // CASES)

pytestmark = pytest.mark.timeout(1800)


class SourceError(Exception):
    pass


def c_source():
    """Counts in C. One thread at a time runs a source, so that the count needs no lock."""
    return itertools.count().__next__


def python_source():
    def source():
        nonlocal made
        number = made
        made = number + 1
        return number

    made = 0
    return source


def failing_source():
    """As `python_source`, but every 97th call raises."""

    def source():
        nonlocal calls, made
        calls += 1
        if calls % 97 == 0:
            raise SourceError
        number = made
        made = number + 1
        return number

    calls = made = 0
    return source


def sleeping_source():
    def source():
        time.sleep(0.0001)
        return next(numbers)

    numbers = itertools.count()
    return source


def load_many(executor, count):
    """Loads `count` results; of a source that fails, loads again."""
    load = executor.load
    results = []
    append = results.append
    while len(results) < count:
        try:
            for _ in range(count - len(results)):
                append(load())
        except SourceError:
            pass
    return results


def by_cursors(executor, count):
    """As `load_many`, by cursors that come and go with results in hand."""
    results = []
    while len(results) < count:
        with executor.cursor() as cursor:
            results += itertools.islice(cursor, min(500, count - len(results)))
    return results


def in_lists(executor, count):
    """As `load_many`, many at once."""
    results = []
    while len(results) < count:
        results += executor.load_many(min(37, count - len(results)))
    return results


def by_every_way(executor, count):
    """As `load_many`, by every way there is, one after the other."""
    results = []
    cursor = executor.cursor()
    ways = itertools.cycle(
        (
            lambda: results.append(next(cursor)),
            lambda: results.append(executor.load(timeout=60)),
            lambda: results.extend(executor.load_many(3)),
            lambda: results.extend(x for x in [executor.try_load()] if x is not None),
            executor.prefill,
        )
    )
    while len(results) < count:
        next(ways)()
    return results


def check_exactly_once(executor, per_thread, *, in_order=True):
    """Every number that was made is with one thread, or left in the buffer."""
    left = []
    while len(executor):
        # A load would have more made, where there is a low-water mark.
        left.append(executor.try_load())
    delivered = sum(map(len, per_thread))
    made = delivered + len(left)
    seen = bytearray(made)
    for results in (*per_thread, left):
        last = -1
        for number in results:
            assert number > last or not in_order, f"{number} came to a thread after {last}"
            last = number
            assert number < made, f"{number} was handed out, but another was lost"
            assert not seen[number], f"{number} was handed out twice"
            seen[number] = 1
    assert seen.count(1) == made


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make_source", [c_source, python_source, failing_source])
def test_exactly_once(make_source, size, threads, run_threads):
    executor = BatchExecutor(make_source(), size)
    share = -(-LOADS // threads)
    per_thread = run_threads(threads, lambda index: load_many(executor, share))
    # A thread that fills keeps the first result for itself, and if the fill fails, gives it back:
    # by then others may have had later ones.
    check_exactly_once(executor, per_thread, in_order=make_source is not failing_source)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", [by_cursors, in_lists, by_every_way])
def test_exactly_once_by_every_way_to_load(way, size, threads, run_threads):
    numbers = itertools.count()
    executor = BatchExecutor(
        lambda n: list(itertools.islice(numbers, n)), size, bulk=True, low_water=size // 4
    )
    share = -(-LOADS // threads)
    per_thread = run_threads(threads, lambda index: way(executor, share))
    # What a cursor gives back may come to a thread that has had later ones.
    check_exactly_once(executor, per_thread, in_order=way is in_lists)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("size", SIZES)
def test_exactly_once_while_the_source_sleeps(size, threads, run_threads):
    executor = BatchExecutor(sleeping_source(), size)
    share = SLEEPING_LOADS // threads
    check_exactly_once(executor, run_threads(threads, lambda index: load_many(executor, share)))


class Flawed:
    """An executor that hands out its 50th result twice, or never, for the check to find."""

    def __init__(self, fault):
        self.numbers = itertools.count()
        self.fault = fault
        self.lock = threading.Lock()
        self.again = []

    def __len__(self):
        return 0

    def load(self):
        with self.lock:
            if self.again:
                return self.again.pop()
            number = next(self.numbers)
            if number == 50:
                if self.fault == "lost":
                    return next(self.numbers)
                self.again.append(number)
            return number


@pytest.mark.parametrize("fault", ["lost", "doubled"])
def test_the_check_finds_a_fault(fault, run_threads):
    executor = Flawed(fault)
    per_thread = run_threads(4, lambda index: load_many(executor, 100))
    with pytest.raises(AssertionError):
        check_exactly_once(executor, per_thread)
