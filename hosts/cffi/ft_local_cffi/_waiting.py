"""Results that are awaited in asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Callable
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ft_local_cffi._executor import BatchExecutor

NOTHING: Any = object()


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


# Of each executor, and each loop, a lock for the one task that loads in a thread.
_turns: WeakKeyDictionary[Any, WeakKeyDictionary[Any, asyncio.Lock]] = WeakKeyDictionary()


async def load_in_thread(executor: BatchExecutor[Any]) -> Any:
    """The next result, made in a thread of the loop's pool.

    One thread at most, however many tasks wait. They take what it has made in turn.
    """
    loop = asyncio.get_running_loop()
    locks = _turns.setdefault(executor, WeakKeyDictionary())
    async with locks.setdefault(loop, asyncio.Lock()):
        result = executor.try_load(NOTHING)
        if result is not NOTHING:
            return result
        future = loop.run_in_executor(None, executor.load)
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
