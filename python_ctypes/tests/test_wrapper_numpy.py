"""LocalWrapper: numpy takes what is wrapped for what it is, on either side and within."""

import pytest
from ft_local import LocalWrapper

numpy = pytest.importorskip("numpy", reason="numpy is not installed for this interpreter")

ARRAY = numpy.arange(4.0)
MASKED = numpy.ma.masked_array([1, 2, 3], mask=[False, True, False])

EXPRESSIONS = """
ARRAY + W(1)
W(1) + ARRAY
ARRAY * W(2)
ARRAY / W(2)
ARRAY ** W(2)
ARRAY // W(2)
ARRAY % W(3)
divmod(ARRAY, W(2))
ARRAY - W(ARRAY)
ARRAY @ W(ARRAY)
W(ARRAY) @ ARRAY
ARRAY == W(2)
ARRAY < W(2)
W(2) > ARRAY
-W(ARRAY)
(ARRAY > 1) & W(True)
numpy.float64(1.5) + W(2)
numpy.int32(1) < W(2)
numpy.add(ARRAY, W(1))
numpy.add(W(ARRAY), W(1))
numpy.add(ARRAY, [W(1), W(2), W(3), W(4)])
numpy.add(ARRAY, 1, where=W(ARRAY > 1), out=W(numpy.zeros(4)))
numpy.add.reduce(W(ARRAY))
numpy.add.outer(W(ARRAY), ARRAY)
numpy.sin(W(MASKED))
numpy.maximum(ARRAY, W(2))
numpy.isnan(W(1.5))
numpy.sqrt(W(numpy.float64(2)))
numpy.add(ARRAY, W(numpy.int64(2)))
numpy.maximum(W(numpy.datetime64("2024-01-01")), numpy.datetime64("2025-01-01"))
numpy.logical_not(W(numpy.bool_(True)))
ARRAY * W(numpy.float64(2))
W(numpy.float64(2)) * ARRAY
numpy.concatenate([W(ARRAY), ARRAY])
numpy.concatenate(W([ARRAY, W(ARRAY)]))
numpy.block([[W(ARRAY)], [ARRAY]])
numpy.where(W(ARRAY > 1), W(1), ARRAY)
numpy.clip(ARRAY, W(1), W(2))
numpy.mean(W(ARRAY))
numpy.result_type(W(ARRAY), numpy.float32)
numpy.array_equal(W(ARRAY), ARRAY)
numpy.full(W((2,)), W(3))
numpy.zeros(W((2, 2)))
numpy.arange(W(3))
numpy.array(W(5))
numpy.array(W("text"))
numpy.array([W(1), W(2)])
numpy.array([W(1), 2.5])
numpy.array(W([1, 2]))
numpy.asarray(W(ARRAY))
numpy.array(W(True), dtype="i4")
ARRAY[W(1)]
ARRAY[W([0, 1])]
ARRAY[W(ARRAY > 1)]
ARRAY.reshape(W((2, 2)))
ARRAY.sum(axis=W(0))
ARRAY.dot(W(ARRAY))
numpy.float64(W("2"))
""".strip().splitlines()


def evaluated(expression, wrap):
    names = {"numpy": numpy, "ARRAY": ARRAY, "MASKED": MASKED, "W": wrap}
    result = eval(expression, names)  # noqa: S307 - our own text
    return type(result), getattr(result, "dtype", None), repr(result)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_numpy_uses_the_wrapped_object(expression):
    assert evaluated(expression, LocalWrapper) == evaluated(expression, lambda value: value)


def test_in_place():
    values = before = numpy.zeros(3)
    values += LocalWrapper(1)
    values *= LocalWrapper([1, 2, 3])
    values[0] = LocalWrapper(9)
    assert values is before
    assert values.tolist() == [9, 2, 3]
    wrapper = LocalWrapper(values)
    wrapper -= 1
    assert values.tolist() == [8, 1, 2]


class Refuses:
    """Wants no part in numpy's functions."""

    __array_ufunc__ = None

    def __rmul__(self, other):
        return "reflected", type(other)


class GoesFirst:
    """Says so as classes did before they could have a method for it."""

    __array_priority__ = 100

    def __rmul__(self, other):
        return "reflected", type(other)


class TakesPart:
    def __array_ufunc__(self, function, method, *inputs, **kwargs):
        return "function", function.__name__, [type(part) for part in inputs]


@pytest.mark.c_backend(reason="a Python class has all of its methods in all instances")
@pytest.mark.parametrize("kind", [Refuses, GoesFirst])
def test_objects_that_an_array_leaves_the_operation_to(kind):
    assert ARRAY * LocalWrapper(kind()) == ARRAY * kind() == ("reflected", numpy.ndarray)


def test_objects_that_take_part_in_functions_do():
    expected = ("function", "multiply", [numpy.ndarray, TakesPart])
    assert ARRAY * LocalWrapper(TakesPart()) == expected
    assert numpy.multiply(LocalWrapper(ARRAY), LocalWrapper(TakesPart())) == expected


def test_numpy_protocols_of_other_objects_are_theirs():
    assert not hasattr(LocalWrapper([1]), "__array__")
    assert LocalWrapper(ARRAY).__array_interface__ == ARRAY.__array_interface__
    assert not hasattr(LocalWrapper(5), "__array_ufunc__")


@pytest.mark.parametrize("value", [1, 1.5, True, 1j, "text", b"bytes"])
def test_plain_values_become_arrays_as_they_do_bare(value):
    expected = numpy.array(value)
    for wrapper in (LocalWrapper(value), LocalWrapper(LocalWrapper(value))):
        assert wrapper.__array__().dtype == expected.dtype


def test_wrong_arguments_of_a_numpy_protocol():
    wrapper = LocalWrapper(1)
    with pytest.raises(TypeError):
        type(wrapper).__array_ufunc__(wrapper, 1)
