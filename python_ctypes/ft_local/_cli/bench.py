"""`bench`: small programs on one shared object: bare, through a LocalWrapper each, and shared."""

import argparse
import json
import os
import statistics
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

import ft_local

from .bench_programs import PROGRAMS, Holder, Program
from .info import gil
from .numbers import number
from .progress import Progress

DESCRIPTION = """\
Measure small programs whose threads share one object, on this machine.

For each: nanoseconds a turn of a thread, for so many threads, with the bare object, with a
LocalWrapper in each thread, and with the object shared by share(object, deep=True). The ways take
turns; a figure is the median of the rounds in which all threads ran, and at the same time.
"""

# How a thread holds the object. "shared" is another object, made the same way.
_WAYS: dict[str, Callable[[Any], Any]] = {
    "bare": lambda thing: thing,
    "wrapped": ft_local.LocalWrapper,
    "shared": lambda thing: thing,
}

_WARM_UP = 200

# A thread that needed so many times its own time had lost its core.
_DISTURBED = 1.15

# They ran at the same time if they did for this part of it.
_TOGETHER = 0.7

Figures = dict[str, dict[int, float | None]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--threads",
        type=number(int, 1, 1000),
        nargs="+",
        default=sorted({1, 2, min(4, os.cpu_count() or 1)}),
        metavar="N",
        help="numbers of threads (default: 1, 2 and up to 4 if there are cores for them)",
    )
    parser.add_argument(
        "--rounds",
        type=number(int, 1, 10_000),
        default=15,
        metavar="N",
        help="how often each is measured (default: 15)",
    )
    parser.add_argument(
        "--turns",
        type=number(int, 1, 10_000_000),
        default=3000,
        metavar="N",
        help="how many turns a thread takes each time (default: 3000)",
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="programs with TEXT in the name")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(options: argparse.Namespace) -> int:
    """Measures, then prints a table or JSON."""
    chosen = {name: one for name, one in PROGRAMS.items() if options.only in name}
    if not chosen:
        print(f"bench: no program has {options.only!r} in its name", file=sys.stderr)
        return 2
    figures: dict[str, Figures] = {}
    progress = Progress("bench", len(chosen))
    for done, (name, program) in enumerate(chosen.items()):
        progress.show(done, done, "programs")
        figures[name] = _measure(program, options)
    progress.close()
    if options.json:
        facts = {"python": sys.version.split()[0], "gil": gil(), "backend": ft_local.backend}
        print(json.dumps({**facts, "ns_per_turn": figures}, indent=2))
    else:
        _print_table(figures, options.threads)
    return 0


def _measure(program: Program, options: argparse.Namespace) -> Figures:
    """The median of each way and number of threads."""
    things = {way: program.make() for way in _WAYS}
    ft_local.share(things["shared"], deep=True)
    # The interpreter adapts a function to the types that it meets: each way has its own.
    functions = {way: _copy(program.run) for way in _WAYS}
    samples: dict[tuple[str, int], list[float]] = {}
    for _ in range(options.rounds):
        for way, hold in _WAYS.items():
            for threads in options.threads:
                own = [Holder(hold(things[way])) for _ in range(threads)]
                taken = _sample(functions[way], own, options.turns)
                if taken is not None:
                    samples.setdefault((way, threads), []).append(taken)
    return {
        way: {
            threads: statistics.median(samples[way, threads]) if (way, threads) in samples else None
            for threads in options.threads
        }
        for way in _WAYS
    }


def _copy(function: Callable[[int, Holder], None]) -> Callable[[int, Holder], None]:
    code: types.CodeType = function.__code__
    return types.FunctionType(code.replace(co_name="copy"), function.__globals__)


def _sample(function: Callable[[int, Holder], None], own: list[Holder], turns: int) -> float | None:
    """Nanoseconds a turn of the slowest thread; None if the threads did not run all the time."""
    gate = threading.Barrier(len(own))
    spans: list[tuple[int, int]] = []
    lost: list[int] = []

    def work(index: int) -> None:
        _pin(index)
        function(_WARM_UP, own[index])
        gate.wait()
        began, core = time.perf_counter_ns(), time.thread_time_ns()
        function(turns, own[index])
        core, ended = time.thread_time_ns() - core, time.perf_counter_ns()
        spans.append((began, ended))
        if ended - began > core * _DISTURBED:
            lost.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(own))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # With the GIL, threads that wait for one another are what is to be measured.
    if (lost or not _ran_together(spans)) and (len(own) == 1 or gil().startswith("off")):
        return None
    return max(ended - began for began, ended in spans) / turns


def _pin(index: int) -> None:
    """Keeps this thread on a core of its own, if there are enough and the system can."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[index % len(cores)]})


def _ran_together(spans: list[tuple[int, int]]) -> bool:
    """Whether all threads were at work for most of the time in which one was."""
    begins, ends = zip(*spans, strict=True)
    return min(ends) - max(begins) >= _TOGETHER * (max(ends) - min(begins))


def _print_table(figures: dict[str, Figures], threads: list[int]) -> None:
    print(f"ns a turn, by threads; Python {sys.version.split()[0]}, GIL {gil()}")
    width = max(map(len, figures))
    cell = 8 * len(threads)
    print(" " * width, *(f"{way:>{cell}}" for way in _WAYS), f"{'best':>10}")
    print(" " * width, *("".join(f"{n:>8}" for n in threads) for _ in _WAYS))
    for name, ways in figures.items():
        cells = ("".join(_cell(ways[way][n]) for n in threads) for way in _WAYS)
        print(f"{name:{width}}", *cells, f"{_best(ways, max(threads)):>10}")
    print("-: in no round did all threads run at the same time")


def _cell(figure: float | None) -> str:
    return f"{'-':>8}" if figure is None else f"{figure:>8.0f}"


def _best(ways: Figures, threads: int) -> str:
    measured = {figures[threads]: way for way, figures in ways.items()}
    return "-" if None in measured else measured[min(one for one in measured if one is not None)]
