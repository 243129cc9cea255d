"""Sources that make many results in one call."""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Callable

# Another object in each process.
_process = object()


def _begin_process() -> None:
    """For the child of a fork."""
    global _process  # noqa: PLW0603 - it stands for the process, of which there is one
    _process = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_process)


class _State:
    """What the calls of one process have left."""

    def __init__(self) -> None:
        self.process = _process
        # Iterators that have yielded as many results as there was room for, and may have more.
        self.rests: deque[Iterator[Any]] = deque()
        # How many threads are in the source, or in an iterator of it.
        self.inside = 0
        self.ended = False
        self.changed = threading.Condition()


class Bulk:
    """Calls `source(n)`, which returns an iterable of up to n results. What is beyond n comes next.

    As many threads as there are fillers may be in here. The library asks for nothing after the end,
    so the end is reported only when no thread is inside and no iterator is left.
    """

    def __init__(
        self, source: Callable[[int], Iterable[Any]], most: int, *, keeps_after_fork: bool
    ) -> None:
        self._source = source
        self._most = most
        self._keeps = keeps_after_fork
        self._state = _State()

    def _current(self) -> _State:
        state = self._state
        if state.process is not _process:
            # In the child of a fork, which has none of the parent's other threads.
            fresh = _State()
            if self._keeps:
                fresh.rests.extend(state.rests)
                fresh.ended = state.ended
            self._state = state = fresh
        return state

    def make(self, room: int, made: list[Any]) -> None:
        """Append up to `room` results to `made`, also before an exception.

        StopIteration at the end.
        """
        state = self._current()
        room = min(room, self._most)
        while not made:
            rest = self._enter(state)
            ended = more = False
            try:
                fresh = rest is None
                if rest is None:
                    rest = self._ask(room)
                    ended = rest is None
                if rest is not None:
                    made.extend(itertools.islice(rest, room))
                    if fresh and not made:
                        raise RuntimeError(
                            "a bulk source returned an iterable without results; to say that there "
                            "will be no more, it raises StopIteration"
                        )
                    more = len(made) == room
            finally:
                self._leave(state, rest if more else None, ended)

    def _enter(self, state: _State) -> Iterator[Any] | None:
        """An iterator that has been left, or None if the source has to be asked."""
        with state.changed:
            while not state.rests and state.ended:
                if not state.inside:
                    raise StopIteration
                state.changed.wait()
            state.inside += 1
            return state.rests.popleft() if state.rests else None

    @staticmethod
    def _leave(state: _State, rest: Iterator[Any] | None, ended: bool) -> None:  # noqa: FBT001
        with state.changed:
            state.inside -= 1
            state.ended = state.ended or ended
            if rest is not None:
                state.rests.append(rest)
            state.changed.notify_all()

    def _ask(self, room: int) -> Iterator[Any] | None:
        """What the source returned; None if it has ended."""
        try:
            returned = self._source(room)
        except StopIteration:
            return None
        kind = type(returned)
        if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
            raise TypeError(
                f"a bulk source must return an iterable of results, got {kind.__name__!r}"
            )
        return iter(returned)
