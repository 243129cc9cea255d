"""RangeExecutor: ranges of any length, of which only the buffer exists."""

import gc
import itertools
import sys
import threading
import time
import tracemalloc

import ft_local
import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed, ForkedError
from ft_local.lease import RangeExecutor
from ft_local.lease._source import merged

from conftest import status_of_child

LEAST, MOST = -sys.maxsize - 1, sys.maxsize


def ranges(length):
    """Range after range, each asked for once the one before is used up."""
    starts = itertools.count(0, length)
    return lambda n: range(start := next(starts), start + length)


def ending(some):
    """These ranges, and no more."""
    some = iter(some)
    return lambda n: next(some)


def test_hands_out_each_integer_in_order():
    ids = RangeExecutor(ranges(100), 8)
    assert ids.load_many(250) == list(range(250))
    assert isinstance(ids, BatchExecutor)
    assert ids.bulk


def test_each_goes_to_one_thread():
    ids = RangeExecutor(ranges(1000), 64)
    taken = [[] for _ in range(4)]

    def take(mine):
        mine.extend(ids.load() for _ in range(2000))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(itertools.chain.from_iterable(taken)) == list(range(8000))


def peak(length):
    tracemalloc.start()
    try:
        ids = RangeExecutor(ranges(length), 64)
        for _ in range(5000):
            ids.load()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_thousand_million_take_no_more_memory_than_ten():
    peak(10)  # what is made once
    assert peak(10**9) < peak(10) + 4096


def test_the_buffer_of_the_c_backend_holds_words():
    ids = RangeExecutor(ranges(10**9), 10_000)
    tracemalloc.start()
    try:
        assert ids.prefill() == 10_000
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    one = sys.getsizeof(10**6)
    assert size < 100 * one if ft_local.backend == "c" else size < 20_000 * one


def test_the_garbage_collector_takes_no_word_for_an_object():
    ids = RangeExecutor(ranges(1000), 64)
    with ids.cursor() as cursor:
        loaded = [cursor.load()]
        while not len(cursor):
            loaded.append(cursor.load())
        assert len(ids)
        gc.collect()
        if ft_local.backend == "c":
            assert not any(type(one) is int for one in gc.get_referents(ids, cursor))
        loaded.append(cursor.load())
    assert loaded == list(range(len(loaded)))


def test_the_source_is_asked_once_a_range():
    asked = []
    ids = RangeExecutor(lambda n: asked.append(n) or range(100), 8)
    assert ids.load_many(150) == [*range(100), *range(50)]
    assert len(asked) == 2


@pytest.mark.parametrize(
    "one",
    [
        range(1),
        range(-3, 3),
        range(-1, 3),
        range(-3, 0),
        range(10, -10, -7),
        range(LEAST, LEAST + 3),
        range(MOST - 2, MOST + 1),
        range(LEAST, MOST, MOST),
        range(MOST, MOST + 1, 10**29),
    ],
)
def test_every_range_of_words_comes_out_as_it_is(one):
    source = iter([one]).__next__
    ids = RangeExecutor(lambda n: source(), 2)
    one = one[:3]
    assert [ids.load() for _ in one] == list(one)


@pytest.mark.parametrize(
    "one",
    [range(MOST, MOST + 2), range(LEAST - 1, 0), range(2**80, 2**80 + 1), range(0, 2**70, 2**69)],
)
def test_what_does_not_fit_into_words_is_refused(one):
    ids = RangeExecutor(lambda n: one, 2)
    with pytest.raises(OverflowError, match="signed machine word"):
        ids.load()


def test_what_is_no_range_is_refused():
    for bad in ((1, 2), [range(3), 1], 1, iter(range(3))):
        with pytest.raises(TypeError, match="must return ranges, got '"):
            RangeExecutor(lambda n, bad=bad: bad, 2).load()
    for empty in (range(0), [], [range(3), range(3, 3)]):
        with pytest.raises(RuntimeError, match="empty range"):
            RangeExecutor(lambda n, empty=empty: empty, 2).load()
    with pytest.raises(TypeError, match="source must be callable"):
        RangeExecutor(range(3), 2)
    with pytest.raises(TypeError, match="bulk"):
        RangeExecutor(lambda n: range(3), 2, bulk=False)


def test_a_list_of_ranges_comes_out_in_its_order():
    ids = RangeExecutor(lambda n: [range(3), range(10, 6, -2), range(5, 6)], 4)
    assert ids.load_many(8) == [0, 1, 2, 10, 8, 5, 0, 1]
    assert [one for many in ids._ended() for one in many] == [2, 10, 8, 5]


