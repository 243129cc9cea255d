"""try_load and load_many: what is ready, many at once, and nothing lost when it goes wrong."""

import itertools
import sys
import threading

import pytest
from ft_local import BatchExecutor


def counting(size):
    return BatchExecutor(itertools.count().__next__, size)


def test_try_load_takes_a_ready_result_and_never_runs_the_source():
    executor = counting(3)
    default = object()
    assert executor.try_load() is None
    assert executor.try_load(default) is default
    executor.load()
    assert [executor.try_load(default) for _ in range(3)] == [1, 2, default]
    assert executor.load() == 3


def test_try_load_does_not_wait_for_a_thread_that_fills():
    entered, finish = threading.Event(), threading.Event()

    def source():
        entered.set()
        assert finish.wait(60)
        return 1

    executor = BatchExecutor(source, 1)
    filler = threading.Thread(target=executor.load)
    filler.start()
    assert entered.wait(60)
    try:
        assert executor.try_load("none") == "none"
    finally:
        finish.set()
        filler.join()


def test_the_default_of_try_load_gains_one_reference():
    executor, default = counting(2), object()
    before = sys.getrefcount(default)
    for _ in range(10):
        executor.try_load(default)
    assert sys.getrefcount(default) == before


def test_wrong_arguments_of_try_load():
    with pytest.raises(TypeError):
        counting(2).try_load(1, 2)
    with pytest.raises(TypeError):
        counting(2).try_load(default=1)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("n", [0, 1, 2, 10, 2500])
def test_load_many_returns_exactly_n_results_in_order(size, n):
    executor = counting(size)
    for start in range(0, 3 * n, n or 1):
        assert executor.load_many(n) == list(range(start, start + n))
    assert executor.load() == 3 * n


def test_results_of_load_many_have_one_reference():
    results = BatchExecutor(object, 3).load_many(7)
    while results:
        result = results.pop()
        alone = object()  # Interpreters count a local variable or not.
        assert sys.getrefcount(result) == sys.getrefcount(alone)


@pytest.mark.parametrize(
    ("n", "kind", "message"),
    [
        (-1, ValueError, "n must be between 0 and .*, got -1"),
        (2**70, ValueError, f"n must be between 0 and .*, got {2**70}"),
        (2.0, TypeError, "n must be an int, got 'float'"),
        (True, TypeError, "n must be an int, got 'bool'"),
        (None, TypeError, "n must be an int, got 'NoneType'"),
        (2**58, MemoryError, None),
    ],
)
def test_an_invalid_number_is_named(n, kind, message):
    executor = counting(3)
    with pytest.raises(kind, match=message):
        executor.load_many(n)
    assert executor.load() == 0


def test_wrong_arguments_of_load_many_are_named():
    for args, kwargs, message in (
        ((), {}, "'n'"),
        ((1, 2, 3), {}, "takes .* but .* given"),
        ((1,), {"count": 1}, "'count'"),
    ):
        with pytest.raises(TypeError, match=message):
            counting(2).load_many(*args, **kwargs)


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("at", [0, 1, 4, 5])
def test_a_source_error_leaves_the_taken_results_to_later_loads(at, size):
    calls = itertools.count()

    def source():
        number = next(calls)
        if number == at:
            raise ValueError(number)
        return number

    executor = BatchExecutor(source, size)
    with pytest.raises(ValueError, match=str(at)):
        executor.load_many(10)
    expected = [number for number in range(12) if number != at]
    assert sorted(executor.load_many(11)) == expected


def test_a_source_that_loads_many_from_its_own_executor():
    executor = BatchExecutor(lambda: executor.load_many(2), 4)
    for _ in range(3):
        with pytest.raises(
            RuntimeError, match="already running the source: the source itself loads"
        ):
            executor.load_many(2)


def test_threads_that_load_many_get_each_result_once(run_threads):
    executor = counting(16)

    def body(index):
        results = []
        for n in range(1, 40):
            results += executor.load_many(n)
            results.append(executor.try_load(-1))
        return results

    per_thread = run_threads(6, body)
    for results in per_thread:
        real = [number for number in results if number >= 0]
        assert real == sorted(real)
    loaded = [number for results in per_thread for number in results if number >= 0]
    left = executor.load_many(len(executor))
    assert sorted(loaded + left) == list(range(len(loaded) + len(left)))


def test_a_load_of_many_at_the_end_of_the_stack_is_a_recursion_error():
    calls = itertools.count()
    executor = BatchExecutor(lambda: next(calls), 3)

    def deeper():
        executor.load_many(2)
        deeper()

    with pytest.raises(RecursionError):
        deeper()
    first = executor.load()
    assert executor.load_many(3) == [first + 1, first + 2, first + 3]


def test_load_many_uses_memory_for_existing_results_only(run_python):
    program = """
import resource, sys, ft_local
executor = ft_local.BatchExecutor(iter(range(10)).__next__, 4)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert executor.load_many(500_000_000) == list(range(10))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
print((after - before) * unit < 100_000_000)
"""
    process = run_python("-c", program)
    assert (process.stdout, process.stderr) == ("True\n", "")


def test_more_results_than_memory_holds_is_an_error_that_takes_nothing():
    executor = BatchExecutor(itertools.count().__next__, 4)
    with pytest.raises(MemoryError):
        executor.load_many(sys.maxsize // 8)
    assert executor.stats().produced == 0
    assert executor.load() == 0
