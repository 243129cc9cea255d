"""One thread's way to take many results."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from ft_local_cffi._binding import ffi, lib
from ft_local_cffi._calls import (
    OVER,
    ExecutorClosed,
    Kept,
    fail,
    take,
)
from ft_local_cffi._notify import waiting
from ft_local_cffi._settings import nanoseconds

if TYPE_CHECKING:
    from ft_local_cffi._executor import BatchExecutor

T = TypeVar("T")


class Cursor(Generic[T]):
    """One thread's way to take many results: it claims several at a time.

    It belongs to the thread that first uses it.
    """

    def __init__(self, executor: BatchExecutor[T], batch: Any, kept: Kept, alive: Any) -> None:
        """Ask an executor for one."""
        self.executor = executor
        self._kept = kept
        self._owner: dict[None, int] = {}
        # How many loads of this cursor run: one, and those of the source that it runs.
        self._depth = 0
        out = ffi.new("ft_local_cursor **")
        status = lib.ft_local_cursor_new(batch, out)
        if status:
            fail(status)

        def free(cursor: Any, library: Any = lib, _alive: Any = alive) -> None:
            library.ft_local_cursor_free(cursor)

        self._handle: Any = ffi.gc(out[0], free)

    def load(self, timeout: float | None = None) -> T:
        """Return the next result: one in hand, or else as the executor's `load`."""
        result: T = self._take(lib.ft_local_cursor_next_for, nanoseconds(timeout))
        return result

    def load_now(self, default: Any = None) -> Any:
        """Return the next result, as the executor's `load_now`."""
        nothing = (lib.FT_LOCAL_ERR_WOULD_WAIT, default)
        return self._take(lib.ft_local_cursor_next_now, nothing=nothing)

    def close(self) -> None:
        """Give back what is in hand, which the executor hands out before newer results."""
        self._check_thread()
        if self._depth:
            raise RuntimeError(
                "this Cursor cannot be closed by the source that it runs, nor by the handler of a "
                "signal while it waits"
            )
        if self._handle is not None:
            ffi.release(self._handle)
            self._handle = None

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle is None

    def _check_thread(self) -> None:
        me = threading.get_ident()
        # Atomic: of two threads that use a new cursor at once, one is refused.
        if self._owner.setdefault(None, me) != me:
            raise RuntimeError(
                "this Cursor belongs to the thread that first used it: make another in this thread "
                "with executor.cursor()"
            )

    def _take(self, function: Any, *limit: int, nothing: tuple[int, Any] | None = None) -> Any:
        self._check_thread()
        if self._handle is None:
            raise ExecutorClosed("this Cursor was closed: make another with executor.cursor()")
        self._depth += 1
        try:
            return take(self._kept, function, self._handle, *limit, nothing=nothing)
        finally:
            self._depth -= 1

    def __iter__(self) -> Cursor[T]:
        """Load until there will be no more results."""
        return self

    def __next__(self) -> T:
        try:
            return self.load()
        except OVER:
            raise StopIteration from None

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
        if not self._owner or self._handle is None:
            return 0
        if self._owner[None] != threading.get_ident():
            raise RuntimeError(
                "only the thread that first used a Cursor can say what it has in hand"
            )
        return int(lib.ft_local_cursor_len(self._handle))

    def __bool__(self) -> bool:
        """A cursor is not false because it has nothing in hand."""
        return True

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError(
            "cannot pickle or copy 'Cursor' object: each of its results goes to one caller; ask "
            "its executor for another instead"
        )

    def __repr__(self) -> str:
        return f"<Cursor: executor={self.executor!r}, {'closed' if self.closed else 'open'}>"
