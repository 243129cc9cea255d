"""`contention`: finds the objects that the threads of a program fight over."""

import sys
import threading
import time
from types import FunctionType, TracebackType
from typing import Any, NamedTuple, Self

from ._backend import module as _backend
from ._contention_advice import advice
from ._contention_path import path_text, type_name
from ._contention_sampler import LOOKS, Sample, Sampler
from ._sharing import sharing, threads_fight


class ContendedObject(NamedTuple):
    """One object whose reference count threads change all the time."""

    type: str
    path: str | None
    """How the program reaches it; None if no module leads to it."""
    sharing: str
    """How it is counted: "counted" or "deferred"."""
    changes_per_second: float
    """How often the count was seen to change: at least so often did threads write to it."""
    seen: int
    """In so many looks the count was another one than in the look before."""
    advice: str


class ContentionReport:
    """What `contention` finds: a context manager that looks while the block runs."""

    __module__ = "ft_local"

    def __init__(self, most: int, interval: float) -> None:
        self._sampler = Sampler(interval, most)
        self._began = 0.0
        self._ended = 0.0
        self._objects: list[ContendedObject] | None = None

    def __enter__(self) -> Self:
        if self._began:
            raise RuntimeError("this report has begun already: call contention() for another one")
        self._began = time.perf_counter()
        self._sampler.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self._sampler.stop()
        finally:
            self._ended = time.perf_counter()
            # Only texts are kept, so that the report keeps no object of the program alive.
            self._objects = self.objects
            self._sampler.forget()

    @property
    def objects(self) -> list[ContendedObject]:
        """The objects whose counts change most, the worst first; until now, within the block."""
        if self._objects is not None:
            return self._objects
        return [_describe(sample) for sample in self._sampler.hottest()]

    @property
    def looks(self) -> int:
        """How often all counts were compared."""
        return self._sampler.looks

    @property
    def seconds(self) -> float:
        """How long the block has taken."""
        if not self._began:
            return 0.0
        return (self._ended or time.perf_counter()) - self._began

    @property
    def overhead(self) -> float:
        """The part of one core that looking took."""
        return self._sampler.cpu_seconds / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """All of it, as `to_json` writes it."""
        return {
            "python": sys.version.split()[0],
            "seconds": round(self.seconds, 3),
            "looks": self.looks,
            "watched": self._sampler.objects,
            "overhead": round(self.overhead, 4),
            "objects": [one._asdict() for one in self.objects],
        }

    def to_json(self) -> str:
        """The report for programs."""
        import json  # noqa: PLC0415 - importing ft_local stays quick

        return json.dumps(self.as_dict(), indent=2)

    def __str__(self) -> str:
        watched = f"{self.looks} looks in {self.seconds:.1f} s at {self._sampler.objects:,} objects"
        lines = [f"Contention: {watched}, which took {self.overhead:.1%} of a core"]
        if not self.objects:
            lines.append("No object was seen whose reference count threads change all the time.")
        for number, one in enumerate(self.objects, 1):
            lines += [
                "",
                f"{number}. {one.path or 'reached by no module'}",
                f"   {one.type}, {one.sharing}; changed in {one.seen} looks{_rate(one)}",
                f"   {one.advice}",
            ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<ContentionReport: {self.looks} looks, {len(self.objects)} objects>"


def contention(*, most: int = 15, interval: float = 0.25) -> ContentionReport:
    """Finds the objects whose reference counts the threads of the program fight over.

        with ft_local.contention() as report:
            run_the_program()
        print(report)

    A thread looks at the counts of all objects, ten times in a row, then rests for `interval`
    seconds or for 9 times as long as it has looked: it takes 10 % of a core at most. Each time, it
    stops the other threads while it lists the objects, and keeps these alive until it has looked.
    `most` is how many objects are listed.

    A count that changes is not yet a fight: an object that one thread made and one other uses is
    listed too. Without other threads that use it, nothing is lost by that.

    RuntimeError on an interpreter with the GIL, and on one whose objects are laid out in a way that
    this version of ft_local does not know.
    """
    if isinstance(most, bool) or not isinstance(most, int):
        raise TypeError(f"most must be an int, got {type(most).__name__!r}")
    if most < 1:
        raise ValueError(f"most must be 1 or more, got {most}")
    if not isinstance(interval, int | float):
        raise TypeError(f"interval must be a number of seconds, got {type(interval).__name__!r}")
    if not 0 <= interval <= threading.TIMEOUT_MAX:
        raise ValueError(f"interval must be 0 seconds or more, got {interval}")
    _check_interpreter()
    return ContentionReport(most, float(interval))


def _check_interpreter() -> None:
    if threads_fight():
        _check_layout()
        return
    why = "this build of CPython has the GIL"
    if "t" in sys.abiflags:
        why = "the GIL is on, by PYTHON_GIL, -X gil or a module that needs it"
    raise RuntimeError(
        f"contention needs a free-threaded CPython: {why}, so threads do not fight over counts"
    )


def _check_layout() -> None:
    """Takes references in another thread and sees whether the count shows them."""
    probe = object()
    before = _backend.shared_count(probe)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.extend([probe] * LOOKS))
    thread.start()
    thread.join()
    # The two lowest bits of the count are flags.
    if (_backend.shared_count(probe) >> 2) - (before >> 2) != LOOKS:
        raise RuntimeError(
            "contention does not know how this version of CPython keeps its reference counts"
        )


def _describe(sample: Sample) -> ContendedObject:
    obj = sample.obj
    name = type_name(type(obj))
    if type(obj) is FunctionType:
        name += f" {obj.__module__}.{obj.__qualname__}"
    return ContendedObject(
        type=name,
        path=path_text(sample.path) if sample.path else None,
        sharing=sharing(obj),
        changes_per_second=round(sample.rate),
        seen=sample.changed,
        advice=advice(obj, sample.path or ()),
    )


def _rate(found: ContendedObject) -> str:
    """How often an object changes, with two digits: no more of them mean anything."""
    if not (rate := round(found.changes_per_second)):
        return ""
    digits = 10 ** max(0, len(str(rate)) - 2)
    return f", at least {round(rate / digits) * digits:,} times a second"
