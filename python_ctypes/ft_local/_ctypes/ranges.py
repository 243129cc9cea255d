"""RangeBase: an executor over the integers of ranges, for `ft_local.lease.RangeExecutor`."""

from __future__ import annotations

import operator
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from ft_local import _outcomes

from .batch import BatchExecutor

_Numbers = tuple[int, int, int]


def _is_word(integer: int) -> bool:
    return -sys.maxsize - 1 <= integer <= sys.maxsize


def _checked(returned: Any) -> range:
    """A range, or an exception as in the C shim, where integers are words."""
    if type(returned) is not range:
        raise _outcomes.not_a_range(returned)
    if not returned:
        raise _outcomes.no_integers()
    if not (_is_word(returned[0]) and _is_word(returned[-1])):
        raise _outcomes.beyond_a_word(returned)
    return returned


def _numbers(ranges: list[range]) -> list[_Numbers]:
    """The next integer, the step and how many, as of the C shim."""
    return [(one.start, one.step, len(one)) for one in ranges if one]


class _Pieces:
    """A bulk source: as much of a range as was asked for. One thread at a time calls it."""

    __slots__ = (
        "_keeps",
        "_process",
        "ahead",
        "draining",
        "following",
        "left",
        "source",
        "taken_at",
    )

    def __init__(
        self, source: Callable[[int], range | list[range]], *, keeps_after_fork: bool
    ) -> None:
        self.source = source
        self.draining = threading.Lock()
        # What another thread has prepared for the time after the ranges here.
        self.ahead: list[range] = []
        self.taken_at = 0.0
        self._process = os.getpid()
        self._keeps = keeps_after_fork
        self._forget()

    def _forget(self) -> None:
        self.left = range(0)
        self.following: list[range] = []
        self.ahead = []

    def __call__(self, n: int) -> range:
        process = os.getpid()
        if self._process != process:
            self._process = process
            if not self._keeps:
                self._forget()
        if self.draining.locked():
            raise _outcomes.executor_is_closed()
        if not self.left:
            self._find(n)
        some, self.left = self.left[:n], self.left[n:]
        return some

    def _find(self, n: int) -> None:
        """Goes on to the next range; asks the source if there is none."""
        if not self.following and self.ahead:
            self.taken_at = time.monotonic()
            self.following, self.ahead = self.ahead, []
        if not self.following:
            returned: Any = self.source(n)
            ranges = returned if type(returned) is list else [returned]
            if not ranges:
                raise _outcomes.no_integers()
            self.following = list(map(_checked, ranges))
        self.left = self.following.pop(0)


class RangeBase(BatchExecutor):
    """A BatchExecutor whose source returns ranges, which are cut into pieces."""

    __slots__ = ("_pieces",)

    _pieces: _Pieces

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        source, *rest = args
        if callable(source):
            source = _Pieces(source, keeps_after_fork=kwargs.get("on_fork") == "keep")
        self = super().__new__(cls, source, *rest, **kwargs)
        self._pieces = source
        return self

    def give_back(self, /, *results: Any) -> None:
        """Gives back integers that were loaded and are not wanted."""
        for one in map(operator.index, results):
            if not _is_word(one):
                raise _outcomes.beyond_a_word(one)
        super().give_back(*results)

    @property
    def source(self) -> Callable[..., Any]:
        """What makes the ranges."""
        return self._pieces.source

    def _offer(self, ranges: list[range]) -> None:
        """Has fills go on with these ranges before they ask the source."""
        if self._pieces.ahead:
            raise RuntimeError("the ranges that were offered before are not in use")
        self._pieces.ahead = list(map(_checked, ranges))

    def _taken_at(self) -> float | None:
        """When a fill went on with what was offered. None if that has not been needed."""
        return None if self._pieces.ahead else self._pieces.taken_at

    def _withdraw(self) -> list[_Numbers]:
        """Takes back what was offered."""
        ranges, self._pieces.ahead = self._pieces.ahead, []
        return _numbers(ranges)

    def _drain(self) -> tuple[list[int], list[_Numbers]] | None:
        """Closes. What was ready, and the ranges that are left. None if another call is at it."""
        if not self._pieces.draining.acquire(blocking=False):
            return None
        try:
            ready, left = self._rest()
            BatchExecutor.close(self)
        except BaseException:
            self._pieces.draining.release()
            raise
        return ready, _numbers(left)

    def _rest(self) -> tuple[list[int], list[range]]:
        ready: list[int] = []
        try:
            while True:
                ready.append(BatchExecutor.load(self))
        except _outcomes.EndOfSource:
            return ready, []
        except _outcomes.ExecutorClosed:
            if self.closed:
                return ready, []
        # This thread has just run the source, which makes no more in any thread. What it had made
        # before that is ready.
        while (one := BatchExecutor.try_load(self)) is not None:
            ready.append(one)
        return ready, [self._pieces.left, *self._pieces.following]
