"""LocalWrapper: what code that looks at its type finds."""

import collections
import collections.abc
import gc
import itertools
import operator
import os
import pickle
import sys
import textwrap
import threading
import time

import pytest
from ft_local import LocalWrapper

pytestmark = pytest.mark.c_backend(reason="a Python class has all of its methods in all instances")


class Old:
    """A sequence of before there were iterators."""

    def __getitem__(self, index):
        return "abc"[index]


def function():
    pass


VALUES = [5, 2.5, None, "a", b"a", [], (), {}, {1}, range(3), iter([]), len, int, Old(), function]
# A mapping that is not a dict refuses reversed().
VALUES += [collections.UserDict(), collections.ChainMap(), collections.UserList()]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_type_checks_answer_as_for_the_object(value):
    wrapper = LocalWrapper(value)
    assert callable(wrapper) == callable(value)
    for name in collections.abc.__all__:
        if name != "ByteString":
            kind = getattr(collections.abc, name)
            assert (name, isinstance(wrapper, kind)) == (name, isinstance(value, kind))
    assert isinstance(wrapper, LocalWrapper)
    assert isinstance(wrapper, type(value))


def test_only_paths_are_paths():
    assert not isinstance(LocalWrapper(5), os.PathLike)
    assert os.fspath(LocalWrapper("a")) == "a"


def test_similar_objects_have_wrappers_of_one_type():
    assert type(LocalWrapper(1)) is type(LocalWrapper(2))
    assert type(LocalWrapper([])) is not type(LocalWrapper({}))
    assert len({type(LocalWrapper(value)) for value in range(1000)}) == 1


def test_the_type_of_a_wrapper_makes_wrappers_too():
    kind = type(LocalWrapper(5))
    assert kind([1]).wrapped == [1]
    assert callable(kind(len))
    assert kind.__mro__[1] is LocalWrapper
    assert kind.__doc__ == LocalWrapper.__doc__
    with pytest.raises(TypeError, match="'bogus'"):
        kind(5, bogus=1)
    with pytest.raises(TypeError, match="immutable type"):
        kind.attribute = 1


def test_a_new_wrapper_sees_abilities_that_its_class_gained_or_lost():
    class Changes:
        pass

    thing = Changes()
    assert not callable(LocalWrapper(thing))
    Changes.__call__ = lambda self: "called"
    assert callable(LocalWrapper(thing))
    assert LocalWrapper(thing)() == "called"
    del Changes.__call__
    assert not callable(LocalWrapper(thing))


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("__getitem__", lambda wrapper: wrapper[0]),
        ("__next__", next),
        ("__index__", operator.index),
        ("__int__", int),
        ("__float__", float),
        ("__bytes__", bytes),
        ("__round__", round),
        ("__complex__", complex),
        ("__fspath__", os.fspath),
    ],
)
def test_a_new_wrapper_sees_changed_attributes_of_its_class(name, use):
    values = {"__bytes__": b"a", "__fspath__": "a", "__float__": 1.5, "__complex__": 1j}

    class Changes:
        pass

    thing = Changes()
    for _ in range(2):
        with pytest.raises(TypeError):
            use(LocalWrapper(thing))
        setattr(Changes, name, lambda *args: values.get(name, 1))
        assert use(LocalWrapper(thing)) == values.get(name, 1)
        delattr(Changes, name)


def test_an_existing_wrapper_follows_its_class_in_operations():
    class Changes:
        def __getitem__(self, key):
            raise TypeError("no items in Changes yet")

    wrapper = LocalWrapper(Changes())
    for use in (len, lambda w: [*w], lambda w: w[0], lambda w: 1 in w, lambda w: w + 1):
        with pytest.raises(TypeError, match="Changes"):
            use(wrapper)
    Changes.__len__ = lambda self: 3
    Changes.__iter__ = lambda self: iter("ab")
    Changes.__getitem__ = lambda self, key: key
    Changes.__add__ = lambda self, other: other
    assert (len(wrapper), [*wrapper], wrapper[0], "a" in wrapper, wrapper + 1) == (
        3,
        ["a", "b"],
        0,
        True,
        1,
    )


