"""How long a result takes in each way, and whether each result came to one thread."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import takes
from .rounds import Cell, elapsed, run_threads

# A sample takes at least so many in all: many more than can be ready when it begins.
_LEAST = 10 * takes.SIZE


class Count(NamedTuple):
    """What became of the results of one way."""

    name: str
    way: str
    threads: int
    taken: int
    twice: int
    # None if nobody can know.
    lost: int | None

    @property
    def exact(self) -> bool:
        """Whether nothing was found wrong."""
        return not (self.twice or self.lost)


def count(name: str, title: str, way: takes.Way, threads: int, each: int) -> Count:
    """Lets threads take `each` results, keeps all, and looks for those that came twice or never."""
    kept: list[list[Any]] = [[] for _ in range(threads)]
    with way(takes.SOURCES[name]()) as crowd:

        def take(mine: list[Any]) -> None:
            results = crowd.begin()
            mine.extend(itertools.islice(results, each))
            # A cursor gives back what it has left.
            getattr(results, "close", lambda: None)()

        run_threads([functools.partial(take, mine) for mine in kept], pinned=False)
        left = crowd.left() if crowd.left else None
    taken = list(itertools.chain.from_iterable(kept))
    every = taken + (left or [])
    distinct = set(every)
    lost = None
    # Ids are numbered: what was lost leaves a gap.
    if left is not None and name == "ids":
        lost = max(distinct) + 1 - len(distinct)
    return Count(name, title, threads, len(taken), len(every) - len(distinct), lost)


def counts(names: list[str], threads: int, each: int) -> Iterator[Count]:
    """Counts each way to take from each source."""
    for name in names:
        for title, way in takes.ways(name).items():
            yield count(name, title, way, threads, each)


def cells(names: list[str], threads: list[int], each: int, milliseconds: float) -> Iterator[Cell]:
    """A cell for each source, way and number of threads."""
    for name in names:
        for title, way in takes.ways(name).items():
            for number in threads:
                yield Cell(
                    "takes", name, title, number, _sampler(name, way, number, each, milliseconds)
                )


def _sampler(
    name: str, way: takes.Way, threads: int, each: int, milliseconds: float
) -> Callable[[], dict[str, float]]:
    def sample() -> dict[str, float]:
        with way(takes.SOURCES[name]()) as crowd:
            # The first run brings a way to where it stays, and says how many fit into the time.
            ns = _take(crowd, threads, each or _LEAST // 5 // threads)
            number = max(_LEAST // threads, int(milliseconds * 1e6 / ns / threads))
            return {"ns": _take(crowd, threads, each or number)}

    return sample


def _take(crowd: takes.Crowd, threads: int, each: int) -> float:
    """Nanoseconds a result, of all threads together."""

    def take() -> None:
        results = crowd.begin()
        for _ in itertools.islice(results, each):
            pass

    spans = run_threads([take] * threads, pinned=True)
    return elapsed(spans) / (threads * each)
