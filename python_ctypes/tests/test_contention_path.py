"""The path by which a program reaches an object, and the advice about it."""

import collections
import functools
import json
import sys
import time
import types

import pytest
from ft_local import LocalWrapper, share
from ft_local._contention_advice import advice
from ft_local._contention_path import find_paths, path_text

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
CAN_DEFER = sys.version_info >= (3, 14) and not GIL


class Node:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class Inline:
    """Its attribute lies in the instance as long as nobody asks for a dictionary."""

    def __init__(self, leaf):
        self.leaf = leaf


class Slotted:
    __slots__ = ("leaf",)

    def __init__(self, leaf):
        self.leaf = leaf


def closure_over(leaf):
    other = 1

    def function():
        return other, leaf

    return function


@pytest.fixture
def module():
    module = types.ModuleType("program_of_the_test")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


WAYS = {
    "": lambda leaf: leaf,
    ".leaf": Inline,
    ".a.b": lambda leaf: Node(a=Node(b=leaf)),
    ".leaf ": Slotted,
    "[1]": lambda leaf: [None, leaf],
    "[2]": lambda leaf: (None, [], leaf),
    "[0]": lambda leaf: collections.deque([leaf]),
    "['key'][7]": lambda leaf: {"key": {7: leaf}},
    "[Node]": lambda leaf: {Node: leaf},
    ".<key <test_contention_path.Leaf>>": lambda leaf: {leaf: 1},
    ".<closure leaf>": closure_over,
    ".__self__": lambda leaf: leaf.method,
    ".args[0]": lambda leaf: functools.partial(print, leaf),
    ".leaf  ": lambda leaf: type("Made", (), {"leaf": leaf}),
    ".__class__.leaf": lambda leaf: type("Made", (), {"leaf": leaf})(),
    ".__defaults__[0]": lambda leaf: types.FunctionType(
        (lambda given: given).__code__, {}, "f", (leaf,)
    ),
}


@pytest.mark.parametrize("text", WAYS)
def test_the_path_is_a_python_expression(text, module):
    leaf = type("Leaf", (Node,), {"__module__": "test_contention_path"})()
    module.root = WAYS[text](leaf)
    paths = find_paths({id(leaf): leaf})
    assert path_text(paths[id(leaf)]) == f"program_of_the_test.root{text.rstrip()}"


@pytest.mark.skipif(GIL, reason="with the GIL, the collector does not know what code refers to")
def test_a_constant_of_a_function_has_a_path(module):
    # Not equal to a constant that there is already.
    leaf = time.perf_counter() / 7
    code = (lambda: 1).__code__.replace(co_consts=((leaf,),))
    module.root = types.FunctionType(code, {})
    paths = find_paths({id(leaf): leaf})
    assert path_text(paths[id(leaf)]) == "program_of_the_test.root.__code__.co_consts[0][0]"


def test_a_key_of_a_dictionary_of_strings_has_a_path(module):
    leaf = json.loads('"a key"')
    module.root = {"another": 0, leaf: 1}
    paths = find_paths({id(leaf): leaf})
    assert path_text(paths[id(leaf)]) == "program_of_the_test.root.<key 'a key'>"


def test_an_object_that_no_module_reaches_has_no_path():
    leaf = Node()
    assert find_paths({id(leaf): leaf}) == {}


def test_the_shortest_path_is_taken(module):
    leaf = Node()
    module.far = [[[leaf]]]
    module.near = [leaf]
    paths = find_paths({id(leaf): leaf})
    assert path_text(paths[id(leaf)]) == "program_of_the_test.near[0]"


def test_a_path_through_thousands_of_objects_is_found(module):
    leaf = Node()
    module.many = [[i] for i in range(5000)]
    module.many[3456].append(leaf)
    paths = find_paths({id(leaf): leaf})
    assert path_text(paths[id(leaf)]) == "program_of_the_test.many[3456][1]"


class Hostile:
    asked = []  # noqa: RUF012

    def _refuse(self, *_):
        Hostile.asked.append(1)
        raise RuntimeError("asked")

    __getattribute__ = __getattr__ = __eq__ = __len__ = __iter__ = __hash__ = _refuse
    __bool__ = __repr__ = _refuse
    __dict__ = __class__ = property(_refuse)


def test_no_code_of_the_program_runs(module):
    Hostile.asked.clear()
    hostile, leaf = Hostile(), Node()
    object.__setattr__(hostile, "leaf", [leaf])
    module.root = [hostile]
    path = find_paths({id(leaf): leaf})[id(leaf)]
    assert path_text(path).startswith("program_of_the_test.root[0].")
    advice(hostile)
    assert Hostile.asked == []


@pytest.mark.parametrize(
    ("make", "first", "before_deferring"),
    [
        (Node, "ft_local.share() it", "give each thread a LocalWrapper of it"),
        (lambda: "some text" * 9, "ft_local.intern() it", "ft_local.intern() it"),
        (lambda: len(sys.path) / 7, "ft_local.intern() it", "ft_local.intern() it"),
        (lambda: print, "look it up once in each thread", "look it up once in each thread"),
        (lambda: LocalWrapper([]), "make a wrapper in each thread", "make a wrapper in each"),
    ],
)
def test_the_advice_fits_the_object_and_the_interpreter(make, first, before_deferring):
    newer = sys.version_info >= (3, 14)
    assert advice(make()).startswith(first if newer else before_deferring)


def test_the_advice_does_not_share_twice():
    text = advice(share(Node()))
    assert ("it is shared, so this is C code" in text) == CAN_DEFER