def test_an_error_of_the_source_comes_out_and_the_next_load_goes_on():
    answers = iter([range(2), KeyError("away"), range(2, 4)])

    def source(n):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    ids = RangeExecutor(source, 2)
    assert ids.load_many(2) == [0, 1]
    with pytest.raises(KeyError):
        ids.load()
    assert ids.load_many(3) == [2, 3]
    with pytest.raises(EndOfSource):
        ids.load()


def test_every_way_to_load_makes_integers():
    ids = RangeExecutor(ranges(10), 4)
    assert ids.try_load(None) is None
    assert ids.prefill() == 4
    assert ids.try_load() == 0
    with ids.cursor() as cursor:
        assert (next(cursor), cursor.load()) == (1, 2)
    assert next(iter(ids)) == 3
    ids.give_back(1, -1)
    assert ids.load_many(3) == [1, -1, 4]
    with pytest.raises(TypeError, match="integer"):
        ids.give_back("1")
    with pytest.raises(OverflowError, match="signed machine word"):
        ids.give_back(6, MOST + 1)
    assert type(ids.load()) is int


@pytest.mark.parametrize(("on_fork", "first"), [("discard", 1000), ("keep", 3)])
def test_a_range_is_the_parents_unless_it_is_kept(on_fork, first):
    ids = RangeExecutor(ranges(1000), 2, on_fork=on_fork)
    assert ids.load_many(3) == [0, 1, 2]
    assert status_of_child(lambda: ids.load_many(4) == list(range(first, first + 4))) == 0
    assert ids.load_many(4) == [3, 4, 5, 6]


def test_ranges_that_were_offered_come_before_the_source_is_asked():
    """As the next block of a lease does."""
    ids = RangeExecutor(lambda n: range(10), 4)
    assert ids.load() == 0
    assert ids._taken_at() == 0
    with pytest.raises(TypeError):
        ids._offer(5)
    ids._offer([range(100, 103), range(200, 203)])
    with pytest.raises(RuntimeError):
        ids._offer([range(300, 303)])
    assert ids._taken_at() is None
    before = time.monotonic()
    assert ids.load_many(17) == [*range(1, 10), 100, 101, 102, 200, 201, 202, 0, 1]
    assert before <= ids._taken_at() <= time.monotonic()
    assert ids._withdrawn() == []
    ids._offer([range(100, 103), range(200, 203)])
    assert ids._withdrawn() == [range(100, 103), range(200, 203)]
    assert ids.load() == 2


def test_ranges_that_were_offered_are_the_parents():
    ids = RangeExecutor(ranges(5), 4)
    assert ids.load() == 0
    ids._offer([range(100, 103)])
    assert status_of_child(lambda: ids.load_many(2) == [5, 6] and ids._taken_at() == 0) == 0


def test_nothing_is_left_after_the_end_of_the_source():
    ids = RangeExecutor(ending([range(3)]), 4)
    assert list(ids) == [0, 1, 2]
    assert ids._ended() == []


def test_a_child_that_may_not_use_it_cannot_end_it():
    ids = RangeExecutor(ranges(5), 4, on_fork="error")
    assert ids.load() == 0

    def is_refused():
        for use in (ids._ended, lambda: ids.give_back(0)):
            with pytest.raises(ForkedError):
                use()
        return True

    assert status_of_child(is_refused) == 0
    assert ids.load() == 1


def test_what_is_left_of_one_that_was_never_used():
    ids = RangeExecutor(ranges(1000), 16)
    assert sum(map(len, ids._ended())) == 0


def test_what_is_left_at_the_end_was_not_handed_out():
    """Whatever threads do meanwhile. A lease gives it back."""
    for length in (7, 64, 10**9):
        ids = RangeExecutor(ranges(length), 16)
        taken = [[] for _ in range(3)]
        begun = threading.Semaphore(0)

        def take(mine, ids=ids, begun=begun):
            try:
                while True:
                    mine.append(ids.load())
                    begun.release()
            except ExecutorClosed:
                pass

        threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
        for thread in threads:
            thread.start()
        for _ in range(500):
            begun.acquire()
        left = ids._ended()
        for thread in threads:
            thread.join()
        used = list(itertools.chain.from_iterable(taken))
        (whole,) = merged([*(range(one, one + 1) for one in used), *left])
        assert whole.start == 0
        assert len(whole) == len(used) + sum(map(len, left))
        assert ids.closed
        assert ids._ended() is None
