"""LocalWrapper: objects, names and classes that behave in ways that few programs know."""

import bisect
import inspect
import math
import operator
import types

import pytest
from ft_local import LocalWrapper


class Local(LocalWrapper):
    extra = 1


class Name(str):
    """A name that is no plain text."""

    __slots__ = ()


class Thing:
    def method(self):
        return "method"


@pytest.mark.parametrize("kind", [LocalWrapper, Local])
def test_a_name_of_a_subclass_of_str(kind):
    thing = Thing()
    wrapper = kind(thing)
    setattr(wrapper, Name("value"), 5)
    assert getattr(wrapper, Name("value")) == thing.value == 5
    assert getattr(wrapper, Name("method"))() == "method"
    assert getattr(kind(math), Name("pi")) == math.pi
    delattr(wrapper, Name("value"))
    assert not hasattr(thing, "value")


@pytest.mark.parametrize("name", ["wrappe\u0434", "__copy_\u0434", "\u0434" * 13])
def test_a_name_that_is_as_long_as_one_of_the_wrapper(name):
    thing = types.SimpleNamespace(**{name: 5})
    assert getattr(LocalWrapper(thing), name) == 5


class Fails(str):
    """A name that fails at its n-th comparison."""

    __slots__ = ("left",)
    __hash__ = str.__hash__

    def __eq__(self, other):
        self.left -= 1
        if self.left == 0:
            raise ZeroDivisionError
        return str.__eq__(self, other)


def outcome(function, n):
    name = Fails("extra")
    name.left = n
    try:
        return function(name)
    except (ZeroDivisionError, AttributeError) as error:
        return type(error)


@pytest.mark.c_backend(reason="the interpreter drops such an error where it looks for a method")
def test_an_error_of_a_name_is_passed_on_or_the_name_not_found():
    def get(name):
        return getattr(Local(Thing()), name)

    def write(name):
        return setattr(Local(Thing()), name, 1)

    assert {outcome(get, n) for n in range(1, 20)} == {1, ZeroDivisionError, AttributeError}
    assert ZeroDivisionError in {outcome(write, n) for n in range(1, 20)}


def test_a_property_that_removes_itself():
    class Slotted:
        __slots__ = ()

        @property
        def once(self):
            del Slotted.once
            return "once"

    wrapper = LocalWrapper(Slotted())
    assert wrapper.once == "once"
    assert not hasattr(wrapper, "once")


def test_a_property_that_becomes_a_method():
    class Slotted:
        __slots__ = ()

        @property
        def changes(self):
            Slotted.changes = lambda self: "method"
            return "property"

    wrapper = LocalWrapper(Slotted())
    assert wrapper.changes == "property"
    assert wrapper.changes() == "method"


def test_a_property_that_changes_the_class():
    class Other:
        __slots__ = ()

        def changes(self):
            return "method"

    class Slotted:
        __slots__ = ()

        @property
        def changes(self):
            self.__class__ = Other
            return "property"

    assert Other().changes() == "method"
    wrapper = LocalWrapper(Slotted())
    assert wrapper.changes == "property"
    assert wrapper.changes() == "method"


def test_items_of_what_has_none():
    for thing in (object(), Thing()):
        wrapper = Local(thing)
        with pytest.raises(TypeError, match="subscriptable"):
            wrapper[0]
        with pytest.raises(TypeError):
            bisect.bisect(wrapper, 1, 0, 1)
        with pytest.raises(TypeError, match="iterator"):
            next(wrapper)
        with pytest.raises(TypeError, match="async"):
            anext(wrapper)


def test_an_item_by_its_number_of_what_had_some_before():
    class Changes:
        def __getitem__(self, key):
            return key

    wrapper = LocalWrapper(Changes())
    assert bisect.bisect(wrapper, 1, 0, 3) == 2
    del Changes.__getitem__
    with pytest.raises(TypeError):
        bisect.bisect(wrapper, 1, 0, 3)


def test_a_member_of_the_object_is_not_a_method_of_its_context():
    class Manager:
        __slots__ = ("__enter__", "__exit__")

    manager = Manager()
    manager.__enter__ = lambda: "value"
    manager.__exit__ = lambda *args: None
    wrapper = LocalWrapper(manager)
    assert wrapper.__enter__() == "value"
    with wrapper as value:
        assert value == "value"


