#!/usr/bin/env python3
"""Simulates what 1 to 256 cores get out of one batch or one shared object.

    benches/simulation.py [--measured build/bench/batch.json] [--work NS ...] [--svg FILE]

For machines that are not at hand. All that it knows comes from `make bench`: how long a cache line
takes from one core to another, and what each operation takes in one thread. The model:

- A cache line is at one core at a time. A core that has it uses it at once. Another asks for it:
  the request and the answer each take half of the time of a line. Requests are served in the order
  in which they arrive, and a core does one operation at least before it gives the line away.
- counted: two writes to the line of the object's count, as when a reference is taken and dropped.
  wrapper: the same to the thread's own count. shared: no write.
- load: a write to the line of the positions. cursor: such a write for a share of what is ready. The
  core that finds nothing runs the source, and publishes results in groups. A result is
  on a line that comes from the core that has made it; eight results share one.
- After each operation a core works for itself.

It knows no sockets, no preemption, no sleeping threads, no work that overlaps with waiting, and no
claim that is made in vain because another core was first.
"""

import argparse
import heapq
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

CORES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
OPERATIONS = 300
BUFFER = 1024
GROUP = 64
RESULTS_A_LINE = 8
LEAST_SHARE = 16
# How long a core that finds nothing waits before it looks again.
LOOK_AGAIN_NS = 30.0


@dataclass
class Costs:
    """Nanoseconds: of a line from core to core, and of each operation in one thread."""

    line: float
    fetch_add: float
    load: float
    cursor: float
    wrapper: float
    counted: float


class Line:
    """A cache line, which cores take from each other."""

    def __init__(self, transfer):
        self.half = transfer / 2
        self.last = None
        self.free_at = 0.0
        self.leaves_at = {}

    def use(self, core, now, took):
        """When this core is done with an operation that it begins now."""
        if self.last is None:
            self.last, self.leaves_at[core] = core, float("inf")
        if now < self.leaves_at.get(core, 0.0):
            ended = now + took
            if self.last == core:
                self.free_at = max(self.free_at, ended)
            return ended
        leaves = max(now + self.half, self.free_at)
        self.leaves_at[self.last] = leaves
        self.last, self.leaves_at[core] = core, float("inf")
        self.free_at = leaves + self.half + took
        return self.free_at


