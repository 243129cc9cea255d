"""fillers=k: a source that runs in several threads at the same time."""

import itertools
import os
import threading

import pytest
from ft_local import BatchExecutor, EndOfSource


class Inside:
    """A source that counts, and knows how many threads were in it at once: `wanted` at least."""

    def __init__(self, wanted, last=None):
        self._lock = threading.Condition()
        self._wanted = wanted
        self._last = last
        self._inside = self._made = 0
        self.most = 0

    def _enter(self, n):
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._lock.notify_all()
            assert self._lock.wait_for(lambda: self.most >= self._wanted, 60)
            self._inside -= 1
            if self._last is not None:
                n = min(n, self._last - self._made)
            first = self._made
            self._made += n
        if n == 0:
            raise StopIteration
        return range(first, first + n)

    def one(self):
        return self._enter(1)[0]

    def many(self, n):
        return self._enter(n)


def load_all(executor, run_threads, threads):
    return [number for part in run_threads(threads, lambda _: list(executor)) for number in part]


@pytest.mark.parametrize("bulk", [False, True])
def test_so_many_threads_run_the_source_and_each_result_goes_to_one(run_threads, bulk):
    source = Inside(3, last=2000)
    call = source.many if bulk else source.one
    executor = BatchExecutor(call, 8, bulk=bulk, fillers=3)
    assert executor.fillers == 3
    assert sorted(load_all(executor, run_threads, 6)) == list(range(2000))
    assert source.most == 3
    stats = executor.stats()
    assert (stats.produced, stats.loads, len(executor)) == (2000, 2000, 0)


@pytest.mark.parametrize("bulk", [False, True])
def test_one_filler_is_the_default(run_threads, bulk):
    source = Inside(1, last=500)
    executor = BatchExecutor(source.many if bulk else source.one, 8, bulk=bulk)
    assert executor.fillers == 1
    assert sorted(load_all(executor, run_threads, 4)) == list(range(500))
    assert source.most == 1


def test_an_exception_goes_to_the_caller_in_whose_thread_it_was_raised(run_threads):
    both = threading.Barrier(2)
    raised = {}

    def source():
        both.wait(60)
        raised[threading.get_ident()] = error = ValueError("failed")
        raise error

    executor = BatchExecutor(source, 8, fillers=2)

    def load(_):
        with pytest.raises(ValueError, match="failed") as caught:
            executor.load()
        return caught.value is raised[threading.get_ident()]

    assert run_threads(2, load) == [True, True]
    assert executor.stats().errors == 2


def test_a_source_that_loads_from_its_own_executor_is_refused():
    def source():
        return executor.load()

    executor = BatchExecutor(source, 8, fillers=2)
    with pytest.raises(RuntimeError, match="already running the source"):
        executor.load()


def test_what_a_bulk_source_yields_beyond_n_comes_next():
    numbers = itertools.count()

    def source(n):
        return [next(numbers) for _ in range(n + 2)]

    executor = BatchExecutor(source, 4, bulk=True, fillers=2, fill_budget=4)
    assert [executor.load() for _ in range(50)] == list(range(50))


@pytest.mark.parametrize("returned", [7, []])
def test_what_a_bulk_source_may_not_return_is_named(returned):
    executor = BatchExecutor(lambda n: returned, 4, bulk=True, fillers=2)
    with pytest.raises((TypeError, RuntimeError)):
        executor.load()


def test_the_end_comes_after_what_other_calls_still_bring(run_threads):
    first_inside, ended = threading.Event(), threading.Event()
    calls = itertools.count()

    def source():
        if next(calls) == 0:
            first_inside.set()
            assert ended.wait(60)
            return "late"
        ended.set()
        raise StopIteration

    executor = BatchExecutor(source, 4, fillers=2)

    def load(index):
        if index:
            first_inside.wait(60)
        try:
            return executor.load()
        except EndOfSource:
            return "end"

    assert run_threads(2, load) == ["late", "end"]


def test_a_load_that_does_not_wait_runs_the_source_while_a_permit_is_free(run_threads):
    inside, go_on = threading.Barrier(2), threading.Event()
    calls = itertools.count()

    def source():
        number = next(calls)
        if number == 0:
            inside.wait(60)
            assert go_on.wait(60)
        return number

    executor = BatchExecutor(source, 1, fillers=2)

    def load(index):
        if index == 0:
            return executor.load()
        inside.wait(60)
        found = executor.load_now("waits")
        go_on.set()
        return found

    assert run_threads(2, load) == [0, 1]


def test_prefilling_has_a_thread_for_each_filler():
    source = Inside(3, last=9)
    executor = BatchExecutor(source.one, 4, fillers=3)
    with executor.prefilling(4):
        assert sorted(executor) == list(range(9))
    assert source.most == 3


@pytest.mark.parametrize(
    ("fillers", "kind", "message"),
    [
        (0, ValueError, "fillers must be between 1 and 256, got 0"),
        (257, ValueError, "fillers must be between 1 and 256, got 257"),
        (True, TypeError, "fillers must be an int, got 'bool'"),
        (None, TypeError, "fillers must be an int, got 'NoneType'"),
    ],
)
def test_wrong_numbers_are_named(fillers, kind, message):
    with pytest.raises(kind, match=message):
        BatchExecutor(int, 4, fillers=fillers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("bulk", [False, True])
def test_the_child_of_a_fork_has_the_permits_of_threads_that_are_gone(run_python, bulk):
    program = f"""
import itertools, os, threading
from ft_local import BatchExecutor
numbers, block, inside = itertools.count(), threading.Event(), threading.Barrier(3)
parent = os.getpid()
def source(*n):
    if os.getpid() == parent:
        inside.wait(60)
        block.wait(60)
    return [next(numbers)] if n else next(numbers)
executor = BatchExecutor(source, 4, bulk={bulk}, fillers=2)
threads = [threading.Thread(target=executor.load) for _ in range(2)]
for thread in threads:
    thread.start()
inside.wait(60)
child = os.fork()
if child == 0:
    os._exit(0 if executor.load_many(3) == [0, 1, 2] else 1)
assert os.waitpid(child, 0)[1] == 0
block.set()
for thread in threads:
    thread.join()
"""
    finished = run_python("-W", "ignore", "-c", program)
    assert (finished.returncode, finished.stderr) == (0, "")
