"""ft_local's BatchExecutor through cffi, for CPython and PyPy."""

from ft_local_cffi._binding import mode
from ft_local_cffi._executor import BatchExecutor, EndOfSource, ExecutorClosed

__all__ = ["BatchExecutor", "EndOfSource", "ExecutorClosed", "mode"]
