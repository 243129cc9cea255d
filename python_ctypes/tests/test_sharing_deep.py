"""`share(obj, deep=True)`: what it reaches, where it stops, and that it runs none of its code."""

import collections
import functools
import gc
import math
import sys
import threading
import types
import weakref

import pytest
from ft_local import BatchExecutor, LocalWrapper, share, sharing

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
SHARED = "deferred" if sys.version_info >= (3, 14) and not GIL else "counted"


class Node:
    """Anything with attributes; its class has one that everybody shares."""

    common = [[]]  # noqa: RUF012

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class Slotted:
    __slots__ = ("empty", "slot")

    def __init__(self, slot):
        self.slot = slot


def closure_over(value):
    def function():
        return value

    return function


def default_of(value):
    def function(given=value):
        return given

    return function


WAYS = {
    "attribute": lambda leaf: Node(attribute=leaf),
    "attribute of an attribute": lambda leaf: Node(a=Node(b=leaf)),
    "slot": Slotted,
    "list": lambda leaf: [leaf],
    "tuple": lambda leaf: (leaf,),
    "set": lambda leaf: {leaf},
    "frozenset": lambda leaf: frozenset([leaf]),
    "value of a dict": lambda leaf: {"key": leaf},
    "key of a dict": lambda leaf: {leaf: "value"},
    "deque": lambda leaf: collections.deque([leaf]),
    "OrderedDict": lambda leaf: collections.OrderedDict(key=leaf),
    "mapping proxy": lambda leaf: types.MappingProxyType({"key": leaf}),
    "closure": closure_over,
    "default": default_of,
    "bound method": lambda leaf: leaf.method,
    "method of a builtin": lambda leaf: [leaf].append,
    "partial": lambda leaf: functools.partial(print, leaf),
    "cache": lambda leaf: functools.lru_cache(closure_over(leaf)),
    "wrapper in a list": lambda leaf: [LocalWrapper(leaf)],
    "source of an executor": lambda leaf: BatchExecutor(leaf.method, 4),
    "cursor": lambda leaf: BatchExecutor(leaf.method, 4).cursor(),
    "static method": lambda leaf: [staticmethod(closure_over(leaf))],
}


@pytest.mark.parametrize("way", WAYS)
def test_reachable_objects_are_shared(way):
    leaf = Node()
    root = share(WAYS[way](leaf), deep=True)
    assert sharing(leaf) == SHARED, root


@pytest.mark.parametrize("way", WAYS)
def test_without_deep_only_the_object_is_shared(way):
    leaf = Node()
    share(root := WAYS[way](leaf))
    assert sharing(leaf) == "counted", root


def test_a_subclass_of_the_executor_has_its_attributes_shared_too():
    class Executor(BatchExecutor):
        __slots__ = ("__dict__", "slot")

    leaves = Node(), Node()
    executor = Executor(Node().method, 4)
    executor.attribute, executor.slot = leaves
    share(executor, deep=True)
    assert [sharing(leaf) for leaf in leaves] == [SHARED, SHARED]


def test_results_that_wait_in_an_executor_are_not_shared():
    executor = BatchExecutor(Node, 4)
    executor.load()
    share([executor, executor.cursor()], deep=True)
    assert [sharing(executor.load()) for _ in range(3)] == ["counted"] * 3


def test_a_reachable_wrapper_is_not_shared():
    wrapper = LocalWrapper(Node())
    share([wrapper], deep=True)
    assert sharing(wrapper) == "counted"


def test_deep_stops_at_classes_and_modules():
    module = types.ModuleType("one_of_the_program")
    module.value = value = []
    sys.modules[module.__name__] = module
    try:
        share([Node, module, vars(module), Node(), math], deep=True)
    finally:
        del sys.modules[module.__name__]
    assert sharing(value) == "counted"
    # Python 3.15 itself defers the attributes of classes, but not what they hold.
    assert sharing(Node.common[0]) == "counted"


