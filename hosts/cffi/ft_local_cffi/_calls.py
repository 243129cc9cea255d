"""Calls of the library: what it refers to, what comes out of a callback, what a status means.

The library sees numbers: an object is a key in a dictionary, which is how a collector sees it too.
An address would not do, because PyPy moves its objects. cffi gives the GIL up round every call by
itself, so the host needs no `block`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple, NoReturn, TypeVar

from ft_local_cffi._binding import callback, ffi, lib
from ft_local_cffi._bulk import Bulk

T = TypeVar("T")


class EndOfSource(Exception):  # noqa: N818 - it is no error, as StopIteration is none
    """The source raised StopIteration, and all that it had made was handed out."""


class ExecutorClosed(RuntimeError):  # noqa: N818 - named after what happened, as in ft_local
    """The executor, or the cursor, was closed."""


class ForkedError(RuntimeError):
    """An executor of the parent process was used in its child, which its `on_fork` forbids."""


# What a loop over results ends with.
OVER = (EndOfSource, ExecutorClosed)


class Kept:
    """What the library refers to: the source, and the results that wait."""

    def __init__(self, source: Callable[[], Any], bulk: Bulk | None) -> None:
        self.source = source
        self.bulk = bulk
        # Each result in a list of its own, which is emptied: a dictionary of PyPy can go on
        # referring to what was deleted from it until something else takes the place.
        self.results: dict[int, list[Any]] = {}
        # NULL would be no object, so keys begin with 1.
        self.keys = itertools.count(1)

    def put(self, result: Any) -> int:
        """Keeps a result, for the library to have its key."""
        key = next(self.keys)
        self.results[key] = [result]
        return key

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


def call(function: Callable[..., int], *arguments: Any) -> tuple[int, BaseException | None]:
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


def _fill_bulk(ctx: Any, out: Any, capacity: int, produced: Any) -> int:
    """Makes as many results as the source has, up to `capacity`."""
    kept = ffi.from_handle(ctx)
    made: list[Any] = []
    try:
        kept.bulk.make(capacity, made)
    except StopIteration:
        return lib.FT_LOCAL_ERR_END
    finally:
        # Also what was made before an exception.
        for index, result in enumerate(made):
            out[index] = ffi.cast("void *", kept.put(result))
            produced[0] = index + 1
    return 0


def _release(ctx: Any, handle: Any) -> None:
    ffi.from_handle(ctx).take(handle)


def _interrupted(_ctx: Any) -> int:
    """Python runs signal handlers by itself when it comes here; what they raise is remembered."""
    return 0


def _interruptible(_ctx: Any) -> int:
    """Signal handlers run in the main thread alone, so the others need not look for them."""
    return threading.get_ident() == threading.main_thread().ident


c_fill = callback("fill", _fill, _remember)
c_fill_bulk = callback("fill_bulk", _fill_bulk, _remember)
c_release = callback("release", _release, _remember)
c_interrupted = callback("interrupted", _interrupted, _remember)
c_interruptible = callback("interruptible", _interruptible, _remember)


# What a Python program may cause.
_OUTCOMES: dict[int, tuple[type[Exception], str]] = {
    lib.FT_LOCAL_ERR_TIMED_OUT: (TimeoutError, "no result within the timeout"),
    lib.FT_LOCAL_ERR_END: (
        EndOfSource,
        "the source has ended, and all that it made was handed out",
    ),
    lib.FT_LOCAL_ERR_CLOSED: (ExecutorClosed, "this BatchExecutor was closed"),
    lib.FT_LOCAL_ERR_FORKED: (
        ForkedError,
        "this BatchExecutor is the parent's, as its on_fork is 'error': make another one here",
    ),
}


def fail(status: int, error: BaseException | None = None) -> NoReturn:
    if error is not None:
        raise error
    if status == lib.FT_LOCAL_ERR_NO_MEMORY:
        raise MemoryError
    if status in _OUTCOMES:
        kind, words = _OUTCOMES[status]
        raise kind(words)
    text = ffi.string(lib.ft_local_status_text(status)).decode()
    if status == lib.FT_LOCAL_ERR_ARGUMENT:
        text = ffi.string(lib.ft_local_last_error()).decode()
    raise RuntimeError(f"ft_local: {text}")


def new_struct(name: str, init: Callable[..., int]) -> Any:
    """A struct of the header, initialised by the library."""
    struct = ffi.new(f"{name} *")
    status = init(struct, ffi.sizeof(name))
    if status:
        fail(status)
    return struct


class BatchStats(NamedTuple):
    """What an executor has done: `ft_local_stats` of the C header. Times are in nanoseconds."""

    loads: int
    claims: int
    claimed: int
    fills: int
    produced: int
    waits: int
    wait_ns: int
    source_ns: int
    errors: int
    given_back: int
    released: int
    dropped_on_fork: int


def until_over(load: Callable[[], T]) -> Iterator[T]:
    while True:
        try:
            result = load()
        except OVER:
            return
        yield result


def take(
    kept: Kept,
    function: Callable[..., int],
    *arguments: Any,
    nothing: tuple[int, Any] | None = None,
) -> Any:
    """Return one result. `nothing` is a status that is no error, and what to return then."""
    out = ffi.new("void **")
    status, error = call(function, *arguments, out)
    if nothing is not None and status == nothing[0]:
        return nothing[1]
    if status:
        fail(status, error)
    return kept.take(out[0])
