"""Wrapped arrays and tables, which only their wrapper holds.

numpy takes a large array with one reference for a temporary, and writes the result of an operator
into it; pandas warns of an assignment to a table that has no name. Neither may happen to an object
that its wrapper is the one holder of.
"""

import contextlib
import operator
import warnings

import pytest
from ft_local import LocalWrapper

# From 256 KiB on numpy looks for a temporary to use again.
COUNT = 40_000

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
BITS = ["and_", "or_", "xor", "lshift", "rshift"]
IN_PLACE = ["iadd", "isub", "imul", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor", "ilshift"]


@pytest.fixture(scope="module")
def numpy():
    return pytest.importorskip("numpy", reason="numpy is not installed for this interpreter")


@pytest.fixture(scope="module")
def pandas():
    return pytest.importorskip("pandas", reason="pandas is not installed for this interpreter")


def check_untouched(numpy, wrapper, result, before):
    assert numpy.array_equal(wrapper.wrapped, before)
    results = result if isinstance(result, tuple) else (result,)
    assert not any(numpy.shares_memory(one, wrapper.wrapped) for one in results)


@pytest.mark.parametrize("name", [*ARITHMETIC, *BITS])
@pytest.mark.parametrize("order", ["wrapper first", "wrapper second", "both wrapped", "temporary"])
def test_an_operator_leaves_the_array_alone(numpy, name, order):
    function = getattr(operator, name)
    kind = "int64" if name in BITS else "float64"
    before = numpy.arange(COUNT).astype(kind) % 7 + 1
    wrapper = LocalWrapper(before.copy())
    if order == "wrapper first":
        result = function(wrapper, 2)
        expected = function(before, 2)
    elif order == "wrapper second":
        result = function(2, wrapper)
        expected = function(2, before)
    elif order == "both wrapped":
        other = LocalWrapper(before.copy())
        result = function(wrapper, other)
        expected = function(before, before)
        check_untouched(numpy, other, result, before)
    else:
        result = function(before.copy(), wrapper)
        expected = function(before, before)
    check_untouched(numpy, wrapper, result, before)
    assert numpy.array_equal(result, expected)


@pytest.mark.parametrize("function", [operator.neg, operator.pos, abs, operator.invert, divmod])
def test_an_operator_of_one_array_leaves_it_alone(numpy, function):
    before = numpy.arange(COUNT) - 5
    wrapper = LocalWrapper(before.copy())
    result = function(wrapper, 3) if function is divmod else function(wrapper)
    check_untouched(numpy, wrapper, result, before)


@pytest.mark.parametrize("exponent", [-1, 0.5, 1, 2, 2.0])
def test_powers_with_short_cuts_leave_the_array_alone(numpy, exponent):
    before = numpy.arange(1, COUNT + 1).astype("float64")
    wrapper = LocalWrapper(before.copy())
    check_untouched(numpy, wrapper, wrapper**exponent, before)


@pytest.mark.parametrize("compare", ["lt", "le", "eq", "ne", "gt", "ge"])
def test_a_comparison_leaves_the_array_alone(numpy, compare):
    before = numpy.arange(COUNT) % 2 == 0
    wrapper = LocalWrapper(before.copy())
    result = getattr(operator, compare)(wrapper, True)  # noqa: FBT003
    check_untouched(numpy, wrapper, result, before)


def test_operators_of_nested_wrappers_leave_the_array_alone(numpy):
    before = numpy.zeros(COUNT)
    wrapper = LocalWrapper(LocalWrapper(before.copy()))
    result = wrapper + 1
    assert numpy.array_equal(wrapper.wrapped.wrapped, before)
    assert not numpy.shares_memory(result, wrapper.wrapped.wrapped)


@pytest.mark.parametrize(
    "use",
    [
        lambda numpy, wrapper: numpy.add(wrapper, 1),
        lambda numpy, wrapper: numpy.negative(wrapper),
        lambda numpy, wrapper: numpy.sqrt(wrapper),
        lambda numpy, wrapper: numpy.resize(wrapper, COUNT + 1),
        lambda numpy, wrapper: numpy.sort(wrapper),
        lambda numpy, wrapper: numpy.add.reduce(wrapper),
        lambda numpy, wrapper: operator.concat(wrapper, LocalWrapper(numpy.zeros(COUNT))),
        lambda numpy, wrapper: wrapper.__add__(1),
        lambda numpy, wrapper: wrapper.__radd__(1),
        lambda numpy, wrapper: wrapper.__neg__(),
        lambda numpy, wrapper: wrapper.astype("float32"),
        lambda numpy, wrapper: wrapper.cumsum(),
        lambda numpy, wrapper: wrapper.clip(1, 2),
        lambda numpy, wrapper: wrapper.round(),
        lambda numpy, wrapper: sum([wrapper, wrapper], wrapper),
    ],
)
def test_functions_and_methods_leave_the_array_alone(numpy, use):
    before = numpy.arange(COUNT).astype("float64")
    wrapper = LocalWrapper(before.copy())
    try:
        result = use(numpy, wrapper)
    except TypeError:
        # ctypes cannot give operator.concat what it looks for; see LocalWrapper there.
        result = None
    assert numpy.array_equal(wrapper.wrapped, before)
    if result is not None:
        check_untouched(numpy, wrapper, result, before)


@pytest.mark.parametrize("name", IN_PLACE)
def test_an_in_place_operator_changes_the_array_and_not_the_operand(numpy, name):
    before = numpy.arange(COUNT) % 5 + 1
    array = before.copy()
    wrapper = LocalWrapper(array)
    operand = LocalWrapper(before.copy())
    result = getattr(operator, name)(wrapper, operand)
    assert result is wrapper
    assert wrapper.wrapped is array
    assert numpy.array_equal(array, getattr(operator, name)(before.copy(), before))
    assert numpy.array_equal(operand.wrapped, before)


def test_a_view_keeps_its_array_from_being_resized(numpy):
    wrapper = LocalWrapper(numpy.zeros(COUNT))
    view = wrapper[1:]
    with pytest.raises(ValueError, match="cannot resize"):
        wrapper.resize(2 * COUNT)
    view[:] = 1
    assert wrapper.sum() == COUNT - 1


def test_pandas_does_not_warn_about_assignment_to_a_wrapped_table(pandas):
    option = contextlib.nullcontext()
    if pandas.__version__ < "3":
        option = pandas.option_context("mode.copy_on_write", True)  # noqa: FBT003
    with option, warnings.catch_warnings():
        warnings.simplefilter("error")
        wrapper = LocalWrapper(pandas.DataFrame({"a": [1, 2, 3]}))
        wrapper["b"] = 1
        wrapper["a"] = [4, 5, 6]
        del wrapper["b"]
        wrapper.loc[0, "a"] = 7
        wrapper.iloc[1] = 8
        wrapper.at[2, "a"] = 9
        wrapper.replace(7, 10, inplace=True)
        column = LocalWrapper(pandas.Series([1, 2, 3]))
        column[0] = 5
        column.fillna(0, inplace=True)
    assert wrapper["a"].tolist() == [10, 8, 9]
    assert column.tolist() == [5, 2, 3]
