"""The shared library: where it is, what its functions take, and whether it is the right one."""

import ctypes
import os
import sys
from ctypes import (
    POINTER,
    byref,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any

from ft_local import _outcomes

ABI_VERSION = 0

# The most objects that an array in memory has room for.
MAX_COUNT = sys.maxsize // ctypes.sizeof(c_void_p)

# There will never be another result.
NOTHING_MORE = (_outcomes.ERR_END, _outcomes.ERR_CLOSED)

FILE_NAME = (
    f"libft_local.{ABI_VERSION}.dylib"
    if sys.platform == "darwin"
    else f"libft_local.so.{ABI_VERSION}"
)


class Host(ctypes.Structure):
    """`ft_local_host`. The functions are plain addresses: they are the interpreter's own."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("ctx", c_void_p),
        ("retain", c_void_p),
        ("release", c_void_p),
        ("retain_plain", c_void_p),
        ("release_plain", c_void_p),
        ("block", c_void_p),
        ("detach", c_void_p),
        ("attach", c_void_p),
        ("interrupted", c_void_p),
        ("interrupted_plain", c_void_p),
        ("interruptible", c_void_p),
        ("interruptible_plain", c_void_p),
        ("free_ctx", c_void_p),
        ("one_lock", c_size_t),
        ("fiber", c_void_p),
        ("whole_fills", c_size_t),
    ]


class Source(ctypes.Structure):
    """`ft_local_source`. Its `ctx` is borrowed: the library takes no reference to it."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("ctx", c_void_p),
        ("fill", c_void_p),
        ("next_plain", c_void_p),
        ("ended_plain", c_void_p),
        ("ended_ctx", c_void_p),
        ("fill_with", c_void_p),
        ("free_ctx", c_void_p),
    ]


class BatchOptions(ctypes.Structure):
    """`ft_local_batch_options`. Zero is the default of each."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("fill_budget", c_size_t),
        ("low_water", c_size_t),
        ("on_fork", c_int32),
        ("reserved", c_int32),
        ("wipe", c_int32),
        ("reserved_after_wipe", c_int32),
        ("fillers", c_size_t),
    ]


class Stats(ctypes.Structure):
    """`ft_local_stats`."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("loads", c_uint64),
        ("claims", c_uint64),
        ("claimed", c_uint64),
        ("fills", c_uint64),
        ("produced", c_uint64),
        ("waits", c_uint64),
        ("wait_ns", c_uint64),
        ("source_ns", c_uint64),
        ("errors", c_uint64),
        ("given_back", c_uint64),
        ("released", c_uint64),
        ("dropped_on_fork", c_uint64),
    ]


def _candidates() -> list[str]:
    """Where the library may be, the best place first; a bare name is the system's to find."""
    given = os.environ.get("FT_LOCAL_LIBRARY")
    if given:
        return [given]
    return [str(Path(__file__).parents[1] / FILE_NAME), FILE_NAME]


def _open() -> ctypes.PyDLL:
    """Loads the library by PyDLL, which keeps the interpreter's lock during a call.

    It must: the library calls Py_NewRef and Py_DecRef, and gives the lock up itself where it waits.
    """
    failures = []
    for name in _candidates():
        try:
            return ctypes.PyDLL(name)
        except OSError as error:
            failures.append(str(error))
    if not Path(__file__).is_file():
        raise ImportError(
            f"ft_local cannot run from an archive, as {__file__} is in: no loader takes a shared "
            "library out of one; unpack it, or install ft_local"
        )
    raise ImportError(
        f"ft_local found no {FILE_NAME} that it could load ({'; '.join(failures)}); "
        "install ft_local again, or set FT_LOCAL_LIBRARY to the path of the library"
    )


