"""Threads that make results of an executor ahead of time.

They hold no reference to the executor while they wait after a failure, and one for a moment at a
time otherwise. So an executor that nobody else has is freed as if they did not exist, and they end.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, final

from ft_local_cffi._calls import EndOfSource, ExecutorClosed, ForkedError
from ft_local_cffi._settings import checked_integer, nanoseconds

if TYPE_CHECKING:
    from ft_local_cffi._executor import BatchExecutor

# How long a thread waits for room before it looks whether it is to end, in seconds.
_LOOK = 0.05


class _Worker(threading.Thread):
    """One thread that prefills, until it is asked to end or nothing is left to do."""

    def __init__(self, executor: BatchExecutor[Any], mark: int, retry_after: float | None) -> None:
        # Not awaited by the interpreter itself, which would wait before it calls `_end_all`.
        super().__init__(name="ft_local-prefilling", daemon=True)
        self._executor = weakref.ref(executor)
        self._mark = mark
        self._retry_after = retry_after
        self.end = threading.Event()

    def run(self) -> None:
        try:
            while not self.end.is_set() and self._make_some():
                pass
        finally:
            _workers.discard(self)

    def _make_some(self) -> bool:
        """One fill. Whether there may be another."""
        try:
            return self._prefill()
        except (EndOfSource, ExecutorClosed, ForkedError):
            return False
        except Exception as error:  # noqa: BLE001 - reported as that of any thread
            arguments = (type(error), error, error.__traceback__, self)
            threading.excepthook(threading.ExceptHookArgs(arguments))
        # Here the exception, and with it the frames that refer to the executor, are gone.
        if self._retry_after is None:
            return False
        self.end.wait(self._retry_after)
        return True

    def _prefill(self) -> bool:
        executor = self._executor()
        if executor is None:
            return False
        executor.prefill(self._mark, executor.fill_budget, timeout=_LOOK)
        return True


# All that run, in any order.
_workers: set[_Worker] = set()


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.end.set()
    for worker in workers:
        if worker is not threading.current_thread():
            worker.join()


@atexit.register
def _end_all() -> None:
    """While threads may still run Python code, so that none is stopped in the middle of a fill."""
    _end(list(_workers))


if hasattr(os, "register_at_fork"):
    # None of them was copied into the child.
    os.register_at_fork(after_in_child=_workers.clear)


@final
class Prefilling:
    """Threads that keep results ready, from `BatchExecutor.prefilling`, which has started them."""

    def __init__(
        self, executor: BatchExecutor[Any], low_water: int | None, retry_after: float | None
    ) -> None:
        """Start as many as there are fillers."""
        size = executor.size
        self.low_water = (
            size if low_water is None else checked_integer("low_water", low_water, 1, size)
        )
        pause = nanoseconds(retry_after, "retry_after")
        if executor.closed:
            raise ExecutorClosed("this BatchExecutor was closed")
        self._process = os.getpid()
        seconds = None if pause < 0 else pause / 1e9
        self._workers: list[_Worker] = []
        try:
            for _ in range(executor.fillers):
                worker = _Worker(executor, self.low_water, seconds)
                _workers.add(worker)
                self._workers.append(worker)
                worker.start()
        except BaseException:
            # The last one was not started: there is no thread left, or the interpreter is ending.
            _workers.discard(self._workers.pop())
            _end(self._workers)
            raise

    @property
    def running(self) -> bool:
        """Whether a thread makes results. False in the child of a fork, which has none of them."""
        return self._is_of_this_process() and any(map(_Worker.is_alive, self._workers))

    def stop(self) -> None:
        """End the threads, and wait for a call of the source that runs. Not more than once."""
        if self._is_of_this_process():
            _end(self._workers)

    def _is_of_this_process(self) -> bool:
        return self._process == os.getpid()

    def __enter__(self) -> Prefilling:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else "ended"
        return f"<Prefilling: low_water={self.low_water}, {state}>"
