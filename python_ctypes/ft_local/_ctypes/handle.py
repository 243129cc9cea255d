"""What stands for the library's handles, and frees them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from ctypes import byref, c_void_p, sizeof
from functools import partial
from typing import Any, TypeVar

from ft_local._settings import Settings

from . import host, library

Handle = TypeVar("Handle", bound="_Handle")


class _Handle(int):
    """The address of a handle, which is freed with the last reference to this object.

    The garbage collector does not know of it. It would otherwise free the batch at the same time
    as it runs the finalizers of the garbage around it, and one of these may load.
    """

    __slots__ = ()


# CPython 3.13 counts calls, and lets objects that die of each other nest until it has counted
# 10,000. It expects less than 1 KiB of stack for each, but the calls that free a handle take 4 KiB,
# so they pass through as many partial objects more, each of which is counted.
_CALLS = 16 if sys.version_info[:2] == (3, 13) else 0


def _freed_by(free: Callable[[int], None]) -> Any:
    """A `__del__` that is `free` itself: no Python code, before which a handler could raise.

    Of the class it is a property, whose value for a handle is `free` with the handle as argument.
    """
    for _ in range(_CALLS):
        through: Any = partial(free)
        # One with an attribute is not merged with the next.
        through.frees = free
        free = through
    return property(partial(partial, free))


class BatchHandle(_Handle):
    """An `ft_local_batch`."""

    __slots__ = ()

    __del__ = _freed_by(library.batch_free)


class CursorHandle(_Handle):
    """An `ft_local_cursor`. Freeing it gives back what it has in hand."""

    __slots__ = ()

    __del__ = _freed_by(library.cursor_free)


def new_batch(source: Callable[[], Any], settings: Settings) -> BatchHandle:
    """Makes a batch that calls `source`, to which it holds no reference."""
    table = host.source_table(source)
    options = library.BatchOptions(
        struct_size=sizeof(library.BatchOptions),
        fill_budget=settings.budget,
        low_water=settings.low_water,
        on_fork=settings.policy,
        fillers=settings.fillers,
    )
    address = c_void_p()
    arguments = (byref(host.table), byref(table), settings.size, byref(options), byref(address))
    handle = _made(BatchHandle, library.batch_new_with, library.batch_free, address, arguments)
    host.untrack(id(handle))
    return handle


def new_cursor(batch: BatchHandle) -> CursorHandle:
    """Makes a cursor of a batch, which may be freed before it."""
    address = c_void_p()
    arguments = (batch, byref(address))
    handle = _made(CursorHandle, library.cursor_new, library.cursor_free, address, arguments)
    host.untrack(id(handle))
    return handle


def _made(
    kind: type[Handle],
    make: Callable[..., int],
    free: Callable[..., None],
    address: c_void_p,
    arguments: tuple[Any, ...],
) -> Handle:
    """What `make` puts into `address`, as a `kind`."""
    try:
        status = make(*arguments)
    except BaseException:
        # A handler of a signal has raised after it was made.
        if address:
            free(address)
        raise
    if status:
        raise library.exception(status)
    return kind(address.value or 0)
