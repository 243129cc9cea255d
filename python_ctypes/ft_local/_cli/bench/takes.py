"""Threads that take ids, tokens and GUIDs: from an executor, and in other ways.

`python_ctypes/ft_local/_cli/plain.py` has what the demo compares with; here are more.
"""

import collections
import contextlib
import itertools
import queue
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import ft_local

from .sharing import optional

SIZE = 1000
BLOCK = 64

Source = Callable[[], Any]


class Crowd(NamedTuple):
    """One source, used by many threads in one way."""

    # Called by each thread: an iterator of its own.
    begin: Callable[[], Iterator[Any]]
    # What was made that nobody has taken; None if that cannot be known.
    left: Callable[[], list[Any]] | None


# A way is given the source, and is entered while it is used.
Way = Callable[[Source], contextlib.AbstractContextManager[Crowd]]

# Never a result: a callable that is called until it returns this is called without end.
_NEVER = object()


def _calls(take: Source) -> Iterator[Any]:
    return iter(take, _NEVER)


def _rest(executor: ft_local.BatchExecutor[Any]) -> list[Any]:
    return [executor.load() for _ in range(len(executor))]


@contextlib.contextmanager
def by_load(source: Source) -> Iterator[Crowd]:
    """`load` of one executor."""
    executor = ft_local.BatchExecutor(source, SIZE)
    yield Crowd(lambda: _calls(executor.load), lambda: _rest(executor))


@contextlib.contextmanager
def by_cursor(source: Source) -> Iterator[Crowd]:
    """A cursor for each thread."""
    executor = ft_local.BatchExecutor(source, SIZE)
    yield Crowd(executor.cursor, lambda: _rest(executor))


@contextlib.contextmanager
def by_bulk_load(source: Source) -> Iterator[Crowd]:
    """`load`, from a source that makes a list."""
    executor = ft_local.BatchExecutor(_bulk(source), SIZE, bulk=True)
    yield Crowd(lambda: _calls(executor.load), lambda: _rest(executor))


@contextlib.contextmanager
def by_bulk_cursor(source: Source) -> Iterator[Crowd]:
    """A cursor for each thread, from a source that makes a list."""
    executor = ft_local.BatchExecutor(_bulk(source), SIZE, bulk=True)
    yield Crowd(executor.cursor, lambda: _rest(executor))


def _bulk(source: Source) -> Callable[[int], list[Any]]:
    return lambda count: [source() for _ in range(count)]


@contextlib.contextmanager
def in_each_thread(source: Source) -> Iterator[Crowd]:
    """Each thread calls the source, which all these sources allow."""
    yield Crowd(lambda: _calls(source), list)


@contextlib.contextmanager
def under_a_lock(source: Source) -> Iterator[Crowd]:
    """Each thread calls the source, one at a time."""
    lock = threading.Lock()

    def take() -> Any:
        with lock:
            return source()

    yield Crowd(lambda: _calls(take), list)


@contextlib.contextmanager
def blocks_under_a_lock(source: Source) -> Iterator[Crowd]:
    """Each thread makes itself a block of 64 under the lock."""
    lock = threading.Lock()
    blocks: list[list[Any]] = []

    def begin() -> Iterator[Any]:
        block: list[Any] = []
        blocks.append(block)
        while True:
            if not block:
                with lock:
                    block.extend([source() for _ in range(BLOCK)])
                block.reverse()
            yield block.pop()

    yield Crowd(begin, lambda: list(itertools.chain.from_iterable(blocks)))


@contextlib.contextmanager
def deque_under_a_lock(source: Source) -> Iterator[Crowd]:
    """A deque, which the thread that finds it empty fills under a lock."""
    lock = threading.Lock()
    ready: collections.deque[Any] = collections.deque()

    def take() -> Any:
        while True:
            with contextlib.suppress(IndexError):
                return ready.popleft()
            with lock:
                if not ready:
                    ready.extend([source() for _ in range(SIZE)])

    yield Crowd(lambda: _calls(take), lambda: list(ready))


