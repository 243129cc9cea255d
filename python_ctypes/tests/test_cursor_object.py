"""Cursor: what it hands out, what goes back, and what it is as an object."""

import copy
import itertools
import pickle
import sys
import types
import typing
import weakref

import ft_local
import pytest
from ft_local import BatchExecutor, Cursor, ExecutorClosed


class Thing:
    pass


def counting(size):
    return BatchExecutor(itertools.count().__next__, size)


def with_some_in_hand(size=64):
    """A cursor that has taken one result and has others in hand."""
    executor = counting(size)
    executor.prefill()
    cursor = executor.cursor()
    assert next(cursor) == 0
    assert len(cursor) > 0
    return cursor


@pytest.mark.parametrize("size", [1, 2, 3, 64, 1000])
def test_one_cursor_hands_out_everything_in_order(size):
    cursor = counting(size).cursor()
    assert iter(cursor) is cursor
    count = 3 * size + 2
    assert list(itertools.islice(cursor, count)) == list(range(count))
    assert cursor.load() == count
    assert cursor.load(timeout=1) == count + 1


def test_results_in_hand_are_not_in_the_executor():
    cursor = with_some_in_hand()
    executor = cursor.executor
    assert len(executor) + len(cursor) == 63
    in_hand = len(cursor)
    rest = executor.load_many(len(executor))
    assert list(itertools.islice(cursor, in_hand)) == list(range(1, in_hand + 1))
    assert rest == list(range(in_hand + 1, 64))


def close(cursor):
    cursor.close()


def leave_with_block(cursor):
    with cursor as same:
        assert same is cursor


def leave_by_exception(cursor):
    with pytest.raises(ZeroDivisionError), cursor:
        raise ZeroDivisionError


@pytest.mark.parametrize("end", [close, leave_with_block, leave_by_exception])
def test_results_in_hand_at_close_come_before_newer_ones(end):
    cursor = with_some_in_hand()
    executor = cursor.executor
    end(cursor)
    assert cursor.closed
    assert len(cursor) == 0
    assert len(executor) == 63
    assert executor.load_many(70) == list(range(1, 71))


def test_results_in_hand_of_a_dropped_cursor_go_back_at_once():
    cursor = with_some_in_hand()
    executor = cursor.executor
    del cursor
    assert executor.load_many(70) == list(range(1, 71))


def test_a_closed_cursor_reports_it_and_ends_iteration():
    cursor = with_some_in_hand()
    assert not cursor.closed
    cursor.close()
    cursor.close()
    for timeout in (None, 1):
        with pytest.raises(ExecutorClosed, match=r"this Cursor was closed: make another with"):
            cursor.load(timeout)
    assert list(cursor) == []
    assert not cursor.executor.closed


def test_a_cursor_of_a_closed_executor_hands_out_its_results():
    cursor = with_some_in_hand()
    in_hand = len(cursor)
    cursor.executor.close()
    assert list(cursor) == list(range(1, in_hand + 1))
    with pytest.raises(ExecutorClosed, match="this BatchExecutor was closed"):
        cursor.load()


def test_results_in_hand_of_a_closed_executor_are_freed_with_the_cursor():
    references = []

    def source():
        thing = Thing()
        references.append(weakref.ref(thing))
        return thing

    executor = BatchExecutor(source, 64)
    executor.prefill()
    cursor = executor.cursor()
    next(cursor)
    executor.close()
    assert sum(reference() is not None for reference in references) == len(cursor) > 0
    cursor.close()
    assert [reference() for reference in references] == [None] * 64


def test_a_result_has_one_reference_and_is_not_kept():
    cursor = BatchExecutor(Thing, 100).cursor()
    for take in (lambda: next(cursor), cursor.load) * 5:
        result = take()
        alone = object()  # Interpreters count a local variable or not.
        assert sys.getrefcount(result) == sys.getrefcount(alone)
        reference = weakref.ref(result)
        del result
        assert reference() is None


def test_a_source_exception_goes_to_the_caller_and_the_cursor_stays_usable():
    source = iter([1, 2, 0, 3, 6])
    cursor = BatchExecutor(lambda: 6 // next(source), 2).cursor()
    seen, errors = [], 0
    while len(seen) < 4:
        try:
            seen.append(next(cursor))
        except ZeroDivisionError:
            errors += 1
    assert sorted(seen) == [1, 2, 3, 6]
    assert errors == 1


def test_a_source_that_uses_a_cursor_of_its_own_executor():
    executor = BatchExecutor(lambda: next(cursor), 4)
    cursor = executor.cursor()
    for _ in range(3):
        with pytest.raises(
            RuntimeError, match="already running the source: the source itself loads"
        ):
            next(cursor)


def test_a_source_cannot_close_the_cursor_that_runs_it():
    def source():
        with pytest.raises(RuntimeError, match="this Cursor cannot be closed by the source"):
            cursor.close()
        return 1

    cursor = BatchExecutor(source, 2).cursor()
    assert next(cursor) == 1
    cursor.close()


def test_a_source_may_drop_its_cursor():
    holder = []
    numbers = itertools.count()

    def source():
        holder.clear()
        return next(numbers)

    executor = BatchExecutor(source, 8)
    holder.append(executor.cursor())
    assert next(holder[0]) == 0
    assert executor.load_many(8) == list(range(1, 9))


def test_the_type_describes_itself():
    cursor = counting(2).cursor()
    assert type(cursor) is Cursor is ft_local.Cursor
    assert (Cursor.__module__, Cursor.__qualname__) == ("ft_local", "Cursor")
    assert Cursor.__doc__
    assert Cursor.load.__doc__
    assert Cursor.close.__doc__
    alias = Cursor[int]
    assert isinstance(alias, types.GenericAlias)
    assert (typing.get_origin(alias), typing.get_args(alias)) == (Cursor, (int,))


def test_only_an_executor_makes_cursors():
    with pytest.raises(TypeError, match=r"cannot create 'ft_local\.Cursor' instances"):
        Cursor(counting(2))
    with pytest.raises(TypeError, match=r"'ft_local\.Cursor' is not an acceptable base type"):
        type("Derived", (Cursor,), {})


def test_attributes_are_read_only_and_a_cursor_is_always_true():
    cursor = counting(2).cursor()
    for name in ("closed", "executor"):
        with pytest.raises(AttributeError):
            setattr(cursor, name, None)
    with pytest.raises(AttributeError):
        cursor.other = 5
    assert len(cursor) == 0
    assert bool(cursor)
    assert weakref.ref(cursor)() is cursor


def test_repr():
    executor = counting(4)
    cursor = executor.cursor()
    assert repr(cursor) == f"<Cursor: executor={executor!r}, open>"
    cursor.close()
    assert repr(cursor) == f"<Cursor: executor={executor!r}, closed>"


def test_repr_of_a_source_that_refers_to_its_cursor():
    class Source(list):
        def __call__(self):
            return 1

    source = Source()
    cursor = BatchExecutor(source, 2).cursor()
    source.append(cursor)
    expected = "<Cursor: executor=<BatchExecutor: source=[<Cursor: ...>], size=2, ready=0>, open>"
    assert repr(cursor) == expected


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_cursor_cannot_be_pickled(protocol):
    with pytest.raises(TypeError, match=r"cannot pickle.*Cursor"):
        pickle.dumps(counting(2).cursor(), protocol)


@pytest.mark.parametrize("function", [copy.copy, copy.deepcopy])
def test_a_cursor_cannot_be_copied(function):
    with pytest.raises(TypeError, match="Cursor"):
        function(counting(2).cursor())