class Machine:
    """So many cores, which all do the same."""

    def __init__(self, costs, cores, work):
        self.costs, self.cores, self.work = costs, cores, work
        self.now = 0.0
        self.done = 0
        self.line = Line(costs.line)
        self.ready = self.made = 0
        self.filler = None
        self.filling = False

    def run(self, way):
        """Nanoseconds an operation, of all cores together."""
        bodies = [WAYS[way](self, core) for core in range(self.cores)]
        # No two cores begin at the same instant.
        events = [(core * 0.7, core) for core in range(self.cores)]
        while self.done < OPERATIONS * self.cores:
            self.now, core = heapq.heappop(events)
            heapq.heappush(events, (next(bodies[core]), core))
        return self.now / self.done

    # What follows runs on one core, and yields the time at which that core goes on.

    def fill(self, core) -> Iterator[float]:
        """Runs the source, or waits a moment if another core does."""
        if self.filling:
            yield self.now + LOOK_AGAIN_NS
            return
        self.filling, self.filler = True, core
        for _ in range(BUFFER // GROUP):
            yield self.now + GROUP * self.costs.cursor
            self.ready += GROUP
            self.made += GROUP
        self.filling = False

    def claim(self, core, count) -> Iterator[float]:
        """Takes `count` results that are ready."""
        first = self.made - self.ready
        self.ready -= count
        yield self.line.use(core, self.now, self.costs.load - self.costs.cursor)
        if self.filler != core and (count > 1 or first % RESULTS_A_LINE == 0):
            # The first of several lines; the processor asks for the others meanwhile.
            yield self.now + self.costs.line


def fetch_add(machine, core):
    """A write to one line that all share."""
    while True:
        yield machine.line.use(core, machine.now, machine.costs.fetch_add)
        machine.done += 1
        yield machine.now + machine.work


def counted(machine, core):
    """A reference taken and dropped."""
    while True:
        for _ in range(2):
            yield machine.line.use(core, machine.now, machine.costs.counted / 2)
        machine.done += 1
        yield machine.now + machine.work


def wrapper(machine, _core):
    """An object that is reached through a count of the core's own."""
    while True:
        machine.done += 1
        yield machine.now + machine.costs.wrapper + machine.work


def shared(machine, _core):
    """An object that nobody counts."""
    while True:
        machine.done += 1
        yield machine.now + machine.work


def load(machine, core):
    """One result at a time."""
    while True:
        while not machine.ready:
            yield from machine.fill(core)
        yield from machine.claim(core, 1)
        machine.done += 1
        yield machine.now + machine.work


def cursor(machine, core):
    """A share of what is ready at a time, half at most."""
    while True:
        while not machine.ready:
            yield from machine.fill(core)
        share = min(machine.ready, max(machine.ready // max(machine.cores, 2), LEAST_SHARE))
        yield from machine.claim(core, share)
        for _ in range(share):
            machine.done += 1
            yield machine.now + machine.work


WAYS = {
    "counted": counted,
    "fetch_add": fetch_add,
    "load": load,
    "cursor": cursor,
    "wrapper": wrapper,
    "shared": shared,
}


def simulated(costs, cores, work, way):
    """Nanoseconds an operation, of all cores together."""
    return Machine(costs, cores, work).run(way)


def read_costs(measured):
    """The costs that `make bench` has measured, medians of one thread."""

    def alone(group, name):
        for comparison in measured["comparisons"]:
            if comparison["group"] == group and "1 thread" in comparison["title"]:
                for series in comparison["series"]:
                    if series["name"] == name:
                        return median(series["ns"])
        sys.exit(f"simulation: {name} was not measured; run make bench without --only")

    lines = [ns for one in measured["comparisons"] for ns in one["transfer_ns"] if ns is not None]
    return Costs(
        line=median(lines),
        fetch_add=alone("claims", "fetch_add"),
        load=alone("claims", "load"),
        cursor=alone("claims", "cursor"),
        wrapper=alone("wrapper", "object of an own wrapper"),
        counted=alone("wrapper", "reference to the shared object"),
    )


# Which way of the model a series of `make bench` is, by group and name.
MEASURED_WAYS = {
    ("claims", "fetch_add"): "fetch_add",
    ("claims", "load"): "load",
    ("claims", "cursor"): "cursor",
    ("wrapper", "object of an own wrapper"): "wrapper",
    ("wrapper", "reference to the shared object"): "counted",
}


def compared(measured, costs):
    """Rows for two threads, each on a core: way, work, measured, simulated."""
    for comparison in measured["comparisons"]:
        if "2 threads" not in comparison["title"]:
            continue
        work = 40.0 if "W40" in comparison["title"] else 0.0
        transfer = [ns for ns in comparison["transfer_ns"] if ns is not None]
        here = replace(costs, line=median(transfer) if transfer else costs.line)
        for series in comparison["series"]:
            way = MEASURED_WAYS.get((comparison["group"], series["name"]))
            if way:
                yield way, work, median(series["ns"]), simulated(here, 2, work, way)


def text(measured, costs, works):
    """The lines of the tables, in Markdown."""
    about = measured["machine"]
    yield (
        f"From {about['processor']}, {about['cores']} cores: a line takes {costs.line:.0f} ns, "
        f"fetch_add {costs.fetch_add:.1f}, load {costs.load:.1f}, cursor {costs.cursor:.1f}, a "
        f"reference {costs.counted:.1f}, one to a wrapper {costs.wrapper:.2f}."
    )
    yield from ("", "| two threads, ns an operation of both | work | measured | simulated |")
    yield "| --- | ---: | ---: | ---: |"
    for way, work, was, would in compared(measured, costs):
        yield f"| {way} | {work:.0f} | {was:.1f} | {would:.1f} |"
    for work in works:
        yield from ("", f"| millions a second, {work:.0f} ns of work | " + _row(CORES))
        yield "| --- " + "| ---: " * len(CORES) + "|"
        for way in WAYS:
            rates = (1e3 / simulated(costs, cores, work, way) for cores in CORES)
            yield f"| {way} | " + _row(f"{rate:,.0f}" for rate in rates)


def _row(cells):
    return " | ".join(map(str, cells)) + " |"


def draw(costs, works, image):
    """A panel for each amount of work: operations a second, by cores."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ft_local"})
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(1, len(works), figsize=(5.2 * len(works), 4), squeeze=False)
    for axes, work in zip(grid[0], works, strict=True):
        for way in WAYS:
            rates = [1e3 / simulated(costs, cores, work, way) for cores in CORES]
            style = "--" if way == "shared" else "-"
            axes.plot(CORES, rates, style, marker="o", markersize=3, label=way)
        axes.set(xscale="log", yscale="log", xlabel="cores", title=f"{work:.0f} ns of work")
        axes.set_xticks(CORES, map(str, CORES))
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
    grid[0][0].set_ylabel("millions of operations a second, simulated")
    grid[0][-1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(image, metadata={"Date": None})


def main():
    """Prints the tables, and draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measured", type=Path, default=Path("build/bench/batch.json"))
    parser.add_argument("--work", type=float, nargs="+", default=[40.0, 200.0], metavar="NS")
    parser.add_argument("--line-ns", type=float, help="instead of what was measured")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw as well; needs matplotlib")
    options = parser.parse_args()
    try:
        measured = json.loads(options.measured.read_text())
    except OSError as error:
        sys.exit(f"simulation: {error}; make bench writes this file")
    costs = read_costs(measured)
    if options.line_ns is not None:
        costs = replace(costs, line=options.line_ns)
    print("\n".join(text(measured, costs, options.work)))
    if options.svg:
        draw(costs, options.work, options.svg)


if __name__ == "__main__":
    main()
