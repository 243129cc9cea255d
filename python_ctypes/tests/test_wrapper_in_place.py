"""LocalWrapper: in-place operators change the object if it can change, and never the wrapper."""

import array
import collections
import copy
import operator

import pytest
from ft_local import LocalWrapper

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
BITWISE = ["lshift", "rshift", "and", "xor", "or"]


def in_place(name):
    return getattr(operator, f"i{name}")


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE)
@pytest.mark.parametrize("other", [3, LocalWrapper(3)], ids=["bare", "wrapped"])
def test_an_immutable_value_gives_a_new_wrapper(name, other):
    function = in_place(name)
    value = 10 if name in BITWISE else 10.5
    before = LocalWrapper(value)
    after = function(before, other)
    assert type(after) is type(LocalWrapper(after.wrapped))
    assert after is not before
    assert after.wrapped == function(value, 3)
    assert type(after.wrapped) is type(value)
    assert before.wrapped is value


def test_a_second_name_of_the_wrapper_sees_no_change():
    first = second = LocalWrapper(10)
    first += 1
    assert (first.wrapped, second.wrapped) == (11, 10)


@pytest.mark.parametrize("name", [*ARITHMETIC, "matmul", *BITWISE])
def test_an_object_that_changes_in_place_keeps_its_wrapper(name):
    function = in_place(name)
    seen = []

    def change(self, other):
        seen.append(other)
        return self

    wrapper = LocalWrapper(type("Changing", (), {f"__i{name}__": change})())
    assert function(wrapper, 1) is wrapper
    assert function(wrapper, LocalWrapper(2)) is wrapper
    assert seen == [1, 2]
    assert type(seen[1]) is int


def test_collections_change_in_place():
    values = [1]
    wrapper = LocalWrapper(values)
    same = wrapper
    wrapper += [2]
    wrapper *= 2
    wrapper += LocalWrapper((3,))
    assert wrapper is same
    assert values == [1, 2, 1, 2, 3]
    members = {1, 2, 3}
    wrapper = LocalWrapper(members)
    wrapper -= {1}
    wrapper |= {4}
    wrapper &= {2, 4}
    wrapper ^= {5}
    assert wrapper.wrapped is members
    assert members == {2, 4, 5}


def test_an_object_may_be_added_to_itself():
    wrapper = LocalWrapper([1, 2])
    wrapper += wrapper
    assert wrapper.wrapped == [1, 2, 1, 2]


def test_an_operator_without_in_place_form_falls_back():
    class Multiplies:
        def __matmul__(self, other):
            return 7

    wrapper = LocalWrapper(Multiplies())
    wrapper @= 1
    assert type(wrapper) is type(LocalWrapper(7))
    assert wrapper.wrapped == 7


def test_a_bare_list_gets_a_new_list():
    values = before = [1]
    values += LocalWrapper([2])
    assert type(values) is list
    assert values == [1, 2]
    assert before == [1]


def test_the_errors_are_those_of_the_bare_operation():
    wrapper = LocalWrapper(5)
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+=: 'int' and 'str'"):
        wrapper += "x"
    with pytest.raises(ZeroDivisionError):
        wrapper /= LocalWrapper(0)
    assert wrapper.wrapped == 5


def test_a_wrapper_of_a_wrapper_keeps_its_form():
    values = [1]
    inner = LocalWrapper(values)
    outer = LocalWrapper(inner)
    same = outer
    outer += [2]
    assert outer is same
    assert values == [1, 2]
    outer = LocalWrapper(LocalWrapper(1))
    outer += 1
    assert repr(outer) == "<LocalWrapper: <LocalWrapper: 2>>"


def test_an_element_may_replace_the_wrapper_while_it_is_compared():
    class Replaces:
        def __eq__(self, other):
            nonlocal wrapper, armed
            if armed:
                armed = False
                wrapper += (0,)
                junk.append([tuple([bytes(8)] * count) for count in range(190, 210)])
            return True

        __hash__ = None

    junk = []
    for _ in range(20):
        armed = True
        wrapper = LocalWrapper(tuple(Replaces() for _ in range(200)))
        assert wrapper == tuple(Replaces() for _ in range(200))
        assert len(wrapper) == 201


def test_the_finalizer_of_an_element_may_use_the_wrapper():
    deaths = 0

    class Looks:
        def __del__(self):
            nonlocal deaths
            deaths += len(wrapper.wrapped) + 1

    for number in range(50):
        wrapper = LocalWrapper((Looks(), number))
        wrapper *= 0
    assert wrapper.wrapped == ()
    assert deaths == 50


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ([1], (2,)),
        ([1], {2: 3}),
        (collections.deque([1]), [2]),
        (collections.deque([1]), collections.deque([2])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bare_sequence_is_extended_by_a_wrapped_one(values, more):
    check_extended(values, more)


@pytest.mark.c_backend(reason="a Python class has no buffer before Python 3.12")
@pytest.mark.parametrize("more", [b"b", bytearray(b"b"), memoryview(b"b")])
def test_a_bare_array_of_bytes_is_extended(more):
    check_extended(bytearray(b"a"), more)


def check_extended(values, more):
    extended = before = copy.copy(values)
    extended += LocalWrapper(more)
    expected = copy.copy(values)
    expected += more
    assert extended == expected
    assert extended is before


@pytest.mark.parametrize(
    "values", [[1], collections.deque([1]), bytearray(b"a"), array.array("i", [1])]
)
@pytest.mark.parametrize("count", [0, 2, True])
def test_a_bare_sequence_is_repeated_in_place(values, count):
    repeated = before = copy.copy(values)
    repeated *= LocalWrapper(count)
    assert repeated == values * count
    assert repeated is before
    assert values * LocalWrapper(count) == LocalWrapper(count) * values == values * count


@pytest.mark.parametrize(
    ("values", "more"), [([1], 5), ([1], None), (collections.deque([1]), 5), (bytearray(), "a")]
)
def test_an_unsuitable_operand_cannot_extend_a_bare_sequence(values, more):
    with pytest.raises(TypeError):
        values += LocalWrapper(more)
    with pytest.raises(TypeError):
        values + LocalWrapper(more)
