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


def test_arguments_by_position_and_by_keyword():
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
        ((int, 2, True), {}, "takes .* but .* given"),
        ((int, 2), {"bulk": True, "on_forks": "keep"}, "'on_forks'"),
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


def test_an_error_of_index_is_passed_on():
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


def test_options_and_their_defaults():
    plain = BatchExecutor(int, 8)
    chosen = BatchExecutor(
        lambda n: [n], 8, bulk=1, fill_budget=Index(3), low_water=8, on_fork="keep"
    )
    names = ("bulk", "fill_budget", "low_water", "on_fork")
    assert [getattr(plain, name) for name in names] == [False, 8, 0, "discard"]
    assert [getattr(chosen, name) for name in names] == [True, 3, 8, "keep"]
    assert BatchExecutor(int, 8, fill_budget=None).fill_budget == 8
    for name in (*names, "closed"):
        with pytest.raises(AttributeError):
            setattr(plain, name, getattr(plain, name))


@pytest.mark.parametrize(
    ("option", "value", "kind", "message"),
    [
        ("fill_budget", 0, ValueError, "fill_budget must be between 1 and 8, got 0"),
        ("fill_budget", 9, ValueError, "fill_budget must be between 1 and 8, got 9"),
        ("fill_budget", "4", TypeError, "fill_budget must be an int, got 'str'"),
        ("low_water", -1, ValueError, "low_water must be between 0 and 8, got -1"),
        ("low_water", 9, ValueError, "low_water must be between 0 and 8, got 9"),
        ("low_water", None, TypeError, "low_water must be an int, got 'NoneType'"),
        ("on_fork", "drop", ValueError, "'discard', 'keep' or 'error', got 'drop'"),
        ("on_fork", None, TypeError, "on_fork must be a str, got 'NoneType'"),
    ],
)
def test_an_invalid_option_is_named(option, value, kind, message):
    with pytest.raises(kind, match=message):
        BatchExecutor(int, 8, **{option: value})


def test_an_error_of_bool_is_passed_on():
    class Undecided:
        def __bool__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BatchExecutor(int, 8, bulk=Undecided())


def test_signature():
    expected = (
        "(source, size, *, bulk=False, fill_budget=None, low_water=0, on_fork='discard', fillers=1)"
    )
    assert str(inspect.signature(BatchExecutor)) == expected
    signatures = {
        "load": "(timeout=None)",
        "load_many": "(n, timeout=None)",
        "try_load": "(default=None, /)",
        "prefill": "(low_water=None, max=None, *, timeout=0)",
        "load_now": "(default=None, /)",
        "notify": "(waiter, /)",
        "aload": "(*, in_thread=False)",
    }
    for name, expected in signatures.items():
        signature = inspect.signature(getattr(BatchExecutor, name))
        # Whether `self` is by position only, and what is annotated, may differ.
        parameters = list(signature.parameters.values())[1:]
        shown = [p.replace(annotation=p.empty) for p in parameters]
        assert str(inspect.Signature(shown)) == expected
