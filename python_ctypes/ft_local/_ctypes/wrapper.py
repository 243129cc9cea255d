"""LocalWrapper: one thread's own proxy of an object that many threads share."""

from __future__ import annotations

import copy
import itertools
import operator
import sys
from collections.abc import Iterator
from reprlib import recursive_repr
from types import CoroutineType, GenericAlias
from typing import Any, Self, SupportsIndex

from ft_local import _arrays, _copying
from ft_local._settings import check_wraps, object_to_wrap

from .names import OF_CLASSES, OWN, WITHOUT_ARRAY, signature
from .operators import enter, methods, special


class LocalWrapper:
    """A transparent proxy of `wrapped`.

    Make one for each thread that uses a shared object: the object's reference count then changes
    when the wrapper is made and when it dies, and the thread counts on the wrapper in between.

    Attributes and operations go to the wrapped object, whose answers and exceptions come back
    unchanged. Only `wrapped` is the wrapper's own, and read-only. An in-place operation gives the
    wrapper itself if the object changed in place, and a new wrapper if it answered with another
    object: what a wrapper wraps never changes. A subclass keeps the attributes and methods that it
    declares; all others go to the wrapped object.

    Threads: owner thread only. Blocks: as the wrapped object does.

    What the C backend can do and this one cannot, because the interpreter asks no Python method
    for it: the buffer protocol before Python 3.12, and the bare object in `memoryview.obj` ever;
    `pow(2, 3, wrapper)`, and the first operand bare too, before 3.14; `operator.concat` with what
    is no sequence raises TypeError in other words.
    """

    # `wrapped` is the one reference to the object. A reference that the library held instead would
    # be hidden from the garbage collector, because a Python class cannot tell it (tp_traverse) of
    # what lies in foreign memory: no cycle through a wrapper would ever be freed.
    #
    # The others are never set. zoneinfo reads a byte in the third place of whatever has the
    # attributes of a datetime, where a datetime has its fold, and takes it for an index below 2.
    __slots__ = ("__weakref__", "_unset_1", "_unset_2", "_unset_3", "wrapped")

    __module__ = "ft_local"

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        self = object.__new__(cls)
        # The `__init__` of a subclass may take more arguments.
        has_init = cls.__init__ is not LocalWrapper.__init__  # type: ignore[misc]
        _set_wrapped(self, object_to_wrap(args, kwargs, not has_init))
        return self

    # What `inspect.signature` and `help` are to show.
    __new__.__wrapped__ = lambda cls, wrapped: None  # type: ignore[attr-defined]  # noqa: ARG005

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        if type(self).__new__ is not LocalWrapper.__new__:
            # What the `__new__` of a subclass has wrapped is its own affair.
            return
        check_wraps(_wrapped_by(self), args, kwargs)

    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias:
        return GenericAlias(cls, item)

    def __getattribute__(self, name: str, /) -> Any:
        if name in OWN or (type(self) is not LocalWrapper and _declares(type(self), name)):
            return object.__getattribute__(self, name)
        if name == "__signature__":
            return signature(unwrap(self))
        if name == "__array__" and type(unwrap(self)) in WITHOUT_ARRAY:
            return _arrays.array_of(unwrap(self))
        return getattr(unwrap(self), name)

    def __setattr__(self, name: str, value: object, /) -> None:
        if name == "wrapped":
            raise AttributeError("attribute 'wrapped' is read-only; make a new LocalWrapper")
        if name == "__orig_class__":
            # LocalWrapper[int](x) tries to leave that in the wrapper, and goes on without it.
            raise AttributeError(name)
        if type(self) is not LocalWrapper and _declares(type(self), name):
            object.__setattr__(self, name, value)
        else:
            setattr(unwrap(self), name, value)

    def __delattr__(self, name: str, /) -> None:
        if name == "wrapped":
            raise AttributeError("attribute 'wrapped' is read-only and cannot be deleted")
        if type(self) is not LocalWrapper and _declares(type(self), name):
            object.__delattr__(self, name)
        else:
            delattr(unwrap(self), name)

    @recursive_repr("<LocalWrapper: ...>")
    def __repr__(self) -> str:
        bare, depth = _below(self)
        inner = "<LocalWrapper: " * (depth - 1)
        return f"<{type(self).__name__}: {inner}{bare!r}{'>' * depth}"

    def __dir__(self) -> set[str]:
        names = {"wrapped", *dir(unwrap(self))}
        for base in _subclasses(type(self)):
            names.update(base.__dict__)
        return names

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return unwrap(self)(*args, **kwargs)

    def __pow__(self, other: object, modulus: object = None, /) -> Any:
        return pow(unwrap(self), unwrap(other), unwrap(modulus))

    def __rpow__(self, other: object, modulus: object = None, /) -> Any:
        return pow(unwrap(other), unwrap(self), unwrap(modulus))

    def __round__(self, ndigits: SupportsIndex | None = None, /) -> Any:
        return round(unwrap(self), ndigits)

    def __format__(self, format_spec: str, /) -> str:
        return format(unwrap(self), format_spec)

    def __contains__(self, item: object, /) -> bool:
        return unwrap(item) in unwrap(self)

    def __getitem__(self, key: object, /) -> Any:
        return unwrap(self)[key]

    def __setitem__(self, key: object, value: object, /) -> None:
        unwrap(self)[key] = value

    def __delitem__(self, key: object, /) -> None:
        del unwrap(self)[key]

    def __length_hint__(self) -> int:
        hint = operator.length_hint(unwrap(self), -1)
        # It leaves it to the caller to have a default.
        return NotImplemented if hint < 0 else hint

    def __next__(self) -> Any:
        bare = unwrap(self)
        if type(bare) is CoroutineType:
            # An event loop steps a coroutine by `next` if it can, and `send` if it cannot.
            return bare.send(None)
        return next(bare)

    def __enter__(self) -> Any:
        return enter(unwrap(self), "__enter__", "__exit__", "context manager")

    def __exit__(self, kind: object, value: object, traceback: object, /) -> Any:
        return special(unwrap(self), "__exit__")(kind, value, traceback)

    def __aenter__(self) -> Any:
        return enter(unwrap(self), "__aenter__", "__aexit__", "asynchronous context manager")

    def __aexit__(self, kind: object, value: object, traceback: object, /) -> Any:
        return special(unwrap(self), "__aexit__")(kind, value, traceback)

    def __await__(self) -> Iterator[Any]:
        return _awaited(unwrap(self)).__await__()

    def __instancecheck__(self, instance: object, /) -> bool:
        return isinstance(instance, unwrap(self))

    def __subclasscheck__(self, subclass: type, /) -> bool:
        return issubclass(subclass, unwrap(self))

    def __mro_entries__(self, bases: tuple[Any, ...], /) -> tuple[Any, ...]:
        bare = unwrap(self)
        if isinstance(bare, type) or not hasattr(bare, "__mro_entries__"):
            return (bare,)
        entries: tuple[Any, ...] = bare.__mro_entries__(bases)
        return entries

    def __set_name__(self, owner: type, name: str, /) -> None:
        bare = unwrap(self)
        if hasattr(type(bare), "__set_name__"):
            special(bare, "__set_name__")(owner, name)

    def __array_ufunc__(self, function: Any, method: str, /, *args: Any, **kwargs: Any) -> Any:
        return _arrays.ufunc(function, method, args, kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any], /
    ) -> Any:
        return _arrays.function(function, types, args, kwargs)

    def __copy__(self) -> LocalWrapper:
        bare = _wrapped_by(self)
        if type(self) is not LocalWrapper:
            return _copying.shallow(self, bare)
        return LocalWrapper(copy.copy(bare))

    def __deepcopy__(self, memo: dict[int, Any], /) -> LocalWrapper:
        bare = _wrapped_by(self)
        if type(self) is not LocalWrapper:
            return _copying.deep(self, bare, memo)
        copied = copy.deepcopy(bare, memo)
        # An object that refers to its own wrapper has had that copied too.
        meanwhile: LocalWrapper | None = memo.get(id(self))
        return LocalWrapper(copied) if meanwhile is None else meanwhile

    def __reduce__(self) -> tuple[Any, ...]:
        bare = _wrapped_by(self)
        return (
            (LocalWrapper, (bare,)) if type(self) is LocalWrapper else _copying.reduce(self, bare)
        )

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[Any, ...]:
        return self.__reduce__()

    if sys.version_info >= (3, 12):

        def __buffer__(self, flags: int, /) -> memoryview:
            return memoryview(unwrap(self))

        def __release_buffer__(self, view: memoryview, /) -> None:
            view.release()


