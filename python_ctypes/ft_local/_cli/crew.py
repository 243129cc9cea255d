"""A crew of threads that load GUIDs for some time, and what they bring home."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from .progress import Progress

Load = Callable[[], UUID]

BYTES = 16

# 16 bytes for each are kept, and some 100 more while they are compared.
MOST_RESULTS = 2_000_000

# How many loads a thread makes before it looks whether it is time to stop.
_STRIDE = 50


@dataclass
class Haul:
    """The GUIDs that each thread got, 16 bytes each, and how long that took."""

    per_thread: list[bytearray]
    seconds: float

    @property
    def count(self) -> int:
        """How many GUIDs there are in all."""
        return sum(map(len, self.per_thread)) // BYTES

    @property
    def rate(self) -> float:
        """GUIDs per second, of all threads together."""
        return self.count / self.seconds


class Crew:
    """So many threads, each with its own way to load."""

    def __init__(self, make_load: Callable[[], Load], threads: int) -> None:
        self._haul = Haul([bytearray() for _ in range(threads)], 0.0)
        self._stop = threading.Event()
        self._start = threading.Barrier(threads + 1)
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(make_load, results), daemon=True)
            for results in self._haul.per_thread
        ]

    def work(self, seconds: float, progress: Progress) -> Haul:
        """Lets all threads load for `seconds`, or until there are MOST_RESULTS.

        Blocks until they have ended, which they also do after Ctrl-C. What a thread raised is
        raised here.
        """
        for thread in self._threads:
            thread.start()
        self._start.wait()
        begin = time.perf_counter()
        try:
            self._watch(begin, seconds, progress)
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            self._haul.seconds = time.perf_counter() - begin
            progress.close()
        if self._errors:
            raise self._errors[0]
        return self._haul

    def _watch(self, begin: float, seconds: float, progress: Progress) -> None:
        while not self._errors and self._haul.count < MOST_RESULTS:
            elapsed = time.perf_counter() - begin
            progress.show(elapsed, self._haul.count)
            if elapsed >= seconds:
                break
            self._stop.wait(min(0.1, seconds - elapsed))

    def _work(self, make_load: Callable[[], Load], results: bytearray) -> None:
        try:
            load = make_load()
            self._start.wait()
            while not self._stop.is_set():
                for _ in range(_STRIDE):
                    results += load().bytes
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._errors.append(error)
