"""BatchExecutor.load: order, fills, ownership, and what comes of a source that fails."""

import ctypes
import gc
import itertools
import sys
import traceback
import weakref

import pytest
from ft_local import BatchExecutor


class Thing:
    pass


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1000])
def test_results_come_in_the_order_of_the_source(size):
    executor = BatchExecutor(itertools.count().__next__, size)
    count = 3 * size + 2
    assert [executor.load() for _ in range(count)] == list(range(count))


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_one_load_fills_the_buffer(size):
    calls = itertools.count()
    executor = BatchExecutor(lambda: next(calls), size)
    executor.load()
    assert next(calls) == size
    assert len(executor) == size - 1


def test_any_object_may_be_a_result():
    values = [None, 0, False, "", NotImplemented, ..., StopIteration, Thing(), [], StopIteration()]
    source = iter(values)
    executor = BatchExecutor(lambda: next(source), len(values))
    for value in values:
        assert executor.load() is value


def test_an_executor_may_be_a_source():
    inner = BatchExecutor(itertools.count().__next__, 3)
    outer = BatchExecutor(inner.load, 5)
    assert [outer.load() for _ in range(12)] == list(range(12))


def test_a_loaded_result_is_not_kept():
    executor = BatchExecutor(Thing, 100)
    result = executor.load()
    reference = weakref.ref(result)
    del result
    assert reference() is None


def test_a_result_has_one_reference():
    executor = BatchExecutor(Thing, 3)
    for _ in range(7):
        result = executor.load()
        alone = object()  # Interpreters count a local variable or not.
        assert sys.getrefcount(result) == sys.getrefcount(alone)


def test_the_counts_of_a_shared_result_balance():
    shared = Thing()
    before = sys.getrefcount(shared)
    executor = BatchExecutor(lambda: shared, 10)
    results = [executor.load() for _ in range(25)]
    assert sys.getrefcount(shared) == before + len(results) + len(executor)
    del results, executor
    gc.collect()
    assert sys.getrefcount(shared) == before


def test_results_in_the_buffer_are_freed_with_the_executor():
    made = []

    def source():
        thing = Thing()
        made.append(weakref.ref(thing))
        return thing

    executor = BatchExecutor(source, 10)
    kept = executor.load()
    assert sum(reference() is not None for reference in made) == 10
    del executor
    gc.collect()
    assert [reference() for reference in made] == [kept] + [None] * 9


def numbers_failing_at(failures):
    """A source of 1, 2, 3 ... that raises what `failures` has for a number instead of it."""
    calls = itertools.count(1)

    def source():
        number = next(calls)
        if number in failures:
            raise failures[number]
        return number

    return source


