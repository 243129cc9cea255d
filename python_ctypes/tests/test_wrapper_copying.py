"""LocalWrapper: copies and pickles are wrappers of the copied object."""

import copy
import pickle

import pytest
from ft_local import LocalWrapper


class Tagged(LocalWrapper):
    pass


@pytest.mark.parametrize("kind", [LocalWrapper, Tagged])
def test_shallow_copy(kind):
    inner = [1]
    values = [inner]
    copied = copy.copy(kind(values))
    assert type(copied) is type(kind(values))
    assert copied.wrapped == values
    assert copied.wrapped is not values
    assert copied.wrapped[0] is inner


@pytest.mark.parametrize("kind", [LocalWrapper, Tagged])
def test_deep_copy(kind):
    values = [[1]]
    copied = copy.deepcopy(kind(values))
    assert type(copied) is type(kind(values))
    assert copied.wrapped == values
    assert copied.wrapped[0] is not values[0]


def test_deep_copies_preserve_identity():
    values = []
    wrapper = LocalWrapper(values)
    first, second, bare = copy.deepcopy([wrapper, wrapper, values])
    assert first is second
    assert first.wrapped is bare


def test_deep_copy_of_an_object_that_refers_to_its_wrapper():
    values = []
    wrapper = LocalWrapper(values)
    values.append(wrapper)
    copied = copy.deepcopy(wrapper)
    assert copied is not wrapper
    assert copied.wrapped is not values
    assert copied.wrapped[0] is copied


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [LocalWrapper, Tagged])
@pytest.mark.parametrize("dumps", [pickle.dumps, pickle._dumps], ids=["c", "python"])
def test_pickle(protocol, kind, dumps):
    data = dumps(kind({"a": [1]}), protocol)
    for loads in (pickle.loads, pickle._loads):
        loaded = loads(data)
        assert type(loaded) is type(kind({}))
        assert type(loaded.wrapped) is dict
        assert loaded.wrapped == {"a": [1]}


def test_the_type_itself_is_pickled_by_name():
    data = pickle.dumps(LocalWrapper)
    assert pickle.loads(data) is LocalWrapper  # noqa: S301 - made here


def test_objects_that_cannot_be_copied_raise():
    def generator():
        yield

    for function in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle 'generator' object"):
            function(LocalWrapper(generator()))


def test_explicit_calls():
    wrapper = LocalWrapper([1])
    assert type(wrapper.__copy__()) is type(wrapper)
    assert type(wrapper.__deepcopy__({})) is type(wrapper)
    assert wrapper.__reduce__() == wrapper.__reduce_ex__(4) == (LocalWrapper, ([1],))


class Labelled(LocalWrapper):
    """Keeps what it adds in the dictionary of its instances and in slots."""

    __slots__ = ("__hidden", "slotted")

    def __init__(self, wrapped, slotted, hidden):
        self.slotted = slotted
        self.__hidden = hidden

    def hidden(self):
        return self.__hidden


class Noted(Labelled):
    label = None
    notes = None

    def __init__(self, wrapped, label, notes):
        super().__init__(wrapped, [label], "hidden")
        self.label = label
        self.notes = notes


def pickled(wrapper):
    return pickle.loads(pickle.dumps(wrapper))  # noqa: S301 - made here


def pickled_in_python(wrapper):
    return pickle._loads(pickle._dumps(wrapper, 0))


COPIES = [copy.copy, copy.deepcopy, pickled, pickled_in_python]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_keeps_what_a_subclass_added(copied):
    class_of_value = copy.copy  # Has no `__setstate__`, and takes no attributes.
    wrapper = Noted([class_of_value], "label", ["note"])
    made = copied(wrapper)
    assert type(made) is Noted
    assert made.wrapped == [class_of_value]
    assert (made.label, made.notes, made.slotted) == ("label", ["note"], ["label"])
    assert made.hidden() == "hidden"
    assert (made.notes is wrapper.notes) == (copied is copy.copy)
    assert (made.slotted is wrapper.slotted) == (copied is copy.copy)
    assert made.wrapped is not wrapper.wrapped


class HasState:
    """Would take the state of a wrapper for its own."""

    def __init__(self):
        self.mine = 1

    def __getstate__(self):
        return {"mine": self.mine}

    def __setstate__(self, state):
        self.__dict__.update(state)


@pytest.mark.parametrize("copied", COPIES)
def test_the_state_of_a_subclass_and_of_the_object_stay_apart(copied):
    made = copied(Noted(HasState(), "label", []))
    assert vars(made.wrapped) == {"mine": 1}
    assert made.label == "label"


@pytest.mark.parametrize("copied", COPIES[1:])
def test_a_subclass_that_keeps_itself(copied):
    wrapper = Noted([], "label", [])
    wrapper.notes.append(wrapper)
    made = copied(wrapper)
    assert made is not wrapper
    assert made.notes[0] is made


class Reduces(LocalWrapper):
    made_by = None

    @classmethod
    def make(cls, text):
        made = cls([text])
        made.made_by = "make"
        return made

    def __reduce__(self):
        return type(self).make, (self.wrapped[0],)


class HasOwnState(LocalWrapper):
    state = "none"

    def __getstate__(self):
        return "kept " + self.state

    def __setstate__(self, state):
        self.state = state


class HasNewArguments(LocalWrapper):
    where = None

    def __new__(cls, table, where):
        self = super().__new__(cls, table[where])
        self.where = where
        return self

    def __init__(self, table, where):
        self.table = table

    table = None

    def __getnewargs__(self):
        return self.table, self.where


@pytest.mark.parametrize("copied", COPIES)
def test_the_methods_of_a_subclass_decide(copied):
    reduced = copied(Reduces(["text"]))
    assert type(reduced) is Reduces
    assert (reduced.wrapped, reduced.made_by) == (["text"], "make")
    with_state = HasOwnState([1])
    with_state.state = "state"
    assert copied(with_state).state == "kept state"
    assert copied(with_state).wrapped == [1]
    renewed = copied(HasNewArguments({"here": [1]}, "here"))
    assert (renewed.wrapped, renewed.where, renewed.table) == ([1], "here", {"here": [1]})


class CopiesItself(LocalWrapper):
    def __copy__(self):
        return "copy"

    def __deepcopy__(self, memo):
        return "deep copy"


def test_copies_by_a_subclass_itself():
    assert copy.copy(CopiesItself([])) == "copy"
    assert copy.deepcopy(CopiesItself([])) == "deep copy"


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_does_not_call_the_constructor_of_a_subclass(copied):
    class_calls.clear()
    wrapper = Counts([1])
    assert class_calls == ["__init__"]
    assert copied(wrapper).wrapped == [1]
    assert class_calls == ["__init__"]


class_calls = []


class Counts(LocalWrapper):
    def __init__(self, wrapped):
        class_calls.append("__init__")
