"""LocalWrapper: attributes are the wrapped object's, asked once and in its own way."""

import array
import dataclasses
import enum
import inspect
import threading
import types
import weakref
from unittest import mock

import pytest
from ft_local import LocalWrapper


class Plain:
    """A plain class."""

    value = 1

    def method(self):
        return self


def test_attributes_are_read_set_and_deleted():
    thing = Plain()
    wrapper = LocalWrapper(thing)
    wrapper.new = 5
    assert (thing.new, wrapper.new) == (5, 5)
    del wrapper.new
    assert not hasattr(thing, "new")
    with pytest.raises(AttributeError, match="'Plain' object has no attribute 'new'"):
        del wrapper.new
    with pytest.raises(AttributeError, match="'Plain' object has no attribute 'missing'"):
        _ = wrapper.missing
    assert getattr(wrapper, "missing", "default") == "default"


def test_methods_are_bound_to_the_wrapped_object():
    thing = Plain()
    wrapper = LocalWrapper(thing)
    assert wrapper.method() is thing
    assert wrapper.method == thing.method
    assert wrapper.method.__self__ is thing


def test_names_built_at_run_time():
    wrapper = LocalWrapper(Plain())
    name = "-wrapped"[1:]
    assert getattr(wrapper, name) is wrapper.wrapped
    assert getattr(wrapper, "-value"[1:]) == 1
    wrapper.näme = 2
    assert wrapper.wrapped.näme == 2


@pytest.mark.parametrize(
    "name", ["release", "wrapper", "Wrapped", "wrappeD", "__cope__", "änderung"]
)
def test_names_similar_to_those_of_the_wrapper(name):
    thing = types.SimpleNamespace(**{name: "found"})
    assert getattr(LocalWrapper(thing), name) == "found"


def test_wrapped_is_the_object_and_cannot_change():
    thing = Plain()
    thing.wrapped = "hidden"
    wrapper = LocalWrapper(thing)
    assert wrapper.wrapped is thing
    with pytest.raises(AttributeError):
        wrapper.wrapped = 5
    with pytest.raises(AttributeError):
        del wrapper.wrapped
    assert wrapper.wrapped is thing
    assert thing.wrapped == "hidden"


class Overrides:
    value = 1
    log: list[tuple]

    def __init__(self):
        object.__setattr__(self, "log", [])

    def __getattribute__(self, name):
        if name.startswith("__") or name == "log":
            return object.__getattribute__(self, name)
        return f"got {name}"

    def __setattr__(self, name, value):
        self.log.append(("set", name, value))

    def __delattr__(self, name):
        self.log.append(("delete", name))


@pytest.mark.parametrize("name", [5, None, (1,) * 7, b"wrapped"])
def test_a_name_that_is_not_a_str_is_an_error(name):
    wrapper = LocalWrapper(Plain())
    for function in (getattr, LocalWrapper.__getattribute__, LocalWrapper.__delattr__):
        with pytest.raises(TypeError, match="attribute name must be string"):
            function(wrapper, name)
    with pytest.raises(TypeError, match="attribute name must be string"):
        LocalWrapper.__setattr__(wrapper, name, 1)


def test_overridden_access_is_obeyed():
    thing = Overrides()
    wrapper = LocalWrapper(thing)
    assert wrapper.value == "got value"
    wrapper.value = 2
    del wrapper.value
    assert thing.log == [("set", "value", 2), ("delete", "value")]


def test_getattr_method_is_called_for_missing_names_only():
    class Falls:
        present = 1

        def __getattr__(self, name):
            return f"made {name}"

    wrapper = LocalWrapper(Falls())
    assert (wrapper.present, wrapper.absent) == (1, "made absent")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError, AttributeError, RecursionError])
def test_a_property_runs_once_and_its_error_is_passed_on(kind):
    class Counts:
        reads = writes = deletes = 0

        @property
        def counted(self):
            Counts.reads += 1
            raise kind("read")

        @counted.setter
        def counted(self, value):
            Counts.writes += 1
            raise kind("written")

        @counted.deleter
        def counted(self):
            Counts.deletes += 1
            raise kind("deleted")

    wrapper = LocalWrapper(Counts())
    with pytest.raises(kind, match="read"):
        _ = wrapper.counted
    with pytest.raises(kind, match="written"):
        wrapper.counted = 1
    with pytest.raises(kind, match="deleted"):
        del wrapper.counted
    assert (Counts.reads, Counts.writes, Counts.deletes) == (1, 1, 1)


