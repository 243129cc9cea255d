"""The programs, each in all ways that the interpreter has to hold a shared object.

In all ways of ft_local, plain values are interned when they are made or read.
"""

import copy
import functools
import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import ft_local
from ft_local._cli.info import gil

from .programs import PROGRAMS, Holder, Make, Program
from .rounds import Cell, cores, elapsed, run_threads, undisturbed

_WARM_UP = 200

# How often a sample is taken again that another program disturbed.
_TRIES = 5


def _call(factory: Callable[[], Any]) -> Any:
    return factory()


def _intern(factory: Callable[[], Any]) -> Any:
    return ft_local.intern(factory())


def _intern_immortal(factory: Callable[[], Any]) -> Any:
    return ft_local.immortal(lambda: ft_local.intern(factory()))


class Way:
    """How an object is made, what is done with it once, and how a thread then holds it."""

    def __init__(
        self,
        hold: Callable[[Any], Any] = lambda thing: thing,
        prepare: Callable[[Any], Any] = lambda thing: thing,
        make: Make = _intern,
    ) -> None:
        self.hold = hold
        self._prepare = prepare
        self._make = make

    def object(self, program: Program) -> Any:
        """The object that all threads share."""
        return self._prepare(program.make(self._make))


def _share(thing: Any) -> Any:
    return ft_local.share(thing, deep=True)


def ways() -> dict[str, Way]:
    """The ways that do something here: `localize`, `share` and `immortal` do not everywhere."""
    found = {"bare": Way(make=_call), "wrapped": Way(hold=ft_local.LocalWrapper)}
    if type(ft_local.localize([])) is not list:
        found["localized"] = Way(hold=ft_local.localize)
    if ft_local.sharing(ft_local.share([])) == "deferred":
        found["shared"] = Way(prepare=_share)
    if ft_local.sharing(ft_local.immortal(list)) == "immortal":
        found["immortal"] = Way(prepare=_share, make=_intern_immortal)
    found["copied"] = Way(hold=copy.deepcopy)
    forerunner = optional("ft_utils.local")
    if forerunner:
        found["ft_utils"] = Way(hold=forerunner.LocalWrapper, make=_call)
    return found


def optional(module: str) -> Any:
    """A module if it is installed and can be loaded."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def cells(names: list[str], threads: list[int], turns: int, milliseconds: float) -> Iterator[Cell]:
    """A cell for each program, way and number of threads. Raises if a way changes the result."""
    for name in names:
        program = PROGRAMS[name]
        plain = program.run(_WARM_UP, Holder(Way(make=_call).object(program)))
        for title, way in ways().items():
            thing = way.object(program)
            if title == "copied" and not _has_copies(thing):
                continue
            # The interpreter adapts a function to the types that it meets: each way has its own.
            function = _copy(program.run)
            own = Holder(way.hold(thing))
            if function(_WARM_UP, own) != plain:
                raise AssertionError(f"{name}: {title} gives another result than bare")
            count = turns or _turns_in(function, own, milliseconds)
            for number in threads:
                yield Cell(
                    "programs", name, title, number, _sampler(function, way, thing, number, count)
                )


def _has_copies(thing: Any) -> bool:
    try:
        return copy.deepcopy(thing) is not thing
    except Exception:  # noqa: BLE001 - whatever an object raises that cannot be copied
        return False


def _turns_in(function: Callable[[int, Holder], float], own: Holder, milliseconds: float) -> int:
    """How many turns take so long."""
    trial = 1000
    spans = run_threads([lambda: function(trial, own)], pinned=False)
    return max(trial, int(trial * milliseconds * 1e6 / elapsed(spans)))


def _copy(function: Callable[[int, Holder], float]) -> Callable[[int, Holder], float]:
    code: types.CodeType = function.__code__
    return types.FunctionType(code.replace(co_name="copy"), function.__globals__)


def _sampler(
    function: Callable[[int, Holder], float], way: Way, thing: Any, threads: int, turns: int
) -> Callable[[], dict[str, float] | None]:
    def run() -> list[tuple[int, int, bool]]:
        own = [Holder(way.hold(thing)) for _ in range(threads)]
        bodies = [functools.partial(function, turns, mine) for mine in own]
        return run_threads(
            bodies, pinned=True, warm_up=lambda index: function(_WARM_UP, own[index])
        )

    def sample() -> dict[str, float] | None:
        for _ in range(_TRIES):
            spans = run()
            # With the GIL, threads that wait for one another are what is to be measured.
            wait_for_others = threads > 1 and not gil().startswith("off")
            if undisturbed(spans) or wait_for_others or threads > cores():
                return {"ns": elapsed(spans) / turns}
        return None

    return sample
