"""`share`, `immortal` and `sharing`: objects that many threads use without counting.

CPython 3.14 and later without the GIL can *defer* the count of an object: references from running
functions are not counted, the garbage collector finds them instead. From 3.15 on it can also make
an object *immortal*, so that nobody counts at all. Neither can be asked for in Python; the backends
have the interpreter's functions for it.
"""

from __future__ import annotations

import gc
import sys

from ._backend import module as _backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    _T = TypeVar("_T")

# To defer a count, CPython adds an eighth of the largest number to it.
_LEAST_DEFERRED = sys.maxsize // 16

# Before CPython says itself what is immortal, a count without end means it.
_LEAST_IMMORTAL = 1 << 31


def share(obj: _T, *, deep: bool = False) -> _T:
    """Makes `obj` cheap to use in every thread, and returns it.

    On CPython 3.14 and later without the GIL the object's count is deferred: code in Python uses
    it without writing to the count, however it is reached. Its price: the garbage collector alone
    frees the object, some time after the last use; what it refers to lives as long. Share what
    lives as long as the program, or nearly so.

    With `deep`, so is what the object reaches through attributes, slots, containers, closures and
    bound methods. Modules, classes and what is shared already end the walk, `obj` itself excepted:
    share it again after it has changed. No code of the program runs meanwhile.

    On other interpreters, and with the GIL, nothing changes. The same holds for objects that the
    collector does not know, such as strings, numbers and tuples of these: for them there is
    `intern`. C code that takes references goes on counting: for that there is `immortal`. `sharing`
    says what was done.
    """
    if not isinstance(deep, bool):
        raise TypeError(f"deep must be a bool, got {type(deep).__name__!r}")
    if issubclass(type(obj), _backend.LocalWrapper):
        raise TypeError("a LocalWrapper belongs to one thread: share what it wraps")
    if threads_fight():
        _enable(obj)
        if deep:
            from ._sharing_deep import Walk  # noqa: PLC0415 - importing ft_local stays quick

            Walk(_enable, _is_shared, _FOLLOWED).run(obj)
    return obj


def immortal(factory: Callable[[], _T]) -> _T:
    """Calls `factory` and makes the result immortal before anybody else sees it.

    On CPython 3.15 and later without the GIL nobody counts references to it any more, C code
    included. Its price: it is never freed, nor is what it refers to, and its finalizer never runs.
    Make only so many as the program needs for as long as it runs.

    The interpreter refuses strings, and objects that the factory has also stored elsewhere, as a
    class. What cannot be immortal, here or on CPython 3.14, is shared as `share` does it.
    `sharing` says what was done. With the GIL, or on older interpreters, nothing changes.
    """
    if not callable(factory):
        raise TypeError(
            f"factory must be callable without arguments, got {type(factory).__name__!r}: an "
            "object that exists already cannot be made immortal"
        )
    if not threads_fight():
        return factory()
    result: _T = _backend.call_immortal(factory)
    _enable(result)
    return result


def sharing(obj: object) -> Literal["deferred", "immortal", "counted"]:
    """How references to `obj` are counted.

    "deferred": not by running functions of Python. "immortal": not at all. "counted": by all.
    """
    if _backend.is_immortal(obj):
        return "immortal"
    count = sys.getrefcount(obj)
    if count >= _LEAST_DEFERRED:
        return "deferred"
    if count >= _LEAST_IMMORTAL and (3, 12) <= sys.version_info < (3, 14):
        return "immortal"
    return "counted"


def threads_fight() -> bool:
    """Whether threads run at the same time, and so fight over counts."""
    # It may change: a module that needs the GIL switches it on.
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


def _is_shared(obj: object) -> bool:
    return sharing(obj) != "counted"


def _enable(obj: object) -> None:
    if type(obj) is tuple and not _stays_tracked(obj):
        return
    if not issubclass(type(obj), _backend.LocalWrapper):
        _backend.enable_deferred(obj)


def _stays_tracked(values: tuple[Any, ...]) -> bool:
    """Whether the collector will go on to track a tuple.

    It forgets one that holds nothing but plain values, and would then never free it.
    """
    seen = {id(values)}
    waiting = [values]
    while waiting:
        for item in waiting.pop():
            if type(item) is tuple:
                if id(item) not in seen:
                    seen.add(id(item))
                    waiting.append(item)
            elif gc.is_tracked(item):
                return True
    return False


# The types of ft_local, and what a walk follows of each.
_FOLLOWED = {
    _backend.BatchExecutor: "source",
    _backend.Cursor: "executor",
    _backend.LocalWrapper: "wrapped",
}
