"""RangeExecutor: ranges of any length, of which only the buffer exists."""

import itertools
import threading
import tracemalloc

from ft_local import BatchExecutor
from ft_local.lease import RangeExecutor


def ranges(length):
    """Range after range, each asked for once the one before is used up."""
    starts = itertools.count(0, length)
    return lambda n: range(start := next(starts), start + length)


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
    assert abs(peak(10**9) - peak(10)) < 4096


def test_integers_beyond_the_words_of_c():
    ids = RangeExecutor(lambda n: range(2**80, 2**80 + 10), 4)
    assert ids.load_many(3) == [2**80, 2**80 + 1, 2**80 + 2]
