"""`demo`: GUIDs for many threads, each to exactly one, and how fast compared with other ways."""

import argparse
import os
from uuid import UUID, uuid4

import ft_local

from .account import WAYS_TO_LOAD, Account, MakeExecutor, run_and_account
from .crew import Crew
from .info import gil
from .numbers import number
from .plain import WAYS
from .progress import Progress

DESCRIPTION = """\
Hand out GUIDs to many threads, account for every one, compare with other ways.

Exit status: 0 if each GUID came to exactly one thread, 1 if any was lost or handed out twice.
"""

_MOST_THREADS = 1000
_MOST_SECONDS = 3600
_MOST_SIZE = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the demo."""
    parser.add_argument(
        "--threads",
        type=number(int, 1, _MOST_THREADS),
        default=max(4, _cores()),
        metavar="N",
        help="how many threads load (default: as many as there are cores, at least 4)",
    )
    parser.add_argument(
        "--seconds",
        type=number(float, 0.01, _MOST_SECONDS),
        default=2.0,
        metavar="S",
        help="how long each of the five measurements takes (default: 2)",
    )
    parser.add_argument(
        "--size",
        type=number(int, 1, _MOST_SIZE),
        default=100,
        metavar="K",
        help="how many GUIDs the BatchExecutor makes at a time (default: 100)",
    )


def run(options: argparse.Namespace) -> int:
    """Runs the demo as its options say."""
    return show(ft_local.BatchExecutor, options.threads, options.seconds, options.size)


def show(make_executor: MakeExecutor, threads: int, seconds: float, size: int) -> int:
    """Runs the whole demo with executors from `make_executor`, and returns the exit status."""
    _example()
    print()
    print(f"{threads} threads, {seconds:g} s for each row, {ft_local.backend} backend")
    print(f"BatchExecutor(uuid4, {size})")
    print(f"GIL {gil()}")
    print(flush=True)
    accounts = {
        way: run_and_account(make_executor, size, threads, seconds, way) for way in WAYS_TO_LOAD
    }
    _print_accounts(accounts)
    print(flush=True)
    _compare(max(account.rate for account in accounts.values()), threads, seconds, size)
    for way, account in accounts.items():
        if not account.exact:
            print(f"FAULT: {way}: {account.duplicates:,} handed out twice, {account.lost:,} lost")
    return 0 if all(account.exact for account in accounts.values()) else 1


def _example() -> None:
    """What ft_local was made for, in the fewest lines."""

    def generate_guid() -> UUID:
        return uuid4()

    batch_executor = ft_local.BatchExecutor(generate_guid, 10)
    local_wrapper = ft_local.LocalWrapper(batch_executor)
    print("Ten GUIDs through LocalWrapper(BatchExecutor(generate_guid, 10)):")
    for _ in range(10):
        print(f"  {local_wrapper.load()}")


def _print_accounts(accounts: dict[str, Account]) -> None:
    rows = {
        way: {
            "produced": account.produced,
            "handed out": account.handed_out,
            "duplicates": account.duplicates,
            "lost": account.lost,
            "left in buffer": account.left,
            "GUIDs/s": round(account.rate),
        }
        for way, account in accounts.items()
    }
    width = max(map(len, rows))
    print(" " * width, *(f"{name:>15}" for name in next(iter(rows.values()))))
    for way, row in rows.items():
        print(f"{way:{width}}", *(f"{number:>15,}" for number in row.values()))


def _compare(ours: float, threads: int, seconds: float, size: int) -> None:
    rates = {}
    for name, way in WAYS.items():
        with way(size) as make_load:
            rates[name] = Crew(make_load, threads).work(seconds, Progress(name, seconds)).rate
    width = max(map(len, rates))
    print(f"{'The same work in other ways':{width}} {'GUIDs/s':>14} {'to ft_local':>14}")
    for name, rate in rates.items():
        print(f"{name:{width}} {rate:>14,.0f} {rate / ours:>13.2f}x")
    print()
    print(_verdict(ours, rates))


def _verdict(ours: float, rates: dict[str, float]) -> str:
    best = max(rates, key=lambda name: rates[name])
    pays = (
        "A batch pays when the source is expensive (a round trip to a database, a read from the\n"
        "kernel) or must not run in two threads at once; uuid4 is neither."
    )
    if rates[best] > ours:
        return f"Here another way was faster: {best}.\n{pays}"
    return f"Here ft_local was the fastest.\n{pays}"


def _cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
