"""What a BatchExecutor is made with, and other numbers that its methods take."""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple, SupportsIndex

from . import library

_ON_FORK = ("discard", "keep", "error")


class Settings(NamedTuple):
    """What a BatchExecutor is made with, and never changes."""

    source: Callable[..., Any]
    size: int
    bulk: bool
    fill_budget: int
    low_water: int
    on_fork: str

    @property
    def options(self) -> library.BatchOptions:
        """Those that the library wants in a struct of their own."""
        return library.BatchOptions(
            struct_size=ctypes.sizeof(library.BatchOptions),
            fill_budget=self.fill_budget,
            low_water=self.low_water,
            on_fork=_ON_FORK.index(self.on_fork),
        )


def checked(  # noqa: PLR0913 - as many as the constructor has
    source: Any,
    size: Any,
    *,
    bulk: Any = False,
    fill_budget: Any = None,
    low_water: Any = 0,
    on_fork: Any = "discard",
) -> Settings:
    """The settings, or a TypeError or ValueError that names the one that is wrong."""
    if not callable(source):
        raise TypeError(f"source must be callable, got {type(source).__name__!r}")
    size = checked_size("size", size, 1, library.MAX_SIZE)
    if not isinstance(on_fork, str):
        raise TypeError(f"on_fork must be a str, got {type(on_fork).__name__!r}")
    if on_fork not in _ON_FORK:
        raise ValueError(f"on_fork must be 'discard', 'keep' or 'error', got {on_fork!r}")
    return Settings(
        source,
        size,
        bool(bulk),
        size if fill_budget is None else checked_size("fill_budget", fill_budget, 1, size),
        checked_size("low_water", low_water, 0, size),
        str(on_fork),
    )


# The name in the errors for wrong arguments.
checked.__qualname__ = "BatchExecutor"


def of_subclass(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Settings:
    """The settings, from arguments of which others are for the `__init__` of a subclass."""
    kwargs = {name: kwargs[name] for name in Settings._fields if name in kwargs}
    by_position = 2 - ("source" in kwargs) - ("size" in kwargs)
    return checked(*args[:by_position], **kwargs)


def checked_size(name: str, given: SupportsIndex, least: int, most: int) -> int:
    """A whole number between two bounds, for the parameter `name`."""
    if isinstance(given, bool):
        raise TypeError(f"{name} must be an int, got 'bool'")
    try:
        size = operator.index(given)
    except TypeError:
        if hasattr(type(given), "__index__"):
            raise
        raise TypeError(f"{name} must be an int, got {type(given).__name__!r}") from None
    if not least <= size <= most:
        raise ValueError(f"{name} must be between {least} and {most}, got {_shown(size)}")
    return size


def _shown(number: Any) -> str:
    try:
        return repr(number)
    except ValueError:
        if not isinstance(number, int):
            raise
        # The interpreter refuses to write out thousands of digits.
        return "a number too long to show"


def nanoseconds(timeout: Any) -> int:
    """A number of seconds, as the library wants it. None is for ever, and so is a huge one."""
    if timeout is None:
        return library.FOR_EVER
    kind = type(timeout)
    if not (hasattr(kind, "__float__") or hasattr(kind, "__index__")):
        raise TypeError(f"timeout must be a number of seconds or None, got {kind.__name__!r}")
    try:
        seconds = float(timeout)
    except OverflowError:
        if not hasattr(kind, "__index__"):
            raise
        # As good as an infinite one.
        seconds = -math.inf if operator.index(timeout) < 0 else math.inf
    if not seconds >= 0:
        raise ValueError(
            f"timeout must be 0 seconds or more, or None for no limit, got {_shown(timeout)}"
        )
    # Rounded up, so that no wait is shorter than was asked for. Beyond are 292 years or more.
    rounded = seconds * 1e9
    return math.ceil(rounded) if rounded < library.MAX_NANOSECONDS else library.FOR_EVER
