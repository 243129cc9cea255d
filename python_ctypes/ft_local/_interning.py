"""`intern`: plain values as constants of the interpreter, whose references no thread counts.

CPython without the GIL makes strings immortal when they are interned, and other plain values when
they become constants of a code object. Both can be asked for in Python.
"""

from __future__ import annotations

import marshal
import sys

from ._sharing import sharing, threads_fight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")


def intern(value: _T) -> _T:
    """An equal value whose strings, numbers and bytes are constants, which no thread counts.

    What a program reads or computes is counted, also in an object that `share` has shared: each
    thread that gets a number from it, or finds a key in it, writes to the count. Constants are
    immortal. A list, dict, set, tuple or frozenset is copied, and so are those that it holds; the
    copies are not shared yet. Objects of other types, and of subclasses, stay what they are.

    Its price: a constant is never freed. Intern what is read once and used by many threads:
    `settings = share(intern(json.load(file)), deep=True)`.

    With the GIL, threads do not count at the same time, and it returns `value`.
    """
    return _Copy().of(value) if threads_fight() else value


class _Copy:
    """The copy of one value. A part that is met twice is copied once."""

    def __init__(self) -> None:
        # With the originals, so that no other object can get their addresses.
        self._made: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return sys.intern(value)
        if kind in _NUMBERS:
            return _constant(value)
        if kind not in _CONTAINERS:
            return value
        if id(value) not in self._made:
            copy = self._mutable(value) if kind in _MUTABLE else self._immutable(value)
            # A cycle has led here again meanwhile, if it leads through something mutable.
            self._made.setdefault(id(value), (value, copy))
        return self._made[id(value)][1]

    def _mutable(self, value: Any) -> Any:
        copy = type(value)()
        self._made[id(value)] = (value, copy)
        if type(value) is dict:
            for key, item in value.items():
                copy[self.of(key)] = self.of(item)
        elif type(value) is list:
            copy.extend(map(self.of, value))
        else:
            copy.update(map(self.of, value))
        return copy

    def _immutable(self, value: Any) -> Any:
        copy = type(value)(map(self.of, value))
        try:
            return _constant(copy) if all(map(_is_immortal, copy)) else copy
        except ValueError:  # It holds something else that is immortal, such as a class.
            return copy


def _constant(value: Any) -> Any:
    if _is_immortal(value):
        return value
    # CPython makes the object itself immortal if it has no equal constant yet. That is safe only
    # while no other thread uses it, so it gets one that nobody else has.
    fresh = marshal.loads(marshal.dumps(value))  # noqa: S302 - what was dumped in the same line
    return _CODE.replace(co_consts=(fresh,)).co_consts[0]


def _is_immortal(value: object) -> bool:
    return sharing(value) == "immortal"


_CODE = intern.__code__
_NUMBERS = (int, float, complex, bytes)
_MUTABLE = (list, dict, set)
_CONTAINERS = (*_MUTABLE, tuple, frozenset)