def _checked(library: ctypes.PyDLL) -> ctypes.PyDLL:
    """The library, if its binary interface is the one that this package was written for."""
    name = library._name  # noqa: SLF001 - documented
    try:
        ask = library.ft_local_abi_version
    except AttributeError:
        raise ImportError(
            f"{name} is not libft_local: it has no ft_local_abi_version; "
            "set FT_LOCAL_LIBRARY to the path of the right library"
        ) from None
    ask.restype = c_uint32
    found = ask()
    if found != ABI_VERSION:
        raise ImportError(
            f"{name} has ABI version {found}, but this ft_local needs {ABI_VERSION}; "
            f"install the {FILE_NAME} that belongs to it, or set FT_LOCAL_LIBRARY to its path"
        )
    return library


_library = _checked(_open())


def _function(name: str, result: type[Any] | None, *arguments: type[Any]) -> Any:
    function = getattr(_library, f"ft_local_{name}")
    function.restype = result
    function.argtypes = arguments
    return function


last_error = _function("last_error", c_char_p)
status_text = _function("status_text", c_char_p, c_int32)

batch_new_with = _function(
    "batch_new_with",
    c_int32,
    POINTER(Host),
    POINTER(Source),
    c_size_t,
    POINTER(BatchOptions),
    POINTER(c_void_p),
)
batch_load = _function("batch_load", c_int32, c_void_p, c_void_p)
batch_load_for = _function("batch_load_for", c_int32, c_void_p, c_int64, c_void_p)
batch_try_load = _function("batch_try_load", c_int32, c_void_p, c_void_p)
batch_load_many = _function(
    "batch_load_many", c_int32, c_void_p, c_size_t, c_int64, c_void_p, c_void_p
)
batch_load_now = _function("batch_load_now", c_int32, c_void_p, c_void_p)
batch_notify = _function("batch_notify", c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
batch_forget = _function("batch_forget", c_int32, c_void_p, c_uint64)
batch_give_back = _function("batch_give_back", c_int32, c_void_p, c_void_p, c_size_t)
batch_prefill = _function("batch_prefill", c_int32, c_void_p, c_size_t, c_size_t, c_int64, c_void_p)
batch_close = _function("batch_close", c_int32, c_void_p)
batch_is_closed = _function("batch_is_closed", c_int32, c_void_p)
batch_stats = _function("batch_stats", c_int32, c_void_p, POINTER(Stats))
batch_len = _function("batch_len", c_size_t, c_void_p)
batch_free = _function("batch_free", None, c_void_p)

cursor_new = _function("cursor_new", c_int32, c_void_p, POINTER(c_void_p))
cursor_next = _function("cursor_next", c_int32, c_void_p, c_void_p)
cursor_next_for = _function("cursor_next_for", c_int32, c_void_p, c_int64, c_void_p)
cursor_next_now = _function("cursor_next_now", c_int32, c_void_p, c_void_p)
cursor_len = _function("cursor_len", c_size_t, c_void_p)
cursor_free = _function("cursor_free", None, c_void_p)


def exception(status: int) -> Exception:
    """What to raise for a failure that is not an exception already."""
    text, argument = status_text(status), last_error()
    return _outcomes.failure(status, text.decode(), argument.decode())


_version = _function("version", c_char_p)


def library_version() -> str:
    """The version of the libft_local that was loaded."""
    text: bytes = _version()
    return text.decode()


def abi_version() -> int:
    """The version of the binary interface of the libft_local that was loaded."""
    number: int = _library.ft_local_abi_version()
    return number


class _DlInfo(ctypes.Structure):
    _fields_ = [
        ("dli_fname", c_char_p),
        ("dli_fbase", c_void_p),
        ("dli_sname", c_char_p),
        ("dli_saddr", c_void_p),
    ]


def library_path() -> str:
    """The absolute path of the libft_local that was loaded."""
    info = _DlInfo()
    if not ctypes.PyDLL(None).dladdr(_version, byref(info)):
        raise OSError("the dynamic linker does not know where libft_local is")
    return str(Path(os.fsdecode(info.dli_fname)).resolve())
