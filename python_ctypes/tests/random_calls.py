"""Calls functions of C in the standard library at random, with one argument in a LocalWrapper.

    random_calls.py SEED CALLS [bare]

Each call has a line, flushed before it: a crash shows which call it was. With `bare`, nothing is
wrapped, so that a crash of the bare call is not blamed on the wrapper.
"""

import array
import datetime as dt
import decimal
import faulthandler
import fractions
import importlib
import io
import random
import sys
import types

from ft_local import LocalWrapper

MODULES = [
    "_abc",
    "_bisect",
    "_codecs",
    "_collections",
    "_contextvars",
    "_csv",
    "_datetime",
    "_decimal",
    "_functools",
    "_heapq",
    "_io",
    "_json",
    "_operator",
    "_random",
    "_sha1",
    "_sha2",
    "_sha256",
    "_md5",
    "_sre",
    "_stat",
    "_statistics",
    "_string",
    "_struct",
    "_weakref",
    "_zoneinfo",
    "array",
    "binascii",
    "builtins",
    "cmath",
    "errno",
    "itertools",
    "math",
    "unicodedata",
    "zlib",
]

TYPES = [
    array.array,
    bool,
    bytearray,
    bytes,
    complex,
    dt.date,
    dt.datetime,
    dt.timedelta,
    decimal.Decimal,
    dict,
    float,
    frozenset,
    int,
    io.BytesIO,
    io.StringIO,
    list,
    memoryview,
    object,
    range,
    set,
    slice,
    str,
    tuple,
    type,
]

# They wait for a person or a debugger, or use the process's own files. With a second argument,
# `anext` crashes older versions of CPython whenever an `__anext__` raises, also that of a Python
# class.
LEFT_OUT = {
    "anext",
    "breakpoint",
    "exec",
    "eval",
    "input",
    "open",
    "open_code",
    "print",
    "FileIO",
    "exit",
    "help",
    "quit",
    "set_int_max_str_digits",
    "_forget_codec",
    "register",
    "copyright",
    "register_error",
    "__import__",
    "compile",
    "license",
    "credits",
    "__build_class__",
    "unregister",
}

VALUES = [
    lambda: 0,
    lambda: 3,
    lambda: -1,
    lambda: 2**70,
    lambda: 1.5,
    lambda: float("nan"),
    lambda: True,
    lambda: None,
    lambda: "",
    lambda: "abc",
    lambda: "%s",
    lambda: b"abc",
    lambda: bytearray(b"abc"),
    list,
    lambda: [3, 1, 2],
    lambda: (1, 2),
    lambda: {1: 2},
    lambda: {"a": "b"},
    lambda: {1, 2},
    lambda: frozenset("ab"),
    lambda: iter([1, 2]),
    lambda: range(4),
    lambda: slice(1, 2),
    lambda: len,
    lambda: int,
    lambda: str,
    lambda: list,
    lambda: lambda *_: 1,
    lambda: array.array("i", [1, 2]),
    lambda: memoryview(b"abcd"),
    lambda: dt.date(2020, 2, 3),
    lambda: dt.timedelta(1),
    lambda: dt.datetime(2020, 2, 3, tzinfo=dt.UTC),
    lambda: decimal.Decimal("1.5"),
    lambda: fractions.Fraction(1, 3),
    lambda: io.BytesIO(b"ab"),
    lambda: io.StringIO("ab"),
    lambda: complex(1, 2),
    object,
    lambda: types.SimpleNamespace(a=1),
    lambda: Exception("a"),
]


def callables():
    """Names and functions, in an order that does not depend on the process."""
    found = {}
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for attribute in sorted(vars(module)):
            value = getattr(module, attribute)
            if callable(value) and attribute not in LEFT_OUT:
                found[f"{name}.{attribute}"] = value
    for kind in TYPES:
        for attribute in sorted(dir(kind)):
            value = getattr(kind, attribute, None)
            if callable(value) and attribute not in LEFT_OUT:
                found[f"{kind.__name__}.{attribute}"] = value
    return list(found.items())


def call(function, arguments):
    try:
        result = function(*arguments)
        # What comes lazily comes now, but not without end.
        if isinstance(result, types.GeneratorType) or hasattr(result, "__next__"):
            for _ in zip(range(5), result, strict=False):
                pass
        repr(result)[:100]
    except SystemError as error:
        return f"raised SystemError: {error}"
    except (Exception, GeneratorExit, KeyboardInterrupt, SystemExit):  # noqa: BLE001 - any
        return ""
    return ""


def main():
    seed, calls, bare = int(sys.argv[1]), int(sys.argv[2]), "bare" in sys.argv
    # A call that does not end shows where it is.
    faulthandler.dump_traceback_later(200, exit=True)
    choose = random.Random(seed)  # noqa: S311 - no secret
    functions = callables()
    for index in range(calls):
        name, function = choose.choice(functions)
        arguments = [choose.choice(VALUES)() for _ in range(choose.choice((1, 1, 2, 2, 3)))]
        wrapped = choose.randrange(len(arguments))
        kinds = ", ".join(type(argument).__name__ for argument in arguments)
        if not bare:
            arguments[wrapped] = LocalWrapper(arguments[wrapped])
        sys.stdout.write(f"{index} {name}({kinds}), wrapped {wrapped}: ")
        sys.stdout.flush()
        sys.stdout.write(f"{call(function, arguments)}\n")
    print(f"{calls} calls of {len(functions)} functions")


if __name__ == "__main__":
    main()
