"""One thread's way to take many results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ft_local_cffi._binding import ffi, lib
from ft_local_cffi._calls import (
    OVER,
    ExecutorClosed,
    Kept,
    fail,
    nanoseconds,
    take,
    until_over,
)
from ft_local_cffi._notify import waiting

if TYPE_CHECKING:
    from ft_local_cffi._executor import BatchExecutor

T = TypeVar("T")


class Cursor(Generic[T]):
    """One thread's way to take many results: it claims several at a time."""

    def __init__(self, executor: BatchExecutor[T], batch: Any, kept: Kept, alive: Any) -> None:
        """Ask an executor for one."""
        self.executor = executor
        self._kept = kept
        out = ffi.new("ft_local_cursor **")
        status = lib.ft_local_cursor_new(batch, out)
        if status:
            fail(status)

        def free(cursor: Any, library: Any = lib, _alive: Any = alive) -> None:
            library.ft_local_cursor_free(cursor)

        self._handle: Any = ffi.gc(out[0], free)

    def load(self, timeout: float | None = None) -> T:
        """Return the next result: one in hand, or else as the executor's `load`."""
        limit = nanoseconds(timeout)
        return take(self._kept, lib.ft_local_cursor_next_for, self._open(), limit)

    def load_now(self, default: Any = None) -> Any:
        """Return the next result, as the executor's `load_now`."""
        nothing = (lib.FT_LOCAL_ERR_WOULD_WAIT, default)
        return take(self._kept, lib.ft_local_cursor_next_now, self._open(), nothing=nothing)

    def close(self) -> None:
        """Give back what is in hand, which the executor hands out before newer results."""
        if self._handle is not None:
            ffi.release(self._handle)
            self._handle = None

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle is None

    def _open(self) -> Any:
        if self._handle is None:
            raise ExecutorClosed("the cursor is closed")
        return self._handle

    def __iter__(self) -> Iterator[T]:
        """Load until there will be no more results."""
        return until_over(self.load)

    def __aiter__(self) -> AsyncIterator[T]:
        """Load without blocking the event loop, until there will be no more results."""
        stream: AsyncIterator[T] = waiting().until_over(self, self.executor, OVER)
        return stream

    def __enter__(self) -> Cursor[T]:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many results are in hand."""
        return 0 if self._handle is None else int(lib.ft_local_cursor_len(self._handle))

    def __bool__(self) -> bool:
        """A cursor is not false because it has nothing in hand."""
        return True
