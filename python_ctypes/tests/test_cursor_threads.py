"""Cursor and threads: one each, each result to exactly one, and no cursor in a second thread."""

import itertools
import threading

import pytest
from ft_local import BatchExecutor

pytestmark = pytest.mark.timeout(120)


def in_thread(function):
    """What `function` returns or raises in another thread."""
    outcome = []

    def body():
        try:
            outcome.append(function())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcome.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(60)
    return outcome[0]


@pytest.mark.parametrize("size", [1, 2, 8, 1000])
def test_each_result_goes_to_exactly_one_cursor(size, run_threads):
    executor = BatchExecutor(itertools.count().__next__, size)

    def body(index):
        results = []
        for turn in range(20):
            with executor.cursor() as cursor:
                results += itertools.islice(cursor, 50 + turn)
            results.append(executor.load())
        return results

    loaded = list(itertools.chain(*run_threads(8, body)))
    left = executor.load_many(len(executor))
    assert sorted(loaded + left) == list(range(len(loaded) + len(left)))


def test_results_of_a_cursor_come_in_the_order_of_the_source(run_threads):
    executor = BatchExecutor(itertools.count().__next__, 100)

    def body(index):
        # It stays open, so that no other cursor gets what it has in hand.
        cursor = executor.cursor()
        cursors.append(cursor)
        return list(itertools.islice(cursor, 2000))

    cursors = []
    for results in run_threads(4, body):
        assert results == sorted(results)


@pytest.mark.parametrize(
    "use",
    [
        next,
        lambda cursor: cursor.load(),
        lambda cursor: cursor.load(1),
        lambda cursor: cursor.load_now(),
        lambda cursor: cursor.close(),
    ],
)
def test_a_cursor_belongs_to_the_thread_that_first_used_it(use):
    executor = BatchExecutor(itertools.count().__next__, 64)
    executor.prefill()
    cursor = executor.cursor()
    assert in_thread(cursor.__next__) == 0
    with pytest.raises(RuntimeError, match="this Cursor belongs to the thread that first used it"):
        use(cursor)
    with pytest.raises(RuntimeError, match="this Cursor belongs to the thread"):
        cursor.close()
    with pytest.raises(RuntimeError, match="only the thread that first used a Cursor"):
        len(cursor)
    assert not cursor.closed
    assert "open" in repr(cursor)
    del cursor
    assert executor.load_many(63) == list(range(1, 64))


def test_one_of_the_threads_that_use_a_new_cursor_at_once_owns_it(run_threads):
    for _ in range(50):
        cursor = BatchExecutor(itertools.count().__next__, 64).cursor()

        def body(index, cursor=cursor):
            try:
                return next(cursor)
            except RuntimeError as error:
                return str(error)

        outcomes = run_threads(4, body)
        assert outcomes.count(0) == 1
        assert sum("belongs to the thread" in str(outcome) for outcome in outcomes) == 3


def test_len_does_not_make_an_owner():
    cursor = BatchExecutor(itertools.count().__next__, 64).cursor()
    assert len(cursor) == 0
    assert in_thread(lambda: next(cursor)) == 0


def test_a_cursor_dropped_in_another_thread_gives_back():
    executor = BatchExecutor(itertools.count().__next__, 64)
    executor.prefill()
    holder = [executor.cursor()]
    next(holder[0])
    in_thread(holder.clear)
    assert executor.load_many(64) == list(range(1, 65))


def test_the_cursor_of_an_ended_thread_gives_back_its_results():
    executor = BatchExecutor(itertools.count().__next__, 64)
    executor.prefill()
    assert in_thread(lambda: next(executor.cursor())) == 0
    assert executor.load_many(64) == list(range(1, 65))


def test_a_cursor_leaves_results_to_waiting_threads():
    executor = BatchExecutor(iter(range(100)).__next__, 100)
    executor.prefill()
    cursors = [executor.cursor() for _ in range(4)]
    for cursor in cursors:
        next(cursor)
    assert all(len(cursor) < 50 for cursor in cursors)
    loaded = executor.load_many(100)
    in_hand = [number for cursor in cursors for number in itertools.islice(cursor, len(cursor))]
    assert len(loaded) + len(in_hand) == 96
