"""`localize`: what a thread gets for an object, and that using it writes to no shared count."""

import abc
import enum
import functools
import gc
import sys
import weakref

import ft_local
import pytest
from ft_local import LocalWrapper, localize

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
# Elsewhere `localize` returns its argument.
DOES = ft_local.backend == "c" and not GIL


class Color(enum.Enum):
    RED = 1


class Part:
    def __init__(self):
        self.number = 2.5
        self.values = {"a": 1}

    def double(self):
        return self.number * 2


class Whole:
    kind = "whole"

    def __init__(self):
        self.part = Part()
        self.other = None
        self.color = Color.RED
        self.made_by = Part
        self.log = []

    def itself(self):
        return self

    def counts(self, things):
        """Of `things`, while the method itself uses them."""
        used = self, self.part, self.part.values
        return [sys.getrefcount(thing) for thing in things if used]

    def work(self, number):
        return self.part.double() * number + self.part.values["a"] + len(self.log)

    def keep_part(self):
        self.other = self.part

    def add(self, value):
        self.log.append(value)
        self.log += [value]

    @property
    def doubled(self):
        return self.part.number * 2

    @functools.cached_property
    def computed(self):
        return self.work(2)

    @classmethod
    def make(cls):
        return cls()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.log.append("left")

    def __call__(self, value):
        return self, value


class Derived(Whole):
    def work(self, number):
        return super().work(number) + 1


def is_local(value):
    return issubclass(type(value), LocalWrapper)


def test_methods_get_the_wrapper_as_self():
    whole = Whole()
    mine = localize(whole)
    assert is_local(mine) == DOES
    assert mine.itself() is mine
    assert mine(5) == (mine, 5)
    assert mine(5)[0] is mine
    with mine as entered:
        assert entered is mine
    assert whole.log == ["left"]


def test_parts_are_localized_to_any_depth_and_once():
    mine = localize(Whole())
    for part in (mine.part, mine.part.values, mine.log):
        assert is_local(part) == DOES
    assert mine.part is mine.part
    assert mine.part.values is mine.part.values
    assert mine.part.values == {"a": 1}
    assert mine.part.number == 2.5


@pytest.mark.parametrize("name", ["color", "other", "made_by", "kind", "make", "doubled"])
def test_what_is_known_by_its_identity_stays_as_it_is(name):
    assert not is_local(getattr(localize(Whole()), name))
    assert localize(Whole()).color is Color.RED


@pytest.mark.parametrize(
    "value", [2.5, float("-inf"), -0.0, 10**50, -(10**9), 5, "two words", b"ab"]
)
def test_numbers_and_texts_are_equal_copies(value):
    whole = Whole()
    whole.other = value
    assert repr(localize(whole).other) == repr(value)
    assert type(localize(whole).other) is type(value)


@pytest.mark.parametrize("kind", [Whole, Derived])
def test_programs_give_the_result_of_the_bare_object(kind):
    mine = localize(kind())
    bare = kind()
    assert mine.work(3) == bare.work(3)
    assert mine.computed == bare.computed
    assert mine.doubled == bare.doubled
    assert type(mine.make()) is kind
    assert isinstance(mine, kind)


def test_using_it_changes_no_count_of_the_shared_object():
    whole = Whole()
    mine = localize(whole)
    shared = [whole, whole.part, whole.part.values]
    mine.counts(shared)
    before = [sys.getrefcount(thing) for thing in shared]
    if DOES:
        assert mine.counts(shared) == before
    assert sum(LocalWrapper(whole).counts(shared)) > sum(before)


def test_assignments_reach_the_object_and_are_seen_at_once():
    whole = Whole()
    mine, other = localize(whole), localize(whole)
    for number in range(5):
        mine.part.number = number
        assert (other.part.number, whole.part.number) == (number, number)
        whole.part = part = Part()
        assert mine.part.number == other.part.number == 2.5
        assert getattr(mine.part, "wrapped", mine.part) is part
    del whole.part
    with pytest.raises(AttributeError, match="part"):
        _ = mine.part


def test_a_method_that_stores_a_part_stores_the_bare_one():
    whole = Whole()
    mine = localize(whole)
    mine.keep_part()
    mine.add(7)
    assert whole.other is whole.part
    assert whole.log == [7, 7]
    assert not is_local(whole.log)


def test_changes_of_the_class_and_of_the_dictionary_are_seen():
    class Changing:
        def __init__(self):
            self.value = [1]

        def get(self):
            return self.value

    thing = Changing()
    mine = localize(thing)
    assert mine.get() == mine.value == [1]
    Changing.get = lambda self: (self.value, "new")
    assert mine.get() == ([1], "new")
    thing.__dict__["value"] = [2]
    assert mine.get() == ([2], "new")
    thing.__dict__ = {"value": [3], "get": lambda: "of the object"}
    assert (mine.value, mine.get()) == ([3], "of the object")
    Changing.value = property(lambda _: "of the class")
    assert mine.value == "of the class"


def test_more_attributes_than_are_kept():
    thing = Part()
    for number in range(25):
        setattr(thing, f"name{number}", [number])
    mine = localize(thing)
    for _ in range(3):
        assert [getattr(mine, f"name{n}") for n in range(25)] == [[n] for n in range(25)]


def test_another_thread_gets_the_bare_parts(run_threads):
    whole = Whole()
    mine = localize(whole)
    assert mine.work(1) == 6
    assert run_threads(1, lambda _: (mine.work(1), mine.part is whole.part)) == [(6, True)]


def test_readers_and_a_writer_at_once(run_threads):
    whole = Whole()
    done = []

    def write():
        try:
            for number in range(3000):
                whole.part = Part()
                whole.part.number = float(number % 3)
        finally:
            done.append(True)

    def read():
        mine = localize(whole)
        while not done:
            assert mine.part.number in (2.5, 0.0, 1.0, 2.0)
            assert mine.part.values["a"] == 1

    run_threads(3, lambda index: read() if index else write())


def test_the_collector_frees_it():
    whole = Whole()
    mine = localize(whole)
    mine.work(1)
    gone = weakref.ref(whole)
    del whole, mine
    gc.collect()
    assert gone() is None


def test_objects_that_stay_as_they_are():
    class Slots:
        __slots__ = ()

    class Meta(type):
        pass

    class Managed(metaclass=Meta):
        pass

    class Abstract(abc.ABC):  # noqa: B024 - its metaclass is what matters
        pass

    for value in (Slots(), Managed(), Color.RED, len, Part, ValueError("a"), None, (1, 2)):
        assert localize(value) is value
    assert is_local(localize(Abstract())) == DOES


def test_a_wrapper_is_refused():
    with pytest.raises(TypeError, match="localize what it wraps"):
        localize(LocalWrapper([1]))


def test_copies_are_of_the_object():
    import copy  # noqa: PLC0415

    mine = localize(Part())
    again = copy.copy(mine)
    assert again.double() == 5.0
    assert getattr(again, "wrapped", again).number == 2.5


@pytest.mark.skipif(not DOES, reason="localize returns its argument")
def test_what_is_written_and_deleted_through_it():
    whole = Whole()
    local = localize(whole)
    wrapper = LocalWrapper(whole.log)
    local.other = wrapper
    assert whole.other is wrapper
    local.other = local.part
    assert whole.other is whole.part
    del local.other
    assert not hasattr(whole, "other")


@pytest.mark.skipif(not DOES, reason="localize returns its argument")
def test_a_method_of_a_type_in_c_gets_the_object():
    whole = Whole()
    assert localize(whole).__sizeof__() == whole.__sizeof__()
