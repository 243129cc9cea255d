"""The library in the mode that is there, or that the environment asks for.

FT_LOCAL_CFFI is `api` or `abi`; without it, API mode is used where it was compiled. In ABI mode,
FT_LOCAL_LIBRARY is the path of the library, which the dynamic linker looks for otherwise.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, Callable

# How each callback is declared in ABI mode, and what stands for an exception in it.
SIGNATURES = {
    "fill": ("int32_t(void *, void **, size_t, size_t *)", 1),
    "fill_bulk": ("int32_t(void *, void **, size_t, size_t *)", 1),
    "release": ("void(void *, void *)", None),
    "interrupted": ("int32_t(void *)", 1),
    "interruptible": ("int32_t(void *)", 1),
    "wake": ("void(void *)", None),
}


def _open() -> tuple[str, Any, Any]:
    wanted = os.environ.get("FT_LOCAL_CFFI", "")
    if wanted not in ("", "api", "abi"):
        raise ImportError(f"FT_LOCAL_CFFI is {wanted!r}; it must be 'api' or 'abi', or not be set")
    if wanted != "abi":
        try:
            api = importlib.import_module("ft_local_cffi._api")
        except ModuleNotFoundError as error:
            if wanted:
                raise ImportError(
                    "API mode was not compiled; build this package without FT_LOCAL_CFFI_API=0"
                ) from error
        else:
            return "api", api.ffi, api.lib
    ffi = importlib.import_module("ft_local_cffi._abi").ffi
    # A constant needs no library: it comes from the header that this package was built with.
    number = ffi.dlopen(None).FT_LOCAL_ABI_VERSION
    try:
        lib = ffi.dlopen(os.environ.get("FT_LOCAL_LIBRARY") or f"libft_local.so.{number}")
    except OSError as error:
        raise ImportError(f"{error}; install ft_local, or set FT_LOCAL_LIBRARY to it") from error
    return "abi", ffi, lib


mode, ffi, lib = _open()

if lib.ft_local_abi_version() != lib.FT_LOCAL_ABI_VERSION:
    raise ImportError(
        f"the library has ABI {lib.ft_local_abi_version()}, and this package was built for "
        f"ABI {lib.FT_LOCAL_ABI_VERSION}; build the package again"
    )


def callback(name: str, function: Callable[..., Any], onerror: Callable[..., None] | None) -> Any:
    """A C function that calls `function`, and `onerror` with what that raises."""
    signature, error = SIGNATURES[name]
    if mode == "api":
        ffi.def_extern(name, error=error, onerror=onerror)(function)
        return getattr(lib, name)
    return ffi.callback(signature, function, error=error, onerror=onerror)
