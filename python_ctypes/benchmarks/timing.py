"""How an operation is timed, in one thread or in several."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

Kind = Callable[[Any], Any]

ROUNDS = 15
REPEATS = 3000
PER_REPEAT = 10
# Long enough for the threads to run at the same time.
THREAD_REPEATS = 30_000


def bare(thing: Any) -> Any:
    """No proxy."""
    return thing


def timed(
    body: Callable[..., None],
    thing: Any,
    kind: Kind,
    repeats: int = REPEATS,
    clock: Callable[[], int] = time.thread_time_ns,
) -> float:
    """Nanoseconds of this thread for one run of the expression; not a number if it fails.

    Only what the thread runs counts, so that other programs on the machine disturb less, unless
    another clock is given.
    """
    try:
        start = clock()
        body(thing, kind, repeats)
    except TypeError:
        return float("nan")
    return (clock() - start) / repeats / PER_REPEAT


def in_threads(
    body: Callable[..., None],
    make: Callable[[], Any],
    count: int,
    repeats: int = THREAD_REPEATS,
    clock: Callable[[], int] = time.thread_time_ns,
) -> float:
    """The slowest of `count` threads' nanoseconds for one operation on what it made for itself.

    Each makes its own, as programs do: without the GIL an object counts references faster for the
    thread that made it, and two made by one thread may share a cache line.
    """
    barrier = threading.Barrier(count)
    took = [0.0] * count

    def work(index: int) -> None:
        thing = make()
        barrier.wait()
        took[index] = timed(body, thing, bare, repeats, clock)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(took)
