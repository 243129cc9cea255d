"""Handlers of signals that raise at any point of a load: no reference is left over."""

import contextlib
import gc
import signal
import sys

import pytest
from ft_local import BatchExecutor

INTERRUPTS = 3000

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that send signals here"),
    pytest.mark.thread_unsafe(reason="handlers run in the main thread"),
]


class Interrupted(Exception):  # noqa: N818 - no error
    pass


@pytest.fixture
def handler():
    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def load(executor, cursor):
    executor.load()


def load_many(executor, cursor):
    executor.load_many(16)


def iterate(executor, cursor):
    next(iter(executor))


def load_by_cursor(executor, cursor):
    cursor.load()


def load_by_new_cursor(executor, cursor):
    with executor.cursor() as new:
        next(new)


def make_and_drop(executor, cursor):
    BatchExecutor(executor.source, 8).load()


def give_back(executor, cursor):
    executor.give_back(*executor.load_many(4))


def run_interrupted(step):
    """Runs `step` until so many handlers have raised in it, or right after it."""
    count = 0
    while count < INTERRUPTS:
        with contextlib.suppress(Interrupted):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00005)
                for _ in range(50):
                    step()
                while True:
                    pass
            except Interrupted:
                count += 1


@pytest.mark.parametrize(
    "way",
    [load, load_many, iterate, load_by_cursor, load_by_new_cursor, make_and_drop, give_back],
)
def test_handlers_that_raise_leave_no_reference_behind(handler, way):
    item = object()
    executor = BatchExecutor(lambda: item, 64)
    cursor = executor.cursor()
    before = sys.getrefcount(item)
    run_interrupted(lambda: way(executor, cursor))
    signal.setitimer(signal.ITIMER_REAL, 0)
    gc.collect()
    assert sys.getrefcount(item) - before - len(executor) - len(cursor) == 0
    stats = executor.stats()
    assert stats.produced + stats.given_back == stats.loads + stats.claimed + len(executor)
