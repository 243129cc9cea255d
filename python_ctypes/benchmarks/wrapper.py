"""Prints what an operation costs on a bare object, through LocalWrapper, and through other proxies.

    wrapper.py [OPERATION...]

Each number is the median of rounds in which all columns take turns, so that a machine that gets
slower or faster meanwhile does so for all. Without the GIL, a second table has what an operation
on one shared object costs in one thread and in two, timed inside the threads, and a third what it
costs to load from one shared executor.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import math
import platform
import statistics
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

from ft_local import BatchExecutor, LocalWrapper
from loads import compare_shared_loads
from operations import OPERATIONS, Operation, loop
from timing import ROUNDS, Kind, bare, in_threads, timed

# What is read without a change, and so can be read by many threads at once.
SHARED = (
    "attribute",
    "attribute, slots",
    "method, C type",
    "method, str",
    "call, positional",
    "call, C function",
    "item",
    "len",
    "truth",
    "comparison",
    "addition",
)


def lazy(kind: Callable[[Callable[[], Any]], Any]) -> Kind:
    """A proxy that wants a function which makes the object."""
    return lambda thing: kind(lambda: thing)


def kinds() -> dict[str, Kind]:
    """The columns: what can be imported here."""
    found: dict[str, Kind] = {"bare": bare, "ft_local": LocalWrapper}
    peers = (
        ("ft_utils", "ft_utils.local", "LocalWrapper", bare),
        ("wrapt", "wrapt", "ObjectProxy", bare),
        ("zope", "zope.proxy", "ProxyBase", bare),
        ("lazy", "lazy_object_proxy", "Proxy", lazy),
    )
    for name, module, attribute, adapt in peers:
        try:
            found[name] = adapt(getattr(importlib.import_module(module), attribute))
        except ImportError:
            print(f"{name} is not installed")
    return found


def row(name: str, bodies: dict[str, tuple[Callable[..., None], Any, Kind]]) -> list[float]:
    """The medians of one operation, a column each, and prints them."""
    times: dict[str, list[float]] = {column: [] for column in bodies}
    for _ in range(ROUNDS):
        for column, (body, thing, kind) in bodies.items():
            times[column].append(timed(body, thing, kind))
    medians = [statistics.median(times[column]) for column in bodies]
    cells = "".join(f"{'-' if math.isnan(value) else f'{value:.1f}':>10}" for value in medians)
    print(f"{name:<22}{cells}", flush=True)
    return medians


def compare(operation: Operation, columns: dict[str, Kind]) -> None:
    """Prints the row of an operation."""
    thing = operation.make()
    body = loop(operation.expression)
    made = operation.name == "construction"
    row(
        operation.name,
        {name: (body, thing if made else kind(thing), kind) for name, kind in columns.items()},
    )


def compare_loads() -> None:
    """Prints what it costs to load through a local wrapper and through a bound method."""
    source = itertools.count().__next__
    executor = BatchExecutor(source, 1000)
    bodies = {
        "bound": (loop("thing()"), executor.load, bare),
        "executor": (loop("thing.load()"), executor, bare),
        "ft_local": (loop("thing.load()"), executor.as_local(), bare),
    }
    try:
        peer = importlib.import_module("ft_utils.local").BatchExecutor(source, 1000)
        bodies["ft_utils"] = (loop("thing.load()"), peer.as_local(), bare)
    except ImportError:
        pass
    print("\nload, ns: " + ", ".join(bodies))
    row("as_local().load()", bodies)


def compare_threads(operations: list[Operation]) -> None:
    """Prints the table of threads that share one object, each with a wrapper of its own."""
    print("\nns per operation on one shared object")
    heads = ("bare 1", "bare 2", "ours 1", "ours 2", "ours 2:1", "2: bare/ours")
    print(f"{'':<22}" + "".join(f"{head:>13}" for head in heads))
    print(f"{'goal':<22}{'':>52}{'at most 1.15':>13}{'at least 1.7':>13}")
    for operation in operations:
        if operation.name not in SHARED:
            continue
        body = loop(operation.expression)
        times: list[list[float]] = [[], [], [], []]
        for _ in range(ROUNDS):
            # Anew, since what lies beside it in memory may be in use by one thread.
            shared = operation.make()
            for place, (kind, count) in enumerate(itertools.product((bare, LocalWrapper), (1, 2))):
                make = functools.partial(kind, shared)
                times[place].append(in_threads(body, make, count))
        medians = [statistics.median(column) for column in times]
        cost = statistics.median(two / one for one, two in zip(times[2], times[3], strict=True))
        gain = statistics.median(two / ours for two, ours in zip(times[1], times[3], strict=True))
        cells = "".join(f"{value:>13.1f}" for value in medians)
        print(f"{operation.name:<22}{cells}{cost:>13.2f}{gain:>13.2f}", flush=True)


def main() -> None:
    """Prints all tables."""
    words = sys.argv[1:]
    operations = [o for o in OPERATIONS if not words or any(word in o.name for word in words)]
    columns = kinds()
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    print(f"CPython {platform.python_version()}, {'without' if free else 'with'} the GIL; ns")
    print(f"{'':<22}" + "".join(f"{name:>10}" for name in columns))
    for operation in operations:
        compare(operation, columns)
    compare_loads()
    if free:
        compare_threads(operations)
        compare_shared_loads()


if __name__ == "__main__":
    main()
