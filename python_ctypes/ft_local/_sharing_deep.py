"""What an object reaches, for `share(obj, deep=True)`.

The walk asks the garbage collector what an object refers to, and neither the object nor its class,
so that no property, `__getattr__` or `__class__` of the program runs.
"""

from __future__ import annotations

import gc
import sys
import types

from ._attributes import own_dictionary, slots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

# How many objects the collector is asked about at a time: it stops all threads for each question.
_CHUNK = 500

# What lies behind these belongs to the program as a whole, or to a call that is under way.
_BORDERS: tuple[type, ...] = (
    type,
    types.ModuleType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
)

# The interpreter defers the counts of these from the start, which says nothing about what they
# refer to.
_BORN_DEFERRED: tuple[type, ...] = (types.FunctionType, staticmethod, classmethod)


class Walk:
    """One walk over what an object reaches, which visits each object once."""

    def __init__(
        self,
        enable: Callable[[Any], object],
        is_shared: Callable[[Any], bool],
        followed: dict[type, str],
    ) -> None:
        """`followed` has the types of ft_local, and which attribute of each is followed.

        The results that wait in an executor are not reached: the thread that loads one decides.
        """
        self._enable = enable
        self._is_shared = is_shared
        self._followed = followed
        self._seen: dict[int, object] = {}
        # Functions refer to the dictionary of their module and not to the module.
        self._module_dictionaries = {
            id(own_dictionary(module))
            for module in list(sys.modules.values())
            if issubclass(type(module), types.ModuleType)
        }

    def run(self, root: object) -> None:
        """Shares what `root` reaches, which is looked into even if it is shared already."""
        self._seen[id(root)] = root
        if issubclass(type(root), types.ModuleType):
            self._module_dictionaries.discard(id(own_dictionary(root)))
        # A dictionary that the root holds may be its own, with new entries.
        waiting = self._take(self._referents([root]), always=(*_BORN_DEFERRED, dict))
        while waiting:
            chunk = waiting[-_CHUNK:]
            del waiting[-_CHUNK:]
            waiting += self._take(self._referents(chunk), always=_BORN_DEFERRED)

    def _take(self, found: Iterable[object], always: tuple[type, ...]) -> list[object]:
        """Shares what was found; returns what of it is to be looked into."""
        deeper = []
        for obj in found:
            if not gc.is_tracked(obj) or id(obj) in self._seen or self._is_border(obj):
                continue
            self._seen[id(obj)] = obj
            if not self._is_shared(obj):
                self._enable(obj)
                deeper.append(obj)
            elif type(obj) in always:
                deeper.append(obj)
        return deeper

    def _is_border(self, obj: object) -> bool:
        # Not isinstance(), which asks a class of the program for its `__class__`.
        return issubclass(type(obj), _BORDERS) or id(obj) in self._module_dictionaries

    def _referents(self, chunk: list[object]) -> Iterator[object]:
        plain = []
        for obj in chunk:
            if type(obj) is types.FunctionType:
                environment = (obj.__globals__, obj.__builtins__)
                for referent in gc.get_referents(obj):
                    if not any(referent is one for one in environment):
                        yield referent
                continue
            for kind, name in self._followed.items():
                if issubclass(type(obj), kind):
                    yield from _attributes(obj, kind, name)
                    break
            else:
                plain.append(obj)
        yield from gc.get_referents(*plain)


def _attributes(obj: object, kind: type, followed: str) -> Iterator[object]:
    """What an object of ft_local refers to: one attribute, and what a subclass has added."""
    yield kind.__dict__[followed].__get__(obj, kind)
    if followed == "wrapped":
        # All other attributes of a wrapper are those of what it wraps, or of that one's class.
        return
    yield own_dictionary(obj)
    for _, content in slots(obj):
        yield content
