"""LocalWrapper: the methods that a wrapper keeps are those that a look-up would find."""

import gc
import sys
import textwrap
import threading
import types
import weakref
from pathlib import Path

import pytest
from ft_local import BatchExecutor, LocalWrapper


class Slotted:
    __slots__ = ("__weakref__", "value")

    def method(self):
        return "first"


class Plain:
    def method(self):
        return "first"


@pytest.mark.parametrize("kind", [Slotted, Plain])
def test_a_class_that_changes_is_noticed(kind):
    class Changes(kind):
        __slots__ = ()

    wrapper = LocalWrapper(Changes())
    assert [wrapper.method() for _ in range(5)] == ["first"] * 5
    Changes.method = lambda self: "second"
    assert wrapper.method() == "second"
    Changes.method = property(lambda self: "third")
    assert wrapper.method == "third"
    del Changes.method
    assert wrapper.method() == "first"


@pytest.mark.parametrize("kind", [Slotted, Plain])
def test_a_base_that_changes_is_noticed(kind):
    base = type("Base", (kind,), {"__slots__": (), "method": lambda self: "of the base"})
    derived = type("Derived", (base,), {"__slots__": ()})
    wrapper = LocalWrapper(derived())
    assert [wrapper.method() for _ in range(5)] == ["of the base"] * 5
    base.method = lambda self: "changed"
    assert wrapper.method() == "changed"
    del base.method
    assert wrapper.method() == "first"
    del derived
    with pytest.raises(AttributeError):
        _ = wrapper.missing


@pytest.mark.parametrize("kind", [Slotted, Plain])
def test_an_object_that_changes_its_class_is_noticed(kind):
    first = type("First", (kind,), {"__slots__": ()})
    second = type("Second", (kind,), {"__slots__": (), "method": lambda self: "second"})
    thing = first()
    wrapper = LocalWrapper(thing)
    assert [wrapper.method() for _ in range(5)] == ["first"] * 5
    thing.__class__ = second
    assert wrapper.method() == "second"
    thing.__class__ = first
    assert wrapper.method() == "first"


def test_an_attribute_of_the_object_hides_a_cached_method():
    thing = Plain()
    wrapper = LocalWrapper(thing)
    assert [wrapper.method() for _ in range(5)] == ["first"] * 5
    thing.method = lambda: "of the object"
    assert wrapper.method() == "of the object"
    del thing.method
    assert wrapper.method() == "first"
    thing.__dict__ = {"method": lambda: "of another dictionary"}
    assert wrapper.method() == "of another dictionary"


def test_a_member_is_read_anew():
    thing = Slotted()
    wrapper = LocalWrapper(thing)
    with pytest.raises(AttributeError, match="value"):
        _ = wrapper.value
    for value in range(5):
        thing.value = value
        assert wrapper.value == value
    del thing.value
    for _ in range(3):
        with pytest.raises(AttributeError, match="value"):
            _ = wrapper.value


def test_many_names_on_one_wrapper():
    text = "a b"
    wrapper = LocalWrapper(text)
    names = [name for name in dir(str) if not name.startswith("__")]
    for _ in range(3):
        assert [getattr(wrapper, name)() for name in names if name.startswith("is")] == [
            getattr(text, name)() for name in names if name.startswith("is")
        ]
        for name in names:
            assert getattr(wrapper, name) == getattr(text, name)


def test_a_method_outlives_its_wrapper():
    method = LocalWrapper([3, 1]).sort
    gc.collect()
    assert method() is None
    assert method.__self__ == [1, 3]


def test_a_cycle_through_a_cached_method_is_collected():
    class Collected(list):
        pass

    values = Collected()
    wrapper = LocalWrapper(values)
    for _ in range(3):
        wrapper.append(wrapper)
    reference = weakref.ref(values)
    del values, wrapper
    gc.collect()
    assert reference() is None


@pytest.mark.c_backend(reason="a Python class binds a method anew each time")
@pytest.mark.parametrize("make", [lambda: {1: 2}, lambda: BatchExecutor(int, 4).as_local().wrapped])
def test_the_count_does_not_move_while_methods_of_a_c_type_are_called(make):
    shared = make()
    name = "get" if isinstance(shared, dict) else "load"
    arguments = (1,) if name == "get" else ()
    before = sys.getrefcount(shared)
    wrapper = LocalWrapper(shared)
    for _ in range(3):
        getattr(wrapper, name)(*arguments)
    during = sys.getrefcount(shared)
    # One for the wrapper, and one for the bound method that it keeps.
    assert during == before + 2
    counts = set()
    for _ in range(100):
        method = getattr(wrapper, name)
        counts.add(sys.getrefcount(shared))
        method(*arguments)
    assert counts == {during}
    del wrapper, method
    gc.collect()
    assert sys.getrefcount(shared) == before


class Watches:
    """Notes the count of a shared object whenever an operation runs its code."""

    __slots__ = ("counts",)

    def __init__(self):
        self.counts = []

    def watch(self, *args):
        self.counts.append(sys.getrefcount(self))
        return 1

    __call__ = __getitem__ = __len__ = __add__ = __contains__ = watch


