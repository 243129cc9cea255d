"""RangeExecutor: an executor over integers, of the backend in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, Self

from ft_local import BatchExecutor


class RangeExecutor(BatchExecutor[int]):
    """Hands out the integers of ranges, each to exactly one caller.

    `source(n)` returns the next integers, as a range that may be much longer than `n`: the executor
    makes at most `size` integers at a time, so a range of 10^9 takes no more memory than one of 10.
    """

    def __new__(
        cls,
        source: Callable[[int], Iterable[int]],
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
