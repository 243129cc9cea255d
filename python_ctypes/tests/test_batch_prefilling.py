"""prefilling(): threads that make results ahead of time, and when they end."""

import gc
import itertools
import os
import threading
import weakref

import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed, Prefilling


class Gate:
    """A source that counts, and says when it has made so many."""

    def __init__(self, wanted):
        self._numbers = itertools.count()
        self._wanted = wanted
        self.reached = threading.Event()
        self.threads = set()

    def __call__(self):
        number = next(self._numbers)
        self.threads.add(threading.get_ident())
        if number + 1 == self._wanted:
            self.reached.set()
        return number


def wait_for_end(prefilling):
    for worker in prefilling._workers:
        worker.join(60)
    assert not prefilling.running


def test_a_thread_makes_what_loads_then_find():
    source = Gate(8)
    executor = BatchExecutor(source, 8)
    with executor.prefilling() as prefilling:
        assert source.reached.wait(60)
        assert isinstance(prefilling, Prefilling)
        assert (prefilling.low_water, prefilling.running) == (8, True)
    assert not prefilling.running
    assert threading.get_ident() not in source.threads
    assert (executor.stats().fills, executor.stats().produced) == (1, 8)
    assert executor.load_many(8) == list(range(8))


def test_it_makes_more_when_fewer_than_low_water_are_left():
    source = Gate(9)
    executor = BatchExecutor(source, 8)
    executor.prefill()
    with executor.prefilling(3):
        assert executor.load_many(5) == list(range(5))
        assert not source.reached.is_set()
        assert executor.load() == 5
        assert source.reached.wait(60)
    assert executor.stats().fills == 2


def test_stop_ends_it_and_a_second_stop_does_nothing():
    executor = BatchExecutor(itertools.count().__next__, 8)
    prefilling = executor.prefilling(1)
    prefilling.stop()
    assert not prefilling.running
    assert repr(prefilling) == "<Prefilling: low_water=1, ended>"
    prefilling.stop()
    made = executor.stats().produced
    executor.load_many(100)
    assert executor.stats().produced >= made
    assert executor.load() == 100


def test_the_source_may_stop_it():
    def source():
        prefillings.append(given.get())
        prefillings[-1].stop()
        return 1

    class Given:
        def get(self):
            there.wait(60)
            return self.value

    given, there, prefillings = Given(), threading.Event(), []
    executor = BatchExecutor(source, 1)
    given.value = executor.prefilling()
    there.set()
    wait_for_end(given.value)
    assert len(prefillings) == 1


@pytest.mark.parametrize("retry_after", [0, None])
def test_it_ends_with_the_source(retry_after):
    executor = BatchExecutor(iter(range(3)).__next__, 8)
    prefilling = executor.prefilling(retry_after=retry_after)
    wait_for_end(prefilling)
    assert list(executor) == [0, 1, 2]
    with pytest.raises(EndOfSource):
        executor.load()


def test_it_ends_when_the_executor_is_closed():
    executor = BatchExecutor(itertools.count().__next__, 8)
    prefilling = executor.prefilling(1)
    executor.close()
    wait_for_end(prefilling)
    with pytest.raises(ExecutorClosed):
        executor.prefilling()


def test_it_keeps_no_executor_alive():
    executor = BatchExecutor(itertools.count().__next__, 8)
    prefilling = executor.prefilling(1)
    executor = weakref.ref(executor)
    wait_for_end(prefilling)
    gc.collect()
    assert executor() is None


@pytest.fixture
def failures(monkeypatch):
    """What a thread reports."""
    reported = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_value))
    return reported


def test_what_the_source_raises_is_reported_and_it_goes_on(failures):
    calls = itertools.count()
    done = threading.Event()

    def source():
        number = next(calls)
        if number == 8:
            done.set()
        if number % 2:
            raise ValueError(number)
        return number

    executor = BatchExecutor(source, 5)
    with executor.prefilling(retry_after=0):
        assert done.wait(60)
    assert executor.load_many(5) == [0, 2, 4, 6, 8]
    assert [error.args for error in failures] == [(1,), (3,), (5,), (7,)]


def test_without_a_retry_it_ends_at_the_first_failure(failures):
    executor = BatchExecutor(lambda: 1 // 0, 5)
    prefilling = executor.prefilling(retry_after=None)
    wait_for_end(prefilling)
    assert [type(error) for error in failures] == [ZeroDivisionError]
    assert executor.stats().errors == 1


def test_stop_does_not_wait_for_a_retry(failures):
    failed = threading.Event()

    def source():
        failed.set()
        raise OSError

    executor = BatchExecutor(source, 5)
    with executor.prefilling(retry_after=1e9) as prefilling:
        assert failed.wait(60)
    assert not prefilling.running
    assert len(failures) == executor.stats().errors == 1


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"low_water": 0}, ValueError, "low_water must be between 1 and 4, got 0"),
        ({"low_water": 5}, ValueError, "low_water must be between 1 and 4, got 5"),
        ({"low_water": "1"}, TypeError, "low_water must be an int, got 'str'"),
        ({"retry_after": -1}, ValueError, "retry_after must be 0 seconds or more"),
        ({"retry_after": "1"}, TypeError, "retry_after must be a number of seconds or None"),
        ({"most": 1}, TypeError, "'most'"),
    ],
)
def test_wrong_arguments_are_named(arguments, kind, message):
    executor = BatchExecutor(int, 4)
    before = threading.active_count()
    with pytest.raises(kind, match=message):
        executor.prefilling(**arguments)
    assert threading.active_count() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_a_fork_has_no_such_thread(run_python):
    program = """
import itertools, os
from ft_local import BatchExecutor
executor = BatchExecutor(itertools.count().__next__, 8)
with executor.prefilling(2) as prefilling:
    child = os.fork()
    if child == 0:
        ok = not prefilling.running and "of which this is a fork" in repr(prefilling)
        prefilling.stop()
        with executor.prefilling(2) as again:
            ok = ok and again.running
            executor.load()
        os._exit(0 if ok and not again.running else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert prefilling.running
"""
    finished = run_python("-W", "ignore", "-c", program)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_at_exit_it_ends_before_the_interpreter_does(run_python):
    program = """
import atexit, itertools, threading
from ft_local import BatchExecutor
def say():
    print([t.name for t in threading.enumerate() if "prefilling" in t.name], prefilling.running)
atexit.register(say)  # called last
executor = BatchExecutor(itertools.count().__next__, 8)
prefilling = executor.prefilling()
say()
"""
    finished = run_python("-c", program)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == "['ft_local-prefilling-0'] True\n[] False\n"


def test_a_thread_that_cannot_start_is_an_error(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    executor = BatchExecutor(int, 4)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        executor.prefilling()
