"""Threads that make results of a BatchExecutor ahead of time, for both backends.

Imported when they are first asked for. The threads hold no reference to the executor while they
wait after a failure, and one for a moment at a time otherwise. So an executor that nobody else has
is freed as if they did not exist, and they end.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, Self, final
from weakref import ref

from ._outcomes import EndOfSource, ExecutorClosed, ForkedError, executor_is_closed
from ._settings import FOREVER, checked_size, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import SupportsIndex

# How long a thread waits for room before it looks whether it is to end, in seconds. The wait itself
# looks more often, so this costs nothing more.
_LOOK = 0.05


class _Worker(threading.Thread):
    """One thread that prefills, until it is asked to end or nothing is left to do."""

    def __init__(self, executor: Any, mark: int, retry_after: float | None, number: int) -> None:
        # Not awaited by the interpreter itself, which would wait before it calls `_end_all`.
        super().__init__(name=f"ft_local-prefilling-{number}", daemon=True)
        self._executor: Callable[[], Any] = ref(executor)
        self._mark = mark
        self._retry_after = retry_after
        self._end = threading.Event()

    def run(self) -> None:
        try:
            while not self._end.is_set() and self._make_some():
                pass
        finally:
            _WORKERS.discard(self)

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
        self._end.wait(self._retry_after)
        return True

    def _prefill(self) -> bool:
        executor = self._executor()
        if executor is None:
            return False
        executor.prefill(self._mark, executor.fill_budget, timeout=_LOOK)
        return True

    def ask_to_end(self) -> None:
        self._end.set()

    def join_unless_it_is_this_one(self) -> None:
        if self is not threading.current_thread():
            self.join()


# All that run, in any order.
_WORKERS: set[_Worker] = set()


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.ask_to_end()
    for worker in workers:
        worker.join_unless_it_is_this_one()


@atexit.register
def _end_all() -> None:
    """While threads may still run Python code, so that none is stopped in the middle of a fill."""
    _end(list(_WORKERS))


if hasattr(os, "register_at_fork"):
    # None of them was copied into the child.
    os.register_at_fork(after_in_child=_WORKERS.clear)


@final
class Prefilling:
    """Threads that keep results ready, from `BatchExecutor.prefilling`, which has started them."""

    __slots__ = {  # noqa: RUF023 - the public one first
        "low_water": "With fewer ready, a thread makes more.",
        "_process": None,
        "_workers": None,
    }

    __module__ = "ft_local"

    def __init__(self, executor: Any, low_water: int, retry_after: float | None) -> None:
        self.low_water = low_water
        self._process = os.getpid()
        count = range(executor.fillers)
        self._workers = [_Worker(executor, low_water, retry_after, number) for number in count]
        started: list[_Worker] = []
        try:
            for worker in self._workers:
                _WORKERS.add(worker)
                started.append(worker)
                worker.start()
        except BaseException:
            # The last one was not started: there is no thread left, or the interpreter is ending.
            _WORKERS.discard(started.pop())
            _end(started)
            raise

    @property
    def running(self) -> bool:
        """Whether a thread makes results. False in the child of a fork, which has none of them."""
        return self._is_of_this_process() and any(map(_Worker.is_alive, self._workers))

    def stop(self) -> None:
        """Ends the threads, and waits for a call of the source that runs. Not more than once."""
        if self._is_of_this_process():
            _end(self._workers)

    def _is_of_this_process(self) -> bool:
        return self._process == os.getpid()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if not self._is_of_this_process():
            state = f"in process {self._process}, of which this is a fork"
        else:
            state = "running" if self.running else "ended"
        return f"<Prefilling: low_water={self.low_water}, {state}>"


def prefilling(
    executor: Any, low_water: SupportsIndex | None = None, *, retry_after: float | None = 1.0
) -> Prefilling:
    """What BatchExecutor.prefilling() does."""
    size = executor.size
    mark = size if low_water is None else checked_size("low_water", low_water, 1, size)
    pause = None if retry_after is None else nanoseconds(retry_after, "retry_after")
    if pause == FOREVER:
        pause = None
    if executor.closed:
        raise executor_is_closed()
    return Prefilling(executor, mark, None if pause is None else pause / 1e9)
