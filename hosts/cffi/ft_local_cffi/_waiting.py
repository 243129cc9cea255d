"""Results that are awaited, and what is called when it is worth a try again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Callable

from ft_local_cffi._binding import callback, ffi, lib

if TYPE_CHECKING:
    from ft_local_cffi._executor import BatchExecutor

NOTHING: Any = object()

# What the library may call, by number, each in a list of its own: see `Kept` in _calls.py.
_waiters: dict[int, list[Callable[[], object]]] = {}
_numbers = itertools.count(1)


def _wake(number: Any) -> None:
    entry = _waiters.pop(int(ffi.cast("uintptr_t", number)), None)
    if entry:
        entry.pop()()


# What a waiter raises is nobody's error: cffi prints it.
_c_wake = callback("wake", _wake, None)


def notify(batch: Any, waiter: Callable[[], object], fail: Callable[[int], None]) -> Any:
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


class _Waiter:
    """A task of asyncio that is put aside."""

    def __init__(self, executor: BatchExecutor[Any]) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.forget: Callable[[], bool] | None = None
        self.forget = executor.notify(self)

    def __call__(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self.go_on)
        except RuntimeError:
            # The loop is closed: the call goes to the next waiter.
            if self.forget is not None:
                self.forget()

    def go_on(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


async def load(loads: Any, executor: BatchExecutor[Any]) -> Any:
    """The next result of an executor, or of a cursor of it."""
    while True:
        result = loads.load_now(NOTHING)
        if result is not NOTHING:
            return result
        waiter = _Waiter(executor)
        try:
            await waiter.future
        except BaseException:
            # Cancelled: what it was called for, if it was, goes to the next waiter.
            if waiter.forget is not None:
                waiter.forget()
            raise


async def load_in_thread(executor: BatchExecutor[Any]) -> Any:
    """The next result, made in a thread of the loop's pool."""
    future = asyncio.get_running_loop().run_in_executor(None, executor.load)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        # Nobody gets what the thread is about to load.
        future.add_done_callback(lambda done: _give_back(executor, done))
        raise


def _give_back(executor: BatchExecutor[Any], done: asyncio.Future[Any]) -> None:
    if not done.cancelled() and done.exception() is None:
        executor.give_back(done.result())


async def until_over(
    loads: Any, executor: BatchExecutor[Any], over: tuple[type[Exception], ...]
) -> AsyncIterator[Any]:
    """What is loaded until there will be no more."""
    while True:
        try:
            result = await load(loads, executor)
        except over:
            return
        yield result
