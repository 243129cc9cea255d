"""What is timed: expressions over a `thing`, which is a bare object or a proxy of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any


class Plain:
    """An ordinary class."""

    def __init__(self) -> None:
        """Has one attribute."""
        self.attribute = 1

    def method(self, value: int = 0) -> int:
        """Gives back what it gets."""
        return value


class Slotted:
    """A class without an instance dictionary."""

    __slots__ = ("attribute",)

    def __init__(self) -> None:
        """Has one attribute."""
        self.attribute = 1


def function(value: int = 0) -> int:
    """Gives back what it gets."""
    return value


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    name: str
    make: Callable[[], Any]
    expression: str


OPERATIONS = (
    Operation("attribute", Plain, "thing.attribute"),
    Operation("attribute, slots", Slotted, "thing.attribute"),
    Operation("set attribute", Plain, "thing.attribute = 1"),
    Operation("method, Python", Plain, "thing.method()"),
    Operation("method, C type", lambda: {1: 2}, "thing.get(1)"),
    Operation("method, str", lambda: "spam" * 9, "thing.isascii()"),
    Operation("call, positional", lambda: function, "thing(1)"),
    Operation("call, keyword", lambda: function, "thing(value=1)"),
    Operation("call, bound method", lambda: Plain().method, "thing()"),
    Operation("call, bound, keyword", lambda: Plain().method, "thing(value=1)"),
    Operation("call, C function", lambda: len, "thing(())"),
    Operation("item", lambda: [1, 2, 3], "thing[1]"),
    Operation("len", lambda: [1, 2, 3], "len(thing)"),
    Operation("truth", lambda: [1, 2, 3], "not thing"),
    Operation("contains", lambda: {1: 2}, "1 in thing"),
    Operation("iteration of 3", lambda: (1, 2, 3), "[*thing]"),
    Operation("comparison", lambda: 5, "thing == 6"),
    Operation("addition", lambda: 5, "thing + 6"),
    Operation("construction", lambda: partial(int), "kind(thing)"),
)


def loop(expression: str) -> Callable[..., None]:
    """A function of (thing, kind, rounds) that runs `expression` ten times a round."""
    body = "\n".join(["        " + expression] * 10)
    source = f"def loop(thing, kind, rounds):\n    for _ in range(rounds):\n{body}\n"
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - the text is one of those above
    made: Callable[..., None] = names["loop"]
    return made
