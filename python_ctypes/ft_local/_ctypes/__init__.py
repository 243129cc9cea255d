"""ft_local by ctypes: LocalWrapper, BatchExecutor and Cursor where no C shim was compiled.

Its modules have the names of the library's: `library` finds and describes it, `host` is CPython's
host table, `handle` what the library makes, `source` what it calls, and `load` takes its results.
`batch`, `cursor` and `wrapper` are the three types, `ranges` is an executor over integers, and
`operators` is the long table of what `wrapper` passes on. `sharing` has CPython's functions for
deferred and immortal objects, `contention` reads reference counts. Its names are those of the C
shim.
"""

from .batch import BatchExecutor
from .contention import TOUCHED_BY_LOOKING, changed_counts, count_changes, shared_count
from .cursor import Cursor
from .library import abi_version, library_path, library_version
from .ranges import RangeBase
from .sharing import call_immortal, enable_deferred, is_immortal
from .wrapper import LocalWrapper

__all__ = [
    "TOUCHED_BY_LOOKING",
    "BatchExecutor",
    "Cursor",
    "LocalWrapper",
    "RangeBase",
    "abi_version",
    "call_immortal",
    "changed_counts",
    "count_changes",
    "enable_deferred",
    "is_immortal",
    "library_path",
    "library_version",
    "shared_count",
]
