"""CPython as the host: its own functions, by address, with no Python code in between.

Py_NewRef and Py_DecRef retain and release; PyEval_SaveThread and PyEval_RestoreThread bracket a
wait; PyErr_CheckSignals lets Ctrl-C end one; PyObject_CallNoArgs calls the source, and
PyErr_ExceptionMatches tells StopIteration from its failures. What they raise they leave pending,
and `ctypes.PyDLL` raises a pending exception by itself once the library's function has returned.
"""

import ctypes
import sys
from collections.abc import Callable
from ctypes import c_void_p
from typing import Any

from . import library

if sys.implementation.name != "cpython":
    raise ImportError(
        f"ft_local needs CPython's functions, which {sys.implementation.name} does not have; "
        "use libft_local through cffi there"
    )


def _address(name: str) -> int | None:
    return ctypes.cast(getattr(ctypes.pythonapi, name), c_void_p).value


def _address_if_any(name: str) -> int | None:
    """The address of a function that is no part of the documented interface."""
    return _address(name) if hasattr(ctypes.pythonapi, name) else None


def _function(name: str, result: type[Any] | None) -> Any:
    # A prototype of its own: `ctypes.pythonapi.X` is one object for the whole process, and other
    # packages set its types too. By address, because ctypes asks isinstance() of anything else,
    # and makes an ArgumentError of the RecursionError that this may raise.
    return ctypes.PYFUNCTYPE(result, c_void_p)((name, ctypes.pythonapi))


# Gives up a reference that no Python variable stands for.
release = _function("Py_DecRef", None)

# Takes over a reference: the object at an address, in one call of C code, within which no handler
# of a signal can raise. memmove returns its first argument, here after it has moved 0 bytes (None,
# because numbers of other types than addresses are asked by isinstance, as above), and ctypes takes
# an object that a function returns for a new reference.
adopt = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_void_p, c_void_p)(
    ("memmove", ctypes.pythonapi)
)

# Takes a reference that no Python variable stands for.
retain = _function("Py_IncRef", None)

# Hides an object from the garbage collector.
untrack = _function("PyObject_GC_UnTrack", None)

table = library.Host(
    struct_size=ctypes.sizeof(library.Host),
    retain_plain=_address("Py_NewRef"),
    release_plain=_address("Py_DecRef"),
    detach=_address("PyEval_SaveThread"),
    attach=_address("PyEval_RestoreThread"),
    interrupted_plain=_address("PyErr_CheckSignals"),
    # Handlers of signals run in the main thread alone. Without it, every thread looks up now and
    # then.
    interruptible_plain=_address_if_any("_PyOS_IsMainThread"),
    # Builds without the GIL may be run with it.
    one_lock=getattr(sys, "_is_gil_enabled", lambda: True)(),
    whole_fills=1,
)


# Calls an object's `__del__`, and keeps an exception that is pending: that of the source, for
# instance. See `waiting.py`.
finalize = _address("PyObject_CallFinalizer")


def source_table(source: Callable[[], Any]) -> library.Source:
    """The source as the library sees it: an address that it calls, and holds no reference to."""
    return library.Source(
        struct_size=ctypes.sizeof(library.Source),
        ctx=id(source),
        next_plain=_address("PyObject_CallNoArgs"),
        ended_plain=_address("PyErr_ExceptionMatches"),
        ended_ctx=id(StopIteration),
    )
