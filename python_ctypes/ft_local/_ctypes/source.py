"""Sources, as the library calls them: one result a call, by the address of a C function."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Self

from ft_local import _outcomes

# Another object in each process. `os.getpid` would be asked for every result.
_process = object()


def current() -> object:
    """What stands for this process."""
    return _process


def _begin_process() -> None:
    """For the child of a fork."""
    global _process  # noqa: PLW0603 - it stands for the process, of which there is one
    _process = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_process)


class _Ready:
    """An iterator of one deque, over and over, which has had results put into it if it was empty.

    The handler of a signal may raise after any call that Python code makes, and whatever that call
    returned is then gone. So no result, and nothing that results come out of, is ever what a call
    returns to Python code: C code puts it where it stays, in `deque.extend`, and an exception only
    leads to the next call of `__next__`, which goes on from there.
    """

    __slots__ = ("_keeps", "_made", "_process", "_rest", "_returned", "_size", "_source")

    def __init__(
        self, source: Callable[[int], Iterable[Any]], size: int, *, keeps_after_fork: bool
    ) -> None:
        self._source = source
        self._size = size
        self._keeps = keeps_after_fork
        self._forget()

    def _forget(self) -> None:
        """Begins anew. A thread that a fork left behind may never leave the old ones."""
        self._returned: deque[Iterable[Any]] = deque()
        self._rest: deque[Iterator[Any]] = deque()
        self._made: deque[Any] = deque()
        self._process = _process

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> deque[Any]:
        """Raises StopIteration if the source does."""
        if self._process is not _process and not self._keeps:
            self._forget()
        if not self._made and self._rest:
            self._take()
        if not self._made:
            self._ask()
            if self._rest:
                self._take()
            if not self._made:
                raise _outcomes.no_results()
        return self._made

    def _ask(self) -> None:
        """Calls the source; what it returns becomes the rest."""
        returned = self._returned
        if not returned:
            returned.extend(map(self._source, (self._size,)))
            if not returned:
                raise StopIteration
        kind = type(returned[0])
        if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
            error = _outcomes.not_iterable(returned[0])
            returned.clear()
            raise error
        iterators = map(iter, returned)
        try:
            # The only call in here: if anything is raised, it is done or has failed.
            self._rest.extend(iterators)
        finally:
            returned.clear()

    def _take(self) -> None:
        """Takes as many results as fit from the rest, and forgets it at its end.

        An exception ends it too, as it would end a loop.
        """
        some = islice(self._rest[0], self._size)
        try:
            # As above.
            self._made.extend(some)
        finally:
            # If there are as many as that, they were complete before whatever was raised.
            if len(self._made) < self._size:
                self._rest.clear()


def one_at_a_time(
    source: Callable[[int], Iterable[Any]], size: int, *, keeps_after_fork: bool
) -> Callable[[], Any]:
    """A callable that gives the results of a bulk source one by one, asking it for `size` at once.

    It takes a result out and returns it without any Python code in between.
    """
    return map(deque.popleft, _Ready(source, size, keeps_after_fork=keeps_after_fork)).__next__
