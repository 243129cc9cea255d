"""What the library calls when it is worth a try again."""

from __future__ import annotations

import itertools
from typing import Any, Callable

from ft_local_cffi._binding import callback, ffi, lib
from ft_local_cffi._calls import fail

# What the library may call, by number, each in a list of its own: see `Kept` in _calls.py.
_waiters: dict[int, list[Callable[[], object]]] = {}
_numbers = itertools.count(1)


def _wake(number: Any) -> None:
    entry = _waiters.pop(int(ffi.cast("uintptr_t", number)), None)
    if entry:
        entry.pop()()


# What a waiter raises is nobody's error: cffi prints it.
_c_wake = callback("wake", _wake, None)


def notify(batch: Any, waiter: Callable[[], object]) -> Callable[[], bool]:
    """Register a waiter. Return the function that ends the registration."""
    if not callable(waiter):
        raise TypeError(f"waiter must be callable, got '{type(waiter).__name__}'")
    number = next(_numbers)
    _waiters[number] = [waiter]
    ticket = ffi.new("uint64_t *")
    status = lib.ft_local_batch_notify(batch, _c_wake, ffi.cast("void *", number), ticket)
    if status:
        del _waiters[number]
        fail(status)

    def forget() -> bool:
        was_waiting = bool(lib.ft_local_batch_forget(batch, ticket[0]))
        if was_waiting:
            _waiters.pop(number).clear()
        return was_waiting

    return forget


def waiting() -> Any:
    """Return the module for asyncio, which is imported when it is first asked for."""
    from ft_local_cffi import _waiting  # noqa: PLC0415

    return _waiting
