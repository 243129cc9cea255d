"""Bulk sources: source(n) returns an iterable of up to n results, and more than n is not lost."""

import gc
import itertools
import sys
import types
import weakref

import pytest
from ft_local import BatchExecutor


class Thing:
    pass


def counting(make):
    """A source of 0, 1, 2 ... whose iterables are what `make` makes of a list of them."""
    numbers = itertools.count()
    return lambda n: make([next(numbers) for _ in range(n)])


class Sequence:
    """What can only be indexed."""

    def __init__(self, items):
        self.items = items

    def __getitem__(self, index):
        return self.items[index]


KINDS = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "generator": lambda items: (item for item in items),
    "dict": dict.fromkeys,
    "sequence": Sequence,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_any_iterable_works_and_keeps_its_order(make, size):
    executor = BatchExecutor(counting(make), size, bulk=True)
    count = 2 * size + 3
    assert [executor.load() for _ in range(count)] == list(range(count))


def test_the_source_is_asked_for_no_more_than_fits():
    asked = []

    def source(n):
        asked.append(n)
        return [None] * n

    executor = BatchExecutor(source, 10, bulk=True)
    executor.load_many(25)
    assert all(type(n) is int and 1 <= n <= 10 for n in asked)
    assert asked[0] == 10


@pytest.mark.parametrize("extra", [1, 5, 100])
def test_surplus_results_are_kept_for_later(extra):
    numbers = itertools.count()
    executor = BatchExecutor(lambda n: [next(numbers) for _ in range(n + extra)], 4, bulk=True)
    assert executor.load_many(300) == list(range(300))


def test_an_endless_iterable_is_requested_once():
    calls = []

    def source(n):
        calls.append(n)
        return itertools.count()

    executor = BatchExecutor(source, 4, bulk=True)
    assert [executor.load() for _ in range(100)] == list(range(100))
    assert len(calls) == 1


def test_a_result_has_one_reference_and_is_not_kept():
    executor = BatchExecutor(lambda n: (Thing() for _ in range(n)), 4, bulk=True)
    for _ in range(9):
        result = executor.load()
        alone = object()  # Interpreters count a local variable or not.
        assert sys.getrefcount(result) == sys.getrefcount(alone)
        reference = weakref.ref(result)
        del result
        assert reference() is None


def test_the_rest_of_an_iterable_is_freed_with_the_executor():
    references = []

    def source(n):
        things = [Thing() for _ in range(10)]
        references.extend(map(weakref.ref, things))
        return things

    executor = BatchExecutor(source, 3, bulk=True)
    executor.load()
    gc.collect()
    assert sum(reference() is not None for reference in references) >= 9
    del executor
    gc.collect()
    assert [reference() for reference in references] == [None] * 10


@pytest.mark.c_backend(reason="ctypes cannot show the collector what the library holds")
def test_a_cycle_through_the_rest_of_an_iterable_is_collected():
    def make():
        def source(n):
            return itertools.cycle([executor])

        executor = BatchExecutor(source, 3, bulk=True)
        executor.load()
        return weakref.ref(executor)

    reference = make()
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("fillers", [1, 2])
@pytest.mark.parametrize("at", [0, 1, 5])
def test_an_exception_in_the_middle_keeps_the_results_before_it(at, fillers):
    error = ValueError("in the middle")
    calls = itertools.count()

    def source(n):
        if next(calls):
            yield from range(100, 100 + n)
        else:
            yield from range(at)
            raise error

    executor = BatchExecutor(source, 8, bulk=True, fillers=fillers)
    with pytest.raises(ValueError, match="in the middle") as caught:
        executor.load()
    assert caught.value is error
    assert executor.load_many(at + 3) == [*range(at), 100, 101, 102]


@pytest.mark.parametrize("fillers", [1, 2])
def test_an_exception_of_an_iterable_comes_when_it_is_reached(fillers):
    def source(n):
        yield from range(n + 1)
        raise ValueError("late")

    executor = BatchExecutor(source, 2, bulk=True, fillers=fillers)
    assert executor.load_many(2) == [0, 1]
    with pytest.raises(ValueError, match="late"):
        executor.load()
    assert executor.load() == 2


