"""Other ways to hand GUIDs to threads: what one would write without ft_local.

They count what is made, as the source of the BatchExecutor does: that takes its time too.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from uuid import UUID

from .account import CountingSource
from .crew import Load

# A way is given the size of a batch, and is entered while it is used. It gives what makes the
# function that a thread loads with.
Way = Callable[[int], contextlib.AbstractContextManager[Callable[[], Load]]]


@contextlib.contextmanager
def each_thread_itself(_size: int) -> Iterator[Callable[[], Load]]:
    """Every thread calls uuid4."""
    yield CountingSource


@contextlib.contextmanager
def under_a_lock(_size: int) -> Iterator[Callable[[], Load]]:
    """Every thread calls uuid4, one at a time."""
    lock = threading.Lock()
    source = CountingSource()

    def load() -> UUID:
        with lock:
            return source()

    yield lambda: load


@contextlib.contextmanager
def from_a_queue(size: int) -> Iterator[Callable[[], Load]]:
    """One more thread calls uuid4 and keeps a queue filled."""
    queue: SimpleQueue[UUID] = SimpleQueue()
    stop = threading.Event()
    source = CountingSource()

    def produce() -> None:
        while not stop.is_set():
            if queue.qsize() < size:
                for _ in range(size):
                    queue.put(source())
            else:
                # A SimpleQueue has no bound of its own to wait at.
                time.sleep(0.0001)

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    try:
        yield lambda: queue.get
    finally:
        stop.set()
        producer.join()


WAYS: dict[str, Way] = {
    "uuid4() in each thread": each_thread_itself,
    "uuid4() under a lock": under_a_lock,
    "queue.SimpleQueue and a producer": from_a_queue,
}
