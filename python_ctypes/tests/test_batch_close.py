"""close(), prefill() and the options: ending an executor, and making results ahead of need."""

import contextlib
import gc
import itertools
import threading
import time
import weakref

import pytest
from ft_local import BatchExecutor, ExecutorClosed


class Thing:
    pass


def test_close_drops_what_is_ready_and_every_load_fails_from_then_on():
    made = []

    def source():
        thing = Thing()
        made.append(weakref.ref(thing))
        return thing

    executor = BatchExecutor(source, 4)
    executor.load()
    assert not executor.closed
    executor.close()
    gc.collect()
    assert executor.closed
    assert [reference() for reference in made] == [None] * 4
    assert len(executor) == 0
    for load in (
        executor.load,
        executor.try_load,
        executor.prefill,
        lambda: executor.load(1),
        lambda: executor.load_many(2),
        executor.cursor().load,
    ):
        with pytest.raises(ExecutorClosed, match="this BatchExecutor was closed"):
            load()
    assert list(executor) == []
    executor.close()
    assert len(made) == 4
    assert executor.size == 4


def test_a_with_block_closes():
    with BatchExecutor(itertools.count().__next__, 3) as executor:
        assert type(executor) is BatchExecutor
        assert executor.load() == 0
    assert executor.closed
    with pytest.raises(ZeroDivisionError), BatchExecutor(int, 3) as executor:
        raise ZeroDivisionError
    assert executor.closed


def test_close_wakes_those_that_wait():
    entered, finish = threading.Event(), threading.Event()
    outcomes = []

    def source():
        entered.set()
        assert finish.wait(60)
        return 1

    def wait(load):
        try:
            outcomes.append(load())
        except ExecutorClosed:
            outcomes.append("closed")

    executor = BatchExecutor(source, 2)
    ways = (
        executor.load,
        lambda: executor.load_many(2),
        lambda: executor.load(60),
        lambda: next(executor.cursor(), "closed"),
        lambda: executor.prefill(timeout=60),
        lambda: next(iter(executor), "closed"),
    )
    filler = threading.Thread(target=wait, args=(executor.load,))
    filler.start()
    assert entered.wait(60)
    waiters = [threading.Thread(target=wait, args=(way,)) for way in ways]
    for waiter in waiters:
        waiter.start()
    time.sleep(0.1)
    executor.close()
    for waiter in waiters:
        waiter.join(60)
    try:
        assert outcomes == ["closed"] * len(ways)
    finally:
        finish.set()
        filler.join()


def test_a_source_may_close_its_executor():
    def source():
        executor.close()
        return 1

    executor = BatchExecutor(source, 2)
    assert next(iter(executor), "closed") in (1, "closed")
    with pytest.raises(ExecutorClosed):
        executor.load()


def test_prefill_makes_results_ahead():
    executor = BatchExecutor(itertools.count().__next__, 8)
    assert executor.prefill(max=3) == 3
    assert len(executor) == 3
    assert executor.prefill(3) == 0
    assert executor.prefill(low_water=4, max=2) == 2
    assert executor.prefill() == 3
    assert executor.prefill() == 0
    assert executor.load_many(9) == list(range(9))


def test_prefill_waits_until_there_is_room():
    executor = BatchExecutor(itertools.count().__next__, 4)
    executor.prefill()
    made = []
    thread = threading.Thread(target=lambda: made.append(executor.prefill(2, timeout=60)))
    thread.start()
    assert executor.load_many(2) == [0, 1]
    thread.join(0.05)
    assert made == []
    assert executor.load() == 2
    thread.join(60)
    assert made == [3]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"low_water": 0}, ValueError, "low_water must be between 1 and 4, got 0"),
        ({"low_water": 5}, ValueError, "low_water must be between 1 and 4, got 5"),
        ({"low_water": "1"}, TypeError, "low_water must be an int, got 'str'"),
        ({"max": 0}, ValueError, "max must be between 1 and .*, got 0"),
        ({"max": 1.0}, TypeError, "max must be an int, got 'float'"),
        ({"most": 1}, TypeError, "'most'"),
    ],
)
def test_wrong_arguments_of_prefill_are_named(arguments, kind, message):
    executor = BatchExecutor(int, 4)
    with pytest.raises(kind, match=message):
        executor.prefill(**arguments)
    with pytest.raises(TypeError):
        executor.prefill(1, 1, 1)
    assert len(executor) == 0


def test_an_error_of_the_source_comes_out_of_prefill():
    calls = itertools.count()
    executor = BatchExecutor(lambda: 6 // (2 - next(calls)), 8)
    with pytest.raises(ZeroDivisionError):
        executor.prefill()
    assert executor.load_many(3) == [3, 6, -6]


def test_a_low_water_mark_has_results_made_before_anybody_waits():
    executor = BatchExecutor(itertools.count().__next__, 8, low_water=4)
    assert executor.load() == 0
    for number in range(1, 50):
        assert executor.load() == number
        assert len(executor) >= 3


def test_an_error_at_the_low_water_mark_loses_no_result():
    calls = itertools.count()

    def source():
        number = next(calls)
        if number % 5 == 4:
            raise ValueError
        return number

    executor = BatchExecutor(source, 4, low_water=4)
    seen = []
    while len(seen) < 40:
        with contextlib.suppress(ValueError):
            seen.append(executor.load())
    left = [executor.try_load() for _ in range(len(executor))]
    made = [number for number in range(next(calls)) if number % 5 != 4]
    assert sorted(seen + left) == made


def test_a_fill_budget_bounds_what_one_load_makes():
    executor = BatchExecutor(itertools.count().__next__, 64, fill_budget=4)
    executor.load()
    assert len(executor) == 3
    asked = []
    executor = BatchExecutor(lambda n: asked.append(n) or [n] * n, 64, bulk=True, fill_budget=4)
    executor.load()
    assert asked == [4]