def test_the_globals_of_a_function_are_not_shared():
    namespace = {"value": []}
    exec("def function(): return value", namespace)  # noqa: S102
    share([namespace["function"]], deep=True)
    assert sharing(namespace["value"]) == "counted"


def test_the_frame_of_a_generator_is_not_shared():
    value = []

    def generator(held):
        yield held

    share([generator(value)], deep=True)
    assert sharing(value) == "counted"


def test_a_module_itself_can_be_shared_deep():
    module = types.ModuleType("one_of_the_program")
    module.value = value = [[]]
    share(module, deep=True)
    assert sharing(value) == sharing(value[0]) == SHARED


def test_shared_objects_are_not_searched_again():
    leaf = Node()
    inner = share(Node(leaf=leaf))
    share([inner], deep=True)
    assert sharing(leaf) == ("counted" if SHARED == "deferred" else SHARED)


def test_sharing_an_object_again_searches_it_again():
    root = share(Node(), deep=True)
    vars(root)
    share(root, deep=True)
    root.new = Node()
    share(root, deep=True)
    assert sharing(root.new) == SHARED


def test_cycles_terminate():
    a, b = Node(), Node()
    a.other, b.other = b, a
    b.values = [a, b]
    b.values.append(b.values)
    share(a, deep=True)
    assert sharing(b.values) == SHARED
    gone = weakref.ref(a)
    del a, b
    gc.collect()
    assert gone() is None


def test_long_chains_need_no_recursion():
    chain = None
    for _ in range(100_000):
        chain = [chain]
    share(chain, deep=True)
    last = chain
    while last[0]:
        last = last[0]
    assert sharing(last) == SHARED
    while chain:  # without deep recursion where it is freed
        chain = chain.pop()


class Hostile:
    """Answers whatever asks it with an error, and notes that it was asked."""

    asked = []  # noqa: RUF012

    def __init__(self, leaf):
        object.__setattr__(self, "leaf", leaf)

    def _refuse(self, *_):
        Hostile.asked.append(1)
        raise RuntimeError("asked")

    __getattribute__ = __getattr__ = __setattr__ = __eq__ = __len__ = __iter__ = _refuse
    __bool__ = __repr__ = __reduce_ex__ = __hash__ = _refuse
    __dict__ = __class__ = property(_refuse)
    value = property(_refuse)


class HostileClass(type):
    def _refuse(cls, *_):
        Hostile.asked.append(1)
        raise RuntimeError("asked")

    __getattribute__ = __instancecheck__ = __subclasscheck__ = __eq__ = __hash__ = _refuse


def test_no_code_of_the_program_runs():
    Hostile.asked.clear()
    leaf, other = Node(), Node()
    of_a_class = HostileClass("OfAClass", (), {})
    thing = type.__call__(of_a_class)
    object.__setattr__(thing, "leaf", other)
    share([Hostile(leaf), thing, of_a_class], deep=True)
    share(Hostile([]), deep=True)
    assert Hostile.asked == []
    assert sharing(leaf) == sharing(other) == SHARED


class HostileExecutor(BatchExecutor):
    @property
    def source(self):
        raise RuntimeError("asked")

    @property
    def __dict__(self):
        raise RuntimeError("asked")


def test_no_code_of_an_executor_subclass_runs():
    leaf = Node()
    share([HostileExecutor(leaf.method, 4)], deep=True)
    assert sharing(leaf) == SHARED


def test_the_search_tolerates_changes_by_other_threads(run_threads):
    root = Node(values=[], names={})
    walked = threading.Event()

    def change(index):
        if index == 0:
            for _ in range(30):
                share(root, deep=True)
            walked.set()
            return
        number = 0
        while not walked.is_set():
            number += 1
            root.values.append(Node(number=number))
            root.names[number % 50] = Node()
            if len(root.values) > 100:
                root.values.clear()

    run_threads(3, change)
    assert sharing(root.values) == SHARED
