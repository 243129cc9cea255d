"""Timeouts: what they may be, and that a wait that ran out loses nothing."""

import contextlib
import decimal
import fractions
import itertools
import threading

import pytest
from ft_local import BatchExecutor, LocalWrapper

WAYS = {
    "load": lambda executor, timeout: executor.load(timeout),
    "load by keyword": lambda executor, timeout: executor.load(timeout=timeout),
    "load_many": lambda executor, timeout: executor.load_many(1, timeout)[0],
    "cursor": lambda executor, timeout: executor.cursor().load(timeout),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@contextlib.contextmanager
def slow_fill(size=2, stuck_at=0):
    """An executor that another thread fills, whose source is stuck until the end of the block."""
    entered, finish = threading.Event(), threading.Event()
    calls = itertools.count()

    def source():
        number = next(calls)
        if number == stuck_at:
            entered.set()
            assert finish.wait(60)
        return number

    executor = BatchExecutor(source, size)
    firsts = []
    filler = threading.Thread(target=lambda: firsts.append(executor.load()))
    filler.start()
    assert entered.wait(60)
    try:
        yield executor
    finally:
        finish.set()
        filler.join()
    assert firsts == [0]


@ways
@pytest.mark.parametrize("timeout", [0, 0.0, 1e-12, 0.05, decimal.Decimal("0.01")], ids=repr)
def test_a_timeout_is_an_error_and_loses_nothing(way, timeout):
    with slow_fill() as executor:
        for _ in range(3):
            with pytest.raises(TimeoutError, match="no result within the timeout"):
                way(executor, timeout)
    assert [executor.load() for _ in range(4)] == [1, 2, 3, 4]


@ways
@pytest.mark.parametrize(
    "timeout",
    [None, 60, 60.5, float("inf"), 1e300, 10**400, 2**63, True, fractions.Fraction(121, 2)],
    ids=str,
)
def test_a_long_enough_timeout_returns_the_result(way, timeout):
    started = threading.Event()
    loaded = []

    def wait():
        started.set()
        loaded.append(way(executor, timeout))

    with slow_fill() as executor:
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert started.wait(60)
    waiter.join(60)
    assert loaded == [1]


@ways
def test_a_timeout_of_zero_may_run_the_source(way):
    assert way(BatchExecutor(itertools.count().__next__, 2), 0) == 0


PREFILL = {"prefill": lambda executor, timeout: executor.prefill(timeout=timeout)}


@pytest.mark.parametrize("way", [*WAYS.values(), *PREFILL.values()], ids=[*WAYS, *PREFILL])
@pytest.mark.parametrize(
    ("timeout", "shown"),
    [
        (-1, "-1"),
        (-1e-9, "-1e-09"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (-(10**400), "-10"),
    ],
    ids=["-1", "-1e-9", "nan", "-inf", "huge"],
)
def test_an_invalid_timeout_is_named(way, timeout, shown):
    executor = BatchExecutor(itertools.count().__next__, 2)
    with pytest.raises(ValueError, match=f"timeout must be 0 seconds or more, .* got {shown}"):
        way(executor, timeout)
    assert len(executor) == 0


@pytest.mark.parametrize("way", [*WAYS.values(), *PREFILL.values()], ids=[*WAYS, *PREFILL])
@pytest.mark.parametrize(("timeout", "kind"), [("1", "str"), ([], "list"), (1j, "complex")])
def test_a_timeout_that_is_not_a_number_is_named(way, timeout, kind):
    executor = BatchExecutor(itertools.count().__next__, 2)
    message = f"timeout must be a number of seconds or None, got '{kind}'"
    with pytest.raises(TypeError, match=message):
        way(executor, timeout)
    assert len(executor) == 0


@ways
def test_an_error_of_float_is_passed_on(way):
    class Fails:
        def __float__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        way(BatchExecutor(int, 2), Fails())


def test_load_many_gives_back_its_results_after_a_timeout():
    with slow_fill(size=4, stuck_at=3) as executor:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                executor.load_many(5, 0.05)
            assert len(executor) == 2
        assert executor.stats().given_back == 6
        assert executor.load_many(2, 0.05) == [1, 2]
    assert executor.load_many(3) == [3, 4, 5]


def test_load_many_gives_back_its_results_after_a_timeout_in_the_source():
    with slow_fill() as stuck:
        numbers = itertools.count()

        def source():
            number = next(numbers)
            if number == 3:
                stuck.load(0.05)
            return number

        executor = BatchExecutor(source, 2)
        with pytest.raises(TimeoutError):
            executor.load_many(10)
        assert sorted(executor.load_many(5)) == [0, 1, 2, 4, 5]


def test_prefill_with_a_zero_timeout_makes_nothing():
    with slow_fill() as executor:
        assert executor.prefill() == 0
        assert executor.prefill(timeout=0.05) == 0


def test_wrong_arguments_of_load_are_named():
    executor = BatchExecutor(int, 2)
    for target in (executor, executor.cursor()):
        for args, kwargs, message in (
            ((1, 2), {}, "takes .* but .* given"),
            ((), {"time": 1}, "'time'"),
            ((1,), {"timeout": 1}, "multiple values for argument 'timeout'"),
        ):
            with pytest.raises(TypeError, match=message):
                target.load(*args, **kwargs)


class Index:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


@pytest.mark.parametrize("wrap", [Index, LocalWrapper])
def test_any_whole_number_is_a_timeout_however_large(wrap):
    executor = BatchExecutor(itertools.count().__next__, 2)
    assert executor.load(wrap(10**400)) == 0
    assert executor.cursor().load(wrap(10**5000)) == 1
    with pytest.raises(ValueError, match="timeout must be 0 seconds or more"):
        executor.load(wrap(-(10**400)))


def test_a_huge_negative_timeout_is_refused_with_a_clear_message():
    executor = BatchExecutor(itertools.count().__next__, 2)
    with pytest.raises(ValueError, match="for no limit, got a number too long to show"):
        executor.load(-(10**5000))


def test_an_overflow_error_of_float_is_passed_on():
    class Overflows:
        def __float__(self):
            raise OverflowError("mine")

    with pytest.raises(OverflowError, match="mine"):
        BatchExecutor(itertools.count().__next__, 2).load(Overflows())
