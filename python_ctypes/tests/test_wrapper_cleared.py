"""What the garbage collector has cleared raises an error: wrappers, and the module itself."""

import copy
import ctypes
import gc
import importlib.util
import math
import operator
import os
import types

import pytest
from ft_local import LocalWrapper

pytestmark = pytest.mark.c_backend(reason="a class in Python has no tp_clear of its own")


class Able(bytearray):
    """Has what kinds may lack."""

    __call__ = __fspath__ = __int__ = __float__ = __index__ = __next__ = lambda self: None
    __complex__ = __bytes__ = __round__ = __floor__ = __trunc__ = __ceil__ = __call__
    __enter__ = __exit__ = __get__ = __set__ = __anext__ = __aenter__ = __aexit__ = __call__


class Local(LocalWrapper):
    pass


def of_c(name, result, *arguments):
    """A function of the interpreter, whose first argument is the address of an object.

    ctypes itself would ask an object for its attributes.
    """
    return ctypes.PYFUNCTYPE(result, ctypes.c_void_p, *arguments)((name, ctypes.pythonapi))


def item_at(wrapper, index):
    return of_c("PySequence_GetItem", ctypes.py_object, ctypes.c_ssize_t)(id(wrapper), index)


def send(wrapper):
    send = of_c("PyIter_Send", ctypes.c_int, ctypes.py_object, ctypes.c_void_p)
    return send(id(wrapper), None, ctypes.byref(ctypes.c_void_p()))


def await_it(wrapper):
    return LocalWrapper.__await__(wrapper)


def length_hint(wrapper):
    return LocalWrapper.__length_hint__(wrapper)


def static_attributes(wrapper):
    return LocalWrapper.__dict__["__dict__"].__get__(wrapper)


USES = [
    *(len, iter, next, int, float, bool, complex, bytes, repr, str, hash, round, dir, format),
    *(reversed, memoryview, math.floor, math.trunc, math.ceil, os.fspath, copy.copy, aiter),
    *(copy.deepcopy, operator.index, operator.neg, length_hint, anext, send),
    *(lambda w: w + 1, lambda w: 1 + w, lambda w: w == 1, lambda w: w == 1, lambda w: 1 in w),
    *(lambda w: pow(2, 3, w), lambda w: pow(2, w, 3), lambda w: pow(w, 2, 3)),
    *(lambda w: w[0], lambda w: w(), lambda w: w.wrapped, lambda w: w.x, lambda w: w.__array__),
    *(lambda w: operator.setitem(w, 0, 1), lambda w: setattr(w, "x", 1), lambda w: item_at(w, 0)),
    *(lambda w: delattr(w, "x"), lambda w: operator.iadd(w, 1), lambda w: w.__reduce__()),
    *(lambda w: isinstance(1, w), lambda w: issubclass(int, w), lambda w: w.__signature__),
    *(lambda w: type(w).__enter__(w), await_it, lambda w: operator.add([], w)),
    *(lambda w: operator.concat(w, []), lambda w: operator.concat(LocalWrapper([]), w)),
    *(lambda w: [] * w, lambda w: LocalWrapper([1]) == w, lambda w: LocalWrapper(1) - w),
    *(lambda w: types.new_class("T", (w,)), lambda w: LocalWrapper.__mro_entries__(w, ())),
    *(lambda w: LocalWrapper.__set_name__(w, int, "x"), static_attributes),
]
# What a subclass is not.
AS_DESCRIPTOR = [lambda w: type(w).__get__(w, 1, int), lambda w: type(w).__set__(w, 1, 2)]


@pytest.mark.parametrize(
    ("use", "kind"),
    [(use, kind) for use in USES for kind in (LocalWrapper, Local)]
    + [(use, LocalWrapper) for use in AS_DESCRIPTOR],
)
def test_a_wrapper_that_the_collector_has_cleared_raises(use, kind, clear):
    wrapper = kind(Able())
    clear(wrapper)
    clear(wrapper)
    with pytest.raises(ReferenceError, match="the garbage collector took it"):
        use(wrapper)
    gc.collect()


@pytest.mark.parametrize("value", [lambda: None, Able().__call__, Able()])
def test_a_function_that_the_collector_has_cleared_raises(value, clear):
    wrapper = LocalWrapper(value)
    clear(wrapper)
    with pytest.raises(ReferenceError, match="the garbage collector took it"):
        wrapper()


def test_a_cleared_wrapper_does_not_wrap_anew(clear):
    wrapper = LocalWrapper([])
    clear(wrapper)
    with pytest.raises(TypeError, match="never changes what it wraps"):
        LocalWrapper.__init__(wrapper, [])


class Manager(Able):
    __aiter__ = __await__ = __enter__ = __exit__ = lambda self, *args: iter([])


def another_module():
    """Another instance of the extension module, as another interpreter would have."""
    spec = importlib.util.find_spec("ft_local._shim")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


METHODS = [
    "__enter__",
    "__exit__",
    "__aenter__",
    "__aexit__",
    "__round__",
    "__trunc__",
    "__floor__",
    "__ceil__",
]


def test_what_is_left_of_a_module_that_the_collector_has_cleared_raises(clear):
    """As a finalizer may use it while the interpreter shuts down."""
    module = another_module()
    wrapper_type, executor_type = module.LocalWrapper, module.BatchExecutor
    wrapper, manager, gone = (wrapper_type(Manager()) for _ in range(3))
    executor = executor_type(int, 4)
    closed = executor.cursor()
    # Only some have it.
    make_stand_in = getattr(module, "_make_stand_in", type(wrapper).__trunc__)
    closed.close()
    clear(gone)
    clear(module)
    clear(module)
    for name in METHODS:
        with pytest.raises(ReferenceError, match="ft_local is gone"):
            getattr(type(wrapper), name)(wrapper)
    for use in (
        lambda: iter(executor),
        executor.cursor,
        executor.as_local,
        lambda: executor.load_many(-1),
        lambda: executor.load("soon"),
        executor.__reduce__,
        closed.load,
        lambda: executor_type(int, 4),
        lambda: len(gone),
        lambda: wrapper_type(1, 2),
        lambda: wrapper_type.__init__(wrapper, 2),
        lambda: type("More", (wrapper_type,), {}),
        lambda: make_stand_in(wrapper),
    ):
        with pytest.raises(ReferenceError, match="ft_local is gone"):
            use()
    assert executor.load() == 0
    executor.close()
    with pytest.raises(ReferenceError, match="ft_local is gone"):
        executor.load()
    manager()
    assert list(wrapper_type([1])) == [1]
