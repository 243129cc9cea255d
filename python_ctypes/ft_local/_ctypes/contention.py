"""The shared part of a reference count, read from where CPython keeps it.

The offset is known for the versions that are listed; the reader checks it first. A number of a
machine word that is aligned is read in one piece.
"""

import sys
from ctypes import c_ssize_t, c_void_p, sizeof

# Where `ob_ref_shared` is in an object of a free-threaded CPython; the key is the version, and the
# size of a pointer.
_OFFSETS = {(3, 13, 8): 16, (3, 14, 8): 16, (3, 15, 8): 16}

# What is counted by reading.
TOUCHED_BY_LOOKING = (c_ssize_t,)

_offset = _OFFSETS.get((*sys.version_info[:2], sizeof(c_void_p)), 0)


def shared_count(obj: object, /) -> int:
    """The shared part of a reference count, as the interpreter keeps it."""
    if not _offset:
        raise RuntimeError("where this version of CPython keeps its reference counts is not known")
    return c_ssize_t.from_address(id(obj) + _offset).value


def changed_counts(objects: tuple[object, ...], last: memoryview, /) -> list[int]:
    """The indexes of the objects whose shared count is not as in `last`, which it updates."""
    changed = []
    counts = last.cast("B").cast("q")
    read = c_ssize_t.from_address
    for index, obj in enumerate(objects):
        count = read(id(obj) + _offset).value
        if count != counts[index]:
            counts[index] = count
            changed.append(index)
    return changed


def count_changes(obj: object, reads: int, /) -> int:
    """How often the shared count was another one in so many reads in a row."""
    field = c_ssize_t.from_address(id(obj) + _offset)
    changes = 0
    last = field.value
    for _ in range(reads):
        count = field.value
        changes += count != last
        last = count
    return changes
