"""Blocks from a file, for programs without a server."""

from __future__ import annotations

import fcntl
import os
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ._errors import StoreError
from ._source import BlockSource

# One line: the last leased id in 20 digits, and a checksum of them. It is always as long, so each
# update overwrites the same few bytes of one disk sector.
_DIGITS = 20
_LINE = _DIGITS + 1 + 8 + 1

# Files that a thread has locked. A child of a fork has a copy of each descriptor, which would hold
# the lock if the parent died, although no thread of the child will release it.
_locked: set[int] = set()

# No fork comes between the opening or closing of a file and the change of that set. A thread that
# forks in the handler of a signal may already hold it.
_opening = threading.RLock()


def _after_fork_in_child() -> None:
    _opening.release()
    for descriptor in _locked:
        os.close(descriptor)
    _locked.clear()


os.register_at_fork(
    before=_opening.acquire,
    after_in_parent=_opening.release,
    after_in_child=_after_fork_in_child,
)


def _line(last: int) -> bytes:
    digits = b"%0*d" % (_DIGITS, last)
    return b"%s %08x\n" % (digits, zlib.crc32(digits))


def _write_all(descriptor: int, data: bytes) -> None:
    """Puts `data` at the start of the file, and waits until it is on the disk."""
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], done)
    os.fdatasync(descriptor)


class FileBlock(BlockSource):
    """A counter in a file that processes may share. Made by `file_block`."""

    __slots__ = ("_path",)

    def __init__(self, path: str | os.PathLike[str], block: int) -> None:
        """As of `file_block`."""
        self._path = Path(path).absolute()
        super().__init__(f"file {self._path}", block)

    def _lease(self, n: int) -> list[range]:
        with self._file() as descriptor:
            last = self._read(descriptor)
            _write_all(descriptor, _line(last + n))
        return [range(last + 1, last + n + 1)]

    def _return(self, ids: range) -> bool:
        with self._file() as descriptor:
            if self._read(descriptor) != ids.stop - 1:
                return False
            _write_all(descriptor, _line(ids.start - 1))
        return True

    @contextmanager
    def _file(self) -> Generator[int]:
        """The file, locked against other threads and processes."""
        try:
            with _opening:
                descriptor = self._open()
                _locked.add(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield descriptor
                # Not left to the close: a child may have a copy of the descriptor for a moment.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            finally:
                with _opening:
                    _locked.discard(descriptor)
                    os.close(descriptor)
        except OSError as error:
            raise StoreError(self.store, f"{type(error).__name__}: {error}") from error

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            descriptor = os.open(self._path, flags | os.O_CREAT, 0o666)
        # The name must be on the disk too, or a crash would bring back an empty folder.
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return descriptor

    def _read(self, descriptor: int) -> int:
        """The last leased id. An empty file is new: a lease writes before it uses an id."""
        data = os.pread(descriptor, _LINE + 1, 0)
        if not data:
            return 0
        digits = data[:_DIGITS]
        if digits.isdigit() and data == _line(int(digits)):
            return int(digits)
        raise StoreError(
            self.store,
            f"is damaged, or no file of a lease: it contains {data[:_LINE]!r}; "
            "if it was one, delete it and call "
            "take(n) once, with n at least the largest id in use",
        )


def file_block(path: str | os.PathLike[str], block: int) -> FileBlock:
    """A source of ids from a counter in the file `path`, which is made if it is missing.

    The new end of the counter is on the disk before an id of the block is used, so neither a
    crash nor a power failure repeats an id. Any number of processes of one machine may share the
    file, and threads too. A damaged file is refused. The ids begin at 1.

    Threads: any thread, at once. Forks: usable in the child. Blocks: for one write to the disk, and
    while another lease of the same file is at it. Errors: StoreError.
    """
    return FileBlock(path, block)
