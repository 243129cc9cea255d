"""ft_local by ctypes: LocalWrapper and BatchExecutor where no C shim was compiled.

Its modules have the names of the library's: `library` finds and describes it, `host` is CPython's
host table, `batch` and `wrapper` are the two types, and `operators` is the long table of what a
wrapper passes on. Its names are those of the C shim.
"""

from .batch import BatchExecutor
from .library import MAX_SIZE, abi_version, library_path, library_version
from .wrapper import LocalWrapper

__all__ = [
    "MAX_SIZE",
    "BatchExecutor",
    "LocalWrapper",
    "abi_version",
    "library_path",
    "library_version",
]
