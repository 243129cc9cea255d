"""Small programs whose threads share one object, for `bench`.

Each has a function that makes the object, and one that takes so many turns with it. The object is
an attribute of something of the thread's own, as it is in most programs.
"""

import functools
import itertools
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass
class Holder:
    """What a thread has of its own."""

    thing: Any


class Address:
    """A part of a configuration."""

    def __init__(self) -> None:
        self.port = 80


class Settings:
    """A configuration with parts."""

    def __init__(self) -> None:
        self.address = Address()
        self.limits = {"retries": 3, "requests": 100}
        self.rate = 2.5
        self.verbose = False


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

    def __init__(self) -> None:
        self.services: dict[type, Any] = {Prices: Prices(Settings())}

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


def _read_settings(turns: int, own: Holder) -> None:
    total = 0.0
    for number in range(turns):
        total += number % 7 * own.thing.rate
        if own.thing.verbose:
            total -= 1


def _read_nested_settings(turns: int, own: Holder) -> None:
    total = 0
    for number in range(turns):
        limits = own.thing.limits
        total += (number * limits["retries"] + own.thing.address.port) % limits["requests"]


def _call_a_service(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing.price(number)


def _get_and_call(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing.get(Prices).price(number)


def _match(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing.match(f"{number} GET 200")


def _log(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing.debug("step %d", number)


def _call_cached(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing(number & 63)


def _look_up(turns: int, own: Holder) -> None:
    total = 0
    for number in range(turns):
        total += own.thing[number & 255]


def _fill_in(turns: int, own: Holder) -> None:
    for number in range(turns):
        own.thing.format(number, number)


class Program(NamedTuple):
    """One program, by the title of its row."""

    make: Callable[[], Any]
    run: Callable[[int, Holder], None]


PROGRAMS = {
    "settings, flat": Program(Settings, _read_settings),
    "settings, nested": Program(Settings, _read_nested_settings),
    "method of a service": Program(lambda: Prices(Settings()), _call_a_service),
    "DI container": Program(Container, _get_and_call),
    "regular expression": Program(_make_pattern, _match),
    "Logger, level off": Program(_make_logger, _log),
    "lru_cache, hits": Program(_make_cached, _call_cached),
    "look-up table": Program(lambda: list(range(256)), _look_up),
    "str.format": Program(lambda: f"a{{}}b{{}}c{next(_numbers)}", _fill_in),
}
