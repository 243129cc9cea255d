"""Shared objects in many threads without fighting over their reference counts.

`LocalWrapper` is one thread's own proxy of a shared object. `BatchExecutor` runs a source in one
thread at a time and hands each result to exactly one of many threads; a `Cursor` is one thread's
own handle on it. `share` and `immortal` make one object cheap to use in every thread where the
interpreter can, `intern` does it for plain values, and `sharing` says what was done; `localize`
gives a thread its own view of an object's methods and parts; `contention` finds the objects that
need one of these. `backend` says which of the two implementations is in use: "c", or "ctypes" where
no C extension was compiled.
"""

from ._backend import module as _module
from ._backend import name as backend
from ._outcomes import EndOfSource, ExecutorClosed, ForkedError
from ._sharing import immortal, share, sharing

# Imported when they are first asked for: what they need takes longer than all the rest.
_LATER = (
    "BatchStats",
    "ContendedObject",
    "ContentionReport",
    "Prefilling",
    "contention",
    "intern",
    "localize",
)

LocalWrapper = _module.LocalWrapper
BatchExecutor = _module.BatchExecutor
Cursor = _module.Cursor
abi_version = _module.abi_version
library_path = _module.library_path
library_version = _module.library_version

__version__: str = library_version()


def get_include() -> str:
    """The folder of `ft_local.h`, for extensions that are compiled against it."""
    return f"{__path__[0]}/include"


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # By import statements, as in _backend.
    if name == "BatchStats":
        from . import _stats as module  # noqa: PLC0415
    elif name == "Prefilling":
        from . import _prefilling as module  # noqa: PLC0415
    elif name == "intern":
        from . import _interning as module  # noqa: PLC0415
    elif name == "localize":
        from . import _localizing as module  # noqa: PLC0415
    else:
        from . import _contention as module  # noqa: PLC0415
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "BatchExecutor",
    "BatchStats",
    "ContendedObject",
    "ContentionReport",
    "Cursor",
    "EndOfSource",
    "ExecutorClosed",
    "ForkedError",
    "LocalWrapper",
    "Prefilling",
    "__version__",
    "abi_version",
    "backend",
    "contention",
    "get_include",
    "immortal",
    "intern",
    "library_path",
    "library_version",
    "localize",
    "share",
    "sharing",
]
