"""Taking results from the library, for BatchExecutor and Cursor."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterable, Sequence
from ctypes import ArgumentError, addressof, c_size_t, c_void_p, sizeof
from itertools import repeat
from mmap import mmap
from typing import Any

from ft_local import _outcomes

from . import host, library

# How many addresses are a matter of course.
_SMALL = 1 << 16


def take(batch: int, function: Any, *arguments: Any) -> tuple[int, Any]:
    """Calls a function of the library that hands out one result: its status, and the result.

    A result that comes together with an exception, that of a signal, goes back to `batch`.
    """
    out = c_void_p()
    address = addressof(out)
    while True:
        try:
            # Raises what the source has raised, or a signal's handler.
            status: int = function(*arguments, address)
        except StopIteration:
            # The source has ended, and the exception has no more to say: there is a result that
            # was made before the end, or the next call tells.
            if not out:
                continue
            status = 0
        except BaseException as error:
            # In one call of C code, for another handler may raise as soon as Python code runs.
            if out and library.batch_give_back(batch, address, 1):
                host.release(out.value)
                raise MemoryError from error
            if isinstance(error, ArgumentError):
                # All arguments are integers. What ctypes could not do with them is call a function.
                raise RecursionError(str(error)) from None
            raise
        break
    if status:
        return status, None
    return 0, host.adopt(out.value, address, None)


def take_many(batch: int, n: int, nanoseconds: int) -> tuple[int, list[Any]]:
    """Takes `n` results, or fewer if there is an end: a status, and the results.

    What it had taken goes back if it fails, whether by a status or an exception.
    """
    addresses = _array(n)
    count = c_size_t()
    at, counter = addressof(addresses), addressof(count)
    results: list[Any] = []
    try:
        try:
            status: int = library.batch_load_many(batch, n, nanoseconds, at, counter)
        except StopIteration:
            # As above, but the status was lost: the end is an error if there is nothing before it.
            status = 0 if count.value else _outcomes.ERR_END
        if status == 0:
            taken = addresses[: count.value]
            # The last call is one of C code, which takes over all of them.
            results.extend(map(host.adopt, taken, taken, repeat(None)))
    except BaseException as error:
        if results:
            # Which fails only where there is no memory.
            give_back(batch, results)
        elif count and library.batch_give_back(batch, at, count):
            _release(addresses[: count.value])
            raise MemoryError from error
        if isinstance(error, ArgumentError):
            raise RecursionError(str(error)) from None
        raise
    if status and count and library.batch_give_back(batch, at, count):
        _release(addresses[: count.value])
        raise MemoryError
    return status, results


def _release(addresses: Iterable[Any]) -> None:
    deque(map(host.release, addresses), maxlen=0)


def _array(n: int) -> ctypes.Array[Any]:
    """Room for `n` addresses. Of a large one only what is used takes memory."""
    if n <= _SMALL:
        return (c_void_p * n)()
    try:
        return (c_void_p * n).from_buffer(mmap(-1, n * sizeof(c_void_p)))
    except (OSError, OverflowError):
        raise MemoryError(f"there is no memory for {n} results") from None


def give_back(batch: int, results: Sequence[Any]) -> int:
    """Gives results to later loads: a status."""
    count = len(results)
    addresses = (c_void_p * count)(*map(id, results))
    at = addressof(addresses)
    # What C code has put in here was done, whatever a handler of a signal raises after it.
    retained: list[None] = []
    statuses: list[int] = []
    try:
        retained.extend(map(host.retain, addresses))
        statuses.extend(map(library.batch_give_back, (batch,), (at,), (count,)))
    finally:
        # The library takes over the references, but not if it refuses the results.
        if not statuses or statuses[0]:
            deque(map(host.release, addresses[: len(retained)]), maxlen=0)
    return statuses[0]
