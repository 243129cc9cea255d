"""Taking results from the library, for BatchExecutor and Cursor."""

from __future__ import annotations

import ctypes
from collections import deque
from ctypes import ArgumentError, addressof, c_size_t, c_void_p, py_object
from typing import Any

from . import host, library


def take(batch: int, function: Any, *arguments: Any) -> tuple[int, Any]:
    """Calls a function of the library that hands out one result: its status, and the result.

    A result that comes together with an exception, that of a signal, goes back to `batch`.
    """
    out: py_object[Any] = py_object()
    while True:
        try:
            # Raises what the source has raised, or a signal's handler.
            status: int = function(*arguments, addressof(out))
        except StopIteration:
            # The source has ended, and the exception has no more to say: there is a result that
            # was made before the end, or the next call tells.
            if not out:
                continue
            status = 0
        except BaseException as error:
            if out:
                give_back(batch, out, 1)
            if isinstance(error, ArgumentError):
                # All arguments are integers. What ctypes could not do with them is call a function.
                raise RecursionError(str(error)) from None
            raise
        break
    if status:
        return status, None
    result = out.value
    # `result` has a reference of its own; this one is what the library handed over.
    host.release(id(result))
    return 0, result


def take_many(batch: int, n: int, nanoseconds: int) -> tuple[int, list[Any]]:
    """Takes `n` results, or fewer if there is an end: a status, and the results.

    What it had taken goes back if it fails, whether by a status or an exception.
    """
    try:
        addresses = (c_void_p * n)()
    except OverflowError:
        raise MemoryError from None
    count = c_size_t()
    arguments = (batch, n, nanoseconds, addressof(addresses), addressof(count))
    try:
        status: int = library.batch_load_many(*arguments)
    except StopIteration:
        # As above, but the status was lost: the end is an error if there is nothing before it.
        status = 0 if count.value else library.ERR_END
    except BaseException as error:
        give_back(batch, addresses, count.value)
        if isinstance(error, ArgumentError):
            raise RecursionError(str(error)) from None
        raise
    if status:
        give_back(batch, addresses, count.value)
        return status, []
    results = list((py_object * count.value).from_buffer(addresses))
    # As above, in one go, which no signal interrupts.
    deque(map(host.release, addresses[: count.value]), maxlen=0)
    return status, results


def give_back(batch: int, addresses: ctypes.Array[Any] | py_object[Any], count: int) -> None:
    """Gives back results that were taken; MemoryError if the library has no room for them."""
    if count:
        status = library.batch_give_back(batch, addressof(addresses), count)
        if status:
            raise library.exception(status)
