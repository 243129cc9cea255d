"""`share`, `immortal` and `sharing`: one object, cheap in every thread, and what that costs."""

import gc
import sys
import weakref

import pytest
from ft_local import BatchExecutor, LocalWrapper, immortal, share, sharing

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
CAN_DEFER = sys.version_info >= (3, 14) and not GIL
CAN_IMMORTALIZE = sys.version_info >= (3, 15) and not GIL

# What `sharing` says of an object that was shared, and of one that was made immortal.
SHARED = "deferred" if CAN_DEFER else "counted"
IMMORTAL = "immortal" if CAN_IMMORTALIZE else SHARED


class Thing:
    pass


def test_share_returns_its_argument():
    thing = Thing()
    assert share(thing) is thing


@pytest.mark.parametrize("make", [Thing, list, dict, set, lambda: Thing().__init__])
def test_an_unshared_object_is_counted(make):
    thing = make()
    assert sharing(thing) == "counted"
    share(thing)
    assert sharing(thing) == SHARED


def test_sharing_twice_changes_nothing_more():
    thing = share(share(Thing()))
    assert sharing(thing) == SHARED


@pytest.mark.parametrize("value", ["a" * 5000 + "b", 10**30, 2.5, b"bytes" * 9, (1.5, "x", 10**9)])
def test_an_object_that_the_collector_does_not_track_stays_unchanged(value):
    assert share(value) is value
    assert share(value, deep=True) is value
    assert sharing(value) in ("counted", "immortal")


@pytest.mark.parametrize("value", [None, True, 1, ()])
def test_objects_that_the_interpreter_made_immortal_are_reported_as_immortal(value):
    expected = "immortal" if sys.version_info >= (3, 12) else "counted"
    assert sharing(value) == expected
    assert share(value) is value
    assert sharing(value) == expected


def test_a_shared_object_is_freed_by_the_collector():
    thing = share(Thing())
    gone = weakref.ref(thing)
    del thing
    assert (gone() is not None) == CAN_DEFER
    gc.collect()
    assert gone() is None


def test_a_tuple_that_the_collector_would_untrack_is_not_shared():
    # Made by C, so that it is tracked until the next collection.
    plain = "a b".partition(" ")
    nested = (plain, plain)
    assert sharing(share(plain)) == "counted"
    assert sharing(share(nested)) == "counted"
    assert sharing(share((plain, []))) == SHARED


def test_nested_tuples_take_linear_time():
    values = "a b".partition(" ")
    for _ in range(200):
        values = (values, values)
    assert sharing(share(values)) == "counted"


def test_a_wrapper_is_not_for_sharing():
    with pytest.raises(TypeError, match="a LocalWrapper belongs to one thread"):
        share(LocalWrapper([]))


@pytest.mark.parametrize("deep", [1, None, "yes"])
def test_deep_must_be_a_bool(deep):
    with pytest.raises(TypeError, match="deep must be a bool, got '"):
        share([], deep=deep)


def test_deep_is_by_keyword():
    with pytest.raises(TypeError):
        share([], True)  # noqa: FBT003


def test_immortal_returns_what_the_factory_made():
    thing = immortal(Thing)
    assert type(thing) is Thing
    assert sharing(thing) == IMMORTAL


def test_a_factory_result_with_other_references_is_shared_instead():
    kept = []

    def factory():
        kept.append(Thing())
        return kept[-1]

    thing = immortal(factory)
    assert thing is kept[0]
    assert sharing(thing) == SHARED


def test_a_string_cannot_be_immortal():
    assert immortal(lambda: "text " * len("four")) == "text " * 4
    assert sharing(immortal(lambda: "text " * len("four"))) == "counted"


def test_an_immortal_object_outlives_its_last_reference():
    thing = immortal(Thing)
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert (gone() is None) != CAN_IMMORTALIZE


def test_a_factory_error_goes_to_the_caller():
    with pytest.raises(ZeroDivisionError):
        immortal(lambda: 1 / 0)


@pytest.mark.parametrize("factory", [None, [], "text"])
def test_a_factory_must_be_callable(factory):
    with pytest.raises(TypeError, match="factory must be callable without arguments, got '"):
        immortal(factory)


def test_the_factory_leaks_no_reference():
    values = [object()]
    before = sys.getrefcount(values[0])
    for _ in range(100):
        assert immortal(lambda: values[0]) is values[0]
    after = sys.getrefcount(values[0])
    assert after == before


def test_an_executor_and_its_cursors_can_be_shared(run_threads):
    numbers = iter(range(100_000))
    executor = share(BatchExecutor(numbers.__next__, 64))
    assert sharing(executor) == SHARED

    def take(_):
        cursor = share(executor.cursor())
        assert sharing(cursor) == SHARED
        return [executor.load() for _ in range(500)] + [cursor.load() for _ in range(500)]

    taken = [number for numbers in run_threads(4, take) for number in numbers]
    assert len(set(taken)) == 4000


def test_a_shared_executor_is_freed_with_its_results_by_the_collector():
    results = []

    def source():
        thing = Thing()
        results.append(weakref.ref(thing))
        return thing

    executor = share(BatchExecutor(source, 8), deep=True)
    executor.load()
    assert len(executor) == 7
    del executor
    gc.collect()
    assert [result() for result in results] == [None] * 8


def test_share_and_immortal_change_nothing_with_the_gil(run_python):
    program = """if True:
        import ft_local
        values = ft_local.share([], deep=True)
        print(ft_local.sharing(values), ft_local.sharing(ft_local.immortal(list)))
    """
    process = run_python("-c", program, PYTHON_GIL="1" if sys.version_info >= (3, 13) else "")
    assert (process.returncode, process.stdout) == (0, "counted counted\n"), process.stderr


def test_the_docstrings_state_the_costs():
    assert "the garbage collector alone frees the object" in " ".join(share.__doc__.split())
    assert "it is never freed" in immortal.__doc__
