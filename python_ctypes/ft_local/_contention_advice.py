"""What can be done about an object whose reference count threads fight over."""

import gc
import sys
import threading
import types
from collections.abc import Iterable

from ._backend import module as _backend
from ._contention_path import PLAIN
from ._sharing import sharing

_CAN_DEFER = sys.version_info >= (3, 14)
_CAN_IMMORTALIZE = sys.version_info >= (3, 15)

_LOOKED_UP: tuple[type, ...] = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    staticmethod,
    classmethod,
    property,
)

_IMMORTAL = "make it by ft_local.immortal(factory)"
_COPY = "give each thread a copy"
_WRAP = "give each thread a LocalWrapper of it"
_LOCAL = "hold it in a local variable of each thread"


# CPython makes the constants of a module immortal, but not if this process compiles the module.
_COMPILED = (
    "a constant of code that was compiled in this run: let Python write and load .pyc files (unset"
    " PYTHONDONTWRITEBYTECODE, or run python -m compileall before), or hold it in a local variable"
)

# The first of these kinds that fits.
_SPECIAL: list[tuple[tuple[type, ...], str]] = [
    ((_backend.LocalWrapper,), "make a wrapper in each thread instead of sharing one"),
    (
        (type(threading.Lock()), type(threading.RLock())),
        "threads wait for it too: give each thread, or each part of the data, a lock of its own",
    ),
    (PLAIN, f"ft_local.intern() it where it is read or made, or {_COPY}"),
    (_LOOKED_UP, "look it up once in each thread and hold it in a local variable"),
]


def advice(obj: object, path: Iterable[object] = ()) -> str:
    """What to do about an object that is reached by a path, the best first."""
    if any(type(one) is types.CodeType for one in path):
        return _COMPILED
    for kinds, words in _SPECIAL:
        if issubclass(type(obj), kinds):
            return words
    if sharing(obj) == "counted" and gc.is_tracked(obj) and type(obj) is not tuple and _CAN_DEFER:
        return f"ft_local.share() it, or {_LOCAL}"
    ways = [_IMMORTAL, _COPY] if _CAN_IMMORTALIZE else [_COPY]
    if sharing(obj) == "deferred":
        return f"it is shared, so this is C code: {' or '.join(ways)}"
    return " or ".join([_LOCAL if _CAN_DEFER else _WRAP, *ways])
