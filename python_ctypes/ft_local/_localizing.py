"""`localize`: an object whose methods, and whose parts, are a thread's own to count.

A method written in Python counts its `self`, and each object that it reads from it. Through the
wrapper that `localize` makes, it gets that wrapper as `self`, and counts what is the thread's own.
"""

from __future__ import annotations

import struct
from abc import ABCMeta

from ._backend import module as _backend
from ._sharing import threads_fight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

# CPython's Py_TPFLAGS_INLINE_VALUES: objects of the class keep their attributes at known places.
_HAS_PLACES = 1 << 2

_LONGEST_COPY = 1024


def localize(obj: _T) -> _T:
    """What this thread uses in place of `obj`: a LocalWrapper that is `self` in its methods.

    Make one for each thread, on free-threaded CPython 3.13 to 3.15. Methods written in Python,
    `__enter__`, `__exit__` and `__call__` run with it as `self`. Attributes that hold objects of
    classes written in Python, dicts, lists and sets are localized likewise when they are read;
    numbers and short texts are copies of the thread's own; everything else is as it is. So
    using the object, and its parts to any depth, writes to no count that other threads write to.
    Assignments reach the shared object, and are seen by all threads.

    Its price: what a method gets as `self`, and reads from it, has other identities and another
    `type()`; a value that it stores in a container or hands to another thread may be a wrapper. The
    methods of the class must not depend on that. Objects with `__slots__`, and items of
    containers, are not localized. The garbage collector frees a localized wrapper.

    Elsewhere, and where nothing would be gained, it returns `obj`.
    """
    if issubclass(type(obj), _backend.LocalWrapper):
        raise TypeError("a LocalWrapper belongs to one thread: localize what it wraps")
    result: _T = part(obj) if threads_fight() else obj
    return result


def part(value: Any) -> Any:
    """What a thread gets in place of `value`, which all threads share."""
    kind = type(value)
    if kind in _OWN:
        return _OWN[kind](value)
    return _make(value) if _is_localized(kind) else value


def _is_localized(kind: type) -> bool:
    if kind in (dict, list, set):
        return True
    # The members of an Enum are compared by identity, and other metaclasses may do as they like.
    return bool(kind.__flags__ & _HAS_PLACES) and type(kind) in (type, ABCMeta)


def _itself(value: Any) -> Any:
    return value


_make: Callable[[Any], Any] = getattr(_backend, "_make_stand_in", _itself)


def _own_float(value: float) -> float:
    # Arithmetic might return the same object, or change the bits of a NaN.
    copy: float = struct.unpack("d", struct.pack("d", value))[0]
    return copy


def _own_int(value: int) -> int:
    length = value.bit_length() // 8 + 1
    return (
        int.from_bytes(value.to_bytes(length, "little", signed=True), "little", signed=True)
        if length <= _LONGEST_COPY
        else value
    )


def _own_text(value: str) -> str:
    # Interned ones, which names of attributes are, nobody counts.
    if value.isidentifier() or not 1 < len(value) <= _LONGEST_COPY:
        return value
    return value[:1] + value[1:]


def _own_bytes(value: bytes) -> bytes:
    return value[:1] + value[1:] if 1 < len(value) <= _LONGEST_COPY else value


_OWN: dict[type, Callable[[Any], Any]] = {
    float: _own_float,
    int: _own_int,
    str: _own_text,
    bytes: _own_bytes,
}
