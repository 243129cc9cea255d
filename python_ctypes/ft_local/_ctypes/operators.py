"""The operators of LocalWrapper: each applies the bare operation to the wrapped objects.

Each table names special methods and the functions that do the same to bare objects. An operand
that is a wrapper too is unwrapped first, on either side, so that the two objects meet as if nobody
had wrapped them; whatever they answer or raise is the result.
"""

from __future__ import annotations

import math
import operator
import os
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

Function = Callable[..., Any]
Unwrap = Callable[[object], Any]
Rewrap = Callable[[Any, object], object]

BINARY: dict[str, Function] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "matmul": operator.matmul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "divmod": divmod,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "and": operator.and_,
    "xor": operator.xor,
    "or": operator.or_,
}

IN_PLACE: dict[str, Function] = {
    "iadd": operator.iadd,
    "isub": operator.isub,
    "imul": operator.imul,
    "imatmul": operator.imatmul,
    "itruediv": operator.itruediv,
    "ifloordiv": operator.ifloordiv,
    "imod": operator.imod,
    "ipow": operator.ipow,
    "ilshift": operator.ilshift,
    "irshift": operator.irshift,
    "iand": operator.iand,
    "ixor": operator.ixor,
    "ior": operator.ior,
}

COMPARISON: dict[str, Function] = {
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
}

UNARY: dict[str, Function] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "index": operator.index,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "hash": hash,
    "str": str,
    "bytes": bytes,
    "fspath": os.fspath,
    "len": len,
    "iter": iter,
    "reversed": reversed,
    "aiter": aiter,
    "anext": anext,
}


def methods(unwrap: Unwrap, rewrap: Rewrap) -> Iterator[tuple[str, Function]]:
    """Makes the special methods of the tables, by name.

    `unwrap` gives the bare object in a wrapper, or anything else as it is; `rewrap` wraps another
    object as a given wrapper wraps its own.
    """
    for name, function in BINARY.items():
        yield f"__{name}__", _binary(function, unwrap)
        yield f"__r{name}__", _reflected(REFLECTED.get(name, function), unwrap)
    for name, function in IN_PLACE.items():
        yield f"__{name}__", _in_place(function, unwrap, rewrap)
    for name, function in COMPARISON.items():
        yield f"__{name}__", _binary(function, unwrap)
    for name, function in UNARY.items():
        yield f"__{name}__", _unary(function, unwrap)


def _unary(function: Function, unwrap: Unwrap) -> Function:
    def method(self: object, /) -> Any:
        return function(unwrap(self))

    return method


def _binary(function: Function, unwrap: Unwrap) -> Function:
    def method(self: object, other: object, /) -> Any:
        return function(unwrap(self), unwrap(other))

    return method


def _reflected(function: Function, unwrap: Unwrap) -> Function:
    def method(self: object, other: object, /) -> Any:
        return function(unwrap(other), unwrap(self))

    return method


def _in_place(function: Function, unwrap: Unwrap, rewrap: Rewrap) -> Function:
    def method(self: object, other: object, /) -> Any:
        bare = unwrap(self)
        result = function(bare, unwrap(other))
        # The wrapper itself never changes: another name for it still means the old value.
        return self if result is bare else rewrap(self, result)

    return method


def _add_to(left: Any, bare: Any) -> Any:
    """`left + bare`, or NotImplemented where `left += wrapper` may be meant, which comes here too.

    A bare sequence that cannot be added to may still be extended, and some take a wrapper as it is.
    """
    only_sequences = hasattr(type(left), "__iadd__") and not hasattr(type(left), "__radd__")
    if not only_sequences or hasattr(type(bare), "__radd__"):
        return left + bare
    if isinstance(left, deque) or (isinstance(left, bytearray) and _is_bytes_like(bare)):
        return NotImplemented
    try:
        return left + bare
    except TypeError:
        if hasattr(type(bare), "__iter__"):
            return NotImplemented
        raise


def _is_bytes_like(bare: Any) -> bool:
    return sys.version_info >= (3, 12) and hasattr(type(bare), "__buffer__")


def _repeat(left: Any, bare: Any) -> Any:
    """`left * bare`, or NotImplemented where a sequence can be repeated, perhaps in place."""
    repeats = type(bare) in (int, bool) and isinstance(left, (list, bytearray, deque, array))
    return NotImplemented if repeats else left * bare


REFLECTED: dict[str, Function] = {"add": _add_to, "mul": _repeat}


def special(bare: object, name: str) -> Any:
    """Finds the special method `name` as the interpreter does: on the type, not on the object."""
    kind = type(bare)
    for base in kind.__mro__:
        if name in base.__dict__:
            found = base.__dict__[name]
            bind = getattr(type(found), "__get__", None)
            return found if bind is None else bind(found, bare, kind)
    raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")


def enter(bare: object, name: str, leave: str, protocol: str) -> Any:
    """What `with` gets of its first call: it has found both methods on the wrapper in any case."""
    kind = type(bare)
    if not hasattr(kind, name) and not hasattr(kind, leave):
        raise TypeError(f"{kind.__name__!r} object does not support the {protocol} protocol")
    return special(bare, name)()
