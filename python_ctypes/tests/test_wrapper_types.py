"""LocalWrapper: construction, the type itself, class checks and subclasses."""

import abc
import collections.abc
import inspect
import types
import typing

import ft_local
import pytest
from ft_local import LocalWrapper


def test_constructor():
    thing = object()
    assert LocalWrapper(thing).wrapped is thing
    assert LocalWrapper(wrapped=thing).wrapped is thing
    for value in (None, LocalWrapper, NotImplemented, ..., type):
        assert LocalWrapper(value).wrapped is value


def test_wrappers_nest():
    inner = LocalWrapper(5)
    outer = LocalWrapper(inner)
    assert outer.wrapped is inner
    assert repr(outer) == "<LocalWrapper: <LocalWrapper: 5>>"


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "'wrapped'"),
        ((1, 2), {}, "takes .* but .* given"),
        ((1, 2, 3), {}, "takes .* but .* given"),
        ((), {"bogus": 1}, "'bogus'"),
        ((1,), {"bogus": 1}, "'bogus'"),
        ((), {"wrapped": 1, "bogus": 1}, "'bogus'"),
        ((1,), {"wrapped": 1}, "multiple values for argument 'wrapped'"),
    ],
)
def test_wrong_arguments_are_named(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        LocalWrapper(*args, **kwargs)
    with pytest.raises(TypeError, match=message):
        LocalWrapper.__new__(LocalWrapper, *args, **kwargs)


def test_the_type_describes_itself():
    assert LocalWrapper.__module__ == "ft_local"
    assert LocalWrapper.__name__ == LocalWrapper.__qualname__ == "LocalWrapper"
    assert ft_local.LocalWrapper is LocalWrapper
    assert LocalWrapper.__doc__
    assert inspect.isclass(LocalWrapper)


def test_generic_alias():
    alias = LocalWrapper[int]
    assert isinstance(alias, types.GenericAlias)
    assert (typing.get_origin(alias), typing.get_args(alias)) == (LocalWrapper, (int,))
    assert alias(5).wrapped == 5
    assert LocalWrapper(list)[int] == list[int]


def test_an_instance_is_of_both_types():
    wrapper = LocalWrapper([1])
    assert isinstance(wrapper, LocalWrapper)
    assert isinstance(wrapper, list)
    assert isinstance(wrapper, collections.abc.Sequence)
    assert not isinstance(wrapper, dict)
    assert issubclass(type(wrapper), LocalWrapper)
    assert type(wrapper).__name__ == type(wrapper).__qualname__ == "LocalWrapper"
    assert type(wrapper).__module__ == "ft_local"


def test_checks_against_a_wrapped_class():
    class Virtual(abc.ABC):  # noqa: B024
        pass

    Virtual.register(int)
    assert isinstance(5, LocalWrapper(int))
    assert not isinstance("", LocalWrapper(int))
    assert isinstance(LocalWrapper(5), LocalWrapper(int))
    assert isinstance(5, LocalWrapper((str, int)))
    assert isinstance(5, LocalWrapper(int | str))
    assert isinstance(5, LocalWrapper(Virtual))
    assert issubclass(bool, LocalWrapper(int))
    assert not issubclass(str, LocalWrapper(int))
    assert issubclass(LocalWrapper(bool), int)
    with pytest.raises(TypeError):
        isinstance(5, LocalWrapper(5))
    with pytest.raises(TypeError):
        issubclass(int, LocalWrapper(5))


def test_a_wrapped_class_is_caught_and_inherited():
    class Base:
        pass

    class Derived(LocalWrapper(Base)):
        pass

    assert Derived.__mro__ == (Derived, Base, object)

    class Numbers(LocalWrapper(list[int])):
        pass

    assert Numbers.__mro__ == (Numbers, list, object)


def test_the_type_cannot_be_changed_by_accident():
    wrapper = LocalWrapper(5)
    with pytest.raises(AttributeError):
        wrapper.anything = 1
    assert not hasattr(LocalWrapper, "anything")


class Logged(LocalWrapper):
    """A subclass with a method, an overridden special method, and data of its own."""

    __slots__ = ("log",)
    shared = "of the subclass"

    def own(self):
        return self.wrapped

    def __len__(self):
        return 99

    def __add__(self, other):
        return "added", other

    @property
    def computed(self):
        return "computed"


def test_definitions_of_a_subclass_win():
    wrapper = Logged([1, 2])
    assert wrapper.own() == [1, 2]
    assert wrapper.shared == "of the subclass"
    assert wrapper.computed == "computed"
    assert len(wrapper) == 99
    assert wrapper + 1 == ("added", 1)
    wrapper.log = "logged"
    assert wrapper.log == "logged"
    assert {"own", "computed", "append", "wrapped"} <= set(dir(wrapper))


def test_other_attributes_of_a_subclass_are_those_of_the_object():
    values = [1, 2]
    wrapper = Logged(values)
    wrapper.append(3)
    assert values == [1, 2, 3]
    assert wrapper[2] == 3
    assert wrapper * 2 == [1, 2, 3] * 2
    assert [0] * Logged(2) == [0, 0]
    assert isinstance(wrapper, list)
    assert isinstance(wrapper, Logged)
    assert wrapper.__doc__ == list.__doc__
    assert wrapper.__class__ is list
    thing = types.SimpleNamespace()
    Logged(thing).log2 = 1
    assert thing.log2 == 1


def test_a_subclass_may_override_attribute_access():
    class Prefixed(LocalWrapper):
        def __getattr__(self, name):
            return f"made {name}"

    class Upper(LocalWrapper):
        def __getattribute__(self, name):
            return super().__getattribute__(name.lower())

    assert Prefixed([]).missing == "made missing"
    assert Prefixed([1]).append(2) is None
    assert Upper("a").UPPER() == "A"


def test_a_subclass_may_have_a_constructor_of_its_own():
    class Tagged(LocalWrapper):
        __slots__ = ("tag",)

        def __init__(self, wrapped, tag):
            super().__init__(wrapped)
            self.tag = tag

    class Connected(LocalWrapper):
        def __new__(cls, host):
            return super().__new__(cls, {"host": host})

    wrapper = Tagged(5, "tag")
    assert (wrapper.wrapped, wrapper.tag) == (5, "tag")
    assert Tagged(wrapped=5, tag="tag").tag == "tag"
    assert Connected("here")["host"] == "here"
    with pytest.raises(TypeError):
        Tagged(5)
    with pytest.raises(TypeError):
        Logged(5, 6)


def test_a_subclass_cannot_rewrap():
    class Rewraps(LocalWrapper):
        def __init__(self, wrapped):
            super().__init__([wrapped])

    with pytest.raises(TypeError, match="never changes what it wraps"):
        Rewraps(5)


def test_a_mixin_in_front_wins_and_one_behind_does_not():
    class Mixin:
        def upper(self):
            return "mixed in"

    class InFront(Mixin, LocalWrapper):
        pass

    class Behind(LocalWrapper, Mixin):
        pass

    assert InFront("a").upper() == "mixed in"
    assert Behind("a").upper() == "A"


def test_subclasses_nest():
    class Second(Logged):
        def second(self):
            return "second"

    wrapper = Second("a")
    assert (wrapper.second(), wrapper.own(), wrapper.upper(), len(wrapper)) == (
        "second",
        "a",
        "A",
        99,
    )
    assert LocalWrapper(wrapper) + 1 == ("added", 1)


def test_an_in_place_result_of_a_subclass():
    values = [1]
    wrapper = same = Logged(values)
    wrapper *= 2
    assert wrapper is same
    number = Logged(5)
    number -= 1
    assert isinstance(number, LocalWrapper)
    assert number.wrapped == 4
