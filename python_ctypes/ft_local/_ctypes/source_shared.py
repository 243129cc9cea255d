"""Bulk sources that several threads call at the same time, for ctypes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from threading import Condition
from typing import Any

from ft_local import _outcomes

from . import source as processes


class _State:
    """What the calls of one process have made, and not returned yet."""

    __slots__ = ("asking", "changed", "ended", "made", "rests")

    def __init__(self) -> None:
        self.made: deque[Any] = deque()
        # Iterators that have yielded as many results as were asked for, and maybe have more.
        self.rests: list[Iterator[Any]] = []
        # How many threads are in the source.
        self.asking = 0
        self.ended = False
        self.changed = Condition()


class Shared:
    """A callable that gives the results of a bulk source one by one, to any number of threads.

    A thread that finds none calls the source. The end is reported only when no thread is in the
    source and none of its results is left, since nothing is asked for after that.

    Unlike `one_at_a_time`, this is Python code: an exception that a handler of signals raises in
    its middle may cost the result that it was about to return.
    """

    __slots__ = ("_keeps", "_size", "_source", "_states")

    def __init__(
        self, source: Callable[[int], Iterable[Any]], size: int, *, keeps_after_fork: bool
    ) -> None:
        self._source = source
        self._size = size
        self._keeps = keeps_after_fork
        self._states: dict[object, _State] = {}

    def _state(self) -> _State:
        process = processes.current()
        state = self._states.get(process)
        if state is not None:
            return state
        fresh = _State()
        # In the child of a fork, there is no other thread of the parent that uses these.
        if self._keeps:
            for before in tuple(self._states.values()):
                fresh.made.extend(before.made)
                fresh.rests.extend(before.rests)
                fresh.ended = before.ended
        return self._states.setdefault(process, fresh)

    def __call__(self) -> Any:
        state = self._state()
        while True:
            with state.changed:
                if state.made:
                    return state.made.popleft()
                if state.ended and state.asking:
                    state.changed.wait()
                    continue
                rest = state.rests.pop() if state.rests else None
                if rest is None and state.ended:
                    raise StopIteration
                state.asking += 1
            self._make_some(state, rest)

    def _make_some(self, state: _State, rest: Iterator[Any] | None) -> None:
        some: list[Any] = []
        fresh, ended = rest is None, False
        try:
            if rest is None:
                rest, ended = self._ask()
            if rest is not None:
                # What it yields before an exception is kept.
                some.extend(islice(rest, self._size))
                if fresh and not some:
                    raise _outcomes.no_results()
        finally:
            with state.changed:
                state.asking -= 1
                state.ended = state.ended or ended
                state.made.extend(some)
                if rest is not None and len(some) == self._size:
                    state.rests.append(rest)
                state.changed.notify_all()

    def _ask(self) -> tuple[Iterator[Any] | None, bool]:
        """What the source returned, and whether it has ended."""
        try:
            returned = self._source(self._size)
        except StopIteration:
            return None, True
        kind = type(returned)
        if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
            raise _outcomes.not_iterable(returned)
        return iter(returned), False