_slot = LocalWrapper.__dict__["wrapped"]
_wrapped_by = _slot.__get__
_set_wrapped = _slot.__set__


def _below(wrapper: LocalWrapper) -> tuple[Any, int]:
    """The object under a wrapper and the plain wrappers in it, and how many wrappers that were.

    A loop, so that a chain of wrappers of any length needs no more stack than one. It stops at a
    wrapper of a subclass, which may have methods of its own.
    """
    depth = 1
    below = _wrapped_by(wrapper)
    while type(below) is LocalWrapper:
        below = _wrapped_by(below)
        depth += 1
    return below, depth


def unwrap(operand: object) -> Any:
    """The object in a wrapper, without the plain wrappers in between; anything else as it is."""
    if issubclass(type(operand), LocalWrapper):
        operand = _wrapped_by(operand)
    while type(operand) is LocalWrapper:
        operand = _wrapped_by(operand)
    return operand


def _rewrap(wrapper: LocalWrapper, bare: object) -> object:
    """Wraps `bare` as often as `wrapper` wraps its object."""
    for _ in range(_below(wrapper)[1]):
        bare = LocalWrapper(bare)
    return bare


def _subclasses(kind: type) -> Iterator[type]:
    """The classes that come before LocalWrapper in the order of `kind`."""
    return itertools.takewhile(lambda base: base is not LocalWrapper, kind.__mro__)


def _declares(kind: type, name: str) -> bool:
    """Whether `kind`, which is derived from LocalWrapper, has the attribute `name` of its own."""
    return name not in OF_CLASSES and any(name in base.__dict__ for base in _subclasses(kind))


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def _install_operators() -> None:
    for name, method in methods(unwrap, _rewrap):
        method.__name__ = name
        method.__qualname__ = f"LocalWrapper.{name}"
        setattr(LocalWrapper, name, method)


_install_operators()
