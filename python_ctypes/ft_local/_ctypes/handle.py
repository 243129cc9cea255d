"""What stands for the library's handles, and frees them."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import byref, c_void_p
from typing import Any

from . import host, library
from .settings import Settings


class _Handle(int):
    """The address of a handle, which is freed with the last reference to this object.

    The garbage collector does not know of it. It would otherwise free the batch at the same time
    as it runs the finalizers of the garbage around it, and one of these may load.
    """

    __slots__ = ()


# The default arguments are there because the modules' names may be gone when the interpreter ends.


class BatchHandle(_Handle):
    """An `ft_local_batch`."""

    __slots__ = ()

    def __del__(self, free: Callable[[int], None] = library.batch_free) -> None:
        free(self)


class CursorHandle(_Handle):
    """An `ft_local_cursor`. Freeing it gives back what it has in hand."""

    __slots__ = ()

    def __del__(self, free: Callable[[int], None] = library.cursor_free) -> None:
        free(self)


def new_batch(source: Callable[[], Any], settings: Settings) -> BatchHandle:
    """Makes a batch that calls `source`, to which it holds no reference."""
    table = host.source_table(source)
    options = settings.options
    address = c_void_p()
    status = library.batch_new_with(
        byref(host.table), byref(table), settings.size, byref(options), byref(address)
    )
    if status:
        raise library.exception(status)
    handle = BatchHandle(address.value or 0)
    host.untrack(id(handle))
    return handle


def new_cursor(batch: BatchHandle) -> CursorHandle:
    """Makes a cursor of a batch, which may be freed before it."""
    address = c_void_p()
    status = library.cursor_new(batch, byref(address))
    if status:
        raise library.exception(status)
    handle = CursorHandle(address.value or 0)
    host.untrack(id(handle))
    return handle
