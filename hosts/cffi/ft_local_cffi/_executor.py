"""BatchExecutor: the same as in the package ft_local, without what needs CPython's C interface.

The library sees numbers: an object is a key in a dictionary, which is how a collector sees it too.
An address would not do, because PyPy moves its objects. cffi gives the GIL up round every call by
itself, so the host needs no `block`.
"""

from __future__ import annotations

import itertools
import math
import operator
import threading
from collections.abc import Iterator
from typing import Any, Callable, Generic, TypeVar

from ft_local_cffi._binding import callback, ffi, lib

T = TypeVar("T")

# Without limit, as the library counts nanoseconds.
_FOR_EVER = -1
_MOST = 2**63 - 1


class EndOfSource(Exception):  # noqa: N818 - it is no error, as StopIteration is none
    """The source raised StopIteration, and all that it had made was handed out."""


class ExecutorClosed(RuntimeError):  # noqa: N818 - named after what happened, as in ft_local
    """The executor was closed."""


class _Kept:
    """What the library refers to: the source, and the results that wait."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self.source = source
        # Each result in a list of its own, which is emptied: a dictionary of PyPy can go on
        # referring to what was deleted from it until something else takes the place.
        self.results: dict[int, list[Any]] = {}
        # NULL would be no object, so keys begin with 1.
        self.keys = itertools.count(1)

    def take(self, handle: Any) -> Any:
        return self.results.pop(int(ffi.cast("uintptr_t", handle))).pop()


# Its attribute `error` is what Python code raised inside a callback, until the call in the same
# thread returns. A source may call another executor, or the same one: each call has its own error.
_pending = threading.local()
# In the place of an error: this thread is in no call.
_NO_CALL = object()


def _remember(_type: Any, error: BaseException, traceback: Any) -> None:
    if getattr(_pending, "error", _NO_CALL) is _NO_CALL:
        # The collector frees an executor. No caller could get the exception, so cffi prints it.
        raise error
    _pending.error = error.with_traceback(traceback)


def _call(function: Callable[..., int], *arguments: Any) -> tuple[int, BaseException | None]:
    """Call the library. Return the status, and what a callback raised meanwhile."""
    here = _pending.__dict__  # Of this thread.
    outer = here.get("error", _NO_CALL)
    here["error"] = None
    try:
        return function(*arguments), here["error"]
    finally:
        here["error"] = outer


def _fill(ctx: Any, out: Any, _capacity: int, produced: Any) -> int:
    """Makes one result at a time, so that waiting threads need not wait for the whole batch."""
    kept = ffi.from_handle(ctx)
    key = next(kept.keys)
    try:
        kept.results[key] = [kept.source()]
        out[0] = ffi.cast("void *", key)
        produced[0] = 1
    except StopIteration:
        return lib.FT_LOCAL_ERR_END
    except BaseException:
        # A signal may strike anywhere.
        produced[0] = 0
        kept.results.pop(key, None)
        raise
    return 0


def _release(ctx: Any, handle: Any) -> None:
    ffi.from_handle(ctx).take(handle)


def _interrupted(_ctx: Any) -> int:
    """Python runs signal handlers by itself when it comes here; what they raise is remembered."""
    return 0


def _interruptible(_ctx: Any) -> int:
    """Signal handlers run in the main thread alone, so the others need not look for them."""
    return threading.get_ident() == threading.main_thread().ident


_c_fill = callback("fill", _fill, _remember)
_c_release = callback("release", _release, _remember)
_c_interrupted = callback("interrupted", _interrupted, _remember)
_c_interruptible = callback("interruptible", _interruptible, _remember)


def _fail(status: int, error: BaseException | None = None) -> None:
    if error is not None:
        raise error
    if status == lib.FT_LOCAL_ERR_NO_MEMORY:
        raise MemoryError
    if status == lib.FT_LOCAL_ERR_TIMED_OUT:
        raise TimeoutError("no result came in time")
    if status == lib.FT_LOCAL_ERR_END:
        raise EndOfSource("the source has ended")
    if status == lib.FT_LOCAL_ERR_CLOSED:
        raise ExecutorClosed("the executor is closed")
    text = ffi.string(lib.ft_local_status_text(status)).decode()
    if status == lib.FT_LOCAL_ERR_ARGUMENT:
        text = ffi.string(lib.ft_local_last_error()).decode()
    raise RuntimeError(f"ft_local: {text}")


def _checked_size(given: object) -> int:
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise TypeError(f"size must be an int, got '{type(given).__name__}'")
    size = operator.index(given)
    if not 1 <= size <= lib.FT_LOCAL_BATCH_MAX_SIZE:
        raise ValueError(f"size must be between 1 and {lib.FT_LOCAL_BATCH_MAX_SIZE}, got {size}")
    return size


def _nanoseconds(timeout: float | None) -> int:
    if timeout is None:
        return _FOR_EVER
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number or None, got '{type(timeout).__name__}'")
    if not timeout >= 0:
        raise ValueError(f"timeout must not be negative, got {timeout}")
    return _FOR_EVER if timeout >= _MOST / 1e9 else math.ceil(timeout * 1e9)


class BatchExecutor(Generic[T]):
    """Calls `source` in one thread at a time and hands each result to exactly one `load`."""

    def __init__(self, source: Callable[[], T], size: int) -> None:
        """Ask `source` for up to `size` results whenever there are none."""
        if not callable(source):
            raise TypeError(f"source must be callable, got '{type(source).__name__}'")
        size = _checked_size(size)
        self._kept = _Kept(source)
        kept_handle = ffi.new_handle(self._kept)
        host = ffi.new("ft_local_host *")
        table = ffi.new("ft_local_source *")
        out = ffi.new("ft_local_batch **")
        if lib.ft_local_host_init(host, ffi.sizeof("ft_local_host")):
            _fail(lib.FT_LOCAL_ERR_ARGUMENT)
        if lib.ft_local_source_init(table, ffi.sizeof("ft_local_source")):
            _fail(lib.FT_LOCAL_ERR_ARGUMENT)
        host.ctx = table.ctx = kept_handle
        host.release = _c_release
        host.interrupted = _c_interrupted
        host.interruptible = _c_interruptible
        table.fill = _c_fill
        status = lib.ft_local_batch_new(host, table, size, out)
        if status:
            _fail(status)

        def free(batch: Any, library: Any = lib, _alive: Any = kept_handle) -> None:
            library.ft_local_batch_free(batch)

        # Freed with its last reference; a thread in `load` holds one.
        self._handle = ffi.gc(out[0], free)

    def load(self, timeout: float | None = None) -> T:
        """Return the next result. Runs the source if there is none, or waits for its thread.

        TimeoutError if another thread takes longer than `timeout` seconds to make it.
        """
        out = ffi.new("void **")
        if timeout is None:
            status, error = _call(lib.ft_local_batch_load, self._handle, out)
        else:
            limit = _nanoseconds(timeout)
            status, error = _call(lib.ft_local_batch_load_for, self._handle, limit, out)
        if status:
            _fail(status, error)
        return self._kept.take(out[0])

    def clear(self) -> None:
        """Drop all results that are ready. The executor remains usable."""
        status, error = _call(lib.ft_local_batch_clear, self._handle)
        if status or error is not None:
            _fail(status, error)

    def close(self) -> None:
        """Drop all results that are ready, and end every load from now on, also those that wait."""
        status, error = _call(lib.ft_local_batch_close, self._handle)
        if status or error is not None:
            _fail(status, error)

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
        while True:
            try:
                result = self.load()
            except (EndOfSource, ExecutorClosed):
                return
            yield result

    @property
    def waits(self) -> int:
        """How many loads have had to wait for another thread so far."""
        stats = ffi.new("ft_local_stats *", {"struct_size": ffi.sizeof("ft_local_stats")})
        status = lib.ft_local_batch_stats(self._handle, stats)
        if status:
            _fail(status)
        return stats.waits

    @property
    def source(self) -> Callable[[], T]:
        """What makes the results."""
        return self._kept.source

    @property
    def size(self) -> int:
        """How many results are made at a time."""
        return lib.ft_local_batch_size(self._handle)

    def __len__(self) -> int:
        """How many results are ready; a moment later there may be others."""
        return lib.ft_local_batch_len(self._handle)

    def __bool__(self) -> bool:
        """An executor is not false because nothing happens to be ready."""
        return True

    def __repr__(self) -> str:
        return f"<BatchExecutor: source={self.source!r}, size={self.size}, ready={len(self)}>"
