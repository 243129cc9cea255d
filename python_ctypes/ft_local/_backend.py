"""Which implementation serves: the C shim where it was compiled, else ctypes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def _c() -> ModuleType:
    import ft_local._shim as module  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415

    return module  # type: ignore[no-any-return, unused-ignore]


def _ctypes() -> ModuleType:
    import ft_local._ctypes as module  # noqa: PLC0415

    return module


# By import statements, which tools that pack a program with all that it imports can follow.
_BACKENDS: dict[str, Callable[[], ModuleType]] = {"c": _c, "ctypes": _ctypes}


def _forced() -> str | None:
    """What FT_LOCAL_BACKEND asks for; None if it leaves the choice to us."""
    value = os.environ.get("FT_LOCAL_BACKEND", "")
    if value and value not in _BACKENDS:
        raise ImportError(
            f"FT_LOCAL_BACKEND is {value!r}; set it to 'c' or 'ctypes', or unset it to let "
            "ft_local choose"
        )
    return value or None


def _load(name: str) -> ModuleType:
    try:
        return _BACKENDS[name]()
    except ImportError as error:
        raise ImportError(
            f"FT_LOCAL_BACKEND is {name!r}, but that backend cannot be loaded: {error}; unset "
            "FT_LOCAL_BACKEND to let ft_local choose, or install ft_local again"
        ) from error


def choose() -> tuple[str, ModuleType]:
    """The backend in use and its module. ImportError if there is none, saying what to do.

    A C shim that is there and cannot be loaded is an error too: ctypes would hide that the
    installation is broken, and be many times slower.
    """
    forced = _forced()
    if forced:
        return forced, _load(forced)
    try:
        return "c", _c()
    except ModuleNotFoundError as error:
        if error.name != "ft_local._shim":
            raise
        return "ctypes", _ctypes()


name, module = choose()
