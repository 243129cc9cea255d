"""What constructors and methods are given: checked and converted, with the words of ft_local."""

from __future__ import annotations

import math
import operator
from typing import Any, Callable, NamedTuple

from ft_local_cffi._binding import lib

# In the order of their numbers in the library.
_ON_FORK = ("discard", "keep", "error")
_MOST_FILLERS = 256
# Without limit, as the library counts nanoseconds, and the shortest that does not fit into 64 bits.
_FOR_EVER = -1
_TOO_LONG = 2**63


class Settings(NamedTuple):
    """What an executor is made with, and never changes."""

    source: Callable[..., Any]
    size: int
    bulk: bool
    fill_budget: int
    low_water: int
    on_fork: str
    fillers: int


def checked(  # noqa: PLR0913 - as many as the constructor has
    source: Any,
    size: Any,
    *,
    bulk: Any,
    fill_budget: Any,
    low_water: Any,
    on_fork: Any,
    fillers: Any,
) -> Settings:
    """The settings, or a TypeError or ValueError that names the one that is wrong."""
    if not callable(source):
        raise TypeError(f"source must be callable, got {type(source).__name__!r}")
    size = checked_integer("size", size, 1, lib.FT_LOCAL_BATCH_MAX_SIZE)
    budget = size if fill_budget is None else checked_integer("fill_budget", fill_budget, 1, size)
    low_water = checked_integer("low_water", low_water, 0, size)
    if not isinstance(on_fork, str):
        raise TypeError(f"on_fork must be a str, got {type(on_fork).__name__!r}")
    if on_fork not in _ON_FORK:
        raise ValueError(f"on_fork must be 'discard', 'keep' or 'error', got {on_fork!r}")
    fillers = checked_integer("fillers", fillers, 1, _MOST_FILLERS)
    return Settings(source, size, bool(bulk), budget, low_water, str(on_fork), fillers)


def enter(settings: Settings, options: Any, has_budget: bool) -> None:  # noqa: FBT001
    """Tells the library: `options` is an ft_local_batch_options that was initialised."""
    options.fill_budget = settings.fill_budget if has_budget else 0
    options.low_water = settings.low_water
    options.on_fork = _ON_FORK.index(settings.on_fork)
    options.fillers = settings.fillers


def _shown(number: Any) -> str:
    try:
        return repr(number)
    except ValueError:
        # The interpreter refuses to write out thousands of digits.
        return "a number too long to show"


def checked_integer(name: str, given: Any, least: int, most: int) -> int:
    if isinstance(given, bool) or not hasattr(type(given), "__index__"):
        raise TypeError(f"{name} must be an int, got {type(given).__name__!r}")
    number = operator.index(given)
    if not least <= number <= most:
        raise ValueError(f"{name} must be between {least} and {most}, got {_shown(number)}")
    return number


def nanoseconds(timeout: Any, name: str = "timeout") -> int:
    """A number of seconds in nanoseconds, without limit for None and for 292 years or more."""
    if timeout is None:
        return _FOR_EVER
    kind = type(timeout)
    if not hasattr(kind, "__float__") and not hasattr(kind, "__index__"):
        # Or float() would read a text.
        raise TypeError(f"{name} must be a number of seconds or None, got {kind.__name__!r}")
    try:
        seconds = float(timeout)
    except OverflowError:
        # As good as an infinite one.
        seconds = -math.inf if timeout < 0 else math.inf
    if not seconds >= 0:
        raise ValueError(
            f"{name} must be 0 seconds or more, or None for no limit, got {_shown(timeout)}"
        )
    # Rounded up, so that no wait is shorter than was asked for.
    rounded = seconds * 1e9
    return math.ceil(rounded) if rounded < _TOO_LONG else _FOR_EVER
