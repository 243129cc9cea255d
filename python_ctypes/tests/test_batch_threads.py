"""BatchExecutor in many threads: one at a time runs the source, each result goes to one caller."""

import itertools
import sys
import threading
import time
from collections import Counter

import pytest
from ft_local import BatchExecutor

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def eager_switching():
    """Lets the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("size", [1, 2, 8, 1000])
def test_each_result_goes_to_exactly_one_caller(size, run_threads, eager_switching):
    calls = itertools.count()

    def source():
        return next(calls)

    executor = BatchExecutor(source, size)
    per_thread = run_threads(8, lambda index: [executor.load() for _ in range(500)])
    loaded = list(itertools.chain(*per_thread))
    left = [executor.load() for _ in range(len(executor))]
    assert sorted(loaded + left) == list(range(next(calls)))
    for results in per_thread:
        assert results == sorted(results)


def test_an_object_arrives_as_the_source_made_it(run_threads, eager_switching):
    calls = itertools.count()
    executor = BatchExecutor(lambda: {"number": next(calls)}, 8)
    per_thread = run_threads(4, lambda index: [executor.load().popitem() for _ in range(1000)])
    loaded = list(itertools.chain(*per_thread))
    left = [executor.load().popitem() for _ in range(len(executor))]
    assert sorted(loaded + left) == [("number", number) for number in range(next(calls))]


@pytest.mark.parametrize("size", [1, 4])
def test_one_thread_at_a_time_runs_the_source(size, run_threads):
    lock = threading.Lock()
    running = most = 0

    def source():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return running

    executor = BatchExecutor(source, size)
    run_threads(4, lambda index: [executor.load() for _ in range(8)])
    assert most == 1


def test_many_executors_work_at_the_same_time(run_threads):
    barrier = threading.Barrier(4)

    def source():
        barrier.wait(30)
        return 1

    run_threads(4, lambda index: BatchExecutor(source, 3).load())


def test_a_result_can_be_loaded_while_the_source_makes_the_next():
    fourth, finish = threading.Event(), threading.Event()
    calls = itertools.count()

    def source():
        number = next(calls)
        if number == 3:
            fourth.set()
            assert finish.wait(60)
        return number

    executor = BatchExecutor(source, 5)
    filler = threading.Thread(target=executor.load)
    filler.start()
    assert fourth.wait(60)
    try:
        # The first is the filler's own.
        assert len(executor) == 2
        assert [executor.load(), executor.load()] == [1, 2]
    finally:
        finish.set()
        filler.join()
    assert executor.load() == 3


def test_a_waiting_thread_gets_each_result_of_a_slow_source(run_threads):
    calls = itertools.count()
    made = []

    def source():
        time.sleep(0.02)
        made.append(time.monotonic())
        return next(calls)

    executor = BatchExecutor(source, 20)
    arrived = []

    def body(index):
        executor.load()
        arrived.append(time.monotonic())

    run_threads(2, body)
    # Both were served while the fill was going on, which takes 20 calls.
    while len(made) < 20:
        executor.load()
    assert arrived[0] < made[-1]


def test_an_error_goes_to_the_thread_that_ran_the_source_and_others_continue(run_threads):
    calls = itertools.count(1)

    def source():
        number = next(calls)
        if number % 7 == 0:
            raise ValueError(number)
        return number

    executor = BatchExecutor(source, 5)

    def body(index):
        results, errors = [], []
        while len(results) < 300:
            try:
                results.append(executor.load())
            except ValueError as error:
                errors.append(error.args[0])
        return results, errors

    outcomes = run_threads(6, body)
    results = [number for outcome in outcomes for number in outcome[0]]
    errors = [number for outcome in outcomes for number in outcome[1]]
    results += [executor.load() for _ in range(len(executor))]
    made = next(calls)
    assert sorted(errors) == list(range(7, made, 7))
    assert sorted(results) == [number for number in range(1, made) if number % 7]


def test_waiting_threads_run_the_source_after_a_failed_fill(run_threads):
    started = threading.Event()
    calls = itertools.count(1)

    def source():
        if next(calls) == 1:
            started.set()
            time.sleep(0.1)
            raise ValueError("first")
        return "good"

    executor = BatchExecutor(source, 2)

    def body(index):
        if index == 0:
            with pytest.raises(ValueError, match="first"):
                executor.load()
            return "failed"
        assert started.wait(60)
        return executor.load()

    assert Counter(run_threads(4, body)) == {"failed": 1, "good": 3}


def test_a_source_may_hold_a_lock_that_a_loading_thread_holds():
    lock = threading.Lock()
    inside = threading.Event()

    def source():
        inside.set()
        with lock:
            return 1

    executor = BatchExecutor(source, 1)
    with lock:
        filler = threading.Thread(target=executor.load)
        filler.start()
        assert inside.wait(60)
    assert executor.load() == 1
    filler.join()


def test_len_and_repr_may_be_asked_while_threads_load(run_threads):
    executor = BatchExecutor(itertools.count().__next__, 50)

    def body(index):
        for _ in range(2000):
            if index % 2:
                executor.load()
            else:
                assert 0 <= len(executor) <= 50
                assert repr(executor).startswith("<BatchExecutor: source=")

    run_threads(4, body)


def test_executors_may_be_made_and_dropped_in_any_thread(run_threads):
    def body(index):
        for start in range(100):
            executor = BatchExecutor(itertools.count(start).__next__, 3)
            assert [executor.load() for _ in range(4)] == list(range(start, start + 4))

    run_threads(8, body)


def test_sources_in_a_deadlock_get_an_error(run_threads):
    inside = threading.Barrier(2)

    def source_of(other):
        def source():
            inside.wait(60)
            return executors[other].load()

        return source

    executors = [BatchExecutor(source_of(1), 1), BatchExecutor(source_of(0), 1)]

    def body(index):
        with pytest.raises((RuntimeError, threading.BrokenBarrierError)) as caught:
            executors[index].load()
        inside.abort()
        return caught.type

    assert RuntimeError in run_threads(2, body)
