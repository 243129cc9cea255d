"""LocalWrapper: C code that looks at a slot before it calls one takes the right branch."""

import collections
import contextlib
import copy
import csv
import fractions
import io
import math
import operator
import os
import pathlib
import shutil
import sqlite3
import struct
import types
import typing

import pytest
from ft_local import LocalWrapper

pytestmark = pytest.mark.c_backend(reason="a Python class has all of its methods in all instances")


class Plain:
    pass


class HasBytes:
    def __bytes__(self):
        return b"own"


VALUES = [5, 2.5, 1j, True, None, "text", b"bytes", bytearray(b"array"), [1], (1,), {"a": 1}, {1}]
VALUES += [range(3), fractions.Fraction(1, 2), pathlib.Path("/"), Plain(), HasBytes(), len, int]
VALUES += [iter([1]), collections.deque([1]), memoryview(b"view")]


def fresh(value):
    """An iterator that was not asked yet; anything else as it is."""
    return copy.copy(value) if isinstance(value, type(iter([]))) else value


def outcome(function, value):
    """What a call gives, or the kind of its exception."""
    try:
        return function(value)
    except Exception as error:  # noqa: BLE001 - whatever the bare object gives
        return type(error)


def written(value):
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow([value])
    return file.getvalue()


def executed(rows):
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table numbers (number)")
        connection.executemany("insert into numbers values (?)", rows)
        return connection.execute("select number from numbers").fetchall()


LOOKS = {
    "bytes": bytes,
    "%b": lambda value: b"%b" % value,
    "from_bytes": lambda value: int.from_bytes(value, "big"),
    "join": lambda value: b"".join([value]),
    "complex": complex,
    "float": float,
    "int": int,
    "floor": math.floor,
    "round": round,
    "locals": lambda value: eval("1", {}, value),  # noqa: S307 - our own text
    "no place": lambda value: operator.mod("no place", value),
    "number": lambda value: operator.mod("%d", (value,)),
    "pack": lambda value: struct.pack("i", value),
    "executemany": executed,
    "fspath": os.fspath,
    "stat": lambda value: os.stat(value).st_ino,  # noqa: PTH116 - it looks for numbers first
    "listdir": lambda value: os.listdir(value) and None,  # noqa: PTH208 - as above
    "isdir": os.path.isdir,
    "item": lambda value: [1, 2, 3, 4, 5, 6][value],
    "next": lambda value: next(value, None) and None,
    "mapping": lambda value: types.MappingProxyType(value) and None,
    "supports": lambda value: [
        isinstance(value, getattr(typing, "Supports" + name))
        for name in ("Int", "Float", "Complex", "Bytes", "Index", "Abs", "Round")
    ],
    "path": lambda value: isinstance(value, os.PathLike),
    "manager": lambda value: isinstance(value, contextlib.AbstractContextManager),
}

# What is known by its type is not known in a wrapper: texts by int(), float() and os.fspath(), for
# whose sake a wrapper of a text has all of it; None, lists. Any class can be asked for items.
KNOWN_BY_TYPE = {
    "supports": str,
    "path": (str, bytes),
    "no place": (str, tuple, type),
    "number": str,
    "listdir": types.NoneType,
    "locals": (types.NoneType, type),
    "mapping": (list, tuple, type),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_callers_that_probe_slots_take_the_branch_of_the_object(look, value):
    if isinstance(value, KNOWN_BY_TYPE.get(look, ())):
        return
    function = LOOKS[look]
    assert outcome(function, LocalWrapper(fresh(value))) == outcome(function, fresh(value))


def test_a_number_is_not_bytes():
    with pytest.raises(TypeError):
        b"%s" % LocalWrapper(3)
    with pytest.raises(TypeError):
        int.from_bytes(LocalWrapper(3), "big")


def test_paths_for_the_system():
    here = pathlib.Path(__file__).parent
    for path in (here, str(here)):
        wrapper = LocalWrapper(path)
        assert os.stat(wrapper).st_ino == here.stat().st_ino  # noqa: PTH116 - no method of Path
        assert sorted(os.listdir(wrapper)) == sorted(os.listdir(here))  # noqa: PTH208
        assert os.path.isdir(wrapper)  # noqa: PTH112
        assert os.path.exists(wrapper)  # noqa: PTH110
        assert shutil.disk_usage(wrapper).total == shutil.disk_usage(here).total


def test_rows_for_a_database():
    assert executed(LocalWrapper([(1,), (2,)])) == [(1,), (2,)]
    assert executed(LocalWrapper(iter([(3,)]))) == [(3,)]


def test_numbers_in_a_table_of_texts():
    for value in (5, 2.5, pathlib.Path("a"), Plain):
        assert written(LocalWrapper(value)) == written(value)


def test_exit_stacks_tell_functions_and_managers_apart():
    seen = []
    with contextlib.ExitStack() as stack:
        stack.push(LocalWrapper(lambda *args: seen.append(args)))
        stack.push(LocalWrapper(contextlib.closing(LocalWrapper(io.StringIO()))))
        with pytest.raises(TypeError):
            stack.enter_context(LocalWrapper(5))
    assert seen == [(None, None, None)]


class Local(LocalWrapper):
    pass


class WithMixin(contextlib.AbstractContextManager, LocalWrapper):
    def __exit__(self, *args):
        return None


@pytest.mark.parametrize("kind", [LocalWrapper, Local])
def test_a_nested_wrapper_of_another_object_is_not_a_context_manager(kind):
    for wrapper in (kind(5), kind(LocalWrapper(5)), LocalWrapper(kind(5)), kind(kind(kind(5)))):
        with pytest.raises(TypeError, match="context manager"), wrapper:
            pass


def test_a_subclass_has_the_methods_that_some_kinds_lack():
    assert bytes(Local(HasBytes())) == b"own"
    assert os.fspath(Local(pathlib.Path("a"))) == "a"
    assert complex(Local(1j)) == 1j
    assert math.floor(Local(2.5)) == 2
    with Local(io.StringIO()) as file:
        assert file.getvalue() == ""
    assert file.closed
    for name in ("__bytes__", "__enter__", "__fspath__"):
        assert not hasattr(Local(5), name)
        assert name not in dir(Local(5))
    with WithMixin(5) as entered:
        assert type(entered) is WithMixin


def test_a_subclass_passes_on_optional_methods_to_its_subclasses():
    given = []

    class Base:
        def __init_subclass__(cls, /, **arguments):
            given.append(arguments)

    class Derived(LocalWrapper, Base, word="word"):
        pass

    assert given == [{"word": "word"}]
    with Derived(io.StringIO()) as file:
        assert not file.closed
