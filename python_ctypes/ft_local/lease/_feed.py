"""What feeds the executor of a lease: leased blocks, the next one fetched ahead."""

from __future__ import annotations

import os
import threading
import time
import weakref
from dataclasses import dataclass, field

from ft_local._outcomes import ExecutorClosed

from ._errors import StoreError
from ._size import BlockSize
from ._source import BlockSource

# Between two tries after an error, beside the source's own back-off.
_PAUSE = 0.25

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
    now: list[range] = field(default_factory=list)
    ahead: list[range] = field(default_factory=list)
    failure: StoreError | None = None
    thread: threading.Thread | None = None
    since: float | None = None


class Feed:
    """A source of ranges: those of the block in hand, one after the other.

    One thread at a time calls it, which the executor sees to. With `prefetch` a thread of its own
    leases the next block while the one in hand is used, so a call waits only if that thread has
    not kept up. `stop` may come at any time from any thread.
    """

    def __init__(self, source: BlockSource, size: BlockSize, unit: int, *, prefetch: bool) -> None:
        """Leases nothing yet; then `size.value` times `unit` ids at once."""
        self.source = source
        self.size = size
        self.unit = unit
        self.prefetch = prefetch
        self.counts = Counts()
        self._in_use = 0
        self._state = _State()
        _feeds.add(self)

    def most_in_hand(self) -> int:
        """How many ids the block in use, and the one ahead, have together at most."""
        size = self.size.value * self.unit
        return max(self._in_use, size) + (size if self.prefetch else 0)

    def __call__(self, n: int) -> range:  # noqa: ARG002 - a range, which the executor counts out
        """The next range. StoreError if there is none and the store is away."""
        state = self._state
        with state.changed:
            if not state.now:
                self._next_block(state)
            return state.now.pop(0)

    def _next_block(self, state: _State) -> None:
        """Makes the next block the one in hand. Called with the lock, which waits give up."""
        if state.since is not None:
            late = self.prefetch and not state.ahead
            self.size.lasted(time.monotonic() - state.since, waited=late)
        # A wait for the store says nothing about how long a block lasts.
        state.since = None
        if self.prefetch:
            self._wait_for_fetcher(state)
        else:
            self._lease(state)
        if not state.ahead:
            raise ExecutorClosed("this lease was closed")
        state.now, state.ahead = state.ahead, []
        self._in_use = sum(map(len, state.now))
        state.since = time.monotonic()
        state.changed.notify_all()

    def _wait_for_fetcher(self, state: _State) -> None:
        """Waits for a block, or for the first error of the fetcher since it last had one."""
        if state.thread is None and not state.stopping.is_set():
            state.thread = threading.Thread(
                target=self._fetch, args=(state,), name=f"lease of {self.source.store}", daemon=True
            )
            state.thread.start()
        self.counts.waits += not state.ahead
        while not state.ahead and not state.stopping.is_set():
            if state.failure is not None:
                raise state.failure.again() from state.failure.__cause__
            state.changed.wait()

    def _fetch(self, state: _State) -> None:
        """The fetcher: leases a block whenever there is none ahead, until the lease is closed."""
        with state.changed:
            while not state.stopping.is_set():
                if state.ahead:
                    state.changed.wait()
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
                    state.changed.notify_all()

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
        state.ahead = ranges
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
            ranges = [*state.now, *state.ahead]
            state.now, state.ahead = [], []
        return ranges

    def renew(self) -> None:
        """In the child of a fork: the blocks are the parent's, and so is the thread."""
        self._state = _State()


def _after_fork_in_child() -> None:
    for feed in list(_feeds):
        feed.renew()


os.register_at_fork(after_in_child=_after_fork_in_child)
