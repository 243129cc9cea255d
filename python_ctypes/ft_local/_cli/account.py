"""Whether each GUID that was made came to exactly one thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from .crew import BYTES, Crew, Haul, Load
from .progress import Progress


class Executor(Protocol):
    """What the demo asks of a BatchExecutor."""

    def __len__(self) -> int:
        """How many results are ready."""

    def load(self) -> UUID:
        """The next result."""

    def cursor(self) -> "Cursor":
        """A thread's own handle."""


class Cursor(Protocol):
    """What the demo asks of a Cursor."""

    def load(self) -> UUID:
        """The next result."""


MakeExecutor = Callable[[Callable[[], UUID], int], Executor]


def by_wrapper(executor: Executor) -> Load:
    """A thread's way to load: through a LocalWrapper of its own."""
    # Imported late, as what is measured may stand in for the executor but not for the wrapper.
    from ft_local import LocalWrapper  # noqa: PLC0415

    load: Load = LocalWrapper(executor).load
    return load


def by_cursor(executor: Executor) -> Load:
    """A thread's way to load: from a cursor of its own."""
    return executor.cursor().load


# How a thread of the crew loads, by the title of its row.
WAYS_TO_LOAD: dict[str, Callable[[Executor], Load]] = {
    "BatchExecutor": by_wrapper,
    "its cursors": by_cursor,
}


@dataclass(frozen=True)
class Account:
    """What became of the GUIDs of one run."""

    produced: int
    handed_out: int
    left: int
    distinct: int
    rate: float

    @property
    def duplicates(self) -> int:
        """How many were handed out, or are left in the buffer, once more than they should be."""
        return self.handed_out + self.left - self.distinct

    @property
    def lost(self) -> int:
        """How many were made that nobody got and that are not in the buffer either."""
        return self.produced - self.distinct

    @property
    def exact(self) -> bool:
        """Whether every GUID is in one place."""
        return self.duplicates == self.lost == 0


class CountingSource:
    """uuid4, counted. One thread at a time calls it, so that it needs no lock."""

    def __init__(self) -> None:
        self.produced = 0

    def __call__(self) -> UUID:
        """Makes a GUID."""
        guid = uuid4()
        self.produced += 1
        return guid


def run_and_account(
    make_executor: MakeExecutor, size: int, threads: int, seconds: float, way: str = "BatchExecutor"
) -> Account:
    """Lets `threads` threads load GUIDs from one executor, and looks at every single one."""
    source = CountingSource()
    executor = make_executor(source, size)
    crew = Crew(lambda: WAYS_TO_LOAD[way](executor), threads)
    haul = crew.work(seconds, Progress(way, seconds))
    left = bytearray()
    while len(executor):
        left += executor.load().bytes
    return Account(
        produced=source.produced,
        handed_out=haul.count,
        left=len(left) // BYTES,
        distinct=_distinct(haul, left),
        rate=haul.rate,
    )


def _distinct(haul: Haul, left: bytearray) -> int:
    seen: set[bytes] = set()
    for results in (*haul.per_thread, left):
        view = memoryview(results)
        seen.update(bytes(view[at : at + BYTES]) for at in range(0, len(view), BYTES))
    return len(seen)
