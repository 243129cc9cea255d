"""BatchExecutor: a source run in one thread at a time, its results handed to many."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, byref, c_size_t, sizeof
from reprlib import recursive_repr
from types import GenericAlias, TracebackType
from typing import Any, NoReturn, Self, SupportsIndex

from ft_local import _outcomes
from ft_local._settings import (
    Settings,
    check_unchanged,
    checked_size,
    nanoseconds,
    settings_of,
)
from ft_local._stats import BatchStats

from . import library
from .cursor import Cursor, cursor_of
from .handle import BatchHandle, new_batch
from .load import give_back, take, take_many
from .source import one_at_a_time
from .source_shared import shared_one_at_a_time
from .waiting import notify, waiting
from .wrapper import LocalWrapper


class _Iterator:
    """iter(executor): what it loads, until there will be no more."""

    __slots__ = ("_executor",)

    def __init__(self, executor: BatchExecutor) -> None:
        self._executor = executor

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        batch = self._executor._address()  # noqa: SLF001
        status, result = take(batch, library.batch_load, batch)
        if status:
            if status in library.NOTHING_MORE:
                raise StopIteration
            raise library.exception(status)
        return result


class BatchExecutor:
    """Runs `source` to fill a buffer of `size` results, which any thread may load.

    One thread at a time runs the source: the one whose `load` found the buffer empty. With
    `fillers=k`, up to k threads do at the same time, and results come in the order in which the
    calls end. Each result goes to exactly one caller. It pays when the source is expensive, or must
    not run in two threads at once; a cheap source that many threads may call is faster without.

    Threads: any thread, at once. Lifetime: the executor keeps the source alive, and the results
    that nobody has loaded yet. The garbage collector cannot free a cycle through such a result in
    this backend: ctypes has no way to show it what the library holds.

    A subclass has the methods that it adds. Its `__init__` may take more arguments after these two.
    """

    # In this order, that of the alphabet: the garbage collector takes the handle, without which
    # nobody can load, before the source, which the handle only borrows.
    __slots__ = ("__weakref__", "_handle", "_plain_source", "_settings")

    __module__ = "ft_local"

    _handle: BatchHandle
    _plain_source: Callable[[], Any]
    _settings: Settings

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        if not issubclass(cls, BatchExecutor):
            raise TypeError(f"{cls!r} is no subclass of BatchExecutor")
        has_init = cls.__init__ is not BatchExecutor.__init__  # type: ignore[misc]
        settings = settings_of(args, kwargs, not has_init)
        self = object.__new__(cls)
        self._settings = settings
        self._plain_source = settings.source
        if settings.bulk:
            one_by_one = one_at_a_time if settings.fillers == 1 else shared_one_at_a_time
            self._plain_source = one_by_one(
                settings.source,
                settings.fill_budget,
                keeps_after_fork=settings.on_fork == "keep",
            )
        self._handle = new_batch(self._plain_source, settings)
        return self

    # What `inspect.signature` and `help` are to show.
    __new__.__wrapped__ = (  # type: ignore[attr-defined]
        lambda cls, source, size, *, bulk=False, fill_budget=None, low_water=0, on_fork="discard", fillers=1: (  # noqa: ARG005, E501
            None
        )
    )

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        if type(self).__new__ is not BatchExecutor.__new__:
            # What the `__new__` of a subclass has made of it is its own affair.
            return
        check_unchanged(self._settings, args, kwargs)

    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias:
        return GenericAlias(cls, item)

    def load(self, timeout: float | None = None) -> Any:
        """Takes the next result, in the order in which the source made them.

        Blocks while another thread runs the source and nothing is ready, for `timeout` seconds at
        most, after which there is a TimeoutError; Ctrl-C ends the wait in the main thread. If the
        source, run by this call, raises, the same exception comes out of here, and what it had
        made before goes to later loads. RuntimeError if the source itself loads from this executor,
        EndOfSource if there will be no more results, ExecutorClosed after `close`.
        """
        batch = self._address()
        if timeout is None:
            status, result = take(batch, library.batch_load, batch)
        else:
            status, result = take(batch, library.batch_load_for, batch, nanoseconds(timeout))
        if status:
            raise library.exception(status)
        return result

    def try_load(self, default: Any = None, /) -> Any:
        """Takes the next result if one is ready, or else returns `default`.

        Never runs the source, and never waits.
        """
        batch = self._address()
        status, result = take(batch, library.batch_try_load, batch)
        if status == _outcomes.ERR_EMPTY:
            return default
        if status:
            raise library.exception(status)
        return result

    def load_now(self, default: Any = None, /) -> Any:
        """Takes the next result, and runs the source if none is ready and no thread runs it.

        Returns `default` if another thread does: `notify` says when to try again.
        """
        batch = self._address()
        status, result = take(batch, library.batch_load_now, batch)
        if status == _outcomes.ERR_WOULD_WAIT:
            return default
        if status:
            raise library.exception(status)
        return result

    def notify(self, waiter: Callable[[], object], /) -> Callable[[], bool]:
        """Has `waiter()` called once, in some thread, when it is worth another `load_now`.

        That may be at once. Returns a function that ends this: it returns True if `waiter` was not
        called and never will be. A waiter that was called and will not load must call that
        function, so that another is called in its place.
        """
        return notify(self._address(), waiter)

    def aload(self, *, in_thread: bool = False) -> Any:
        """Takes the next result, to be awaited in a task of asyncio.

        The source runs in the thread of the event loop, or in a thread of the loop's pool.
        """
        return waiting().aload(self, in_thread=in_thread)

    def load_many(self, n: SupportsIndex, timeout: float | None = None) -> list[Any]:
        """A list of the next `n` results; of fewer only if there will be no more.

        After an error, those that it had taken go to later loads.
        """
        count = checked_size("n", n, 0, library.MAX_COUNT)
        limit = nanoseconds(timeout)
        if count == 0:
            return []
        status, results = take_many(self._address(), count, limit)
        if status:
            raise library.exception(status)
        return results

    def give_back(self, /, *results: Any) -> None:
        """Gives back results that were loaded and are not wanted.

        They are handed out before newer ones.
        """
        status = give_back(self._address(), results) if results else 0
        if status:
            raise library.exception(status)

    def prefill(
        self,
        low_water: SupportsIndex | None = None,
        max: SupportsIndex | None = None,  # noqa: A002 - the public name
        *,
        timeout: float | None = 0,
    ) -> int:
        """Waits until fewer than `low_water` results are ready, then has up to `max` made.

        Returns how many were; 0 if the wait took `timeout` seconds.
        """
        size = self.size
        mark = size if low_water is None else checked_size("low_water", low_water, 1, size)
        most = size if max is None else checked_size("max", max, 1, library.MAX_COUNT)
        limit = nanoseconds(timeout)
        made = c_size_t()
        try:
            status = library.batch_prefill(self._address(), mark, most, limit, addressof(made))
        except StopIteration:
            # The source has ended, and the exception has no more to say.
            status = 0 if made.value else _outcomes.ERR_END
        if status:
            raise library.exception(status)
        return made.value

    def prefilling(
        self, low_water: SupportsIndex | None = None, *, retry_after: float | None = 1.0
    ) -> Any:
        """Starts a thread that keeps `low_water` results ready, and returns a Prefilling.

        It starts as many threads as there are `fillers`. Its `stop()`, or the end of a `with`, ends
        them. They end by themselves when the source has ended, when the executor is closed or
        freed, and at the exit of the interpreter. What the source raises there goes to
        `threading.excepthook`. The thread then waits `retry_after` seconds; it ends instead if that
        is None.
        """
        from ft_local._prefilling import prefilling  # noqa: PLC0415 - importing stays quick

        return prefilling(self, low_water, retry_after=retry_after)

    def cursor(self) -> Cursor:
        """A Cursor, for one thread, which takes several results at a time."""
        return cursor_of(self, self._address())

    def close(self) -> None:
        """Drops the results that are ready, and lets all loads fail from now on."""
        status = library.batch_close(self._address())
        if status:
            raise library.exception(status)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return bool(library.batch_is_closed(self._address()))

    def stats(self) -> BatchStats:
        """What was done so far."""
        stats = library.Stats(struct_size=sizeof(library.Stats))
        status = library.batch_stats(self._address(), byref(stats))
        if status:
            raise library.exception(status)
        counts = {name: getattr(stats, name) for name, *_ in stats._fields_}
        wait_time, source_time = counts.pop("wait_ns") / 1e9, counts.pop("source_ns") / 1e9
        del counts["struct_size"]
        return BatchStats(wait_time=wait_time, source_time=source_time, **counts)

    def as_local(self) -> LocalWrapper:
        """A new LocalWrapper of this executor, for one thread to use."""
        return LocalWrapper(self)

    @property
    def source(self) -> Callable[..., Any]:
        """What makes the results."""
        return self._settings.source

    @property
    def size(self) -> int:
        """How many results one fill makes at most."""
        return self._settings.size

    @property
    def bulk(self) -> bool:
        """Whether the source makes many results in one call."""
        return self._settings.bulk

    @property
    def fill_budget(self) -> int:
        """After how many results the thread that fills hands the role on."""
        return self._settings.fill_budget

    @property
    def low_water(self) -> int:
        """With fewer ready, a load makes more; 0 if never. `prefilling` spares loads that."""
        return self._settings.low_water

    @property
    def on_fork(self) -> str:
        """What the child of a fork does with the results: "discard", "keep" or "error"."""
        return self._settings.on_fork

    @property
    def fillers(self) -> int:
        """How many threads may run the source at the same time."""
        return self._settings.fillers

    def __aiter__(self) -> Any:
        return waiting().AsyncLoads(self)

    def __iter__(self) -> _Iterator:
        return _Iterator(self)

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
        """How many results are ready; a moment later there may be others."""
        count: int = library.batch_len(self._address())
        return count

    def __bool__(self) -> bool:
        """True: an executor without ready results is as good as any other."""
        return True

    @recursive_repr("<BatchExecutor: ...>")
    def __repr__(self) -> str:
        return f"<BatchExecutor: source={self.source!r}, size={self.size}, ready={len(self)}>"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise _outcomes.executor_cannot_be_copied(self)

    def _address(self) -> BatchHandle:
        try:
            return self._handle
        except AttributeError:
            raise _outcomes.source_is_gone() from None
