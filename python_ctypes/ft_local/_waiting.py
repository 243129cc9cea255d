"""Results that are awaited: no thread is blocked, and none is needed for each load.

A load that would wait registers a waiter, which the thread that has something for it calls: it
tells the event loop to go on with the task. The task then loads again. If it is cancelled
meanwhile, it forgets its registration, and what it was called for goes to the next waiter.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from ._outcomes import EndOfSource, ExecutorClosed

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTHING: Any = object()


class _Waiter:
    """What is called when it is worth a try again."""

    __slots__ = ("_forget", "_future", "_loop")

    def __init__(self, executor: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self._forget: Callable[[], bool] | None = None
        self._forget = executor.notify(self)

    def __call__(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._go_on)
        except RuntimeError:
            # The loop is closed, so the task will not load: the call goes to the next waiter.
            if self._forget is not None:
                self._forget()

    def _go_on(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        try:
            await self._future
        except BaseException:
            # Cancelled, even if it was called at the same time; or the loop is gone.
            if self._forget is not None:
                self._forget()
            raise


async def aload(executor: Any, *, in_thread: bool = False) -> Any:
    if in_thread:
        return await _load_in_thread(executor)
    return await _load(executor, executor)


async def _load(loads: Any, executor: Any) -> Any:
    """The next result of the executor, or of a cursor of it."""
    while True:
        result = loads.load_now(_NOTHING)
        if result is not _NOTHING:
            return result
        await _Waiter(executor).wait()


class _Turns:
    """Of each loop, and each executor, a lock for the one task that loads in a thread."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._lock = Lock()
        self._locks: WeakKeyDictionary[Any, WeakKeyDictionary[Any, asyncio.Lock]]
        self._locks = WeakKeyDictionary()

    def of(self, executor: Any) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        with self._lock:
            locks = self._locks.setdefault(loop, WeakKeyDictionary())
            return locks.setdefault(executor, asyncio.Lock())


_TURNS = _Turns()
if hasattr(os, "register_at_fork"):
    # A thread of the parent may have held the lock.
    os.register_at_fork(after_in_child=_TURNS.renew)


async def _load_in_thread(executor: Any) -> Any:
    # One thread of the pool at most, however many tasks wait. They take what it has made in turn.
    async with _TURNS.of(executor):
        result = executor.try_load(_NOTHING)
        if result is not _NOTHING:
            return result
        load: Future[Any] = Future()
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, _load_into, load, executor)
        try:
            return await asyncio.shield(asyncio.wrap_future(load))
        except asyncio.CancelledError:
            # Nobody gets what the thread is about to load.
            load.add_done_callback(lambda load: _give_back(executor, load))
            raise


def _load_into(load: Future[Any], executor: Any) -> None:
    try:
        load.set_result(executor.load())
    except BaseException as error:  # noqa: BLE001 - it goes to the task
        load.set_exception(error)


def _give_back(executor: Any, load: Future[Any]) -> None:
    if load.exception() is None:
        executor.give_back(load.result())


class AsyncLoads:
    """An executor or a cursor under `async for`: what it loads, until there will be no more."""

    __slots__ = ("_executor", "_loads")

    def __init__(self, loads: Any) -> None:
        self._loads = loads
        self._executor = getattr(loads, "executor", loads)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await _load(self._loads, self._executor)
        except (EndOfSource, ExecutorClosed):
            raise StopAsyncIteration from None