@pytest.mark.c_backend(reason="the interpreter's islice() crashes, with which ctypes takes results")
@pytest.mark.parametrize("fillers", [1, 2])
def test_an_iterator_that_becomes_something_else_is_an_error(fillers):
    # A class without a slot for iterators is none that is written in Python.
    class Changes(types.ModuleType):
        def __iter__(self):
            return self

        def __next__(self):
            self.__class__ = types.ModuleType
            return 1

    executor = BatchExecutor(lambda n: Changes("changes"), 2, bulk=True, fillers=fillers)
    with pytest.raises(TypeError, match="'module' object is not an iterator"):
        executor.load()
    assert executor.load() == 1


def test_an_exception_ends_an_iterable_that_could_continue():
    calls = itertools.count()

    def source(n):
        return map(int, ["2", "x", "5"]) if next(calls) == 0 else [7] * n

    executor = BatchExecutor(source, 4, bulk=True)
    with pytest.raises(ValueError, match="'x'"):
        executor.load()
    assert executor.load_many(3) == [2, 7, 7]


def test_a_source_exception_goes_to_the_caller():
    answers = iter([ValueError("first"), [1, 2], KeyError("third"), [3, 4]])

    def source(n):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    executor = BatchExecutor(source, 2, bulk=True)
    with pytest.raises(ValueError, match="first"):
        executor.load()
    assert executor.load_many(2) == [1, 2]
    with pytest.raises(KeyError, match="third"):
        executor.load()
    assert executor.load_many(2) == [3, 4]


@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
def test_an_empty_iterable_is_an_error_that_says_how_to_end(make):
    answers = iter([[], [1, 2], []])
    executor = BatchExecutor(lambda n: make(next(answers)), 2, bulk=True)
    with pytest.raises(RuntimeError, match=r"without results; .* raises StopIteration"):
        executor.load()
    assert executor.load_many(2) == [1, 2]
    with pytest.raises(RuntimeError, match="without results"):
        executor.load()


@pytest.mark.parametrize(("answer", "kind"), [(None, "NoneType"), (5, "int")])
def test_a_result_that_is_not_iterable_is_named(answer, kind):
    answers = iter([answer, [1]])
    executor = BatchExecutor(lambda n: next(answers), 1, bulk=True)
    message = f"^a bulk source must return an iterable of results, got '{kind}'$"
    with pytest.raises(TypeError, match=message):
        executor.load()
    assert executor.load() == 1


def test_an_error_of_iter_is_passed_on():
    class Fails:
        def __iter__(self):
            raise TypeError("an error of its own")

    answers = iter([Fails(), [1]])
    executor = BatchExecutor(lambda n: next(answers), 1, bulk=True)
    with pytest.raises(TypeError, match=r"^an error of its own$"):
        executor.load()
    assert executor.load() == 1


def test_a_source_that_loads_from_its_own_executor_while_it_yields():
    calls = itertools.count()

    def source(n):
        yield 1
        if next(calls) == 0:
            executor.load()

    executor = BatchExecutor(source, 4, bulk=True)
    with pytest.raises(RuntimeError, match="already running the source: the source itself loads"):
        executor.load()
    assert executor.load() == 1


@pytest.mark.parametrize("extra", [0, 3])
def test_each_result_goes_to_exactly_one_caller(extra, run_threads):
    numbers = itertools.count()
    executor = BatchExecutor(lambda n: [next(numbers) for _ in range(n + extra)], 16, bulk=True)
    loaded = list(itertools.chain(*run_threads(8, lambda index: executor.load_many(700))))
    left = [executor.load() for _ in range(len(executor))]
    assert sorted(loaded + left) == list(range(len(loaded) + len(left)))


LONG_FILL_IN_C = """
import itertools, signal, sys
import ft_local

def handler(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, handler)
executor = ft_local.BatchExecutor(lambda n: itertools.count(), 1 << 24, bulk=True,
                                  fillers=int(sys.argv[1]))
signal.setitimer(signal.ITIMER_REAL, 0.02)
try:
    executor.load()
except KeyboardInterrupt:
    print("interrupted:", len(executor) < executor.size)
print("kept:", executor.load_many(3))
"""


@pytest.mark.c_backend(reason="ctypes looks for signals only after a whole batch")
@pytest.mark.parametrize("fillers", ["1", "2"])
def test_a_signal_ends_a_long_fill_from_an_iterable_in_c(run_python, fillers):
    process = run_python("-c", LONG_FILL_IN_C, fillers, timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "interrupted: True\nkept: [0, 1, 2]\n"
