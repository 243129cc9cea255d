"""Arguments that nobody should give: no crash, and the same answer on both backends."""

from pathlib import Path

import ft_local
import pytest

PROGRAM = Path(__file__).parent / "hostile_calls.py"


def outcomes(run_python, backend):
    # Memory that was freed is overwritten, so that its use is noticed.
    process = run_python(
        "-X", "dev", "-W", "error", PROGRAM, FT_LOCAL_BACKEND=backend, PYTHONMALLOC="debug"
    )
    lines = process.stdout.splitlines()
    assert (process.returncode, process.stderr) == (0, ""), lines[-1:]
    return lines


def test_hostile_arguments_have_the_same_outcome_on_both_backends(run_python):
    lines = outcomes(run_python, ft_local.backend)
    assert len(lines) > 1500
    assert not [line for line in lines if line.endswith(": SystemError")]
    differ = set(lines).symmetric_difference(outcomes(run_python, "ctypes"))
    assert not differ


PROGRAMS = {
    "a property gives the object another class": """
import gc, weakref
class B:
    __slots__ = ()
    q = 2
class A:
    __slots__ = ()
    q = 1
    @property
    def p(self):
        global A
        self.__class__ = B
        A, dead = None, weakref.ref(A)
        gc.collect()
        return dead() is None
w = LocalWrapper(A())
print(w.q, w.q, w.p, w.q)
""",
    "a key of the class gives the object another class": """
import gc
class B:
    __slots__ = ()
class Key:
    def __hash__(self):
        return hash("name")
    def __eq__(self, other):
        global A
        if armed:
            thing.__class__, A = B, None
            gc.collect()
        return False
armed = False
A = type("A", (), {"__slots__": (), Key(): 1})
thing, w = A(), LocalWrapper(A())
w = LocalWrapper(thing)
armed = True
print(hasattr(w, "name"), type(thing) is B)
""",
    "a metaclass leaves LocalWrapper out of the order": """
left_out = False
class Meta(type):
    def mro(cls):
        return [cls, object] if left_out else super().mro()
class Mixin:
    pass
class S(Mixin, LocalWrapper, metaclass=Meta):
    added = 1
s = S([1])
left_out = True
S.__bases__ = (LocalWrapper, Mixin)
for ask in (lambda: s.added, lambda: s.no, lambda: LocalWrapper.__dir__(s), lambda: len(s)):
    try:
        ask()
    except (AttributeError, TypeError, ReferenceError):
        pass
""",
    "an iterator that becomes none": """
class Nothing:
    pass
class Numbers:
    def __iter__(self):
        return self
    def __next__(self):
        return 1
numbers = Numbers()
e = ft_local.BatchExecutor(lambda n: numbers, 2, bulk=True)
e.load_many(2)
numbers.__class__ = Nothing
try:
    e.load_many(3)
except TypeError as error:
    print(error)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_crash_when(run_python, name):
    program = f"import ft_local\nfrom ft_local import LocalWrapper\n{PROGRAMS[name]}"
    process = run_python("-X", "dev", "-W", "ignore", "-c", program, PYTHONMALLOC="debug")
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.c_backend("only the C shim has a state that can be cleared")
def test_every_type_survives_the_state_of_its_module(run_python):
    # What the garbage collector does to a module that is garbage, while all else is there.
    program = """
import ctypes
import ft_local
from ft_local import _shim, BatchExecutor, LocalWrapper
class Def(ctypes.Structure):
    _fields_ = [
        ("base", ctypes.c_char * (object.__basicsize__ + 3 * ctypes.sizeof(ctypes.c_void_p))),
        ("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("size", ctypes.c_ssize_t),
        ("methods", ctypes.c_void_p), ("slots", ctypes.c_void_p), ("traverse", ctypes.c_void_p),
        ("clear", ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object)),
    ]
get = ctypes.pythonapi.PyModule_GetDef
get.restype, get.argtypes = ctypes.POINTER(Def), [ctypes.py_object]
class Sub(LocalWrapper):
    added = 1
e = BatchExecutor(iter([1]).__next__, 2)
c = e.cursor()
ws = [LocalWrapper(1.5), Sub(1.5), LocalWrapper(e)]
assert get(_shim).contents.clear(_shim) == 0
asks = [
    lambda: iter(e), lambda: e.cursor(), lambda: e.stats(), lambda: e.as_local(),
    lambda: e.load_many(3), lambda: c.load(), lambda: e.close(), lambda: e.load(),
    lambda: c.close(), lambda: c.load(), lambda: LocalWrapper(2), lambda: LocalWrapper([]),
    lambda: Sub(3), lambda: BatchExecutor(int, 1).load(timeout=0),
]
for w in ws:
    asks += [
        lambda w=w: round(w), lambda w=w: w.__enter__(), lambda w=w: w.__exit__(1, 2, 3),
        lambda w=w: w.__trunc__(), lambda w=w: w + 1, lambda w=w: w.real, lambda w=w: w.added,
        lambda w=w: dir(w), lambda w=w: repr(w), lambda w=w: LocalWrapper(w),
        lambda w=w: w.__complex__(), lambda w=w: w.__copy__(), lambda w=w: w.__reduce__(),
    ]
count = 0
for ask in asks:
    try:
        ask()
    except SystemError:
        raise
    except Exception:
        pass
    count += 1
print(count)
"""
    process = run_python("-c", program, PYTHONMALLOC="debug")
    assert (process.returncode, process.stdout, process.stderr) == (0, "53\n", "")