def _from_queue(make: Callable[[], Any]) -> Way:
    @contextlib.contextmanager
    def way(source: Source) -> Iterator[Crowd]:
        results = make()
        stop = threading.Event()

        def produce() -> None:
            while not stop.is_set():
                if results.qsize() < SIZE:
                    for _ in range(BLOCK):
                        results.put(source())
                else:
                    # Not every queue has a bound of its own to wait at.
                    time.sleep(0.0001)

        def left() -> list[Any]:
            stop.set()
            producer.join()
            return [results.get() for _ in range(results.qsize())]

        producer = threading.Thread(target=produce, daemon=True)
        producer.start()
        try:
            yield Crowd(lambda: _calls(results.get), left)
        finally:
            stop.set()
            producer.join()

    return way


@contextlib.contextmanager
def by_forerunner(source: Source) -> Iterator[Crowd]:
    """The executor of ft_utils, which hands some results out twice."""
    executor = optional("ft_utils.local").BatchExecutor(source, SIZE)
    yield Crowd(lambda: _calls(executor.load), None)


@contextlib.contextmanager
def by_atomic_blocks(_source: Source) -> Iterator[Crowd]:
    """Each thread takes 64 numbers at a time from an atomic integer of cereggii."""
    last = optional("cereggii").AtomicInt64(0)

    def begin() -> Iterator[int]:
        while True:
            end = last.increment_and_get(BLOCK)
            yield from range(end - BLOCK, end)

    yield Crowd(begin, None)


@contextlib.contextmanager
def by_generators(_source: Source) -> Iterator[Crowd]:
    """A random generator of numpy for each thread."""
    numpy = optional("numpy")
    seeds = numpy.random.SeedSequence()
    lock = threading.Lock()

    def begin() -> Iterator[bytes]:
        with lock:
            seed = seeds.spawn(1)[0]
        draw = numpy.random.default_rng(seed).bytes
        return _calls(lambda: draw(16))

    yield Crowd(begin, None)


@contextlib.contextmanager
def by_another_uuid4(_source: Source) -> Iterator[Crowd]:
    """Each thread calls the uuid4 of uuid_utils."""
    make = optional("uuid_utils").uuid4
    yield Crowd(lambda: _calls(make), list)


SOURCES: dict[str, Callable[[], Source]] = {
    "ids": lambda: itertools.count().__next__,
    "tokens": lambda: lambda: secrets.token_bytes(16),
    "GUIDs": lambda: uuid.uuid4,
}

OURS: dict[str, Way] = {
    "load": by_load,
    "cursor": by_cursor,
    "load, bulk source": by_bulk_load,
    "cursor, bulk source": by_bulk_cursor,
}

_OTHERS: dict[str, Way] = {
    "the source in each thread": in_each_thread,
    "the source under a lock": under_a_lock,
    "own blocks under a lock": blocks_under_a_lock,
    "deque filled under a lock": deque_under_a_lock,
    "SimpleQueue and a producer": _from_queue(queue.SimpleQueue),
    "Queue and a producer": _from_queue(queue.Queue),
}

# What is used if it is installed: the way, its module, and the only source it serves.
_OPTIONAL: dict[str, tuple[Way, str, str | None]] = {
    "ft_utils": (by_forerunner, "ft_utils.local", None),
    "culsans and a producer": (
        _from_queue(lambda: optional("culsans").Queue().sync_q),
        "culsans",
        None,
    ),
    "cereggii, blocks": (by_atomic_blocks, "cereggii", "ids"),
    "numpy generators": (by_generators, "numpy", "tokens"),
    "uuid_utils": (by_another_uuid4, "uuid_utils", "GUIDs"),
}


def ways(source: str) -> dict[str, Way]:
    """The ways to take from a source of this name, ours first."""
    more = {
        title: way
        for title, (way, module, only) in _OPTIONAL.items()
        if only in (None, source) and optional(module)
    }
    return {**OURS, **_OTHERS, **more}
