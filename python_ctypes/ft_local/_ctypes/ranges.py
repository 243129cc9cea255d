"""RangeBase: an executor over the integers of ranges, for `ft_local.lease.RangeExecutor`."""

from __future__ import annotations

import operator
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

from ft_local import _outcomes

from .batch import BatchExecutor


def _is_word(integer: int) -> bool:
    return -sys.maxsize - 1 <= integer <= sys.maxsize


def _checked(returned: Any) -> range:
    """What the source returned, or an exception as in the C shim, where integers are words."""
    if type(returned) is not range:
        raise _outcomes.not_a_range(returned)
    if not returned:
        raise _outcomes.no_integers()
    if not (_is_word(returned[0]) and _is_word(returned[-1])):
        raise _outcomes.beyond_a_word(returned)
    return returned


class _Pieces:
    """A bulk source: as much of the last range as was asked for. One thread at a time calls it."""

    __slots__ = ("_keeps", "_process", "draining", "left", "source")

    def __init__(self, source: Callable[[int], range], *, keeps_after_fork: bool) -> None:
        self.source = source
        self.left = range(0)
        self.draining = threading.Lock()
        self._process = os.getpid()
        self._keeps = keeps_after_fork

    def __call__(self, n: int) -> range:
        process = os.getpid()
        if self._process != process and not self._keeps:
            self._process = process
            self.left = range(0)
        if self.draining.locked():
            raise _outcomes.executor_is_closed()
        if not self.left:
            self.left = _checked(self.source(n))
        some, self.left = self.left[:n], self.left[n:]
        return some


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

    def _drain(self) -> tuple[list[int], tuple[int, int, int]] | None:
        """Closes. What was ready, and what is left of the last range: next, step, how many.

        None if another call is at it.
        """
        if not self._pieces.draining.acquire(blocking=False):
            return None
        try:
            ready, left = self._rest()
            BatchExecutor.close(self)
        except BaseException:
            self._pieces.draining.release()
            raise
        return ready, (left.start, left.step, len(left))

    def _rest(self) -> tuple[list[int], range]:
        ready: list[int] = []
        left = range(0)
        try:
            while True:
                ready.append(BatchExecutor.load(self))
        except _outcomes.EndOfSource:
            return ready, left
        except _outcomes.ExecutorClosed:
            if self.closed:
                return ready, left
            # This thread has just run the source, which makes no more in any thread. What it had
            # made before that is ready.
            left = self._pieces.left
        while (one := BatchExecutor.try_load(self)) is not None:
            ready.append(one)
        return ready, left
