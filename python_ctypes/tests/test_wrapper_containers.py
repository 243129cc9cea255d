"""LocalWrapper: items, membership, iteration, lengths and memory of the wrapped object."""

import array
import bisect
import hashlib
import operator
import sys
from collections import OrderedDict, defaultdict, deque

import ft_local
import pytest
from ft_local import LocalWrapper

exports_memory = pytest.mark.skipif(
    ft_local.backend != "c" and sys.version_info < (3, 12),
    reason="a class in Python can export memory since PEP 688 of Python 3.12",
)

CONTAINERS = [
    [1, 2, 3],
    (1, 2, 3),
    "123",
    b"123",
    bytearray(b"123"),
    {1: 2},
    {1, 2},
    frozenset([1]),
    range(3),
    deque([1, 2]),
    OrderedDict(a=1),
    {1: 2}.keys(),
]


class Sized:
    def __len__(self):
        return 4


@pytest.mark.parametrize("value", [*CONTAINERS, Sized()], ids=lambda value: type(value).__name__)
def test_length_of_sized_objects(value):
    assert len(LocalWrapper(value)) == len(value)


def test_length_of_unsized_objects():
    with pytest.raises(TypeError, match=r"object of type 'int' has no len\(\)"):
        len(LocalWrapper(5))


@pytest.mark.parametrize("value", CONTAINERS, ids=lambda value: type(value).__name__)
def test_iteration_gives_the_same_items(value):
    assert list(LocalWrapper(value)) == list(value)
    assert type(iter(LocalWrapper(value))) is type(iter(value))


def test_items_are_read_written_and_deleted():
    values = [1, 2, 3, 4]
    wrapper = LocalWrapper(values)
    assert (wrapper[0], wrapper[-1], wrapper[1:3], wrapper[::2]) == (1, 4, [2, 3], [1, 3])
    wrapper[0] = "first"
    wrapper[1:3] = ["x"]
    del wrapper[-1]
    assert values == ["first", "x"]
    table = {}
    wrapper = LocalWrapper(table)
    wrapper["key"] = 1
    assert table == {"key": 1}
    del wrapper["key"]
    assert table == {}


def test_item_errors_are_those_of_the_object():
    with pytest.raises(IndexError, match="list index out of range"):
        LocalWrapper([1])[3]
    with pytest.raises(KeyError, match="'missing'"):
        LocalWrapper({})["missing"]
    with pytest.raises(TypeError, match=r"'(int|ft_local\.LocalWrapper)' object is not subsc"):
        LocalWrapper(5)[0]
    with pytest.raises(TypeError, match="'tuple' object does not support item assignment"):
        LocalWrapper((1,))[0] = 2
    with pytest.raises(TypeError, match="'tuple' object doesn't support item deletion"):
        del LocalWrapper((1,))[0]


def test_a_wrapper_serves_as_index_and_as_key():
    assert [10, 20][LocalWrapper(1)] == 20
    assert LocalWrapper([10, 20])[LocalWrapper(1)] == 20
    assert [1, 2, 3][LocalWrapper(1) :] == [2, 3]
    assert {"a": 1}[LocalWrapper("a")] == 1
    assert LocalWrapper({"a": 1})[LocalWrapper("a")] == 1


@pytest.mark.parametrize("value", CONTAINERS, ids=lambda value: type(value).__name__)
def test_membership(value):
    item = next(iter(value))
    assert item in LocalWrapper(value)
    with_none = (
        (None in LocalWrapper(value)) if not isinstance(value, str | bytes | bytearray) else False
    )
    assert with_none is False


def test_membership_by_iteration_or_by_contains_alone():
    class Contains:
        def __contains__(self, item):
            return item == 3

    assert 1 in LocalWrapper(iter([1]))
    assert 3 in LocalWrapper(Contains())
    assert 4 not in LocalWrapper(Contains())
    with pytest.raises(TypeError, match="'int' is not"):
        1 in LocalWrapper(5)


def test_membership_does_not_create_items():
    table = defaultdict(int)
    assert 5 not in LocalWrapper(table)
    assert table == {}


def test_errors_of_membership_are_passed_on():
    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            raise ValueError("compared")

    with pytest.raises(ValueError, match="compared"):
        Key() in LocalWrapper({1: 2})
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        [] in LocalWrapper({})


def test_next_of_an_iterator():
    wrapper = LocalWrapper(iter([1, 2]))
    assert iter(wrapper) is wrapper.wrapped
    assert next(wrapper) == 1
    assert next(wrapper) == 2
    assert next(wrapper, "default") == "default"
    with pytest.raises(StopIteration):
        next(wrapper)


