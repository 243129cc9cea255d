"""CPython's functions for deferred and immortal objects, None if the interpreter lacks them.

They take addresses: of an object, ctypes asks isinstance(), which runs code of the program.
"""

import ctypes
from collections.abc import Callable
from ctypes import c_int, c_void_p, py_object
from typing import Any

from . import host


def _function(name: str) -> Callable[[int], int] | None:
    try:
        return ctypes.PYFUNCTYPE(c_int, c_void_p)((name, ctypes.pythonapi))
    except AttributeError:
        return None


_enable_deferred = _function("PyUnstable_Object_EnableDeferredRefcount")
_set_immortal = _function("PyUnstable_SetImmortal")
_is_immortal = _function("PyUnstable_IsImmortal")
_call = ctypes.PYFUNCTYPE(c_void_p, c_void_p)(("PyObject_CallNoArgs", ctypes.pythonapi))


def enable_deferred(obj: object, /) -> bool:
    """Defers the count of an object; whether that changed anything."""
    return _enable_deferred is not None and bool(_enable_deferred(id(obj)))


def call_immortal(factory: Callable[[], Any], /) -> Any:
    """What factory() returns, immortal if the interpreter can make it so.

    CPython makes an object immortal only while nobody but its maker refers to it, so the result is
    an address until then: a Python variable would be another reference.
    """
    address = _call(id(factory))
    try:
        if _set_immortal is not None:
            _set_immortal(address)
        return ctypes.cast(address, py_object).value
    finally:
        host.release(address)


def is_immortal(obj: object, /) -> bool:
    """Whether an object is immortal; False if the interpreter cannot say."""
    return _is_immortal is not None and bool(_is_immortal(id(obj)))
