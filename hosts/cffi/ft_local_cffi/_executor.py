"""BatchExecutor: the same as in the package ft_local, without what needs CPython's C interface."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Callable, Generic, NoReturn, TypeVar

from ft_local_cffi._binding import ffi, lib
from ft_local_cffi._bulk import Bulk
from ft_local_cffi._calls import (
    OVER,
    BatchStats,
    Kept,
    c_fill,
    c_fill_bulk,
    c_interrupted,
    c_interruptible,
    c_release,
    call,
    fail,
    new_struct,
    take,
    until_over,
)
from ft_local_cffi._cursor import Cursor
from ft_local_cffi._notify import notify, waiting
from ft_local_cffi._settings import checked, checked_integer, enter, nanoseconds

if TYPE_CHECKING:
    from ft_local_cffi._prefilling import Prefilling

T = TypeVar("T")
# How many words fit into memory.
MAX_COUNT = sys.maxsize // ffi.sizeof("void *")


class BatchExecutor(Generic[T]):
    """Calls `source` in one thread at a time and hands each result to exactly one `load`."""

    def __init__(  # noqa: PLR0913 - as many as in ft_local
        self,
        source: Callable[..., Any],
        size: int,
        *,
        bulk: bool = False,
        fill_budget: int | None = None,
        low_water: int = 0,
        on_fork: str = "discard",
        fillers: int = 1,
    ) -> None:
        """Ask `source` for up to `size` results whenever there are none.

        With `bulk`, `source(n)` returns an iterable of up to n results. After `fill_budget`
        results, another thread may take over. A load that leaves fewer than `low_water` makes more.
        `on_fork` says what the child of a fork does with the results: "discard", "keep" or "error".
        As many threads as `fillers` run the source at the same time.
        """
        self._settings = settings = checked(
            source,
            size,
            bulk=bulk,
            fill_budget=fill_budget,
            low_water=low_water,
            on_fork=on_fork,
            fillers=fillers,
        )
        many = None
        if settings.bulk:
            many = Bulk(source, settings.fill_budget, keeps_after_fork=on_fork == "keep")
        self._kept = Kept(source, many)
        kept_handle = ffi.new_handle(self._kept)
        host = new_struct("ft_local_host", lib.ft_local_host_init)
        table = new_struct("ft_local_source", lib.ft_local_source_init)
        options = new_struct("ft_local_batch_options", lib.ft_local_batch_options_init)
        host.ctx = table.ctx = kept_handle
        host.release = c_release
        host.interrupted = c_interrupted
        host.interruptible = c_interruptible
        table.fill = c_fill if many is None else c_fill_bulk
        enter(settings, options, fill_budget is not None)
        out = ffi.new("ft_local_batch **")
        status = lib.ft_local_batch_new_with(host, table, settings.size, options, out)
        if status:
            fail(status)

        def free(batch: Any, library: Any = lib, _alive: Any = kept_handle) -> None:
            library.ft_local_batch_free(batch)

        self._kept_handle = kept_handle
        # Freed with its last reference; a thread in `load` holds one.
        self._handle = ffi.gc(out[0], free)

    def load(self, timeout: float | None = None) -> T:
        """Return the next result. Runs the source if there is none, or waits for its thread.

        TimeoutError if another thread takes longer than `timeout` seconds to make it.
        """
        if timeout is None:
            return take(self._kept, lib.ft_local_batch_load, self._handle)
        return take(self._kept, lib.ft_local_batch_load_for, self._handle, nanoseconds(timeout))

    def try_load(self, default: Any = None) -> Any:
        """Return the next result if one is ready, else `default`. Never runs the source."""
        nothing = (lib.FT_LOCAL_ERR_EMPTY, default)
        return take(self._kept, lib.ft_local_batch_try_load, self._handle, nothing=nothing)

    def load_now(self, default: Any = None) -> Any:
        """Return the next result, made here if no thread makes one; else `default`.

        Does not wait for a thread that runs the source: `notify` says when to try again.
        """
        nothing = (lib.FT_LOCAL_ERR_WOULD_WAIT, default)
        return take(self._kept, lib.ft_local_batch_load_now, self._handle, nothing=nothing)

    def notify(self, waiter: Callable[[], object]) -> Callable[[], bool]:
        """Have `waiter()` called once, in some thread, when it is worth another `load_now`.

        Return a function that ends this: True if `waiter` was not called and never will be. A
        waiter that was called and will not load must call that function.
        """
        return notify(self._handle, waiter)

    async def aload(self, *, in_thread: bool = False) -> T:
        """Return the next result, without blocking the event loop while other threads make it.

        The source runs in the thread of the loop, or in a thread of its pool.
        """
        result: T = await (
            waiting().load_in_thread(self) if in_thread else waiting().load(self, self)
        )
        return result

    def load_many(self, n: int, timeout: float | None = None) -> list[T]:
        """Return the next `n` results; fewer only if there will be no more.

        After an error, those that it had taken go to later loads.
        """
        count = checked_integer("n", n, 0, MAX_COUNT)
        limit = nanoseconds(timeout)
        if count == 0:
            return []
        out = ffi.new("void *[]", count)
        taken = ffi.new("size_t *")
        status, error = call(lib.ft_local_batch_load_many, self._handle, count, limit, out, taken)
        results = [self._kept.take(out[index]) for index in range(taken[0])]
        if status:
            self.give_back(*results)
            fail(status, error)
        return results

    def give_back(self, *results: Any) -> None:
        """Give back results that were loaded and are not wanted, for the next loads."""
        if not results:
            return
        keys = [self._kept.put(result) for result in results]
        words = ffi.new("void *[]", [ffi.cast("void *", key) for key in keys])
        status, error = call(lib.ft_local_batch_give_back, self._handle, words, len(keys))
        if status:
            for key in keys:
                self._kept.results.pop(key)
            fail(status, error)

    def prefill(
        self,
        low_water: int | None = None,
        max: int | None = None,  # noqa: A002 - the public name
        *,
        timeout: float | None = 0,
    ) -> int:
        """Wait until fewer than `low_water` results are ready, then have up to `max` made.

        Return how many were; 0 if the wait took `timeout` seconds.
        """
        size = self.size
        mark = size if low_water is None else checked_integer("low_water", low_water, 1, size)
        most = size if max is None else checked_integer("max", max, 1, MAX_COUNT)
        made = ffi.new("size_t *")
        status, error = call(
            lib.ft_local_batch_prefill, self._handle, mark, most, nanoseconds(timeout), made
        )
        if status:
            fail(status, error)
        return int(made[0])

    def prefilling(
        self, low_water: int | None = None, *, retry_after: float | None = 1.0
    ) -> Prefilling:
        """Start a thread for each filler that keeps `low_water` results ready.

        `stop()` of what it returns, or the end of a `with`, ends them; so does the end of the
        source or of the executor. What the source raises there goes to `threading.excepthook`. The
        thread then waits `retry_after` seconds; it ends instead if that is None.
        """
        from ft_local_cffi._prefilling import Prefilling  # noqa: PLC0415 - for those that use it

        return Prefilling(self, low_water, retry_after)

    def cursor(self) -> Cursor[T]:
        """Return a Cursor, for one thread, which takes several results at a time."""
        return Cursor(self, self._handle, self._kept, self._kept_handle)

    def clear(self) -> None:
        """Drop all results that are ready. The executor remains usable."""
        status, error = call(lib.ft_local_batch_clear, self._handle)
        if status or error is not None:
            fail(status, error)

    def close(self) -> None:
        """Drop all results that are ready, and end every load from now on, also those that wait."""
        status, error = call(lib.ft_local_batch_close, self._handle)
        if status or error is not None:
            fail(status, error)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(lib.ft_local_batch_is_closed(self._handle))

    def __enter__(self) -> BatchExecutor[T]:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        """Load until the source has ended or the executor is closed."""
        return until_over(self.load)

    def __aiter__(self) -> AsyncIterator[T]:
        """Load as `aload` does, until the source has ended or the executor is closed."""
        stream: AsyncIterator[T] = waiting().until_over(self, self, OVER)
        return stream

    def stats(self) -> BatchStats:
        """Return what was done so far."""
        stats = ffi.new("ft_local_stats *", {"struct_size": ffi.sizeof("ft_local_stats")})
        status = lib.ft_local_batch_stats(self._handle, stats)
        if status:
            fail(status)
        return BatchStats(*(getattr(stats, name) for name in BatchStats._fields))

    def as_local(self) -> BatchExecutor[T]:
        """Return the executor itself, for programs that run with ft_local too.

        There, it is a LocalWrapper, which spares the executor's reference count. PyPy has none, and
        on CPython a proxy in Python would cost more than the count.
        """
        return self

    @property
    def source(self) -> Callable[..., Any]:
        """What makes the results."""
        return self._settings.source

    @property
    def size(self) -> int:
        """How many results are made at a time."""
        return self._settings.size

    @property
    def bulk(self) -> bool:
        """Whether the source makes many results in one call."""
        return self._settings.bulk

    @property
    def fill_budget(self) -> int:
        """After how many results another thread may take over."""
        return self._settings.fill_budget

    @property
    def low_water(self) -> int:
        """With fewer ready, a thread that loads has more made; 0 if never."""
        return self._settings.low_water

    @property
    def on_fork(self) -> str:
        """What the child of a fork does with the results: "discard", "keep" or "error"."""
        return self._settings.on_fork

    @property
    def fillers(self) -> int:
        """How many threads may run the source at the same time."""
        return self._settings.fillers

    def __len__(self) -> int:
        """How many results are ready; a moment later there may be others."""
        return lib.ft_local_batch_len(self._handle)

    def __bool__(self) -> bool:
        """An executor is not false because nothing happens to be ready."""
        return True

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError(
            f"cannot pickle or copy {type(self).__name__!r} object: each of its results goes to "
            "one caller; make another from its source instead"
        )

    def __repr__(self) -> str:
        return f"<BatchExecutor: source={self.source!r}, size={self.size}, ready={len(self)}>"
