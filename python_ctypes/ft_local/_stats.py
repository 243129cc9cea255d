"""What `stats()` returns, in both backends. Imported when it is first asked for."""

from typing import NamedTuple


class BatchStats(NamedTuple):
    """The counts of a BatchExecutor. While no thread uses it, they balance.

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
