"""Results that go back to the executor."""

import gc
import sys
import weakref

import pytest
from ft_local import BatchExecutor, ExecutorClosed


def make(size=4):
    return BatchExecutor(iter(range(100)).__next__, size)


def test_given_back_results_come_before_newer_ones():
    executor = make()
    first, second = executor.load_many(2)
    executor.give_back(first, second)
    assert executor.load_many(3) == [0, 1, 2]
    assert executor.stats().given_back == 2


def test_an_ended_executor_hands_out_given_back_results():
    executor = BatchExecutor(iter([1]).__next__, 2)
    assert list(executor) == [1]
    executor.give_back(1)
    assert executor.load() == 1


def test_giving_back_nothing_does_nothing():
    executor = make()
    assert executor.give_back() is None
    assert executor.stats().given_back == 0


def test_a_sequence_is_given_back_as_one_result():
    executor = BatchExecutor(lambda: "text", 1)
    executor.give_back(executor.load())
    assert executor.load() == "text"


def test_more_than_the_buffer_holds_can_be_given_back():
    executor = make(2)
    executor.give_back(*executor.load_many(50))
    assert executor.load_many(51) == list(range(51))


@pytest.mark.parametrize("count", [1, 3])
def test_giving_back_moves_references(count):
    item = object()
    executor = BatchExecutor(lambda: item, 1)
    before = sys.getrefcount(item)
    executor.give_back(*executor.load_many(count))
    assert sys.getrefcount(item) == before + len(executor)
    executor.load_many(len(executor))
    assert sys.getrefcount(item) == before


def test_a_closed_executor_releases_what_is_given_back():
    class Item:
        pass

    executor = BatchExecutor(Item, 1)
    item = executor.load()
    seen = weakref.ref(item)
    executor.close()
    executor.give_back(item)
    del item
    gc.collect()
    assert seen() is None
    with pytest.raises(ExecutorClosed):
        executor.load()


def test_give_back_takes_no_keywords():
    with pytest.raises(TypeError):
        make().give_back(result=1)


def test_an_executor_of_the_parent_refuses_results(run_python):
    program = """
import os, sys, ft_local
executor = ft_local.BatchExecutor(object, 4, on_fork="error")
item = executor.load()
before = sys.getrefcount(item)
if os.fork() == 0:
    try:
        executor.give_back(item)
        os._exit(2)
    except ft_local.ForkedError:
        pass
    os._exit(0 if sys.getrefcount(item) == before else 1)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    process = run_python("-c", program)
    assert (process.stdout, process.stderr) == ("0\n", "")
