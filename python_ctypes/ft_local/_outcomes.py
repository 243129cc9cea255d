"""What a BatchExecutor raises and returns, whichever backend it is of."""

from typing import NamedTuple


class EndOfSource(Exception):  # noqa: N818 - as StopIteration: a state more than an error
    """The source has ended, and everything that it made was handed out."""

    __module__ = "ft_local"


class ExecutorClosed(RuntimeError):  # noqa: N818
    """The executor, or the cursor, was closed."""

    __module__ = "ft_local"


class ForkedError(RuntimeError):
    """An executor of the parent process was used in its child, which its `on_fork` forbids."""

    __module__ = "ft_local"


class BatchStats(NamedTuple):
    """The books of a BatchExecutor. While no thread uses it they come out even.

    produced + given_back == loads + claimed + released + dropped_on_fork + len(executor)
    """

    loads: int
    """Results handed out by the executor's own methods."""
    claims: int
    """How often a cursor took results."""
    claimed: int
    """Results that cursors took."""
    fills: int
    """How often a thread became the one that runs the source."""
    produced: int
    """Results that the source made."""
    waits: int
    """How often a thread waited for a result."""
    wait_time: float
    """How many seconds threads waited, all together."""
    source_time: float
    """How many seconds the source ran."""
    errors: int
    """How often the source failed."""
    given_back: int
    """Results that came back from cursors, and from loads that failed."""
    released: int
    """Results that close() dropped."""
    dropped_on_fork: int
    """Results that this process left to its parent."""


BatchStats.__module__ = "ft_local"
