"""Looks at reference counts while the program runs, and keeps those that change.

A look reads the shared part of the count of every object that the garbage collector tracks, and of
what these refer to. A thread that holds a reference at that moment has changed it. So the objects
that change from look to look are those that threads are counting all the time.
"""

import gc
import threading
import time
from dataclasses import dataclass, field

from ._backend import module as _backend
from ._contention_path import Path, find_paths, referents

_COUNT_BYTES = 8

# A window is so many looks with so many seconds in between. Objects are kept alive no longer.
LOOKS = 10
_GAP = 0.004

# Those that have changed in as many looks of a window are looked at one by one from then on: for
# so many seconds after each look, by so many reads at a time. Where no thread had a core meanwhile,
# the object counts if it has changed more often.
_LEAST_CHANGES = 2
_CERTAIN_CHANGES = 5
_MOST_CLOSE_LOOKS = 24
_CLOSE_LOOK = 0.00005
_READS = 100

# The sampler rests so many times as long as it has worked: it takes 10 % of a core at most.
_REST = 9

# How many objects the collector is asked about at a time: it stops all threads for each question.
_CHUNK = 1000


@dataclass
class Sample:
    """What was seen of one object."""

    obj: object
    changed: int = 0
    changes: int = 0
    seconds: float = 0.0
    path: Path | None = field(default=None, repr=False)

    @property
    def rate(self) -> float:
        """Changes in a second, as far as they could be seen."""
        return self.changes / self.seconds if self.seconds else 0.0


class Sampler:
    """A thread that looks, window after window, until it is stopped."""

    def __init__(self, interval: float, most: int) -> None:
        self._interval = interval
        self._most = most
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._samples: dict[int, Sample] = {}
        self._thread = threading.Thread(target=self._run, name="ft_local.contention", daemon=True)
        self.looks = 0
        self.windows = 0
        self.objects = 0
        self.cpu_seconds = 0.0

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. What went wrong in it is raised here."""
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        self._find_paths()

    def forget(self) -> None:
        """Lets go of all objects."""
        self._samples.clear()

    def hottest(self) -> list[Sample]:
        """The objects whose counts change most, the worst first."""
        samples = [
            one
            for one in list(self._samples.values())
            if one.changes or one.changed >= _CERTAIN_CHANGES
        ]
        samples.sort(key=lambda one: (one.rate, one.changed), reverse=True)
        return samples[: self._most]

    def _run(self) -> None:
        try:
            resting = 0.0
            while not self._stop.wait(resting):
                began = time.thread_time()
                self._window()
                # A search takes about as long as a window. Objects come and go, so it is repeated,
                # more and more rarely.
                if self.windows & (self.windows - 1) == 0:
                    self._find_paths()
                spent = time.thread_time() - began
                self.cpu_seconds += spent
                resting = max(self._interval, spent * _REST)
        except BaseException as error:  # noqa: BLE001 - raised by stop()
            self._error = error

    def _window(self) -> None:
        objects = all_objects(plain=self.windows % 2 == 1)
        self.objects = len(objects)
        ours = {id(obj) for obj in _backend.TOUCHED_BY_LOOKING}
        last = memoryview(bytearray(_COUNT_BYTES * len(objects)))
        _backend.changed_counts(objects, last)
        changed: dict[int, int] = {}
        for _ in range(LOOKS):
            time.sleep(_GAP)
            for index in _backend.changed_counts(objects, last):
                changed[index] = changed.get(index, 0) + 1
            self.looks += 1
            often = sorted((-n, index) for index, n in changed.items() if n >= _LEAST_CHANGES)
            for _, index in often[:_MOST_CLOSE_LOOKS]:
                if id(objects[index]) not in ours:
                    self._look_closely(objects[index])
        for index, number in changed.items():
            if (sample := self._samples.get(id(objects[index]))) is not None:
                sample.changed += number
        self._drop_the_least()
        self.windows += 1

    def _look_closely(self, obj: object) -> None:
        sample = self._samples.setdefault(id(obj), Sample(obj))
        began = now = time.perf_counter()
        while now < began + _CLOSE_LOOK:
            sample.changes += _backend.count_changes(obj, _READS)
            now = time.perf_counter()
        sample.seconds += now - began

    def _drop_the_least(self) -> None:
        """Keeps few samples, because each keeps an object of the program alive."""
        order = sorted(self._samples.values(), key=lambda one: one.changed, reverse=True)
        for one in order[4 * self._most :]:
            del self._samples[id(one.obj)]

    def _find_paths(self) -> None:
        missing = {id(one.obj): one for one in self.hottest() if one.path is None}
        for key, path in find_paths({key: one.obj for key, one in missing.items()}).items():
            missing[key].path = path


def all_objects(*, plain: bool) -> tuple[object, ...]:
    """What the collector tracks, and what that refers to.

    With `plain`, also what it does not visit: keys of dictionaries, and what is in tuples of plain
    values, such as the constants of a function. They may be as many as all the rest.
    """
    tracked = gc.get_objects()
    found = _by_address(tracked)
    for at in range(0, len(tracked), _CHUNK):
        chunk = tracked[at : at + _CHUNK]
        if not plain:
            found |= _by_address(gc.get_referents(*chunk))
            continue
        while chunk:
            new = _by_address(referents(chunk))
            chunk = [obj for obj in new.values() if type(obj) is tuple and id(obj) not in found]
            found |= new
    return tuple(found.values())


def _by_address(objects: list[object]) -> dict[int, object]:
    return dict(zip(map(id, objects), objects, strict=True))
