"""BatchExecutor: how often threads that wait are woken, and what the thread that fills may load."""

import itertools
import resource
import threading
import time

import pytest
from ft_local import BatchExecutor

CROWD = 100
# A thread sleeps once for its result, and now and then for the interpreter's lock.
MOST_OF_A_THREAD = 8
IDLE_TICKS = 1000
MOST_WHEN_IDLE = 25


def sleeps(whose):
    """How often a thread, or the whole process, has gone to sleep."""
    return resource.getrusage(whose).ru_nvcsw


def sleeps_of_others():
    return sleeps(resource.RUSAGE_SELF) - sleeps(resource.RUSAGE_THREAD)


class Stuck:
    """A bulk source that makes much at first, waits for a signal, and then makes four a call."""

    def __init__(self):
        self.numbers = itertools.count()
        self.calls = 0
        self.stuck, self.go_on = threading.Event(), threading.Event()

    def __call__(self, n):
        self.calls += 1
        if self.calls == 1:
            return list(itertools.islice(self.numbers, n))
        if self.calls == 2:
            self.stuck.set()
            assert self.go_on.wait(60)
        time.sleep(0.002)
        return list(itertools.islice(self.numbers, min(n, 4)))


def start_waiting(executor, count, slept):
    """`count` threads wait for one result each, and then tell how often they slept."""

    def load():
        before = sleeps(resource.RUSAGE_THREAD)
        executor.load()
        slept.append(sleeps(resource.RUSAGE_THREAD) - before)

    waits = executor.stats().waits
    threads = [threading.Thread(target=load, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    while executor.stats().waits < waits + count:
        time.sleep(0.001)
    return threads


def by_the_source(executor, source, results, cursor):
    source.go_on.set()


def by_giving_back(executor, source, results, cursor):
    executor.give_back(*results)


def by_closing_a_cursor(executor, source, results, cursor):
    cursor.close()


def sleeps_of_each(feed):
    """How often each of many threads slept, on average, until it had its result."""
    source = Stuck()
    executor = BatchExecutor(source, 4 * CROWD, bulk=True)
    executor.load()
    cursor = executor.cursor()
    next(cursor)
    in_hand = len(cursor)
    assert in_hand > 20
    results = executor.load_many(len(executor))
    filler = threading.Thread(target=executor.load, daemon=True)
    filler.start()
    assert source.stuck.wait(60)
    crowd = in_hand if feed is by_closing_a_cursor else CROWD
    slept = []
    threads = start_waiting(executor, crowd, slept)
    feed(executor, source, results[:crowd], cursor)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread sleeps on"
    source.go_on.set()
    filler.join(60)
    return sum(slept) / crowd


@pytest.mark.parametrize("feed", [by_the_source, by_giving_back, by_closing_a_cursor])
def test_n_results_at_once_wake_n_threads(feed):
    # Again if it was more: all threads wake at each switch interval while the thread that has the
    # interpreter's lock has no core, or collects garbage.
    assert any(sleeps_of_each(feed) < MOST_OF_A_THREAD for _ in range(3))


def test_threads_without_signals_sleep_until_woken():
    idle = []

    def source():
        if not idle:
            while executor.stats().waits < CROWD:
                time.sleep(0.001)
            time.sleep(0.05)
            before = sleeps_of_others()
            for _ in range(IDLE_TICKS):
                time.sleep(0.001)
            idle.append(sleeps_of_others() - before)
        return object()

    executor = BatchExecutor(source, CROWD + 1)
    filler = threading.Thread(target=executor.load, daemon=True)
    threads = [threading.Thread(target=executor.load, daemon=True) for _ in range(CROWD)]
    for thread in [filler, *threads]:
        thread.start()
    for thread in [filler, *threads]:
        thread.join(60)
        assert not thread.is_alive(), "a thread sleeps on"
    assert idle[0] < MOST_WHEN_IDLE


@pytest.mark.parametrize("bulk", [False, True])
def test_the_filling_thread_gets_ready_results_and_else_an_error(bulk):
    numbers, seen = itertools.count(), []

    # As a source does that yields to a hub, which lets other greenlets of the thread load.
    def source():
        number = next(numbers)
        if number == 4:
            seen.append(executor.load())
            seen.extend(executor.load_many(1))
            seen.append(next(cursor))
            with pytest.raises(RuntimeError, match=r"already running the source.*greenlet"):
                executor.load()
            with pytest.raises(RuntimeError, match=r"already running the source.*greenlet"):
                next(cursor)
        return number

    make = (lambda n: [source()]) if bulk else source
    executor = BatchExecutor(make, 6, bulk=bulk)
    cursor = executor.cursor()
    assert executor.load() == 0
    assert seen == [1, 2, 3]
    assert executor.load_many(2) == [4, 5]
    stats = executor.stats()
    assert stats.produced + stats.given_back == stats.loads + stats.claimed + len(executor)
