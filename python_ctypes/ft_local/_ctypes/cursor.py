"""Cursor: one thread's own handle on a BatchExecutor."""

from __future__ import annotations

from reprlib import recursive_repr
from threading import get_ident
from types import GenericAlias, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, final

from ft_local import _outcomes
from ft_local._settings import FOREVER, nanoseconds

from . import library
from .handle import BatchHandle, CursorHandle, new_cursor
from .load import take
from .waiting import waiting

if TYPE_CHECKING:
    from .batch import BatchExecutor


@final
class Cursor:
    """One thread's own handle on a BatchExecutor, made by its `cursor` method.

    It takes several results at a time, and hands them out without touching anything that threads
    share. It belongs to the thread that first uses it. What it has in hand when it is closed or
    dropped goes back, and is handed out before newer results.

    The garbage collector cannot free a cycle through a result in hand in this backend: ctypes has
    no way to show it what the library holds.
    """

    __slots__ = ("__weakref__", "_depth", "_executor", "_handle", "_owner")

    __module__ = "ft_local"

    _executor: BatchExecutor
    _handle: CursorHandle | None
    _owner: dict[None, int]
    _depth: int

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("type 'ft_local.Cursor' is not an acceptable base type")

    def __new__(cls, /, *_args: Any, **_kwargs: Any) -> Self:
        raise TypeError("cannot create 'ft_local.Cursor' instances; ask a BatchExecutor for one")

    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias:
        return GenericAlias(cls, item)

    def load(self, timeout: float | None = None) -> Any:
        """The next result: one in hand, or else as the executor's `load`."""
        limit = nanoseconds(timeout)
        status, result = self._take(limit)
        if status:
            raise self._error(status)
        return result

    def load_now(self, default: Any = None, /) -> Any:
        """The next result, as of the executor's `load_now`."""
        status, result = self._take(None)
        if status == _outcomes.ERR_WOULD_WAIT:
            return default
        if status:
            raise self._error(status)
        return result

    def close(self) -> None:
        """Gives back what is in hand, which the executor hands out before newer results."""
        self._check_thread()
        if self._depth:
            raise _outcomes.cursor_is_in_use()
        self._handle = None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle is None

    @property
    def executor(self) -> BatchExecutor:
        """Where the results come from."""
        return self._executor

    def __aiter__(self) -> Any:
        return waiting().AsyncLoads(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        status, result = self._take(FOREVER)
        if status:
            if status in library.NOTHING_MORE:
                raise StopIteration
            raise self._error(status)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many results are in hand. To ask is no use that makes the thread the owner."""
        if not self._owner or self._handle is None:
            return 0
        if self._owner[None] != get_ident():
            raise _outcomes.length_for_another_thread()
        count: int = library.cursor_len(self._handle)
        return count

    def __bool__(self) -> bool:
        """True: a cursor with nothing in hand is as good as any other."""
        return True

    @recursive_repr("<Cursor: ...>")
    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Cursor: executor={self._executor!r}, {state}>"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise _outcomes.cursor_cannot_be_copied()

    def _check_thread(self) -> None:
        me = get_ident()
        # Atomic: of two threads that use a new cursor at once, one is refused.
        if self._owner.setdefault(None, me) != me:
            raise _outcomes.cursor_of_another_thread()

    def _take(self, limit: int | None) -> tuple[int, Any]:
        self._check_thread()
        handle = self._handle
        if handle is None:
            return _outcomes.ERR_CLOSED, None
        batch = self._executor._address()  # noqa: SLF001
        self._depth += 1
        try:
            if limit is None:
                return take(batch, library.cursor_next_now, handle)
            if limit == FOREVER:
                return take(batch, library.cursor_next, handle)
            return take(batch, library.cursor_next_for, handle, limit)
        finally:
            self._depth -= 1

    def _error(self, status: int) -> Exception:
        if status == _outcomes.ERR_CLOSED and self._handle is None:
            return _outcomes.cursor_is_closed()
        return library.exception(status)


def cursor_of(executor: BatchExecutor, batch: BatchHandle) -> Cursor:
    """A new cursor of `executor`, whose part of the library's is `batch`."""
    cursor = object.__new__(Cursor)
    cursor._handle = new_cursor(batch)
    cursor._executor = executor
    cursor._owner = {}
    cursor._depth = 0
    return cursor
