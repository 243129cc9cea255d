"""Waiters that are called when it is worth a try again."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_uint64
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any

from . import host, library

_numbers = count(1)

# What the library may call, by number, together with the object whose address it has.
_waiters: dict[int, tuple[_Waiter, Callable[[], object]]] = {}


class _Waiter(int):
    """What the library calls, by PyObject_CallFinalizer: a number of a waiter.

    The garbage collector does not know of it. It would otherwise mark it as finalized after the
    call, when it may be gone.
    """

    __slots__ = ()

    def __del__(self) -> None:
        # Not when it dies after the call, or after it was forgotten.
        entry = _waiters.pop(int(self), None)
        if entry is not None:
            entry[1]()


def notify(batch: int, waiter: Callable[[], object]) -> Callable[[], bool]:
    """Registers a waiter. Returns the function that ends the registration."""
    if not callable(waiter):
        raise TypeError(f"the waiter must be callable, got {type(waiter)!r}")
    number = next(_numbers)
    call = _Waiter(number)
    _waiters[number] = (call, waiter)
    ticket = c_uint64()
    status = library.batch_notify(batch, host.finalize, id(call), addressof(ticket))
    if status:
        del _waiters[number]
        raise library.exception(status)
    return partial(_forget, batch, ticket.value, number)


def _forget(batch: int, ticket: int, number: int) -> bool:
    was_waiting = bool(library.batch_forget(batch, ticket))
    if was_waiting:
        _waiters.pop(number, None)
    return was_waiting


def waiting() -> Any:
    """The module that makes of waiters what can be awaited, imported when it is first asked for."""
    return import_module("ft_local._waiting")
