"""Small programs whose threads share one object.

Each has a function that makes the object, and one that takes so many turns with it and returns a
number, which must be the same however the object is held. The object is an attribute of something
of the thread's own, as it is in most programs.
"""

import contextlib
import functools
import importlib.util
import itertools
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

# Makes a part of an object: by calling the factory, and so that the part is immortal or a constant.
Make = Callable[[Callable[[], Any]], Any]


@dataclass
class Holder:
    """What a thread has of its own."""

    thing: Any


class Address:
    """A part of a configuration."""

    def __init__(self) -> None:
        self.port = 80


SETTINGS = '{"limits": {"retries": 3, "requests": 100}, "rate": 2.5, "verbose": false}'


class Settings:
    """A configuration with parts, as it is read from a file."""

    def __init__(self, make: Make = lambda factory: factory()) -> None:
        values = make(lambda: json.loads(SETTINGS))
        self.address = make(Address)
        self.limits = make(lambda: values["limits"])
        self.rate = values["rate"]
        self.verbose = values["verbose"]


class Prices:
    """A service that has other objects do a part of its work."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.factor = 3

    def price(self, number: int) -> float:
        """What so many cost."""
        return number * self.factor + self.settings.rate


class Container:
    """Hands out services by their class."""

    def __init__(self, make: Make) -> None:
        self.services: dict[type, Any] = make(dict)
        self.services[Prices] = make(lambda: Prices(make(lambda: Settings(make))))

    def get(self, kind: type) -> Any:
        """The service of a class."""
        return self.services[kind]


def _make_logger() -> logging.Logger:
    # Not getLogger(), which gives all the same one.
    logger = logging.Logger("ft_local.bench")  # noqa: LOG001
    logger.setLevel(logging.WARNING)
    return logger


def _make_cached() -> Callable[[int], int]:
    @functools.lru_cache(maxsize=128)
    def square(number: int) -> int:
        return number * number

    return square


_numbers = itertools.count()


def _make_pattern() -> re.Pattern[str]:
    # re.compile() keeps what it has compiled, so each has a text of its own.
    return re.compile(rf"(\d+) (GET|POST) (\d+)|pattern {next(_numbers)}")


def _make_modern_di(make: Make) -> Any:
    from modern_di import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
        Container,
        Group,
        Scope,
        providers,
    )

    settings = providers.Factory(Settings, scope=Scope.APP, cache=True)
    parts = type("Parts", (Group,), {"settings": settings})
    container = make(lambda: Container(groups=[parts]))
    container.resolve(Settings)
    return container


def _read_settings(turns: int, own: Holder) -> float:
    total = 0.0
    for number in range(turns):
        total += number % 7 * own.thing.rate
        if own.thing.verbose:
            total -= 1
    return total


def _read_nested_settings(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        limits = own.thing.limits
        total += (number * limits["retries"] + own.thing.address.port) % limits["requests"]
    return total


def _call_a_service(turns: int, own: Holder) -> float:
    total = 0.0
    for number in range(turns):
        total += own.thing.price(number)
    return total


def _get_and_call(turns: int, own: Holder) -> float:
    total = 0.0
    for number in range(turns):
        total += own.thing.get(Prices).price(number)
    return total


def _resolve(turns: int, own: Holder) -> float:
    total = 0.0
    for _ in range(turns):
        total += own.thing.resolve(Settings).rate
    return total


def _match(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        total += own.thing.match(f"{number} GET 200").end()
    return total


def _log(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        own.thing.debug("step %d", number)
        total += 1
    return total


def _call_cached(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        total += own.thing(number & 63)
    return total


def _run_statements(turns: int, own: Holder) -> float:
    import sqlite3  # noqa: PLC0415

    total = 0
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        for number in range(turns):
            total += database.execute(own.thing["plus one"], (number,)).fetchone()[0]
    return total


def _look_up(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        total += own.thing[number & 255]
    return total


def _fill_in(turns: int, own: Holder) -> float:
    total = 0
    for number in range(turns):
        total += len(own.thing.format(number, number))
    return total


class Program(NamedTuple):
    """One program, by the title of its row. `needs` names a module that may be absent."""

    make: Callable[[Make], Any]
    run: Callable[[int, Holder], float]
    needs: str = "builtins"


_ALL = {
    "settings, flat": Program(lambda make: make(lambda: Settings(make)), _read_settings),
    "settings, nested": Program(lambda make: make(lambda: Settings(make)), _read_nested_settings),
    "method of a service": Program(
        lambda make: make(lambda: Prices(make(lambda: Settings(make)))), _call_a_service
    ),
    "DI container": Program(lambda make: make(lambda: Container(make)), _get_and_call),
    "modern-di, resolve": Program(_make_modern_di, _resolve, "modern_di"),
    "regular expression": Program(lambda make: make(_make_pattern), _match),
    "Logger, level off": Program(lambda make: make(_make_logger), _log),
    "lru_cache, hits": Program(lambda make: make(_make_cached), _call_cached),
    "sqlite statements": Program(
        lambda make: make(lambda: {"plus one": f"select ? + 1 -- {next(_numbers)}"}),
        _run_statements,
        "sqlite3",
    ),
    "look-up table": Program(lambda make: make(lambda: list(range(256))), _look_up),
    "str.format": Program(lambda make: make(lambda: f"a{{}}b{{}}c{next(_numbers):06}"), _fill_in),
}

PROGRAMS = {name: one for name, one in _ALL.items() if importlib.util.find_spec(one.needs)}
