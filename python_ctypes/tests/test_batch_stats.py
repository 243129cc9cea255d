"""stats(): the counters of an executor, which balance while no thread uses it."""

import itertools

import ft_local
import pytest
from ft_local import BatchExecutor, BatchStats


def assert_even(executor):
    stats = executor.stats()
    gone = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork
    assert stats.produced + stats.given_back == gone + len(executor)


def test_stats_start_at_zero():
    stats = BatchExecutor(int, 4).stats()
    assert type(stats) is BatchStats
    assert stats == (0,) * 12
    assert (type(stats.loads), type(stats.wait_time)) == (int, float)
    assert BatchStats.__module__ == "ft_local"
    assert BatchStats._fields == (
        "loads",
        "claims",
        "claimed",
        "fills",
        "produced",
        "waits",
        "wait_time",
        "source_time",
        "errors",
        "given_back",
        "released",
        "dropped_on_fork",
    )


def test_loads_and_fills_are_counted():
    executor = BatchExecutor(itertools.count().__next__, 4)
    executor.load()
    executor.try_load()
    executor.load_many(4)
    stats = executor.stats()
    assert (stats.loads, stats.fills, stats.produced, stats.waits) == (6, 2, 8, 0)
    assert stats.source_time > 0
    assert_even(executor)


def test_errors_cursors_and_closing_are_counted():
    source = iter([1, 1, 0, 1, 1, 1])
    executor = BatchExecutor(lambda: 6 // next(source), 8)
    with pytest.raises(ZeroDivisionError):
        executor.load()
    assert executor.stats().errors == 1
    executor.prefill(max=3)
    with executor.cursor() as cursor:
        assert next(cursor) == 6
        in_hand = len(cursor)
        stats = executor.stats()
        assert stats.claims == 1
        assert stats.claimed == in_hand + 1
    assert executor.stats().given_back == in_hand
    assert_even(executor)
    left = len(executor)
    executor.close()
    assert executor.stats().released == left
    assert_even(executor)


def test_the_stats_balance_after_threads_have_used_everything(run_threads):
    calls = itertools.count(1)

    def source():
        number = next(calls)
        if number % 101 == 0:
            raise ValueError
        return number

    executor = BatchExecutor(source, 32, low_water=4, fill_budget=16)

    def body(index):
        loaded = 0
        for turn in range(300):
            try:
                if turn % 3 == 0:
                    loaded += len(executor.load_many(5))
                elif turn % 3 == 1:
                    with executor.cursor() as cursor:
                        loaded += len(list(itertools.islice(cursor, 4)))
                else:
                    executor.load()
                    loaded += 1
            except ValueError:
                pass
        return loaded

    run_threads(4, body)
    assert_even(executor)
    stats = executor.stats()
    assert stats.errors == (next(calls) - 1) // 101
    assert stats.claims > 0
    assert ft_local.BatchStats is BatchStats
