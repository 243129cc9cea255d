"""What every source of blocks does: retries, the check of the counter, the call by an executor."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Self

from ._errors import CounterWentBack, StoreError

# Where a lease with prefetch waits for the store; the event ends the wait.
Cancel = threading.Event | None


def checked_count(name: str, value: int) -> int:
    """A count of at least 1, or an error that names it."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {type(value).__name__!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return value


class BlockSource:
    """Leases blocks of integers from a store, one round trip a block. A subclass knows the store.

    It is a bulk source: `BatchExecutor(source, 64, bulk=True)` hands the integers out one by one,
    and `Lease(source)` also chooses the block's size, fetches ahead and gives back.

    Threads: any thread, at once. Forks: usable in the child. Blocks: for one round trip, and while
    the store is away for up to `patience` seconds, in which it tries again with back-off.
    """

    __slots__ = ("_highest", "block", "patience", "quantum", "store")

    def __init__(self, store: str, block: int, *, patience: float = 5.0) -> None:
        """Takes the store's name for messages, and how many ids one round trip leases."""
        self.store = store
        self.block = checked_count("block", block)
        self.patience = patience
        # A round trip leases a multiple of this many.
        self.quantum = 1
        self._highest: int | None = None

    def __repr__(self) -> str:
        """Names the store."""
        return f"<{type(self).__name__}: {self.store}, block={self.block}>"

    def __call__(self, n: int = 1) -> Iterable[int]:  # noqa: ARG002 - a block, however many fit
        """A new block, as a range; what does not fit the executor's buffer stays in the range."""
        ranges = self.take(self.block)
        return ranges[0] if len(ranges) == 1 else itertools.chain.from_iterable(ranges)

    def take(self, n: int, *, patience: float | None = None, cancel: Cancel = None) -> list[range]:
        """Leases `n` ids in one round trip: ascending ranges, one if nobody else leases meanwhile.

        `n` is rounded down to a multiple of `quantum`, but not to 0. Setting `cancel` ends the
        wait between two tries. StoreError: `StoreUnavailable` once `patience` seconds of trying
        are over; the others at once.
        """
        # Read before the request: replies of other threads that arrive before this one's may be of
        # later blocks, but what was known by now is below any block that is leased from now on.
        floor = self._highest
        ranges = self._retried(lambda: self._lease(n), patience, cancel)
        if floor is not None and ranges[0].start < floor:
            raise CounterWentBack(
                self.store,
                f"leased {ranges[0].start} after {floor - 1}: its counter was reset, restored from "
                "an older copy, or evicted; set it above every id in use",
            )
        self._highest = max(floor or ranges[-1].stop, ranges[-1].stop)
        return ranges

    def give_back(self, ids: range) -> bool:
        """Gives back the end of the last block: no id of `ids` was used, or ever will be.

        True if the store took it, which it does only if no block was leased since. Never tried
        twice: the first try may have succeeded although its reply was lost, and another process may
        have leased the same ids since. StoreError if the store is away.
        """
        if not ids:
            return False
        self._highest = min(self._highest or ids.start, ids.start)
        return self._return(ids)

    def close(self) -> None:
        """Lets go of connections that the source made itself. It may be used again."""

    def __enter__(self) -> Self:
        """For `with`: closes at the end."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes."""
        self.close()

    def _retried(
        self,
        attempt: Callable[[], list[range]],
        patience: float | None,
        cancel: Cancel,
    ) -> list[range]:
        """Runs `attempt`; a store that can be away tries again."""
        del patience, cancel
        return attempt()

    def _lease(self, n: int) -> list[range]:
        """One try. A subclass writes this."""
        raise NotImplementedError

    def _return(self, ids: range) -> bool:
        """Whether the store took `ids` back."""
        del ids
        return False


def merged(ranges: Iterable[range]) -> list[range]:
    """The same integers in as few ascending ranges as possible. No two may overlap."""
    result: list[range] = []
    for ids in sorted((ids for ids in ranges if ids), key=lambda ids: ids.start):
        if result and result[-1].stop == ids.start:
            result[-1] = range(result[-1].start, ids.stop)
        else:
            result.append(ids)
    return result


def no_client(extra: str, error: ImportError) -> ImportError:
    """What to install where the client of a store is not."""
    return ImportError(f"{error}; install it with: pip install 'ft_local[{extra}]'")


__all__ = ["BlockSource", "StoreError", "checked_count", "merged", "no_client"]