@pytest.mark.c_backend(reason="Python code counts what it touches")
def test_an_operation_counts_no_more_through_the_wrapper_than_bare():
    def use(thing):
        thing.counts = []
        return [thing(), thing[0], len(thing), thing + 1, 0 in thing]

    shared = Watches()
    use(shared)
    bare = shared.counts
    wrapper = LocalWrapper(shared)
    use(wrapper)
    # The operand that an operator has on the interpreter's stack is the wrapper and not the object.
    assert all(count - 1 <= expected for count, expected in zip(shared.counts, bare, strict=True))


class Hidden:
    def method(self):
        return "method"


@pytest.mark.parametrize("name", ["method", "METHOD".lower()], ids=["interned", "built"])
def test_an_attribute_that_another_object_had_before_hides_a_cached_method(name):
    other, hidden = Hidden(), Hidden()
    other.method = "the class now knows an attribute of this name"
    wrapper = LocalWrapper(hidden)
    assert [getattr(wrapper, name)() for _ in range(3)] == ["method"] * 3
    hidden.method = lambda: "attribute"
    assert getattr(wrapper, name)() == "attribute"
    del hidden.method
    assert [getattr(wrapper, name)() for _ in range(3)] == ["method"] * 3


@pytest.mark.parametrize("other", [{"method": lambda: "attribute"}, {"x": 1, "method": str}])
def test_another_dictionary_of_the_object_hides_a_cached_method(other):
    hidden = Hidden()
    wrapper = LocalWrapper(hidden)
    assert [wrapper.method() for _ in range(3)] == ["method"] * 3
    hidden.__dict__ = other
    assert wrapper.method() == other["method"]()
    hidden.__dict__ = {}
    assert [wrapper.method() for _ in range(3)] == ["method"] * 3
    vars(hidden)["method"] = lambda: "written into the dictionary"
    assert wrapper.method() == "written into the dictionary"


def test_special_methods_of_a_class_that_changes_are_noticed():
    class Changes:
        def __enter__(self):
            return "entered"

        def __exit__(self, *error):
            return True

        def __call__(self, *args, **kwargs):
            return args, kwargs

    def enter_and_fail():
        with wrapper as entered:
            raise LookupError
        return entered

    wrapper = LocalWrapper(Changes())
    for _ in range(3):
        assert enter_and_fail() == "entered"
        assert wrapper(1, a=2) == ((1,), {"a": 2})
    Changes.__enter__ = lambda self: "entered otherwise"
    Changes.__exit__ = lambda self, *error: False
    Changes.__call__ = lambda self: "called otherwise"
    with pytest.raises(LookupError):
        enter_and_fail()
    with wrapper as entered:
        assert entered == "entered otherwise"
    assert wrapper() == "called otherwise"
    del Changes.__call__
    with pytest.raises(TypeError, match="not callable"):
        wrapper()


def test_a_context_in_a_thread_that_was_not_the_first_to_ask(run_threads):
    lock = threading.Lock()
    wrapper = LocalWrapper(lock)

    def enter(_):
        with wrapper:
            return lock.locked()

    assert enter(0)
    assert run_threads(1, enter) == [True]


def test_attributes_of_a_module_are_read_as_the_module_has_them():
    module = types.ModuleType("module_of_this_test", "its text")
    wrapper = LocalWrapper(module)
    module.x = [1]
    assert wrapper.x is module.x
    module.x = 2
    assert (wrapper.x, wrapper.__name__, wrapper.__doc__) == (2, "module_of_this_test", "its text")
    assert wrapper.__dict__ is module.__dict__
    assert wrapper.__class__ is types.ModuleType
    module.__class__ = type("Kind", (types.ModuleType,), {"x": property(lambda self: 3)})
    assert wrapper.x == 3
    module.__class__ = types.ModuleType
    del module.x
    with pytest.raises(AttributeError, match="'module_of_this_test' has no attribute 'x'"):
        wrapper.x  # noqa: B018
    module.__getattr__ = lambda name: name.upper()
    assert wrapper.x == "X"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells the memory")
@pytest.mark.c_backend(reason="an object of a Python class is larger")
def test_a_wrapper_takes_at_most_120_bytes(run_python):
    program = """
        import resource
        from ft_local import LocalWrapper

        def memory():
            with open("/proc/self/statm") as pages:
                return int(pages.read().split()[1]) * resource.getpagesize()

        count = 200_000
        wrappers, thing = [None] * count, object()
        before = memory()
        for index in range(count):
            wrappers[index] = LocalWrapper(thing)
        print((memory() - before) / count)
    """
    done = run_python("-c", textwrap.dedent(program), PYTHONMALLOC="")
    assert float(done.stdout) <= 120, done.stderr


@pytest.mark.c_backend(reason="it is the C code that keeps methods")
def test_one_wrapper_in_several_threads_while_its_class_changes(run_python):
    program = """
        import threading
        from ft_local import LocalWrapper

        class Changes:
            __slots__ = ("value",)

            def method(self):
                return 1

        wrapper = LocalWrapper(Changes())
        wrapper.value = 1
        go = threading.Barrier(4)
        failures = []

        def use(number):
            go.wait()
            try:
                for count in range(3000):
                    assert wrapper.method() in (1, 2)
                    assert wrapper.value == 1
                    if number == 0 and count % 10 == 0:
                        Changes.method = lambda self: 2
                    getattr(wrapper, "__init__")()
                    getattr(wrapper, "__sizeof__")()
                    getattr(wrapper, "__format__")("")
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(failures)
    """
    done = run_python("-c", textwrap.dedent(program))
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