def test_more_kinds_than_fit_the_table_are_not_an_error(run_python):
    program = """
        import copy
        from ft_local import LocalWrapper
        names = "call iter next len contains getitem setitem delitem await aiter anext".split()
        kinds = set()
        for number in range(1 << len(names)):
            members = {f"__{n}__": lambda *a: 1 for i, n in enumerate(names) if number >> i & 1}
            wrapper = LocalWrapper(type("Made", (), members)())
            assert callable(wrapper) or "__call__" not in members
            assert isinstance(wrapper, LocalWrapper)
            kinds.add(type(wrapper))
            copied = copy.copy(wrapper)
            assert type(copied) is type(wrapper) and copied.__reduce__()[0] is LocalWrapper
        print(LocalWrapper in kinds, len(kinds) > 100)
    """
    done = run_python("-c", textwrap.dedent(program))
    assert (done.returncode, done.stdout.strip()) == (0, "True True"), done.stderr


def test_pickles_name_the_public_type():
    data = pickle.dumps(LocalWrapper(5))
    assert pickle.loads(data).wrapped == 5  # noqa: S301 - made here
    assert LocalWrapper(5).__reduce__() == (LocalWrapper, (5,))


def test_a_subclass_has_all_abilities():
    class Local(LocalWrapper):
        pass

    assert type(Local(5)) is Local
    assert callable(Local(5))


def test_kinds_made_in_several_threads_at_once(run_threads):
    classes = [type(f"C{i}", (), {"__len__": lambda self: 1}) for i in range(200)]
    seen = run_threads(4, lambda number: [type(LocalWrapper(kind())) for kind in classes])
    assert len({kind for kinds in seen for kind in kinds}) == 1


def test_wrappers_at_the_end_of_the_interpreter(run_python):
    program = """
        import builtins, sys, threading
        from ft_local import LocalWrapper

        class Last:
            def __init__(self):
                self.wrapper = LocalWrapper([1])
                self.make = LocalWrapper

            def __del__(self):
                self.wrapper.append(2)
                assert len(self.wrapper) == 2
                wrapper = self.make({1: 2})
                assert wrapper.get(1) == 2
                builtins.print("deleted")

        builtins.last = Last()
        cycle = Last()
        cycle.cycle = LocalWrapper(cycle)
        threading.local().last = Last()
    """
    done = run_python("-c", textwrap.dedent(program))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["deleted"] * 3


def test_kinds_are_freed_with_the_module(run_python):
    program = """
        import gc, sys, weakref
        import ft_local
        reference = weakref.ref(type(ft_local.LocalWrapper(5)))
        for name in [name for name in sys.modules if name.startswith("ft_local")]:
            del sys.modules[name]
        del ft_local
        gc.collect()
        print(reference())
    """
    done = run_python("-c", textwrap.dedent(program))
    assert (done.returncode, done.stdout.strip()) == (0, "None"), done.stderr


def test_a_wrapper_in_a_class_is_the_descriptor_that_it_wraps():
    class Holds:
        method = LocalWrapper(lambda self: self)
        computed = LocalWrapper(property(lambda self: "computed"))

    thing = Holds()
    assert thing.method() is thing
    assert thing.computed == "computed"
    with pytest.raises(AttributeError):
        thing.computed = 1


def test_threads_that_make_and_drop_wrappers_while_the_collector_runs(run_threads):
    stop = threading.Event()
    shared = collections.OrderedDict(a=1)
    before = sys.getrefcount(shared)

    def work(number):
        if number == 0:
            for _ in range(20):
                gc.collect()
            stop.set()
            return
        while not stop.is_set():
            wrapper = LocalWrapper(shared)
            assert wrapper.get("a") == 1
            assert wrapper["a"] == 1

    run_threads(4, work)
    gc.collect()
    assert sys.getrefcount(shared) == before


def test_threads_that_make_a_kind_at_once_make_one(run_threads):
    names = ("__call__", "__iter__", "__len__", "__anext__", "__await__", "__abs__")
    things = []
    for chosen in itertools.product((False, True), repeat=len(names)):
        able = ("__aexit__", *itertools.compress(names, chosen))
        things.append(type("Able", (), dict.fromkeys(able, lambda self: None))())
    ready = []

    def wrap_all(_):
        ready.append(True)
        while len(ready) < 2:  # A thread that sleeps would wake up too late.
            time.sleep(0)
        return [type(LocalWrapper(thing)) for thing in things]

    one, other = run_threads(2, wrap_all)
    assert one == other
