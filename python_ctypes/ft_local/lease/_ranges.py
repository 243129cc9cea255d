"""RangeExecutor: an executor over integers, of the backend in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from ft_local import BatchExecutor
from ft_local._backend import module

if TYPE_CHECKING:
    _Base = BatchExecutor[int]
else:
    _Base = module.RangeBase


class RangeExecutor(_Base):
    """Hands out the integers of ranges, each to exactly one caller.

    `source(n)` returns the next integers as a range, or a list of ranges, which may be much longer
    than `n`. It is asked again when they are used up: a range of 10^9 takes no more memory than one
    of 10. The integers must fit into a signed machine word.

    In the C backend the executor's buffer holds plain words. It is filled without a call of Python
    code until the range is used up, and the thread that loads makes the `int`.
    """

    def __new__(
        cls,
        source: Callable[[int], range | list[range]],
        size: int,
        *,
        fill_budget: int | None = None,
        low_water: int = 0,
        on_fork: Literal["discard", "keep", "error"] = "discard",
    ) -> Self:
        """As of BatchExecutor, whose `bulk` is always true here."""
        return super().__new__(  # type: ignore[call-arg]  # the stub shows __init__
            cls,
            source,
            size,
            bulk=True,
            fill_budget=fill_budget,
            low_water=low_water,
            on_fork=on_fork,
        )

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Nothing is left to do."""

    def _ended(self) -> list[range] | None:
        """Closes, and returns what was not handed out. None if another call of it is under way.

        What cursors have in hand is not part of it.
        """
        drained: tuple[list[int], list[tuple[int, int, int]]] | None
        drained = self._drain()  # type: ignore[attr-defined]
        if drained is None:
            return None
        ready, left = drained
        return [*(range(one, one + 1) for one in ready), *_ranges(left)]

    def _withdrawn(self) -> list[range]:
        """Takes back the ranges that `_offer` was given, if no fill has gone on with them."""
        return _ranges(self._withdraw())  # type: ignore[attr-defined]


def _ranges(numbers: list[tuple[int, int, int]]) -> list[range]:
    return [range(first, first + step * count, step) for first, step, count in numbers]
