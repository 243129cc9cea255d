"""close(): results that are ready are dropped, waiting threads wake, and every later load fails."""

import gc
import itertools
import threading
import time
import weakref

import pytest
from ft_local import BatchExecutor, ExecutorClosed


class Thing:
    pass


def test_close_drops_ready_results_and_later_loads_fail():
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


def test_close_wakes_waiting_threads():
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