def test_an_error_of_a_key_of_a_module_is_passed_on():
    class Key:
        def __hash__(self):
            return hash("missing")

        def __eq__(self, other):
            raise ZeroDivisionError

    module = types.ModuleType("module")
    vars(module)[Key()] = 1
    with pytest.raises(ZeroDivisionError):
        _ = module.missing
    with pytest.raises(ZeroDivisionError):
        _ = LocalWrapper(module).missing


def test_nested_wrappers_in_items_and_comparisons():
    items = [0]
    wrapper = LocalWrapper(LocalWrapper(items))
    wrapper[0] = 1
    assert items == [1]
    assert LocalWrapper(1) == LocalWrapper(LocalWrapper(1))
    assert pow(LocalWrapper(LocalWrapper(2)), LocalWrapper(LocalWrapper(3))) == 8


@pytest.mark.c_backend(reason="a Python class has no slots for a descriptor in some instances only")
@pytest.mark.parametrize("nested", [False, True])
def test_a_descriptor_whose_class_loses_its_methods(nested):
    class Descriptor:
        def __get__(self, instance, owner=None):
            return "of the descriptor"

        def __set__(self, instance, value):
            instance.__dict__["set"] = value

    wrapper = LocalWrapper(Descriptor())
    if nested:
        wrapper = LocalWrapper(wrapper)

    class Holds:
        held = wrapper

    thing = Holds()
    thing.held = 5
    assert (thing.held, vars(thing)) == ("of the descriptor", {"set": 5})
    del Descriptor.__get__, Descriptor.__set__
    assert isinstance(thing.held, LocalWrapper)
    with pytest.raises(AttributeError):
        thing.held = 6


@pytest.mark.parametrize("method", ["__exit__", "__aexit__", "__round__", "__set_name__"])
def test_wrong_numbers_of_arguments(method):
    class Able:
        def method(self, *arguments):
            return arguments

    setattr(Able, method, Able.method)
    wrapper = LocalWrapper(Able())
    for count in (0, 5)[method == "__round__" :]:
        with pytest.raises(TypeError):
            getattr(type(wrapper), method)(wrapper, *range(count))


def test_an_initialization_with_more_arguments():
    with pytest.raises(TypeError):
        LocalWrapper.__init__(LocalWrapper(1), 1, 2)


def test_bases_of_a_class_that_are_no_classes_stay_as_they_are():
    assert types.resolve_bases((LocalWrapper(5), LocalWrapper(int))) == (5, int)


def test_an_error_of_mro_entries_is_passed_on():
    class Base:
        def __getattr__(self, name):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        types.new_class("Derived", (LocalWrapper(Base()),))


def test_an_error_of_a_signature_is_passed_on():
    errors = [ZeroDivisionError]

    class Signed:
        def __call__(self):
            pass

        @property
        def __signature__(self):
            if errors:
                raise errors.pop()

    class Unwrapped:
        def __call__(self):
            pass

        @property
        def __wrapped__(self):
            raise ZeroDivisionError

    class Broken:
        __call__ = 5

    assert not hasattr(LocalWrapper(Broken()), "__signature__")
    for kind in (Signed, Unwrapped):
        with pytest.raises(ZeroDivisionError):
            _ = LocalWrapper(kind()).__signature__


@pytest.mark.c_backend(reason="a class in Python cannot have a __dict__ of its own making")
def test_a_property_and_no_method_goes_before_what_the_object_has_by_its_name():
    class Hides(Thing):
        computed = property(lambda self: 1)

    thing = Hides()
    vars(thing).update(computed=2, method=3, __doc__="own")
    for value in (thing, LocalWrapper(thing)):
        assert inspect.getattr_static(value, "computed") is Hides.computed
        assert inspect.getattr_static(value, "method") == 3
        assert inspect.getattr_static(value, "__doc__") == "own"


def test_a_method_of_a_type_in_c_in_a_subclass():
    class Counts(LocalWrapper):
        count = list.count

    with pytest.raises(TypeError):
        Counts([1]).count(1)
    assert "count" in dir(Counts(5))


def test_an_instance_is_called_by_code_that_lends_no_place_before_the_arguments():
    class Called:
        def __call__(self, *arguments):
            return arguments

    wrapper = LocalWrapper(Called())
    assert list(map(wrapper, [1, 2])) == [(1,), (2,)]
    assert operator.call(wrapper, 3) == (3,)
