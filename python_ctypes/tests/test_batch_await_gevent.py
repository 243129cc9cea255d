"""Loads in greenlets of gevent, which wait through its hub."""

import itertools
import sys
import threading

import pytest
from ft_local import BatchExecutor, ExecutorClosed, backend

gevent = pytest.importorskip("gevent")
gevent_event = pytest.importorskip("gevent.event")

NOTHING = object()


def load(executor):
    """As docs/python.md says."""
    while True:
        result = executor.load_now(NOTHING)
        if result is not NOTHING:
            return result
        called = gevent_event.Event()
        watcher = gevent.get_hub().loop.async_()
        watcher.start(called.set)
        forget = executor.notify(watcher.send)
        try:
            called.wait()
        except BaseException:
            forget()
            raise
        finally:
            watcher.stop()


class Held:
    """An executor of 0, 1, 2, ... whose source another thread is in until `let_go`."""

    def __init__(self, size):
        self._entered, self._go_on = threading.Event(), threading.Event()
        numbers = itertools.count()

        def source():
            self._entered.set()
            assert self._go_on.wait(60)
            return next(numbers)

        self.executor = BatchExecutor(source, size)
        self._thread = threading.Thread(target=self.executor.load)
        self._thread.start()
        assert self._entered.wait(60)

    def let_go(self):
        self._go_on.set()
        self._thread.join()


def test_greenlets_wait_and_their_hub_goes_on():
    held = Held(4)
    waiting = [gevent.spawn(load, held.executor) for _ in range(6)]
    gevent.idle()
    assert not any(greenlet.ready() for greenlet in waiting)
    held.let_go()
    gevent.joinall(waiting, raise_error=True)
    assert sorted(greenlet.value for greenlet in waiting) == [1, 2, 3, 4, 5, 6]
    assert held.executor.stats().waits == 0


def test_a_greenlet_that_is_killed_leaves_its_turn_to_the_next():
    held = Held(2)
    waiting = [gevent.spawn(load, held.executor) for _ in range(4)]
    gevent.idle()
    waiting[0].kill()
    held.let_go()
    # Two were called, one for a result and one for the source, and have not run yet.
    gevent.killall(waiting[1:3])
    assert waiting[3].get() == 1


def test_a_close_ends_a_greenlet_that_waits():
    held = Held(2)
    waiting = gevent.spawn(load, held.executor)
    gevent.idle()
    held.executor.close()
    waiting.join()
    assert isinstance(waiting.exception, ExecutorClosed)
    held.let_go()


def test_greenlets_and_threads_get_each_result_once():
    numbers, taken = itertools.count(), []
    executor = BatchExecutor(numbers.__next__, 4)

    def work():
        taken.extend([executor.load() for _ in range(500)])

    def take():
        taken.extend([load(executor) for _ in range(10)])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    gevent.joinall([gevent.spawn(take) for _ in range(50)], raise_error=True)
    for thread in threads:
        thread.join()
    assert len(taken) == 1500
    taken.extend(executor.load_many(len(executor)))
    assert sorted(taken) == list(range(next(numbers)))


@pytest.mark.parametrize("fillers", [1, 3])
@pytest.mark.skipif(backend == "ctypes", reason="ctypes does not tell greenlets apart")
def test_a_source_may_let_other_greenlets_of_its_thread_run(fillers):
    numbers, inside, most = itertools.count(), 0, 0

    def source():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        gevent.sleep(0)
        inside -= 1
        return next(numbers)

    executor = BatchExecutor(source, 2, fillers=fillers)
    waiting = [gevent.spawn(load, executor) for _ in range(20)]
    gevent.joinall(waiting, raise_error=True)
    taken = [greenlet.value for greenlet in waiting]
    assert sorted(taken + executor.load_many(len(executor))) == list(range(next(numbers)))
    assert (most, executor.stats().waits) == (fillers, 0)


@pytest.mark.skipif(backend == "ctypes", reason="ctypes does not tell greenlets apart")
def test_an_executor_gives_up_what_it_has_of_greenlet():
    getcurrent = sys.modules["greenlet"].getcurrent
    before = sys.getrefcount(getcurrent)
    executors = [BatchExecutor(itertools.count().__next__, 1) for _ in range(100)]
    cursors = [executor.cursor() for executor in executors]
    del executors
    assert sys.getrefcount(getcurrent) == before + 100
    del cursors
    assert sys.getrefcount(getcurrent) == before
