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


def test_deep_copies_keep_what_is_the_same_the_same():
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


def test_what_cannot_be_copied_says_so():
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
