"""A source that ends: StopIteration from it, what is then delivered, and what comes after."""

import itertools

import pytest
from ft_local import BatchExecutor, EndOfSource


def limited(count):
    """A source of 0, 1, 2 ... that ends after `count` results."""
    return iter(range(count)).__next__


def limited_in_bulk(count):
    """The same as a bulk source."""
    numbers = iter(range(count))

    def source(n):
        some = list(itertools.islice(numbers, n))
        if not some:
            raise StopIteration
        return some

    return source


def executor_of(count, size, *, bulk):
    source = limited_in_bulk(count) if bulk else limited(count)
    return BatchExecutor(source, size, bulk=bulk)


both = pytest.mark.parametrize("bulk", [False, True], ids=["plain", "bulk"])


@both
@pytest.mark.parametrize("size", [1, 3, 5, 8])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_load_after_the_last_result_reports_the_end(count, size, bulk):
    executor = executor_of(count, size, bulk=bulk)
    assert [executor.load() for _ in range(count)] == list(range(count))
    for _ in range(3):
        with pytest.raises(EndOfSource, match="the source has ended"):
            executor.load()
        with pytest.raises(EndOfSource):
            executor.load(timeout=1)
        with pytest.raises(EndOfSource):
            executor.try_load("default")
        with pytest.raises(EndOfSource):
            executor.load_many(2)
        with pytest.raises(EndOfSource):
            executor.prefill()
        with pytest.raises(EndOfSource):
            executor.cursor().load()
    assert not executor.closed


@both
@pytest.mark.parametrize("size", [1, 3, 8])
def test_iteration_ends_with_the_source(size, bulk):
    executor = executor_of(7, size, bulk=bulk)
    assert list(executor) == list(range(7))
    assert list(executor) == []
    assert list(executor.cursor()) == []
    assert list(executor_of(7, size, bulk=bulk).cursor()) == list(range(7))


@both
def test_load_many_returns_the_remaining_results(bulk):
    executor = executor_of(5, 2, bulk=bulk)
    assert executor.load_many(3) == [0, 1, 2]
    assert executor.load_many(3) == [3, 4]
    assert executor.load_many(0) == []
    with pytest.raises(EndOfSource):
        executor.load_many(3)


@both
def test_prefill_makes_the_remaining_results(bulk):
    executor = executor_of(5, 8, bulk=bulk)
    assert executor.prefill() == 5
    assert executor.load_many(8) == list(range(5))


def test_the_source_is_not_called_after_its_end():
    calls = []

    def source():
        calls.append(1)
        raise StopIteration

    executor = BatchExecutor(source, 4)
    for _ in range(3):
        with pytest.raises(EndOfSource):
            executor.load()
    assert calls == [1]


def test_the_end_leaves_no_exception_behind():
    executor = BatchExecutor(limited(1), 4)
    assert executor.load() == 0
    with pytest.raises(EndOfSource) as caught:
        executor.load()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_executor_over_another_ends_with_it():
    inner = BatchExecutor(limited(5), 2)
    outer = BatchExecutor(iter(inner).__next__, 3)
    assert list(outer) == list(range(5))


def test_the_end_of_an_inner_executor_is_an_error_of_the_outer_load():
    inner = BatchExecutor(limited(1), 2)
    outer = BatchExecutor(inner.load, 1)
    assert outer.load() == 0
    for _ in range(2):
        with pytest.raises(EndOfSource):
            outer.load()


def test_stop_iteration_of_an_iterable_does_not_end_the_bulk_source():
    class Ends:
        def __init__(self):
            self.left = iter([1, 2])

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.left)

    executor = BatchExecutor(lambda n: Ends(), 2, bulk=True)
    assert executor.load_many(6) == [1, 2] * 3


@both
@pytest.mark.parametrize("size", [1, 8, 100])
def test_many_threads_share_the_last_results_and_all_see_the_end(size, bulk, run_threads):
    executor = executor_of(3000, size, bulk=bulk)

    def body(index):
        if index % 2:
            return list(executor)
        with executor.cursor() as cursor:
            return list(cursor)

    loaded = itertools.chain(*run_threads(6, body))
    assert sorted(loaded) == list(range(3000))
    with pytest.raises(EndOfSource):
        executor.load()
