"""Lease: an executor over integers that a store leases in blocks."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple, Self

from ._errors import StoreError
from ._feed import Feed
from ._ranges import RangeExecutor
from ._size import BlockSize
from ._source import BlockSource, checked_count, merged

# The most that the executor's buffer holds. A larger one saves nothing.
_LARGEST_BUFFER = 256


class LeaseStats(NamedTuple):
    """What a lease has done. `waits` counts the blocks for which a load had to wait."""

    block: int
    round_trips: int
    leased: int
    failures: int
    waits: int
    given_back: int


def _buffer_and_unit(source: BlockSource) -> tuple[int, int]:
    """The size of the executor's buffer, and of what is leased a multiple at a time.

    The buffer divides the unit, so each fill is one piece of one block. A fill that went on to the
    next block could fail, for lack of the store, although there are ids in hand.
    """
    most = min(_LARGEST_BUFFER, max(1, source.block // 16))
    if source.quantum == 1:
        return most, most
    divisors = (n for n in range(most, 0, -1) if source.quantum % n == 0)
    return next(divisors), source.quantum


class Lease(RangeExecutor):
    """Hands out the ids that `source` leases, each to exactly one caller in all processes.

    It is an executor: `load`, `try_load`, `load_many`, `cursor`, iteration, `prefill` and `stats`
    are those of BatchExecutor. The store is asked once a block. With `prefetch` a thread leases the
    next block while one is in use, so loads do not wait for the round trip.

    `block` is how many ids are in hand at most, and so how many a crashed process loses; cursors
    hold up to 64 more each. It starts as `source.block`. It doubles, up to `max_block`, if a leased
    block lasted less than `target` seconds or the next one was late, and halves if it lasted more
    than twice as long. A source that
    leases fixed quantities, as a sequence does, may need a larger `block`, and then has it.

    While the store is away, ids in hand are handed out. Then loads fail with `StoreUnavailable`:
    the first after the source's `patience`, the others at once, until the store is back. No other
    step is needed then.

    Threads: any thread, at once. Forks: the child leases its own blocks. Lifetime: `close` also
    closes the connections that the source made; the clients and pools that it was given stay open.
    """

    _feed: Feed
    _buffer: int
    _give_back: bool
    _stop: weakref.finalize[Any, Any]

    def __new__(
        cls,
        source: BlockSource,
        *,
        max_block: int | None = None,
        target: float = 1.0,
        prefetch: bool = True,
        give_back: bool = True,
    ) -> Self:
        """Leases nothing yet; `prefill()` does, to find out early whether the store works."""
        if not isinstance(source, BlockSource):
            raise TypeError(
                "source must come from redis_block, postgres_block or file_block, or be another "
                f"BlockSource, got {type(source).__name__!r}"
            )
        most = source.block * 1024 if max_block is None else checked_count("max_block", max_block)
        if most < source.block:
            raise ValueError(f"max_block must be at least the block {source.block}, got {most}")
        buffer, unit = _buffer_and_unit(source)

        def units(block: int) -> int:
            """How many to lease at once, so that `block` ids are in hand at most.

            In hand are the buffer, the block in use and the block ahead.
            """
            return max(1, (block - buffer) // (2 if prefetch else 1) // unit)

        size = BlockSize(units(source.block), units(most), target)
        feed = Feed(source, size, unit, prefetch=prefetch)
        self = super().__new__(cls, feed, buffer)
        feed.feeds(self)
        self._feed = feed
        self._buffer = buffer
        self._give_back = give_back
        # The fetcher must end with a lease that nobody closed.
        self._stop = weakref.finalize(self, feed.stop)
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to do."""

    @property
    def block(self) -> int:
        """How many ids are in hand at most, beside those of cursors."""
        return self._buffer + self._feed.most_in_hand()

    def lease_stats(self) -> LeaseStats:
        """What was leased so far, in this process and those that it was forked from."""
        counts = self._feed.counts
        return LeaseStats(
            self.block,
            counts.round_trips,
            counts.leased,
            counts.failures,
            counts.waits,
            counts.given_back,
        )

    def close(self) -> None:
        """Lets all loads fail from now on, and gives the unused ids back where the store can.

        A store takes back what it leased last. Ids that another process has leased blocks after,
        and those that an open cursor holds, are lost: close cursors first. Waits for a request that
        is under way. A store that is away gets nothing back, which is no error.
        """
        if self.closed:
            return
        self._stop()
        left = self._ended()
        if left is None:
            return
        left += self._feed.unused()
        if self._give_back:
            self._return(left)
        self._feed.source.close()

    def _return(self, left: list[range]) -> None:
        """Gives back the last ids first: a store compares the end of a range with its counter."""
        for ids in reversed(merged(left)):
            try:
                if not self._feed.source.give_back(ids):
                    return
            except StoreError:
                return
            self._feed.counts.given_back += len(ids)

    def __exit__(self, *error: object) -> None:
        """Closes."""
        self.close()
