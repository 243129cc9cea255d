"""ft_local's BatchExecutor through cffi, for CPython and PyPy."""

from ft_local_cffi._binding import mode
from ft_local_cffi._calls import BatchStats, EndOfSource, ExecutorClosed, ForkedError
from ft_local_cffi._cursor import Cursor
from ft_local_cffi._executor import BatchExecutor

__all__ = [
    "BatchExecutor",
    "BatchStats",
    "Cursor",
    "EndOfSource",
    "ExecutorClosed",
    "ForkedError",
    "mode",
]
