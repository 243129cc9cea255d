"""LocalWrapper: what inspect, typing and unittest.mock find out about a wrapped object."""

import functools
import inspect
import typing
from unittest import mock

import pytest
from ft_local import LocalWrapper


class Base:
    of_base = "base"

    def method(self, first, *, second=2):
        return first, second


class Holds(Base):
    """Has attributes of every sort."""

    of_class: int = 1

    def __init__(self, value=5):
        self.value = value

    @property
    def computed(self):
        raise AssertionError("asked for")

    def __call__(self, argument, other=None):
        return argument, other


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 1


def function(one, two=2):
    return one, two


SIGNED = [Holds, Holds(), Holds().method, function, len, [].append, functools.partial(function, 1)]


@pytest.mark.parametrize("value", SIGNED, ids=lambda value: type(value).__name__)
def test_signatures(value):
    assert inspect.signature(LocalWrapper(value)) == inspect.signature(value)
    assert inspect.signature(LocalWrapper(LocalWrapper(value))) == inspect.signature(value)


@pytest.mark.c_backend(reason="a Python class that can be called makes all instances callable")
@pytest.mark.parametrize("value", [5, int, {}, Slotted()], ids=lambda value: type(value).__name__)
def test_objects_without_a_signature(value):
    try:
        expected = inspect.signature(value)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            inspect.signature(LocalWrapper(value))
        assert not hasattr(LocalWrapper(value), "__signature__")
    else:
        assert inspect.signature(LocalWrapper(value)) == expected


NAMES = ["value", "of_class", "of_base", "method", "computed", "missing", "__doc__", "__init__"]


@pytest.mark.c_backend(reason="a class in Python cannot have a __dict__ of its own making")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [Holds(), Holds, Slotted(), 5, function, inspect])
def test_unrequested_attributes(name, value):
    expected = inspect.getattr_static(value, name, "nothing")
    assert inspect.getattr_static(LocalWrapper(value), name, "nothing") == expected
    assert inspect.getattr_static(LocalWrapper(LocalWrapper(value)), name, "nothing") == expected


class HasValue(typing.Protocol):
    value: int


class HasComputed(typing.Protocol):
    @property
    def computed(self) -> int: ...


class HasMissing(typing.Protocol):
    value: int
    missing: int


class HasBoth(typing.Protocol):
    of_class: int

    def method(self, first: int, *, second: int = 2) -> object: ...


@pytest.mark.c_backend(reason="a class in Python cannot have a __dict__ of its own making")
@pytest.mark.parametrize("protocol", [HasValue, HasMissing, HasBoth])
@pytest.mark.parametrize("value", [Holds(), Holds, Slotted(), 5])
def test_protocols_with_data(protocol, value):
    protocol = typing.runtime_checkable(protocol)
    assert isinstance(LocalWrapper(value), protocol) == isinstance(value, protocol)


def test_dict_is_that_of_the_object():
    thing = Holds()
    assert LocalWrapper(thing).__dict__ is thing.__dict__
    assert vars(LocalWrapper(thing)) is vars(thing)
    with pytest.raises(TypeError):
        vars(LocalWrapper(5))


@pytest.mark.c_backend(reason="a Python class with __await__ makes all instances awaitable")
def test_specifications_of_mocks():
    made = mock.create_autospec(LocalWrapper(Holds))
    assert inspect.signature(made) == inspect.signature(Holds)
    assert inspect.signature(made().method) == inspect.signature(Holds().method)
    with pytest.raises(TypeError):
        made(1, 2, 3)
    called = mock.create_autospec(LocalWrapper(function))
    called(1, two=3)
    called.assert_called_once_with(1, two=3)
    with pytest.raises(TypeError):
        called()
    thing = mock.create_autospec(LocalWrapper(Base()))
    thing.method(1)
    with pytest.raises(TypeError):
        thing.method()


def test_a_parameter_of_the_class_is_not_written_into_the_object():
    thing = Holds()
    wrapper = LocalWrapper[Holds](thing)
    assert wrapper.wrapped is thing
    assert "__orig_class__" not in vars(thing)


def test_annotations_of_a_subclass_are_its_own():
    class Noted(LocalWrapper):
        note: int = 1

    wrapper = Noted(5)
    assert wrapper.note == 1
    for name in ("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"):
        assert not hasattr(wrapper, name)
    assert Noted(Holds).__annotations__ == Holds.__annotations__
