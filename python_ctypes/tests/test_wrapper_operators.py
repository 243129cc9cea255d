"""LocalWrapper: an operator gives what it gives for the bare operands, whichever are wrapped."""

import math
import operator
from decimal import Decimal
from fractions import Fraction

import pytest
from ft_local import LocalWrapper

WRAPPED = (LocalWrapper, lambda value: value)

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.matmul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    divmod,
    operator.pow,
    operator.lshift,
    operator.rshift,
    operator.and_,
    operator.xor,
    operator.or_,
]

OPERANDS = [
    (7, 3),
    (7, 0),
    (7, 2.5),
    (2.5, 7),
    (7, -1),
    (True, 2),
    (1j, 2),
    (Fraction(1, 2), Fraction(1, 4)),
    (7, Fraction(3, 2)),
    (Decimal(7), 2),
    ([1], [2]),
    ([1, 2], 2),
    (2, [1, 2]),
    ((1,), (2,)),
    (2, (1,)),
    ("a", "b"),
    ("%s!", "b"),
    ("ab", 2),
    (2, b"ab"),
    (b"a", bytearray(b"b")),
    ({1, 2}, {2, 3}),
    ({1: 2}, {3: 4}),
    ({1: 2}.keys(), {1}),
    ("a", 1),
    (None, None),
    ([], None),
    (object, 1),
    (int, str),
]


def outcome(function, *args):
    """What a call gives, or the kind of its exception and what that says."""
    try:
        result = function(*args)
    except Exception as error:  # noqa: BLE001 - whatever the bare operation raises
        return type(error), str(error)
    return type(result), result


def refused_alike(function, value):
    """Whether a wrapper is refused as the bare value is, under the name of one or the other.

    What looks before it calls finds nothing to call, and names what it has looked at.
    """
    kind, message = outcome(function, LocalWrapper(value))
    bare = type(value)
    names = {bare.__qualname__, f"{bare.__module__}.{bare.__qualname__}", "ft_local.LocalWrapper"}
    messages = {message.replace("ft_local.LocalWrapper", name) for name in names}
    expected_kind, expected = outcome(function, value)
    return kind is expected_kind is TypeError and expected in messages


def is_text(value):
    return isinstance(value, str | bytes)


@pytest.mark.parametrize("function", BINARY, ids=lambda function: function.__name__)
@pytest.mark.parametrize("operands", OPERANDS, ids=repr)
def test_binary_operators_match_bare_for_any_mixture(function, operands):
    left, right = operands
    expected = outcome(function, left, right)
    for wrap_left in WRAPPED:
        for wrap_right in WRAPPED:
            if function is operator.mod and wrap_left is not LocalWrapper and is_text(left):
                continue  # It formats a right operand of whatever type, and never asks it.
            assert outcome(function, wrap_left(left), wrap_right(right)) == expected


class Matrix:
    """Takes part in every operator that has a reflected form, from the right."""

    def __rmatmul__(self, other):
        return "matmul", other

    def __rsub__(self, other):
        return "sub", other

    def __rpow__(self, other, modulus=None):
        return "pow", other


@pytest.mark.parametrize("wrap_left", WRAPPED)
@pytest.mark.parametrize("wrap_right", WRAPPED)
def test_reflected_methods_get_the_bare_operand(wrap_left, wrap_right):
    left, right = wrap_left(5), wrap_right(Matrix())
    if wrap_left is wrap_right is not LocalWrapper:
        pytest.skip("nothing is wrapped")
    assert left @ right == ("matmul", 5)
    assert left - right == ("sub", 5)
    assert left**right == ("pow", 5)


def test_power_with_wrapped_base_and_modulus():
    assert pow(LocalWrapper(2), 5) == 32
    assert pow(2, LocalWrapper(5)) == 32
    assert pow(LocalWrapper(2), LocalWrapper(5)) == 32
    assert pow(LocalWrapper(2), 5, 7) == 4
    assert pow(LocalWrapper(2), LocalWrapper(5), LocalWrapper(7)) == 4
    with pytest.raises(ValueError, match=r"pow\(\) 3rd argument cannot be 0"):
        pow(LocalWrapper(2), 5, 0)


@pytest.mark.c_backend(reason="Python code cannot reflect the power of three operands")
@pytest.mark.parametrize("first", WRAPPED)
@pytest.mark.parametrize("second", WRAPPED)
@pytest.mark.parametrize("third", WRAPPED)
def test_power_with_modulus_matches_bare_for_any_mixture(first, second, third):
    assert pow(first(2), second(5), third(7)) == pow(2, 5, 7)
    assert outcome(pow, first(2), second(5), third(0)) == outcome(pow, 2, 5, 0)
    assert outcome(pow, first(2), second(5), third("x")) == outcome(pow, 2, 5, "x")


@pytest.mark.c_backend(reason="Python code cannot define what operator.concat uses")
@pytest.mark.parametrize("operands", [([1], [2]), ("a", "b"), ((1,), ()), ([1], 2), ("a", None)])
@pytest.mark.parametrize("wrap_right", WRAPPED)
def test_concatenation(operands, wrap_right):
    left, right = operands
    expected = outcome(operator.concat, left, right)
    assert outcome(operator.concat, LocalWrapper(left), wrap_right(right)) == expected


