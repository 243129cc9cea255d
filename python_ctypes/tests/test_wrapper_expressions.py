"""LocalWrapper: random expressions give with wrapped operands what they give with bare ones."""

import operator

from ft_local import LocalWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.matmul,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.iadd,
    operator.imul,
    operator.ior,
    operator.getitem,
    operator.contains,
    operator.concat,
    divmod,
]
UNARY = [
    operator.neg,
    operator.pos,
    operator.invert,
    operator.not_,
    operator.index,
    abs,
    len,
    bool,
    int,
    float,
    str,
    hash,
    sorted,
    list,
    round,
]

# Small numbers: products of them with sequences would take all memory.
OPERANDS = st.one_of(
    st.integers(-4, 4),
    st.floats(-20, 20, allow_nan=False),
    st.booleans(),
    st.text("ab", max_size=3),
    st.lists(st.integers(0, 3), max_size=3),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.sets(st.integers(0, 3), max_size=3),
    st.dictionaries(st.integers(0, 3), st.integers(0, 3), max_size=3),
    st.binary(max_size=3),
    st.none(),
)

# A leaf is an operand and whether it is wrapped; a node is a function and what it is called with.
EXPRESSIONS = st.recursive(
    st.tuples(st.just("leaf"), OPERANDS, st.booleans()),
    lambda children: st.one_of(
        st.tuples(st.just("unary"), st.sampled_from(UNARY), children),
        st.tuples(st.just("binary"), st.sampled_from(BINARY), children, children),
    ),
    max_leaves=6,
)


def bare_of(value):
    while issubclass(type(value), LocalWrapper):
        value = value.wrapped
    return value


def evaluate(expression, wrap):
    kind, *rest = expression
    if kind == "leaf":
        value, is_wrapped = rest
        # In-place operators change what they are given.
        value = value.copy() if isinstance(value, (list, set, dict)) else value
        return LocalWrapper(value) if wrap and is_wrapped else value
    function, *children = rest
    operands = [evaluate(child, wrap) for child in children]
    if wrap and function is operator.iadd and type(operands[0]) is list:
        # The one exception: a bare list on the left gets a new list, which takes a sequence only.
        operands = [operands[0], bare_of(operands[1])]
    looks = function in (operator.contains, operator.getitem, operator.concat)
    if wrap and (looks or (function is operator.mod and isinstance(operands[0], (str, bytes)))):
        # A bare text looks at the exact type of what it is asked for and of what it formats.
        operands = [operands[0], bare_of(operands[1])]
    return function(*operands)


def outcome(expression, *, wrap):
    try:
        result = bare_of(evaluate(expression, wrap))
    except Exception as error:  # noqa: BLE001 - it is what is compared
        return type(error)
    return type(result), repr(result)


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_random_expressions(expression):
    assert outcome(expression, wrap=True) == outcome(expression, wrap=False)
