"""Bulk sources that several threads call at the same time, for ctypes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from queue import Empty, SimpleQueue
from threading import get_ident
from time import sleep
from typing import Any, Self

from ft_local import _outcomes

from . import source as processes

# How long a thread that has only the end to report waits before it looks again, in seconds.
_LOOK = 0.005


class _Hand:
    """What a call of one thread has in hand. It is empty between two calls."""

    __slots__ = ("made", "one", "rest", "returned")

    def __init__(self) -> None:
        self.returned: list[Iterable[Any]] = []
        self.rest: list[Iterator[Any]] = []
        self.made: deque[Any] = deque()
        # The result that the call returns.
        self.one: list[Any] = []


class _State:
    """What the calls of one process have made, and not returned yet."""

    __slots__ = ("asking", "ended", "hands", "latest", "made", "rests")

    def __init__(self) -> None:
        self.made: SimpleQueue[Any] = SimpleQueue()
        # Iterators that have yielded as many results as were asked for, and maybe have more.
        self.rests: SimpleQueue[Iterator[Any]] = SimpleQueue()
        self.hands: dict[int, _Hand] = {}
        # The threads that may bring results, and another object for each time that one begins.
        self.asking: dict[int, bool] = {}
        self.latest = object()
        self.ended = False

    def has_no_more(self) -> bool:
        """Whether no thread has a result, or may bring one."""
        latest = self.latest
        # One may have begun and ended meanwhile.
        return (
            not self.asking
            and self.rests.empty()
            and self.made.empty()
            and not self.asking
            and self.latest is latest
        )


class _Ready:
    """An iterator of lists of one result, each of which is the calling thread's.

    A thread that finds no result calls the source. The end is reported only when no thread is in
    the source and none of its results is left, since nothing is asked for after that.

    The handler of a signal may raise after any call, as in `source._Ready`. So each step is one
    call of C code that moves something to where it stays: from all threads to the thread's hand, or
    back. What an exception leaves in the hand goes to all threads. If another exception prevents
    that, the thread's next call does it, and until then no thread reports the end.
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
                _move(before.made, fresh.made)
                _move(before.rests, fresh.rests)
                fresh.ended = before.ended
        return self._states.setdefault(process, fresh)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Any]:
        """Raises StopIteration at the end."""
        state, thread = self._state(), get_ident()
        hand = state.hands.get(thread) or state.hands.setdefault(thread, _Hand())
        try:
            state.asking[thread] = True
            state.latest = object()
            _let_go(hand, state)
            while not _take(state.made, hand.one):
                self._make_some(state, hand, thread)
            # No call, after which a handler could raise, from here on until the result is safe.
            del state.asking[thread]
            return hand.one  # noqa: TRY300 - the handler below is for this line too
        except BaseException:
            _let_go(hand, state)
            state.asking.pop(thread, None)
            raise

    def _make_some(self, state: _State, hand: _Hand, thread: int) -> None:
        if _take(state.rests, hand.rest):
            self._use(hand)
        elif not state.ended:
            self._ask(state, hand)
        else:
            del state.asking[thread]
            if state.has_no_more():
                raise StopIteration
            # Others are in their last calls. None of them has to wake this one, which a handler
            # could prevent.
            sleep(_LOOK)
            state.asking[thread] = True
            state.latest = object()
        _let_go(hand, state)

    def _ask(self, state: _State, hand: _Hand) -> None:
        """Calls the source; what it returns becomes the rest."""
        returned = hand.returned
        returned.extend(map(self._source, (self._size,)))
        if not returned:
            state.ended = True
            return
        if not _is_iterable(returned[0]):
            raise _outcomes.not_iterable(returned[0])
        _begin_rest(hand)
        self._use(hand)
        if not hand.made:
            raise _outcomes.no_results()

    def _use(self, hand: _Hand) -> None:
        """Takes as many results as fit from the rest, and forgets it at its end."""
        some = islice(hand.rest[0], self._size)
        try:
            hand.made.extend(some)
        finally:
            # As in `source._Ready`.
            if len(hand.made) < self._size:
                hand.rest.clear()


def _is_iterable(returned: object) -> bool:
    kind = type(returned)
    return hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")


def _begin_rest(hand: _Hand) -> None:
    iterators = map(iter, hand.returned)
    try:
        # The only call in here: if anything is raised, it is done or has failed.
        hand.rest.extend(iterators)
    finally:
        hand.returned.clear()


def _take(queue: SimpleQueue[Any], into: list[Any]) -> bool:
    """Moves the first of the queue to a list, if there is one."""
    try:
        into.extend(map(SimpleQueue.get_nowait, (queue,)))
    except Empty:
        return False
    return True


def _move(source: SimpleQueue[Any], target: SimpleQueue[Any]) -> None:
    """Moves all, in one call of C code. No other thread takes from `source`."""
    taken = map(SimpleQueue.get_nowait, repeat(source, source.qsize()))
    deque(map(target.put, taken), maxlen=0)


def _let_go(hand: _Hand, state: _State) -> None:
    """Gives what the hand holds to all threads."""
    if hand.one:
        deque(map(state.made.put, map(list.pop, repeat(hand.one, len(hand.one)))), maxlen=0)
    if hand.made:
        deque(map(state.made.put, map(deque.popleft, repeat(hand.made, len(hand.made)))), maxlen=0)
    if hand.returned:
        if _is_iterable(hand.returned[0]):
            _begin_rest(hand)
        hand.returned.clear()
    if hand.rest:
        deque(map(state.rests.put, map(list.pop, repeat(hand.rest, len(hand.rest)))), maxlen=0)


def shared_one_at_a_time(
    source: Callable[[int], Iterable[Any]], size: int, *, keeps_after_fork: bool
) -> Callable[[], Any]:
    """A callable that gives the results of a bulk source one by one, to any number of threads.

    As of `one_at_a_time`: it takes a result out and returns it without Python code in between.
    """
    return map(list.pop, _Ready(source, size, keeps_after_fork=keeps_after_fork)).__next__
