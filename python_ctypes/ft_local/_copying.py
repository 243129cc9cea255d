"""Copies and pickles of LocalWrapper, which are wrappers of the copied object.

A subclass adds what `object` would copy for it: the dictionary of the instance, what its slots
hold, and its own `__reduce__`, `__getstate__`, `__setstate__` and `__getnewargs__` if it has them.
Every name is looked up in the subclass, because the attributes of a wrapper are those of the
wrapped object. Both backends use these functions.
"""

from __future__ import annotations

import copy
import copyreg
import itertools
from collections.abc import Iterator
from typing import Any


def _subclasses(kind: type) -> Iterator[type]:
    """The classes that come before LocalWrapper in the order of `kind`, a subclass or itself."""
    return itertools.takewhile(lambda base: base.__module__ != "ft_local", kind.__mro__)


def _own(wrapper: Any, name: str) -> Any:
    """The method `name` that a subclass defines, bound; None if none does."""
    for base in _subclasses(type(wrapper)):
        if name in base.__dict__:
            found = base.__dict__[name]
            return found.__get__(wrapper, type(wrapper)) if hasattr(found, "__get__") else found
    return None


def _slot_names(base: type) -> Iterator[str]:
    slots = base.__dict__.get("__slots__", ())
    for name in (slots,) if isinstance(slots, str) else tuple(slots):
        if name in ("__dict__", "__weakref__"):
            continue
        private = name.startswith("__") and not name.endswith("__") and base.__name__.strip("_")
        yield f"_{base.__name__.lstrip('_')}{name}" if private else name


def _state(wrapper: Any) -> Any:
    """What a subclass keeps in `wrapper`, as `object.__getstate__` gives it; None if nothing."""
    get_state = _own(wrapper, "__getstate__")
    if get_state is not None:
        return get_state()
    attributes, slots = None, {}
    for base in _subclasses(type(wrapper)):
        if "__dict__" in base.__dict__:
            attributes = base.__dict__["__dict__"].__get__(wrapper) or None
        for name in _slot_names(base):
            try:
                slots[name] = base.__dict__[name].__get__(wrapper)
            except (AttributeError, KeyError):
                continue  # Empty, or replaced after the class was made.
    return (attributes, slots) if slots else attributes


def set_state(made: Any, state: Any) -> None:
    """Gives a new wrapper of a subclass what the subclass had kept in another. In pickles."""
    own = _own(made, "__setstate__")
    if own is not None:
        own(state)
        return
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in {**(attributes or {}), **(slots or {})}.items():
        _set_attribute(made, name, value)


def _set_attribute(made: Any, name: str, value: Any) -> None:
    dictionary = None
    for base in _subclasses(type(made)):
        found: Any = base.__dict__.get(name)
        if hasattr(type(found), "__set__"):
            found.__set__(made, value)
            return
        dictionary = dictionary or base.__dict__.get("__dict__")
    if dictionary is None:
        raise AttributeError(f"a {type(made).__name__} has no place for the attribute {name!r}")
    dictionary.__get__(made)[name] = value


def make(kind: Any, wrapped: object) -> Any:
    """A wrapper of the subclass `kind`, whose `__init__` is not called. In pickles."""
    base = next(base for base in kind.__mro__ if base.__module__ == "ft_local")
    return base.__new__(kind, wrapped)


def _new_arguments(wrapper: Any) -> tuple[Any, Any] | None:
    """What a subclass wants its `__new__` to be called with; None if it does not say."""
    extended = _own(wrapper, "__getnewargs_ex__")
    if extended is not None:
        args, kwargs = extended()
        return args, kwargs
    plain = _own(wrapper, "__getnewargs__")
    return None if plain is None else (plain(), {})


def reduce(wrapper: Any, wrapped: object) -> tuple[Any, ...]:
    """What `__reduce__` of a subclass gives that has none of its own."""
    kind = type(wrapper)
    state = _state(wrapper)
    made_alike = _own(wrapper, "__init__") is _own(wrapper, "__new__") is None
    arguments = _new_arguments(wrapper)
    if arguments is not None:
        made: tuple[Any, ...] = (copyreg.__newobj_ex__, (kind, *arguments))  # type: ignore[attr-defined]
    elif made_alike and state is None:
        made = (kind, (wrapped,))
    else:
        made = (make, (kind, wrapped))
    return made if state is None else (*made, state, None, None, set_state)


def _reduced_by_subclass(wrapper: Any) -> Any:
    extended = _own(wrapper, "__reduce_ex__")
    if extended is not None:
        return extended(4)
    plain = _own(wrapper, "__reduce__")
    if plain is not None:
        return plain()
    return None if _new_arguments(wrapper) is None else reduce(wrapper, None)


def _rebuild(wrapper: Any, reduced: Any, memo: dict[int, Any] | None) -> Any:
    """What the `copy` module makes of the answer of `__reduce__`."""

    def copied(part: Any) -> Any:
        return part if memo is None else copy.deepcopy(part, memo)

    if isinstance(reduced, str):
        return wrapper
    parts: tuple[Any, ...] = (*reduced, *(None,) * (6 - len(reduced)))
    function, args, state, items, pairs, setter = parts
    made = function(*copied(args))
    if memo is not None:
        memo[id(wrapper)] = made
    if state is not None:
        (setter or set_state)(made, copied(state))
    for item in items or ():
        made.append(copied(item))
    for key, value in pairs or ():
        made[copied(key)] = copied(value)
    return made


def shallow(wrapper: Any, wrapped: object) -> Any:
    """`copy.copy` of a wrapper of a subclass, which wraps `wrapped`."""
    reduced = _reduced_by_subclass(wrapper)
    if reduced is not None:
        return _rebuild(wrapper, reduced, None)
    made = make(type(wrapper), copy.copy(wrapped))
    state = _state(wrapper)
    if state is not None:
        set_state(made, state)
    return made


def deep(wrapper: Any, wrapped: object, memo: dict[int, Any]) -> Any:
    """`copy.deepcopy` of a wrapper of a subclass, which wraps `wrapped`."""
    reduced = _reduced_by_subclass(wrapper)
    if reduced is not None:
        return _rebuild(wrapper, reduced, memo)
    copied = copy.deepcopy(wrapped, memo)
    # An object that refers to its own wrapper has had that copied too.
    if id(wrapper) in memo:
        return memo[id(wrapper)]
    made = memo[id(wrapper)] = make(type(wrapper), copied)
    state = _state(wrapper)
    if state is not None:
        set_state(made, copy.deepcopy(state, memo))
    return made
