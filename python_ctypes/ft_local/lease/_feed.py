"""What feeds the executor of a lease: leased blocks, the next one fetched ahead."""

from __future__ import annotations

import os
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import Any

from ft_local._outcomes import ExecutorClosed

from ._errors import StoreError
from ._ranges import RangeExecutor
from ._size import BlockSize
from ._source import BlockSource

# Between two tries after an error, beside the source's own back-off.
_PAUSE = 0.25

# How often the fetcher looks whether the block ahead is in use: first after this share of the time
# that the last block lasted, then less and less often. To wake it would cost a load more than all
# else that it does.
_SHARE = 1 / 8
_LESS_OFTEN = 1.05
_SHORTEST_LOOK = 0.001
_LONGEST_LOOK = 1.0

_feeds: weakref.WeakSet[Feed] = weakref.WeakSet()


@dataclass(slots=True)
class Counts:
    """What a feed has done, under its lock."""

    round_trips: int = 0
    leased: int = 0
    failures: int = 0
    waits: int = 0
    given_back: int = 0


@dataclass(slots=True)
class _State:
    """What belongs to one process: the child of a fork has new locks, and none of the blocks."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    stopping: threading.Event = field(default_factory=threading.Event)
    # A block that the executor does not have yet, and whether a load waits for it.
    leased: list[range] = field(default_factory=list)
    wanted: bool = False
    # Whether the executor was offered a block, and for how many seconds the fetcher rests.
    offered: bool = False
    look: float = _SHORTEST_LOOK
    failure: StoreError | None = None
    thread: threading.Thread | None = None
    # Since when the block in use is.
    since: float | None = None


class Feed:
    """The source of the executor: a block, as a list of ranges.

    One thread at a time calls it, which the executor sees to. With `prefetch` a thread of its own,
    the fetcher, leases the next block while the one in hand is used, and offers it to the executor.
    So the executor calls only if the fetcher has not kept up. `stop` may come at any time from any
    thread.
    """

    def __init__(self, source: BlockSource, size: BlockSize, unit: int, *, prefetch: bool) -> None:
        """Leases nothing yet; then `size.value` times `unit` ids at once."""
        self.source = source
        self.size = size
        self.unit = unit
        self.prefetch = prefetch
        self.counts = Counts()
        # How many ids the block in use and the one ahead have.
        self._in_use = 0
        self._ahead = 0
        self._executor: Any = None
        self._state = _State()
        _feeds.add(self)

    def feeds(self, executor: RangeExecutor) -> None:
        """Which executor the blocks are offered to. It holds the feed, and not the other way."""
        self._executor = weakref.ref(executor)

    def most_in_hand(self) -> int:
        """How many ids the block in use, and the one ahead, have together at most."""
        size = self.size.value * self.unit
        if not self.prefetch:
            return max(self._in_use, size)
        return max(self._in_use + self._ahead, max(self._in_use, size) + size)

    def is_ahead(self) -> bool:
        """Whether the next block is there, beside the one in use."""
        state = self._state
        with state.changed:
            self._look(state)
            return state.offered

    def __call__(self, n: int) -> list[range]:  # noqa: ARG002 - the executor counts them out
        """The next block. StoreError if there is none and the store is away."""
        state = self._state
        with state.changed:
            self._look(state)
            # It may have been offered a moment ago.
            ranges = self._executor()._withdrawn()  # noqa: SLF001
            self._note_end(state, time.monotonic(), waited=self.prefetch and not ranges)
            if not ranges:
                if self.prefetch:
                    self._wait_for_fetcher(state)
                else:
                    self._lease(state)
                ranges, state.leased = state.leased, []
            if not ranges:
                raise ExecutorClosed("this lease was closed")
            self._note_begin(state, time.monotonic(), sum(map(len, ranges)))
            state.changed.notify_all()
            return ranges

    def _note_end(self, state: _State, now: float, *, waited: bool) -> None:
        """The block in use is used up. The next one is not there if `waited`."""
        if state.since is not None:
            lasted = now - state.since
            self.size.lasted(lasted, waited=waited)
            state.look = min(max(lasted * _SHARE, _SHORTEST_LOOK), _LONGEST_LOOK)
        # A wait for the store says nothing about how long a block lasts.
        state.since = None

    def _note_begin(self, state: _State, now: float, count: int) -> None:
        state.since = now
        state.offered = False
        self._in_use, self._ahead = count, 0

    def _look(self, state: _State) -> None:
        """Takes note of a block that the executor has gone on with since the last look."""
        executor = self._executor()
        taken_at = executor._taken_at() if state.offered and executor is not None else None  # noqa: SLF001
        if taken_at is not None:
            self._note_end(state, taken_at, waited=False)
            self._note_begin(state, taken_at, self._ahead)

    def _wait_for_fetcher(self, state: _State) -> None:
        """Waits for a block, or for the first error of the fetcher since it last had one."""
        if state.thread is None and not state.stopping.is_set():
            state.thread = threading.Thread(
                target=self._fetch, args=(state,), name=f"lease of {self.source.store}", daemon=True
            )
            state.thread.start()
        self.counts.waits += 1
        state.wanted = True
        state.changed.notify_all()
        try:
            while not state.leased and not state.stopping.is_set():
                if state.failure is not None:
                    raise state.failure.again() from state.failure.__cause__
                state.changed.wait()
        finally:
            state.wanted = False

    def _fetch(self, state: _State) -> None:
        """The fetcher: leases a block whenever there is none ahead, until the lease is closed."""
        with state.changed:
            while not state.stopping.is_set():
                self._look(state)
                if state.leased or state.offered:
                    state.changed.wait(state.look)
                    state.look = min(state.look * _LESS_OFTEN, _LONGEST_LOOK)
                    continue
                try:
                    self._lease(state)
                except Exception as error:  # noqa: BLE001 - goes to the loads that wait
                    if not isinstance(error, StoreError):
                        state.failure = StoreError(self.source.store, repr(error))
                        state.failure.__cause__ = error
                    state.changed.notify_all()
                    state.changed.wait(_PAUSE)
                else:
                    self._pass_on(state)

    def _pass_on(self, state: _State) -> None:
        """Gives the block to the load that waits, or offers it to the executor."""
        executor = self._executor()
        if state.wanted or executor is None or state.stopping.is_set():
            state.changed.notify_all()
            return
        self._ahead = sum(map(len, state.leased))
        executor._offer(state.leased)  # noqa: SLF001
        state.leased = []
        state.offered = True

    def _lease(self, state: _State) -> None:
        """One block from the store, without the lock. After a failure one try is enough."""
        patience = None if state.failure is None else 0.0
        n = self.size.value * self.unit
        try:
            state.changed.release()
            try:
                ranges = self.source.take(n, patience=patience, cancel=state.stopping)
            finally:
                state.changed.acquire()
        except StoreError as error:
            self.counts.failures += 1
            state.failure = error
            raise
        state.failure = None
        state.leased = ranges
        self.counts.round_trips += 1
        self.counts.leased += sum(map(len, ranges))

    def stop(self) -> None:
        """Lets every call fail with ExecutorClosed, and ends the fetcher."""
        state = self._state
        state.stopping.set()
        with state.changed:
            state.changed.notify_all()

    def unused(self) -> list[range]:
        """After `stop`: waits for a request under way, then takes the blocks that are left."""
        state = self._state
        if state.thread is not None:
            state.thread.join()
        with state.changed:
            ranges = [*self._executor()._withdrawn(), *state.leased]  # noqa: SLF001
            state.leased = []
        return ranges

    def renew(self) -> None:
        """In the child of a fork: the blocks are the parent's, and so is the thread."""
        self._state = _State()


def _after_fork_in_child() -> None:
    for feed in list(_feeds):
        feed.renew()


os.register_at_fork(after_in_child=_after_fork_in_child)
