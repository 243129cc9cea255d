"""BatchExecutor: a source run in one thread at a time, its results handed to many."""

from __future__ import annotations

import operator
from collections.abc import Callable
from ctypes import ArgumentError, addressof, byref, c_void_p, py_object
from reprlib import recursive_repr
from types import GenericAlias
from typing import Any, NoReturn, Self, SupportsIndex

from . import host, library
from .wrapper import LocalWrapper


class _Handle(int):
    """The address of an `ft_local_batch`, which is freed with the last reference to this object.

    The garbage collector does not know of it. It would otherwise free the batch at the same time
    as it runs the finalizers of the garbage around it, and one of these may load.
    """

    __slots__ = ()

    @classmethod
    def of(cls, source: Callable[[], Any], size: int) -> _Handle:
        """Makes a batch that calls `source`, to which it holds no reference."""
        table = host.source_table(source)
        address = c_void_p()
        status = library.batch_new(byref(host.table), byref(table), size, byref(address))
        if status:
            raise library.exception(status)
        handle = cls(address.value or 0)
        host.untrack(id(handle))
        return handle

    # A default argument, because the module's names may be gone when the interpreter ends.
    def __del__(self, free: Callable[[int], None] = library.batch_free) -> None:
        free(self)


class BatchExecutor:
    """Runs `source` to fill a buffer of `size` results, which any thread may load.

    One thread at a time runs the source: the one whose `load` found the buffer empty. Each result
    goes to exactly one caller. It pays when the source is dear, or must not run in two threads at
    once; a cheap source that many threads may call is faster without.

    Threads: any thread, at once. Lifetime: the executor keeps the source alive, and the results
    that nobody has loaded yet. The garbage collector cannot free a cycle through such a result in
    this backend: ctypes has no way to show it what the library holds.

    A subclass has the methods that it adds. Its `__init__` may take more arguments after these two.
    """

    # In this order: the garbage collector takes the handle, without which nobody can load, before
    # the source, which the handle only borrows.
    __slots__ = ("__weakref__", "_handle", "_size", "_source")

    __module__ = "ft_local"

    _handle: _Handle
    _size: int
    _source: Callable[[], Any]

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        source, size = _first_arguments(cls, args, kwargs)
        if not callable(source):
            raise TypeError(f"source must be callable, got {type(source).__name__!r}")
        count = _checked_size(size)
        self = object.__new__(cls)
        self._source = source
        self._size = count
        self._handle = _Handle.of(source, count)
        return self

    # What `inspect.signature` and `help` are to show.
    __new__.__wrapped__ = lambda cls, source, size: None  # type: ignore[attr-defined]  # noqa: ARG005

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        if type(self).__new__ is not BatchExecutor.__new__:
            # What the `__new__` of a subclass has made of it is its own affair.
            return
        source, _ = _arguments(*args, **kwargs)
        if source is not self._source:
            raise TypeError(
                "a BatchExecutor never changes its source, which is the first argument of the "
                "constructor; a subclass that has another needs __new__"
            )

    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias:
        return GenericAlias(cls, item)

    def load(self) -> Any:
        """Takes the next result, in the order in which the source made them.

        Blocks while another thread runs the source and nothing is ready; Ctrl-C ends the wait in
        the main thread. If the source, run by this call, raises, the same exception comes out of
        here, and what it had made before goes to later loads. RuntimeError if the source itself
        loads from this executor.
        """
        try:
            handle = self._handle
        except AttributeError:
            raise RuntimeError(
                "this BatchExecutor has no source any more: the garbage collector took it"
            ) from None
        out: py_object[Any] = py_object()
        try:
            # Raises what the source has raised, or a signal's handler.
            status = library.batch_load(handle, addressof(out))
        except ArgumentError as error:
            # Both arguments are integers. What ctypes could not do with them is call a function.
            raise RecursionError(str(error)) from None
        if status:
            raise self._error(status)
        result = out.value
        # `result` has a reference of its own; this one is what the library handed over.
        host.release(id(result))
        return result

    def as_local(self) -> LocalWrapper:
        """A new LocalWrapper of this executor, for one thread to use."""
        return LocalWrapper(self)

    @property
    def size(self) -> int:
        """How many results one fill makes at most."""
        return self._size

    @property
    def source(self) -> Callable[[], Any]:
        """What makes the results."""
        return self._source

    def __len__(self) -> int:
        """How many results are ready; a moment later there may be others."""
        count: int = library.batch_len(self._handle)
        return count

    def __bool__(self) -> bool:
        """True: an executor without ready results is as good as any other."""
        return True

    @recursive_repr("<BatchExecutor: ...>")
    def __repr__(self) -> str:
        return f"<BatchExecutor: source={self.source!r}, size={self.size}, ready={len(self)}>"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise TypeError(
            f"cannot pickle or copy {type(self).__name__!r} object: each of its results goes to "
            "one caller; make another from its source instead"
        )

    def _error(self, status: int) -> Exception:
        """What to raise for a failure that is not an exception already."""
        if status == library.ERR_REENTRANT:
            return RuntimeError(
                f"source {self._source!r} called load() of the BatchExecutor that it fills"
            )
        return library.exception(status)


def _arguments(source: Any, size: Any) -> tuple[Any, Any]:
    return source, size


# The name in the errors for wrong arguments.
_arguments.__qualname__ = "BatchExecutor"


def _first_arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Source and size among the arguments of the constructor of `cls`. TypeError without them."""
    if cls.__init__ is not BatchExecutor.__init__:  # type: ignore[misc]
        # The other arguments are for the `__init__` of a subclass to judge.
        kwargs = {name: kwargs[name] for name in ("source", "size") if name in kwargs}
        args = args[: 2 - len(kwargs)]
    return _arguments(*args, **kwargs)


def _checked_size(size: SupportsIndex) -> int:
    if isinstance(size, bool):
        raise TypeError("size must be an int, got 'bool'")
    try:
        count = operator.index(size)
    except TypeError:
        if hasattr(type(size), "__index__"):
            raise
        raise TypeError(f"size must be an int, got {type(size).__name__!r}") from None
    if not 1 <= count <= library.MAX_SIZE:
        raise ValueError(f"size must be between 1 and {library.MAX_SIZE}, got {count}")
    return count
