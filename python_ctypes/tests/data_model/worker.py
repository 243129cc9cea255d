"""Runs probes one after the other, and writes a line for each before and after.

    worker.py FIRST

A probe is a program that is run twice: with a `W` that does nothing, and with LocalWrapper. Both
times the value of its last expression, or what it raised, is noted. A probe that kills this process
leaves its number behind; its parent starts it again after that one.
"""

import faulthandler
import importlib
import json
import sys
import typing
import warnings

import arithmetic
import limits
import objects
import objects_used
import values
from ft_local import LocalWrapper

SECONDS = 20

MODULES = """
array asyncio base64 binascii bisect collections collections.abc concurrent.futures contextlib copy
csv ctypes dataclasses datetime decimal enum fractions functools gc hashlib heapq hmac importlib
inspect io ipaddress itertools json logging marshal math numbers operator os pickle pprint
queue random re select shlex sqlite3 statistics string struct sys textwrap threading time types
typing unicodedata unittest.mock urllib.parse uuid weakref xml.etree.ElementTree zlib
"""

FROM = {
    "collections": ["ChainMap", "Counter", "OrderedDict", "defaultdict", "deque"],
    "datetime": ["UTC", "date", "datetime", "timedelta", "timezone"],
    "decimal": ["Decimal"],
    "fractions": ["Fraction"],
    "pathlib": ["Path"],
}

HELPERS = """
def stopped(iterator):
    try:
        next(iterator)
    except StopIteration as stop:
        return stop.value

def with_error(manager, kind):
    with manager as entered:
        raise kind
    return entered

def raising(error):
    try:
        raise error
    except KeyError:
        return "caught"

def catching(kind):
    try:
        raise KeyError
    except kind:
        return "caught"

async def awaiting(thing):
    return await thing

async def iterating(thing):
    return [item async for item in thing]

async def entering(thing):
    async with thing as entered:
        return entered

async def gathering(thing):
    return await asyncio.gather(thing)
"""


def sections():
    yield "arithmetic", list(arithmetic.probes())
    for name in ("CONVERSIONS", "CONTAINERS", "BUFFERS"):
        yield name.lower(), getattr(values, name).strip().splitlines()
    for name in ("ATTRIBUTES", "TYPES", "CALLS", "STANDARD_LIBRARY"):
        yield name.lower(), getattr(objects_used, name).strip().splitlines()
    yield "limits", limits.LIMITS.strip().splitlines()


def all_probes():
    return [(section, probe) for section, probes in sections() for probe in probes]


def abstract_classes():
    abc = importlib.import_module("collections.abc")
    typing = importlib.import_module("typing")
    names = [name for name in abc.__all__ if name != "ByteString"]
    supports = ["SupportsInt", "SupportsFloat", "SupportsIndex", "SupportsAbs"]
    managers = importlib.import_module("contextlib")
    return [
        *(getattr(abc, name) for name in names),
        *(getattr(typing, name) for name in supports),
        managers.AbstractContextManager,
        managers.AbstractAsyncContextManager,
    ]


def bare_of(value):
    while issubclass(type(value), LocalWrapper):
        value = value.wrapped
    return value


def namespace(wrap):
    names = {}
    for name in MODULES.split():
        importlib.import_module(name)
        package = name.partition(".")[0]
        names[package] = sys.modules[package]
    for module, members in FROM.items():
        loaded = importlib.import_module(module)
        names.update({member: getattr(loaded, member) for member in members})
    names.update(vars(objects))
    names.update(vars(limits))
    names["ABCS"] = abstract_classes()
    names["SUPPORTS"] = [value for name, value in vars(typing).items() if "Supports" in name]
    names["W"], names["bare"] = wrap, bare_of
    exec(HELPERS, names)  # noqa: S102 - the text above
    return names


def programs(probe):
    """What is run and what is evaluated after it."""
    lines = probe.replace("\\n", "\n").split("; ")
    *before, last = lines
    return "\n".join(before), last


def parts(result):
    """A result so that two can be compared: what is wrapped in it does not matter."""
    result = bare_of(result)
    if isinstance(result, (list, tuple, set)) and type(result) in (list, tuple, set):
        items = [parts(item) for item in result]
        return type(result).__name__, sorted(items, key=repr) if type(result) is set else items
    kind = type(result)
    text = repr(result)
    return kind.__module__, kind.__qualname__, text.partition(" at 0x")[0]


def outcome(probe, wrap):
    names = namespace(wrap)
    before, last = programs(probe)
    try:
        exec(before, names)  # noqa: S102 - our own probes
        try:
            code = compile(last, "probe", "eval")
        except SyntaxError:
            exec(last, names)  # noqa: S102 - a probe that ends with a statement
            return "done", None
        return "value", parts(eval(code, names))  # noqa: S307 - as above
    except Exception as error:  # noqa: BLE001 - it is what is compared
        return "raises", [type(error).__name__]


def bare(thing):
    return thing


def compare(probe, wrap=LocalWrapper):
    """What differs with what `wrap` makes of an object, or nothing."""
    expected = outcome(probe, bare)
    got = outcome(probe, wrap)
    return "" if got == expected else f"{got} instead of {expected}"


def compare_unwrapped(probe):
    return compare(probe, lambda thing: LocalWrapper(thing).wrapped)


def main():
    warnings.simplefilter("ignore")
    for number, (section, probe) in enumerate(all_probes()):
        if number < int(sys.argv[1]):
            continue
        print(json.dumps({"start": number}), flush=True)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        failure = compare(probe)
        line = {"end": number, "section": section, "probe": probe, "failure": failure}
        if section == "limits":
            line["unwrapped"] = compare_unwrapped(probe)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
