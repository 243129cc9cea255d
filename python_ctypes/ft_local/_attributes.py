"""What an object is made of, found without running any of its code."""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_bases = type.__dict__["__mro__"].__get__
_names = type.__dict__["__dict__"].__get__

# The interpreter's own kinds of descriptor for a place in an object: getting one runs no Python.
_DICTIONARY = types.GetSetDescriptorType
_SLOT = types.MemberDescriptorType


def class_dictionary(cls: type) -> dict[str, Any]:
    """A copy of the dictionary of a class."""
    return dict(_names(cls))


def own_dictionary(obj: object) -> dict[str, Any] | None:
    """The dictionary of an instance or a module, None if it has none that is an ordinary one."""
    for cls in _bases(type(obj)):
        entry = _names(cls).get("__dict__")
        if type(entry) in (_DICTIONARY, _SLOT):
            found = entry.__get__(obj, cls)
            return found if type(found) is dict else None
        if entry is not None:
            return None
    return None


def slots(obj: object) -> Iterator[tuple[str, Any]]:
    """The names and contents of the slots that an object has and that are not empty."""
    for cls in _bases(type(obj)):
        for name, entry in class_dictionary(cls).items():
            if type(entry) is _SLOT and name != "__dict__":
                try:
                    yield name, entry.__get__(obj, cls)
                except AttributeError:
                    continue
