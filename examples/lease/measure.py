#!/usr/bin/env python3
"""Measures a lease at scale, and draws the figure of docs/leasing.md.

    measure.py scale [IDS]      8 processes of 8 threads use IDS ids (10^7): none twice?
    measure.py rates [FIGURE]   ids per second by the size of a block, on each store; with a plot
    measure.py loads            how long single loads take, while blocks change

It starts the servers. It needs redis-server, PostgreSQL, and the packages in
python_ctypes/lease_tests/requirements.txt; the plot needs matplotlib.
"""

import array
import itertools
import statistics
import sys
import tempfile
import threading
import time
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "python_ctypes" / "lease_tests"))

import psycopg
import servers
from ft_local.lease import Lease
from stores import Store, redis_client

PROCESSES, THREADS = 8, 8
BLOCKS = (10, 100, 1000, 10_000)
SPAWN = get_context("spawn")


def in_threads(function):
    """Runs function(index) in THREADS threads; returns how long they all took, in seconds."""
    barrier = threading.Barrier(THREADS + 1)

    def body(index):
        barrier.wait()
        function(index)

    threads = [threading.Thread(target=body, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def use_lease(words, block, count, path, start):
    """One process: `count` ids a thread, written to `path`. Block 0 has its size by itself."""
    store = Store(*words)
    options = {"max_block": block} if block else {"max_block": 1_000_000}
    used = [array.array("q", bytes(8 * count)) for _ in range(THREADS)]
    with Lease(store.source(block or 1000), **options) as ids:

        def body(index):
            mine = used[index]
            with ids.cursor() as cursor:
                for place in range(count):
                    mine[place] = next(cursor)

        start.wait()
        in_threads(body)
    if path:
        with Path(path).open("wb") as file:
            for mine in used:
                mine.tofile(file)


def use_single(words, block, count, path, start):  # noqa: ARG001 - as use_lease
    """One process: each id by a round trip of its own, as a program without leases has it."""
    kind, address, name = words
    start.wait()

    def redis_body(index):  # noqa: ARG001
        with redis_client(address) as client:
            for _ in range(count):
                client.incr(name)

    def postgres_body(index):  # noqa: ARG001
        with psycopg.connect(address, autocommit=True) as connection:
            for _ in range(count):
                connection.execute("SELECT nextval(%s::regclass)", [name]).fetchone()

    in_threads(redis_body if kind == "redis" else postgres_body)


def in_processes(function, words, block, count, paths):
    """Ids per second of PROCESSES processes, without the time to start them."""
    start = SPAWN.Barrier(PROCESSES + 1)
    processes = [
        SPAWN.Process(target=function, args=(words, block, count, path, start)) for path in paths
    ]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a process failed")
    return PROCESSES * THREADS * count / (time.perf_counter() - began)


def check_bitmap(paths, most):
    """How many ids are in the files, each of which must be in one place, between 1 and `most`."""
    seen = bytearray(most // 8 + 1)
    count = 0
    for path in paths:
        ids = array.array("q")
        with Path(path).open("rb") as file:
            ids.fromfile(file, Path(path).stat().st_size // 8)
        for one in ids:
            place, bit = one >> 3, 1 << (one & 7)
            if not 1 <= one <= most or seen[place] & bit:
                raise AssertionError(f"{one} was used twice, or never leased")
            seen[place] |= bit
        count += len(ids)
    if count != sum(map(int.bit_count, seen)):
        raise AssertionError("the bitmap does not add up")
    return count


def scale(ids=10_000_000):
    count = int(ids) // (PROCESSES * THREADS)
    with servers.Redis() as redis, tempfile.TemporaryDirectory() as folder:
        store = Store("redis", redis.url, "scale")
        paths = [f"{folder}/{index}" for index in range(PROCESSES)]
        rate = in_processes(use_lease, store.words(), 0, count, paths)
        used, leased = check_bitmap(paths, store.leased(0)), store.leased(0)
    print(
        f"{PROCESSES} processes of {THREADS} threads: "
        f"{used:,} ids, each once, of {leased:,} leased;"
    )
    print(f"{rate:,.0f} ids/s with the processes' memory for the check")


def rates(figure=None):
    results = {}
    with servers.Redis() as redis, servers.Postgres() as postgres:
        for kind, address in (("redis", redis.url), ("postgres", postgres.conninfo)):
            store = Store(kind, address, "single")
            store.prepare(1)
            nothing = [None] * PROCESSES
            rate = {1: in_processes(use_single, store.words(), 1, 100, nothing)}
            for block in BLOCKS:
                store = Store(kind, address, f"block{block}")
                store.prepare(block)
                count = min(50_000, 200 * block)
                rate[block] = in_processes(use_lease, store.words(), block, count, nothing)
            store = Store(kind, address, "adaptive")
            store.prepare(1000)
            rate["by itself"] = in_processes(use_lease, store.words(), 0, 50_000, nothing)
            results[kind] = rate
    print("| ids a round trip | " + " | ".join(f"{kind}, ids/s | ratio" for kind in results) + " |")
    print("| --- " + "| --: | --: " * len(results) + "|")
    for block in results["redis"]:
        cells = (f"{rate[block]:,.0f} | {rate[block] / rate[1]:,.0f}" for rate in results.values())
        print(f"| {block} | " + " | ".join(cells) + " |")
    if figure:
        draw(results, figure)


def draw(results, path):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    # The same file for the same figures.
    mpl.rcParams["svg.hashsalt"] = "ft_local"
    picture, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for kind, rate in results.items():
        sizes = [block for block in rate if isinstance(block, int)]
        axes.loglog(sizes, [rate[block] for block in sizes], marker="o", label=kind)
    axes.set_xlabel("ids a round trip")
    axes.set_ylabel("ids per second")
    axes.set_title(
        f"{PROCESSES} processes of {THREADS} threads, one server, safe settings", fontsize=10
    )
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    picture.savefig(path, metadata={"Date": None})


class Times:
    """Nanoseconds of each load, and of those that did more than to take an id from the buffer.

    A fill counts the next ids out of the block in use; a change goes on to the block ahead; a wait
    is for a block that is not there yet.
    """

    def __init__(self, ids):
        self._ids = ids
        self._feed = ids._feed  # noqa: SLF001
        self.every, self.fills, self.changes, self.waits = (array.array("q") for _ in range(4))

    def measure(self, count, pause):
        ids, load, clock = self._ids, self._ids.load, time.perf_counter_ns
        counts, taken_at, full = self._feed.counts, ids._taken_at, ids.size - 1  # noqa: SLF001
        waits, taken = self._waits(counts), taken_at()
        for _ in range(count):
            began = clock()
            load()
            took = clock() - began
            self.every.append(took)
            if len(ids) == full:
                if self._waits(counts) != waits:
                    waits = self._waits(counts)
                    self.waits.append(took)
                elif (now := taken_at()) is not None and now != taken:
                    taken = now
                    self.changes.append(took)
                else:
                    self.fills.append(took)
            if pause:
                time.sleep(pause)  # the work for which the id is

    def _waits(self, counts):
        return counts.waits if self._feed.prefetch else counts.round_trips


TITLES = (
    ("all", "p50"), ("all", "p99"), ("all", "p99.9"),
    ("fills", "number"), ("fills", "p50"), ("fills", "p99"),
    ("changes", "number"), ("changes", "p50"), ("changes", "p99"),
    ("waits", "number"), ("waits", "p50"),
)  # fmt: skip


def loads():
    """At full speed with blocks that grow, and an id every 100 us or so from blocks of 1000."""
    print("| store | ids | ahead | " + " | ".join(f"{of}: {what}" for of, what in TITLES) + " |")
    print("| --- | --- | --- |" + " --: |" * len(TITLES))
    full = "full speed", 4_000_000, 0, {"max_block": 1_000_000, "target": 0.05}
    paced = "one every 100 µs", 100_000, 50e-6, {}
    with servers.Redis() as redis, servers.Postgres() as postgres:
        for kind, address in (("redis", redis.url), ("postgres", postgres.conninfo)):
            for number, (prefetch, case) in enumerate(
                itertools.product((True, False), (full, paced))
            ):
                store = Store(kind, address, f"loads{number}")
                print(f"| {kind} | {case[0]} | {'yes' if prefetch else 'no'} | ", end="")
                print(" | ".join(one_case(store, prefetch=prefetch, case=case)) + " |", flush=True)


def one_case(store, *, prefetch, case):
    _, count, pause, options = case
    with store.lease(1000, prefetch=prefetch, **options) as ids:
        ids.load_many(1000 if pause else 1_000_000)  # until blocks have their size
        times = Times(ids)
        times.measure(count, pause)
    return (
        *in_microseconds(times.every, 500, 990, 999),
        f"{len(times.fills):,}",
        *in_microseconds(times.fills, 500, 990),
        f"{len(times.changes):,}",
        *in_microseconds(times.changes, 500, 990),
        f"{len(times.waits):,}",
        *in_microseconds(times.waits, 500),
    )


def in_microseconds(times, *per_mille):
    if len(times) < 2:
        return ("",) * len(per_mille)
    quantiles = statistics.quantiles(times, n=1000)
    return tuple(f"{quantiles[share - 1] / 1000:,.1f}" for share in per_mille)


if __name__ == "__main__":
    {"scale": scale, "rates": rates, "loads": loads}[sys.argv[1]](*sys.argv[2:])
