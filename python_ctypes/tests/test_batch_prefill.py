"""prefill(), the low-water mark and the fill budget: how many results are made, and when."""

import contextlib
import itertools
import threading

import pytest
from ft_local import BatchExecutor


def test_prefill_makes_results_ahead():
    executor = BatchExecutor(itertools.count().__next__, 8)
    assert executor.prefill(max=3) == 3
    assert len(executor) == 3
    assert executor.prefill(3) == 0
    assert executor.prefill(low_water=4, max=2) == 2
    assert executor.prefill() == 3
    assert executor.prefill() == 0
    assert executor.load_many(9) == list(range(9))


def test_prefill_waits_until_there_is_room():
    executor = BatchExecutor(itertools.count().__next__, 4)
    executor.prefill()
    made = []
    thread = threading.Thread(target=lambda: made.append(executor.prefill(2, timeout=60)))
    thread.start()
    assert executor.load_many(2) == [0, 1]
    thread.join(0.05)
    assert made == []
    assert executor.load() == 2
    thread.join(60)
    assert made == [3]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"low_water": 0}, ValueError, "low_water must be between 1 and 4, got 0"),
        ({"low_water": 5}, ValueError, "low_water must be between 1 and 4, got 5"),
        ({"low_water": "1"}, TypeError, "low_water must be an int, got 'str'"),
        ({"max": 0}, ValueError, "max must be between 1 and .*, got 0"),
        ({"max": 1.0}, TypeError, "max must be an int, got 'float'"),
        ({"most": 1}, TypeError, "'most'"),
    ],
)
def test_wrong_arguments_of_prefill_are_named(arguments, kind, message):
    executor = BatchExecutor(int, 4)
    with pytest.raises(kind, match=message):
        executor.prefill(**arguments)
    with pytest.raises(TypeError):
        executor.prefill(1, 1, 1)
    assert len(executor) == 0


def test_a_source_error_comes_out_of_prefill():
    calls = itertools.count()
    executor = BatchExecutor(lambda: 6 // (2 - next(calls)), 8)
    with pytest.raises(ZeroDivisionError):
        executor.prefill()
    assert executor.load_many(3) == [3, 6, -6]


def test_below_low_water_a_load_makes_more_results():
    executor = BatchExecutor(itertools.count().__next__, 8, low_water=4)
    assert executor.load() == 0
    for number in range(1, 50):
        assert executor.load() == number
        assert len(executor) >= 3


def test_a_source_error_at_low_water_loses_no_result():
    calls = itertools.count()

    def source():
        number = next(calls)
        if number % 5 == 4:
            raise ValueError
        return number

    executor = BatchExecutor(source, 4, low_water=4)
    seen = []
    while len(seen) < 40:
        with contextlib.suppress(ValueError):
            seen.append(executor.load())
    left = [executor.try_load() for _ in range(len(executor))]
    made = [number for number in range(next(calls)) if number % 5 != 4]
    assert sorted(seen + left) == made


def test_fill_budget_limits_how_many_results_one_load_makes():
    executor = BatchExecutor(itertools.count().__next__, 64, fill_budget=4)
    executor.load()
    assert len(executor) == 3
    asked = []
    executor = BatchExecutor(lambda n: asked.append(n) or [n] * n, 64, bulk=True, fill_budget=4)
    executor.load()
    assert asked == [4]