def test_a_frozen_object_stays_frozen():
    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int = 1

    class Color(enum.Enum):
        RED = 1

    point = Point()
    with pytest.raises(dataclasses.FrozenInstanceError):
        LocalWrapper(point).x = 2
    with pytest.raises(AttributeError):
        LocalWrapper(Color).RED = 99
    with pytest.raises(TypeError, match="immutable type"):
        LocalWrapper(int).foo = 1
    with pytest.raises(TypeError, match="immutable type"):
        LocalWrapper(array.array).foo = 1
    assert point.x == 1
    assert Color.RED.value == 1
    assert "foo" not in array.array.__dict__


def test_a_class_attribute_set_through_the_wrapper_is_seen_by_all():
    class Base:
        a = 1

    class Derived(Base):
        pass

    thing = Derived()
    assert [thing.a for _ in range(50)] == [1] * 50
    LocalWrapper(Base).a = 2
    assert (Base.a, thing.a, Derived().a) == (2, 2, 2)


def test_methods_of_a_wrapped_class_are_bound_to_the_class():
    class Made:
        @classmethod
        def of_class(cls):
            return cls

        @staticmethod
        def of_nobody():
            return "static"

        def of_instance(self):
            return self

    wrapper = LocalWrapper(Made)
    assert wrapper.of_class() is Made
    assert wrapper.of_nobody() == "static"
    thing = wrapper()
    assert type(thing) is Made
    assert wrapper.of_instance(thing) is thing
    assert LocalWrapper(dict).fromkeys([1]) == {1: None}


def test_slots_and_descriptors():
    class Slotted:
        __slots__ = ("a",)

    thing = Slotted()
    wrapper = LocalWrapper(thing)
    wrapper.a = 1
    assert thing.a == 1
    with pytest.raises(AttributeError):
        wrapper.b = 1


def test_thread_local_storage():
    storage = threading.local()
    storage.a = 1
    wrapper = LocalWrapper(storage)
    assert wrapper.a == 1
    wrapper.b = 2
    assert storage.b == 2


def test_weak_proxies_and_modules():
    thing = Plain()
    wrapper = LocalWrapper(weakref.proxy(thing))
    wrapper.y = 1
    assert thing.y == 1
    assert wrapper.value == 1
    module = types.ModuleType("made")
    LocalWrapper(module).name = 5
    assert module.name == 5


def test_introspection_attributes_are_those_of_the_object():
    thing = Plain()
    thing.a = 1
    wrapper = LocalWrapper(thing)
    assert wrapper.__class__ is Plain
    assert wrapper.__doc__ == "A plain class."
    assert wrapper.__dict__ is thing.__dict__
    assert vars(wrapper) is thing.__dict__
    assert wrapper.__module__ == __name__
    assert LocalWrapper(len).__doc__ == len.__doc__
    assert LocalWrapper(len).__name__ == "len"
    with pytest.raises(TypeError):
        vars(LocalWrapper(5))


def test_dir_lists_the_names_of_the_object_and_wrapped():
    thing = Plain()
    thing.a = 1
    names = dir(LocalWrapper(thing))
    assert set(names) == {*dir(thing), "wrapped"}
    assert names == sorted(names)
    assert "zfill" in dir(LocalWrapper("a"))

    class Lists:
        def __dir__(self):
            return ["b", "a"]

    assert dir(LocalWrapper(Lists())) == ["a", "b", "wrapped"]


def test_signatures():
    def function(a, b: int = 2, *, c):
        pass

    assert inspect.signature(LocalWrapper(function)) == inspect.signature(function)
    assert str(inspect.signature(LocalWrapper)) == "(wrapped)"


def test_a_mock_records_what_is_done_through_a_wrapper():
    thing = mock.Mock()
    LocalWrapper(thing).method(1, key=2)
    thing.method.assert_called_once_with(1, key=2)


def test_a_loop_of_objects_and_wrappers_is_an_error():
    class Loops:
        def __getattr__(self, name):
            return getattr(self.__dict__["wrapper"], name)

    thing = Loops()
    thing.wrapper = LocalWrapper(thing)
    with pytest.raises(RecursionError):
        _ = thing.wrapper.missing
