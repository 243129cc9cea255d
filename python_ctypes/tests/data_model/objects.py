"""Classes that the probes wrap: each has one part of the data model."""

from __future__ import annotations

import abc
import dataclasses
import enum
import types


class Plain:
    """A plain class."""

    shared = 1

    def __init__(self, value=5):
        self.value = value

    def method(self, *args, **kwargs):
        return self.value, args, kwargs

    @property
    def computed(self):
        return self.value + 1

    @computed.setter
    def computed(self, value):
        self.value = value - 1

    @classmethod
    def of_class(cls):
        return cls

    @staticmethod
    def of_nobody():
        return "static"

    def fails(self):
        raise LookupError("lost")


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value=5):
        self.value = value


class Vector:
    """Answers every operator, from the left, from the right and in place."""

    def __init__(self, *items):
        self.items = list(items)

    def __eq__(self, other):
        return isinstance(other, Vector) and self.items == other.items

    def __hash__(self):
        return hash(tuple(self.items))

    def __repr__(self):
        return f"Vector{self.items}"

    def __matmul__(self, other):
        return "matmul", other

    def __rmatmul__(self, other):
        return "rmatmul", other

    def __imatmul__(self, other):
        self.items.append("imatmul")
        return self

    def __add__(self, other):
        return NotImplemented if isinstance(other, str) else ("add", other)

    def __radd__(self, other):
        return "radd", other

    def __iadd__(self, other):
        self.items.append(other)
        return self

    def __pow__(self, other, modulus=None):
        return "pow", other, modulus

    def __rpow__(self, other, modulus=None):
        return "rpow", other, modulus

    def __lt__(self, other):
        return "lt", other

    def __neg__(self):
        return "neg"

    def __pos__(self):
        return "pos"

    def __invert__(self):
        return "invert"

    def __abs__(self):
        return "abs"


class Number:
    """Converts to all that a number converts to."""

    def __int__(self):
        return 7

    def __float__(self):
        return 7.5

    def __complex__(self):
        return 7j

    def __index__(self):
        return 2

    def __round__(self, digits=None):
        return "round", digits

    def __trunc__(self):
        return 7

    def __floor__(self):
        return 6

    def __ceil__(self):
        return 8

    def __bool__(self):
        return False

    def __bytes__(self):
        return b"number"

    def __format__(self, specification):
        return f"format {specification}"

    def __str__(self):
        return "text"

    def __fspath__(self):
        return "/number"


class Missing(dict):
    def __missing__(self, key):
        return "missing", key


class OnlyLen:
    def __len__(self):
        return 3


class OnlyGetitem:
    def __getitem__(self, index):
        if index > 2:
            raise IndexError
        return index * 10


class OnlyContains:
    def __contains__(self, item):
        return item == "in"


class OnlyIter:
    def __iter__(self):
        return iter("abc")


class Reverses:
    def __reversed__(self):
        return iter("cba")


class Hints:
    def __iter__(self):
        return iter("ab")

    def __length_hint__(self):
        return 42


class Counts:
    """An iterator."""

    def __init__(self):
        self.count = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        if self.count > 3:
            raise StopIteration("end")
        return self.count


class Manages:
    """A context manager."""

    log: list

    def __init__(self):
        self.log = []

    def __enter__(self):
        self.log.append("enter")
        return "entered"

    def __exit__(self, kind, value, traceback):
        self.log.append(kind.__name__ if kind else None)
        return kind is KeyError


class ManagesAsync:
    async def __aenter__(self):
        return "entered"

    async def __aexit__(self, kind, value, traceback):
        return True


class Awaits:
    def __await__(self):
        yield from ()
        return "awaited"


class IteratesAsync:
    def __init__(self):
        self.count = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.count += 1
        if self.count > 3:
            raise StopAsyncIteration
        return self.count


class Overrides:
    def __getattribute__(self, name):
        return object.__getattribute__(self, name) if name.startswith("__") else f"got {name}"


class Falls:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"made {name}"


class Calls:
    def __call__(self, *args, **kwargs):
        return args, kwargs


class Describes:
    """A data descriptor."""

    def __get__(self, instance, owner):
        return "got", instance is None

    def __set__(self, instance, value):
        instance.__dict__["set"] = value

    def __delete__(self, instance):
        instance.__dict__["set"] = "deleted"


class Text(str):
    __slots__ = ()


class Abstract(abc.ABC):
    @abc.abstractmethod
    def method(self): ...


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Flag(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass(frozen=True, order=True)
class Point:
    x: int = 1
    y: int = 2


def function(a, b=2, *args, c=3, **kwargs):
    """A function."""
    return a, b, args, c, kwargs


def generator():
    received = yield 1
    yield received
    return "returned"


async def coroutine():
    return "done"


async def async_generator():
    yield 1
    yield 2


@types.coroutine
def old_coroutine():
    yield from ()
    return "old"


def run(awaitable):
    """Runs a coroutine that waits for nothing."""
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("it waits")


def match(subject):  # noqa: PLR0911 - one for each pattern
    """Names the first pattern that fits."""
    match subject:
        case {"key": value}:
            return "mapping", value
        case [first, *rest]:
            return "sequence", first, rest
        case Point(x, y):
            return "class", x, y
        case int():
            return "int"
        case str():
            return "str"
        case None:
            return "none"
    return "no match"


def outcome(call, *args):
    """What a call gives or raises."""
    try:
        return call(*args)
    except Exception as error:  # noqa: BLE001 - it is what is looked at
        return type(error).__name__
