"""BatchExecutor: what its constructor takes, and what it says about what it does not take."""

import inspect
import itertools

import pytest
from ft_local import BatchExecutor, LocalWrapper

MAX_SIZE = 1 << 30


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


def test_by_position_and_by_keyword():
    assert BatchExecutor(int, 3).size == 3
    assert BatchExecutor(int, size=3).size == 3
    executor = BatchExecutor(size=3, source=int)
    assert (executor.source, executor.size) == (int, 3)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "'source'"),
        ((int,), {}, "'size'"),
        ((), {"size": 1}, "'source'"),
        ((int, 2, 3), {}, "takes .* but .* given"),
        ((int, 2), {"bogus": 3}, "'bogus'"),
        ((), {"source": int, "size": 2, "bogus": 3}, "'bogus'"),
        ((int, 2), {"size": 3}, "multiple values for argument 'size'"),
        ((int, 2), {"source": int}, "multiple values for argument 'source'"),
    ],
)
def test_wrong_arguments_are_named(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        BatchExecutor(*args, **kwargs)
    with pytest.raises(TypeError, match=message):
        BatchExecutor.__new__(BatchExecutor, *args, **kwargs)


@pytest.mark.parametrize(
    ("source", "kind"), [("not callable", "str"), (None, "NoneType"), (5, "int"), ([], "list")]
)
def test_a_source_that_is_not_callable(source, kind):
    with pytest.raises(TypeError, match=f"^source must be callable, got '{kind}'$"):
        BatchExecutor(source, 5)


class Callable:
    def __call__(self):
        return "instance"

    def method(self):
        return "method"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (lambda: "function", "function"),
        (dict, {}),
        (Callable(), "instance"),
        (Callable().method, "method"),
        (itertools.count(7).__next__, 7),
        (LocalWrapper(lambda: "wrapped"), "wrapped"),
    ],
    ids=["function", "class", "instance", "method", "builtin", "wrapper"],
)
def test_anything_callable_is_a_source(source, result):
    executor = BatchExecutor(source, 2)
    assert executor.source is source
    assert executor.load() == result


@pytest.mark.parametrize(
    ("size", "kind"),
    [("five", "str"), (2.0, "float"), (None, "NoneType"), (True, "bool"), (False, "bool")],
)
def test_a_size_that_is_not_an_int(size, kind):
    with pytest.raises(TypeError, match=f"^size must be an int, got '{kind}'$"):
        BatchExecutor(int, size)


@pytest.mark.parametrize("size", [0, -1, -(10**30), MAX_SIZE + 1, 2**62, 2**63, 2**64, 10**30])
def test_a_size_out_of_range(size):
    with pytest.raises(ValueError, match=rf"^size must be between 1 and {MAX_SIZE}, got {size}$"):
        BatchExecutor(int, size)
    with pytest.raises(ValueError, match=rf"got {size}$"):
        BatchExecutor(int, Index(size))


def test_a_size_may_be_an_index():
    executor = BatchExecutor(int, Index(3))
    assert executor.size == 3
    assert type(executor.size) is int
    assert BatchExecutor(int, LocalWrapper(4)).size == 4


def test_an_index_that_fails_fails_as_itself():
    class Fails:
        def __index__(self):
            raise TypeError("an error of its own")

    with pytest.raises(TypeError, match=r"^an error of its own$"):
        BatchExecutor(int, Fails())


def test_sizes_that_are_allowed():
    for size in (1, 2, 3, 1000, 100_000):
        executor = BatchExecutor(itertools.count().__next__, size)
        assert executor.size == size
        assert [executor.load() for _ in range(3)] == [0, 1, 2]


def test_the_source_is_not_called_before_the_first_load():
    calls = []
    executor = BatchExecutor(lambda: calls.append(1), 5)
    assert len(executor) == 0
    assert calls == []


def test_signature():
    assert str(inspect.signature(BatchExecutor)) == "(source, size)"