@pytest.mark.parametrize(
    "function",
    [
        operator.neg,
        operator.pos,
        operator.abs,
        operator.invert,
        operator.not_,
        operator.truth,
        operator.index,
        int,
        float,
        complex,
        round,
        math.trunc,
        math.floor,
        math.ceil,
    ],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize(
    "value", [7, -7, 2.5, -2.5, 1e300, Fraction(10**40 + 1, 3), Decimal("2.5"), 1j, 0], ids=repr
)
def test_unary_operators_match_bare(function, value):
    expected = outcome(function, value)
    assert outcome(function, LocalWrapper(value)) == expected or refused_alike(function, value)


@pytest.mark.parametrize("value", ["x", [], None, object])
@pytest.mark.parametrize("function", [operator.neg, operator.pos, operator.abs, operator.invert])
def test_an_unsupported_operand_raises_as_if_bare(function, value):
    assert outcome(function, LocalWrapper(value)) == outcome(function, value)


def test_numbers_in_strings_are_converted_as_if_bare():
    assert int(LocalWrapper("5")) == 5
    assert float(LocalWrapper("1.5")) == 1.5
    assert complex(LocalWrapper("1j")) == 1j
    with pytest.raises(ValueError, match="invalid literal"):
        int(LocalWrapper("x"))


@pytest.mark.parametrize("digits", [None, 0, 1, -1])
def test_round_to_digits(digits):
    assert round(LocalWrapper(1234.567), digits) == round(1234.567, digits)
    assert round(LocalWrapper(1234), digits) == round(1234, digits)


def test_round_of_unsupported_objects():
    assert refused_alike(round, "x")
    assert outcome(round, LocalWrapper(1.5), "x") == outcome(round, 1.5, "x")


@pytest.mark.parametrize("function", [operator.floordiv, operator.truediv, operator.mod])
def test_an_operator_leaves_the_wrapper_alone(function):
    wrapper = LocalWrapper(100)
    results = [function(wrapper, 7) for _ in range(3)]
    assert results == [function(100, 7)] * 3
    assert wrapper.wrapped == 100


def test_results_are_bare():
    assert type(LocalWrapper(1) + LocalWrapper(2)) is int
    assert type(-LocalWrapper(1)) is int
    assert type(LocalWrapper([1]) * 2) is list


def test_operators_through_the_standard_library():
    assert math.prod([LocalWrapper(2), LocalWrapper(3)]) == 6
    assert sum([LocalWrapper(2), LocalWrapper(3)]) == 5
    assert sum([LocalWrapper([1]), LocalWrapper([2])], []) == [1, 2]  # noqa: RUF017


def test_operator_methods_called_by_name():
    assert LocalWrapper(5).__rsub__(9) == 4
    assert LocalWrapper.__rsub__(LocalWrapper(5), 9) == 4
    assert LocalWrapper.__sub__(LocalWrapper(5), LocalWrapper(9)) == -4
    assert LocalWrapper.__rpow__(LocalWrapper(5), 2) == 32
    assert LocalWrapper.__bool__(LocalWrapper(0)) is False


COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("function", COMPARISONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    "operands",
    [
        (1, 2),
        (2, 1),
        (1, 1.0),
        ("a", "b"),
        ({1}, {1, 2}),
        ([1], [2]),
        (1, "a"),
        (math.nan, math.nan),
    ],
    ids=repr,
)
def test_comparisons_match_bare_for_any_mixture(function, operands):
    left, right = operands
    expected = outcome(function, left, right)
    assert outcome(function, LocalWrapper(left), right) == expected
    assert outcome(function, LocalWrapper(left), LocalWrapper(right)) == expected
    reflected = outcome(function, left, LocalWrapper(right))
    # The interpreter turns a comparison round to ask the operand on the right. An error then shows
    # the comparison as it was asked.
    assert reflected == expected or reflected[0] is expected[0] is TypeError


def test_comparison_may_give_any_object():
    class Column:
        def __eq__(self, other):
            return ["=", other]

        __hash__ = None

    assert (LocalWrapper(Column()) == 3) == ["=", 3]
    assert (LocalWrapper(Column()) == LocalWrapper(3)) == ["=", 3]


def test_operators_follow_a_class_that_changes():
    class Number:
        pass

    wrapper = LocalWrapper(Number())
    with pytest.raises(TypeError, match="'Number' and 'int'"):
        wrapper + 1
    Number.__add__ = lambda self, other: ("sum", other)
    assert wrapper + 1 == ("sum", 1)
    del Number.__add__
    with pytest.raises(TypeError, match="'Number' and 'int'"):
        wrapper + 1


def test_operators_follow_an_object_that_changes_its_class():
    class First:
        def __neg__(self):
            return "first"

    class Second:
        def __neg__(self):
            return "second"

    wrapper = LocalWrapper(First())
    assert -wrapper == "first"
    wrapper.__class__ = Second
    assert -wrapper == "second"


def test_operators_unwrap_nested_wrappers():
    inner = LocalWrapper(5)
    outer = LocalWrapper(inner)
    assert outer - 3 == 2
    assert 8 - outer == 3
    assert outer - outer == 0
    assert -outer == -5
    assert type(outer + inner) is int


def test_numpy_arrays():
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(3)
    assert (array - LocalWrapper(1)).tolist() == [-1, 0, 1]
    assert (1 - LocalWrapper(array)).tolist() == [1, 0, -1]
    assert (LocalWrapper(array) @ array) == 5
    assert (array == LocalWrapper(1)).tolist() == [False, True, False]
