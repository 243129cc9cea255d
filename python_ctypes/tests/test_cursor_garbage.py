"""Cursor and the garbage collector: what it keeps, cycles, and giving back as it dies."""

import gc
import itertools
import weakref

import pytest
from ft_local import BatchExecutor, ExecutorClosed


class Thing:
    pass


def test_a_cursor_keeps_its_executor():
    cursor = BatchExecutor(itertools.count().__next__, 3).cursor()
    gc.collect()
    assert list(itertools.islice(cursor, 4)) == [0, 1, 2, 3]


def test_a_cycle_of_cursor_and_source_is_collected():
    class Source:
        def __call__(self):
            return "result"

    source = Source()
    source.cursor = BatchExecutor(source, 5).cursor()
    next(source.cursor)
    references = [weakref.ref(source), weakref.ref(source.cursor)]
    references.append(weakref.ref(source.cursor.executor))
    del source
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


@pytest.mark.c_backend(reason="ctypes cannot show the collector what the library holds")
def test_a_cycle_through_results_in_hand_is_collected():
    made = []

    def make():
        def source():
            thing = Thing()
            thing.cursor = cursor
            made.append(weakref.ref(thing))
            return thing

        executor = BatchExecutor(source, 64)
        cursor = executor.cursor()
        executor.prefill()
        next(cursor)
        assert len(cursor) > 0
        return weakref.ref(cursor)

    reference = make()
    gc.collect()
    assert reference() is None
    assert [thing() for thing in made] == [None] * 64


def test_a_collected_cursor_gives_back_its_results():
    executor = BatchExecutor(itertools.count().__next__, 64)
    executor.prefill()
    holder = Thing()
    holder.cursor = executor.cursor()
    holder.itself = holder
    next(holder.cursor)
    assert len(executor) < 63
    del holder
    gc.collect()
    assert executor.load_many(64) == list(range(1, 65))


def test_results_in_hand_are_not_collected_while_the_cursor_lives():
    executor = BatchExecutor(Thing, 64)
    executor.prefill()
    cursor = executor.cursor()
    next(cursor)
    gc.collect()
    assert len(cursor) > 0
    assert all(type(next(cursor)) is Thing for _ in range(len(cursor)))


def test_a_finalizer_in_a_cycle_may_use_its_cursor():
    loaded = []

    class Finalized:
        def __init__(self):
            self.calls = itertools.count()

        def __call__(self):
            return next(self.calls)

        def __del__(self):
            loaded.extend(itertools.islice(self.cursor, 4))

    source = Finalized()
    source.cursor = BatchExecutor(source, 3).cursor()
    next(source.cursor)
    del source
    gc.collect()
    assert loaded == [1, 2, 3, 4]


def test_a_result_in_hand_may_use_the_executor_in_its_finalizer():
    loaded = []

    class Last:
        def __del__(self):
            if not executor.closed:
                loaded.append(executor.try_load())

    executor = BatchExecutor(Last, 8)
    executor.prefill()
    with executor.cursor() as cursor:
        next(cursor)
    gc.collect()
    assert loaded
    executor.close()
    loaded.clear()


def test_a_long_chain_of_cursors_in_results_is_freed():
    head = "end"
    for _ in range(20_000):
        link = BatchExecutor(iter([head, head]).__next__, 2).cursor()
        next(link)
        head = link
    del link
    head = None
    gc.collect()


def test_the_collector_may_run_while_threads_use_cursors(run_threads):
    numbers = itertools.count()
    # Lists, which the collector looks at.
    executor = BatchExecutor(lambda n: [[next(numbers)] for _ in range(n)], 64, bulk=True)

    def body(index):
        results = []
        for _ in range(10):
            with executor.cursor() as cursor:
                results += [result for (result,) in itertools.islice(cursor, 300)]
            gc.collect()
        return results

    loaded = list(itertools.chain(*run_threads(4, body)))
    left = [result for (result,) in executor.load_many(len(executor))]
    assert sorted(loaded + left) == list(range(len(loaded) + len(left)))


def test_many_cursors_leave_nothing_behind(run_threads):
    executor = BatchExecutor(Thing, 32)

    def body(index):
        references = []
        for _ in range(200):
            cursor = executor.cursor()
            references.append(weakref.ref(cursor))
            references.append(weakref.ref(next(cursor)))
        return references

    references = [reference for some in run_threads(4, body) for reference in some]
    gc.collect()
    assert len(references) == 4 * 200 * 2
    assert not any(reference() for reference in references)


@pytest.mark.c_backend(reason="a class in Python has no tp_clear of its own")
def test_a_cursor_that_the_collector_has_cleared_is_closed(clear):
    executor = BatchExecutor(Thing, 4)
    cursor = executor.cursor()
    next(cursor)
    clear(cursor)
    for use in (cursor.load, lambda: cursor.load(1), cursor.load_now):
        with pytest.raises(ExecutorClosed, match="this Cursor was closed"):
            use()
    assert list(cursor) == []
    assert cursor.closed
    assert cursor.executor is None
    assert repr(cursor) == "<Cursor: executor=None, closed>"
    assert len(cursor) == 0