def test_next_keeps_the_value_of_a_generator():
    def generator():
        yield 1
        return 5

    wrapper = LocalWrapper(generator())
    assert next(wrapper) == 1
    with pytest.raises(StopIteration) as caught:
        next(wrapper)
    assert caught.value.value == 5


def test_next_of_objects_that_are_not_iterators():
    with pytest.raises(
        TypeError, match=r"'(list|ft_local\.LocalWrapper)' object is not an iterator"
    ):
        next(LocalWrapper([1, 2]))


def test_iteration_of_objects_that_are_not_iterable():
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        iter(LocalWrapper(5))


def test_generators_work_through_their_wrapper():
    def generator():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"

    wrapper = LocalWrapper(generator())
    assert next(wrapper) == 1
    assert wrapper.send("sent") == "sent"
    assert wrapper.throw(KeyError()) == "caught"
    wrapper.close()

    def delegating():
        return (yield from LocalWrapper(generator()))

    delegate = delegating()
    assert [next(delegate), delegate.send("sent"), delegate.throw(KeyError())] == [
        1,
        "sent",
        "caught",
    ]


def test_reversed():
    class Reverses:
        def __reversed__(self):
            return iter("rev")

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return index

    assert list(reversed(LocalWrapper(Reverses()))) == list("rev")
    assert list(reversed(LocalWrapper({1: 2, 3: 4}))) == [3, 1]
    assert list(reversed(LocalWrapper([1, 2]))) == [2, 1]
    with pytest.raises(TypeError, match=r"'(set|ft_local\.LocalWrapper)' object is not reversible"):
        reversed(LocalWrapper({1}))


def test_length_hint():
    class Hints:
        def __length_hint__(self):
            return 7

    class Fails:
        def __length_hint__(self):
            raise ValueError("hinted")

    assert operator.length_hint(LocalWrapper(iter([1, 2, 3]))) == 3
    assert operator.length_hint(LocalWrapper(Hints())) == 7
    assert operator.length_hint(LocalWrapper([1, 2])) == 2
    assert operator.length_hint(LocalWrapper(object()), 9) == 9
    with pytest.raises(ValueError, match="hinted"):
        operator.length_hint(LocalWrapper(Fails()))


def test_functions_that_take_sequences():
    wrapper = LocalWrapper([1, 2, 3])
    assert sorted(wrapper) == [1, 2, 3]
    assert list(zip(wrapper, wrapper, strict=True)) == [(1, 1), (2, 2), (3, 3)]
    assert tuple(wrapper) == (1, 2, 3)
    assert [*wrapper] == [1, 2, 3]
    assert max(wrapper) == 3
    assert bisect.bisect(wrapper, 2) == 2
    assert "-".join(LocalWrapper(["a", "b"])) == "a-b"
    assert dict(LocalWrapper({1: 2})) == {1: 2}
    assert {**LocalWrapper({"a": 1})} == {"a": 1}
    first, *rest = wrapper
    assert (first, rest) == (1, [2, 3])


@exports_memory
def test_memory_of_the_wrapped_object():
    data = bytearray(b"abc")
    with memoryview(LocalWrapper(data)) as view:
        view[0] = ord("z")
        with pytest.raises(BufferError):
            data.append(1)
    data.append(1)
    assert data == b"zbc\x01"
    assert b"".join([LocalWrapper(b"a"), LocalWrapper(bytearray(b"b"))]) == b"ab"
    assert hashlib.sha256(LocalWrapper(b"x")).digest() == hashlib.sha256(b"x").digest()
    assert str(LocalWrapper(b"text"), "utf-8") == "text"
    numbers = array.array("d", [1, 2])
    view = memoryview(LocalWrapper(numbers))
    assert (view.format, view.tolist()) == ("d", [1.0, 2.0])


@pytest.mark.c_backend(reason="a __buffer__ in Python puts an object in between")
def test_the_exporter_of_memory_is_the_wrapped_object():
    data = bytearray(b"abc")
    with memoryview(LocalWrapper(data)) as view:
        assert view.obj is data


@exports_memory
def test_memory_may_be_asked_for_as_read_only_or_not():
    with pytest.raises((TypeError, BufferError)):
        array.array("b").frombytes(LocalWrapper("text"))
    with pytest.raises(TypeError, match=r"'(int|ft_local\.LocalWrapper)'"):
        memoryview(LocalWrapper(5))
    assert memoryview(LocalWrapper(b"x")).readonly


@exports_memory
def test_a_view_outlives_the_wrapper():
    view = memoryview(LocalWrapper(bytearray(b"abc")))
    assert view.tobytes() == b"abc"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 688 came with Python 3.12")
def test_buffer_method():
    assert bytes(LocalWrapper(b"abc").__buffer__(0)) == b"abc"
    assert bytes(LocalWrapper.__buffer__(LocalWrapper(b"abc"), 0)) == b"abc"