class OwnBaseException(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [
        ValueError("once"),
        KeyboardInterrupt(),
        SystemExit(3),
        StopAsyncIteration("value"),
        GeneratorExit(),
        MemoryError(),
        RecursionError(),
        OwnBaseException(1, 2),
        ExceptionGroup("group", [ValueError(1)]),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("size", [1, 4])
def test_a_source_exception_goes_to_the_caller_and_the_executor_stays_usable(error, size):
    executor = BatchExecutor(numbers_failing_at({1: error}), size)
    with pytest.raises(type(error)) as caught:
        executor.load()
    assert caught.value is error
    assert [executor.load() for _ in range(6)] == [2, 3, 4, 5, 6, 7]


def test_results_made_before_an_error_come_later_in_order():
    error = ValueError("third")
    executor = BatchExecutor(numbers_failing_at({3: error}), 4)
    with pytest.raises(ValueError, match="third") as caught:
        executor.load()
    assert caught.value is error
    assert len(executor) == 2
    assert [executor.load() for _ in range(8)] == [1, 2, 4, 5, 6, 7, 8, 9]


def test_failing_fills_lose_no_result():
    failing = set(range(5, 500, 5))
    executor = BatchExecutor(numbers_failing_at({n: ValueError(n) for n in failing}), 8)
    seen, errors = [], []
    while len(seen) + len(errors) < 499:
        try:
            seen.append(executor.load())
        except ValueError as error:
            errors.append(error.args[0])
    assert seen == [number for number in range(1, seen[-1] + 1) if number not in failing]
    assert errors == sorted(errors)
    assert set(errors) <= failing


def test_a_source_that_always_fails():
    executor = BatchExecutor(lambda: 1 / 0, 4)
    for _ in range(100):
        with pytest.raises(ZeroDivisionError):
            executor.load()
    assert len(executor) == 0


def test_the_traceback_leads_to_the_source():
    def source():
        raise ValueError("here")

    with pytest.raises(ValueError, match="here") as caught:
        BatchExecutor(source, 2).load()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "source"


def test_an_exception_keeps_its_context_and_cause():
    cause = KeyError("cause")

    def source():
        try:
            {}["context"]
        except LookupError:
            raise ValueError("outcome") from cause

    with pytest.raises(ValueError, match="outcome") as caught:
        BatchExecutor(source, 2).load()
    assert caught.value.__cause__ is cause
    assert caught.value.__context__.args == ("context",)


def test_an_exception_is_not_kept_after_it_was_raised():
    class Error(Exception):
        pass

    def source():
        raise Error

    executor = BatchExecutor(source, 2)
    try:
        executor.load()
    except Error as error:
        reference = weakref.ref(error)
    # At once: there is no cycle of exception, traceback and frame for the collector to find.
    assert reference() is None


def test_a_source_that_loads_from_its_own_executor():
    executor = BatchExecutor(lambda: executor.load(), 4)  # noqa: PLW0108 - there is none yet
    for _ in range(3):
        with pytest.raises(
            RuntimeError, match="already running the source: the source itself loads"
        ):
            executor.load()


@pytest.mark.parametrize("size", [1, 2, 4, 10])
def test_a_source_that_loads_from_its_own_executor_keeps_results_exactly_once(size):
    calls = itertools.count()
    inner, refused = [], []

    def source():
        try:
            inner.append(executor.load())
        except RuntimeError as error:
            refused.append(error)
        return next(calls)

    executor = BatchExecutor(source, size)
    outer = [executor.load() for _ in range(12)]
    left = [executor.load() for _ in range(len(executor))]
    assert refused
    assert sorted(inner + outer + left) == list(range(next(calls)))


def test_an_error_in_a_nested_load_and_one_after_it():
    calls = itertools.count(1)

    def source():
        number = next(calls)
        if number == 2:
            with pytest.raises(RuntimeError):
                executor.load()
            return "after"
        if number == 3:
            raise ValueError
        return number

    executor = BatchExecutor(source, 4)
    with pytest.raises(ValueError, match=r"^$"):
        executor.load()
    assert [executor.load() for _ in range(3)] == [1, "after", 4]


def test_an_error_of_an_inner_executor_that_the_outer_source_catches():
    inner = BatchExecutor(numbers_failing_at({2: ValueError("inner")}), 3)

    def source():
        try:
            return inner.load()
        except ValueError:
            return "caught"

    outer = BatchExecutor(source, 3)
    assert [outer.load() for _ in range(6)] == ["caught", 1, 3, 4, 5, 6]


def test_an_error_of_an_inner_executor_that_nobody_catches():
    error = ValueError("inner")
    inner = BatchExecutor(numbers_failing_at({2: error}), 3)
    outer = BatchExecutor(inner.load, 3)
    with pytest.raises(ValueError, match="inner") as caught:
        outer.load()
    assert caught.value is error
    assert [outer.load() for _ in range(4)] == [1, 3, 4, 5]


def test_executors_nest_deeply():
    executor = BatchExecutor(itertools.count().__next__, 2)
    for _ in range(30):
        executor = BatchExecutor(executor.load, 2)
    assert [executor.load() for _ in range(10)] == list(range(10))


def test_a_load_at_the_end_of_the_stack_is_a_recursion_error():
    calls = itertools.count()
    executor = BatchExecutor(lambda: next(calls), 3)

    def deeper():
        executor.load()
        deeper()

    with pytest.raises(RecursionError):
        deeper()
    first = executor.load()
    assert [executor.load() for _ in range(3)] == [first + 1, first + 2, first + 3]


@pytest.mark.c_backend(reason="of a function in Python the interpreter checks it")
def test_keywords_from_c_that_are_no_texts():
    call = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.py_object, ctypes.c_void_p, ctypes.c_size_t, ctypes.py_object
    )(("PyObject_Vectorcall", ctypes.pythonapi))
    arguments = (ctypes.py_object * 1)(5)
    with pytest.raises(TypeError, match="keywords must be strings, got 'int'"):
        call(BatchExecutor(int, 1).load, ctypes.byref(arguments), 0, (1,))
