"""What constructors and methods are given: checked and converted, for both backends.

The C shim itself reads numbers of the usual kinds, which need no more than a comparison, and asks
here about all others.
"""

from __future__ import annotations

import math

from . import _outcomes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, SupportsIndex

# Of any objects: `typing` is not imported.
Arguments = tuple["Any", ...]
Keywords = dict[str, "Any"]

MAX_SIZE = 1 << 30
MAX_FILLERS = 256

# A timeout, in nanoseconds, that never ends, and the shortest that does not fit into 64 bits.
FOREVER = -1
_TOO_LONG = 1 << 63

# In the order of their numbers in the library.
_ON_FORK = ("discard", "keep", "error")


class Settings(tuple["Any", ...]):
    """What a BatchExecutor is made with, and never changes.

    No NamedTuple: to import what makes one takes longer than all else that ft_local imports.
    """

    __slots__ = ()

    @property
    def source(self) -> Callable[..., Any]:
        return self[0]  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self[1]  # type: ignore[no-any-return]

    @property
    def bulk(self) -> bool:
        return self[2]  # type: ignore[no-any-return]

    @property
    def fill_budget(self) -> int:
        return self[3]  # type: ignore[no-any-return]

    @property
    def low_water(self) -> int:
        return self[4]  # type: ignore[no-any-return]

    @property
    def on_fork(self) -> str:
        return self[5]  # type: ignore[no-any-return]

    @property
    def policy(self) -> int:
        """`on_fork` as a number of the library's."""
        return self[6]  # type: ignore[no-any-return]

    @property
    def budget(self) -> int:
        """`fill_budget` as the library has it: 0 if none was given."""
        return self[7]  # type: ignore[no-any-return]

    @property
    def fillers(self) -> int:
        return self[8]  # type: ignore[no-any-return]


_NAMES = ("source", "size", "bulk", "fill_budget", "low_water", "on_fork", "fillers")


def checked(  # noqa: PLR0913 - as many as the constructor has
    source: Any,
    size: Any,
    *,
    bulk: Any = False,
    fill_budget: Any = None,
    low_water: Any = 0,
    on_fork: Any = "discard",
    fillers: Any = 1,
) -> Settings:
    """The settings, or a TypeError or ValueError that names the one that is wrong."""
    if not callable(source):
        raise TypeError(f"source must be callable, got {type(source).__name__!r}")
    size = checked_size("size", size, 1, MAX_SIZE)
    bulk = bool(bulk)
    budget = 0 if fill_budget is None else checked_size("fill_budget", fill_budget, 1, size)
    low_water = checked_size("low_water", low_water, 0, size)
    if not isinstance(on_fork, str):
        raise TypeError(f"on_fork must be a str, got {type(on_fork).__name__!r}")
    if on_fork not in _ON_FORK:
        raise ValueError(f"on_fork must be 'discard', 'keep' or 'error', got {on_fork!r}")
    policy = _ON_FORK.index(on_fork)
    count = checked_size("fillers", fillers, 1, MAX_FILLERS)
    settings = (source, size, bulk, budget or size, low_water, str(on_fork), policy, budget, count)
    return Settings(settings)


# The name in the errors for wrong arguments.
checked.__qualname__ = "BatchExecutor"


def settings_of(args: Arguments, kwargs: Keywords | None, others_are_errors: bool) -> Settings:  # noqa: FBT001
    """The settings. Other arguments are errors, or for the `__init__` of a subclass to judge."""
    if others_are_errors:
        return checked(*args, **(kwargs or {}))
    named = {name: kwargs[name] for name in _NAMES if name in kwargs} if kwargs else {}
    return checked(*args[:2], **named)


def check_unchanged(settings: Settings, args: Arguments, kwargs: Keywords | None) -> None:
    """Refuses arguments of `BatchExecutor.__init__` that `__new__` was not given."""
    given = checked(*args, **(kwargs or {}))
    if given[1:] != settings[1:] or given.source is not settings.source:
        raise _outcomes.settings_never_change()


def _wrapped(wrapped: object) -> object:
    return wrapped


_wrapped.__qualname__ = "LocalWrapper"


def object_to_wrap(args: Arguments, kwargs: Keywords | None, others_are_errors: bool) -> object:  # noqa: FBT001
    """The argument of LocalWrapper, of which the same holds."""
    if others_are_errors:
        return _wrapped(*args, **(kwargs or {}))
    named = {"wrapped": kwargs["wrapped"]} if kwargs and "wrapped" in kwargs else {}
    return _wrapped(*args[:1], **named)


def check_wraps(wrapped: object, args: Arguments, kwargs: Keywords | None) -> None:
    """Refuses arguments of `LocalWrapper.__init__` that `__new__` was not given."""
    if _wrapped(*args, **(kwargs or {})) is not wrapped:
        raise _outcomes.wrapped_never_changes()


def _has(kind: type, method: str) -> bool:
    """Whether a class has a special method, which is None in the class of some wrappers."""
    return getattr(kind, method, None) is not None


def _index(number: SupportsIndex) -> int:
    from operator import index  # noqa: PLC0415 - importing ft_local stays quick

    return index(number)


def checked_size(name: str, given: SupportsIndex, least: int, most: int) -> int:
    """A whole number between two bounds, for the parameter `name`."""
    if isinstance(given, bool):
        raise TypeError(f"{name} must be an int, got 'bool'")
    try:
        size = _index(given)
    except TypeError:
        if _has(type(given), "__index__"):
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


def nanoseconds(timeout: Any, name: str = "timeout") -> int:
    """A number of seconds in nanoseconds. FOREVER for None, and for 292 years or more."""
    if timeout is None:
        return FOREVER
    kind = type(timeout)
    is_number = hasattr(kind, "__float__") or hasattr(kind, "__index__")
    try:
        # float() would read a text.
        seconds = float(timeout if is_number else None)  # type: ignore[arg-type]
    except TypeError:
        if _has(kind, "__float__") or _has(kind, "__index__"):
            raise
        wrong = f"{name} must be a number of seconds or None, got {kind.__name__!r}"
        raise TypeError(wrong) from None
    except OverflowError:
        if not _has(kind, "__index__"):
            raise
        # As good as an infinite one.
        seconds = -math.inf if _index(timeout) < 0 else math.inf
    if not seconds >= 0:
        raise ValueError(
            f"{name} must be 0 seconds or more, or None for no limit, got {_shown(timeout)}"
        )
    # Rounded up, so that no wait is shorter than was asked for.
    rounded = seconds * 1e9
    return math.ceil(rounded) if rounded < _TOO_LONG else FOREVER
