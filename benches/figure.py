#!/usr/bin/env python3
"""Draws the results of benches/batch: benches/figure.py JSON IMAGE

One panel for each comparison of claims, one bar for each candidate: the median of its multiples of
one shared fetch_add per item, with a line from the lowest to the highest round.
"""

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OURS, PEERS, UNIT = "#1f77b4", "#b0b0b0", "#333333"


def ratios(comparison):
    """Names, and the multiples of the first entry in each round."""
    unit = comparison["series"][0]["ns"]
    for series in comparison["series"]:
        yield series["name"], [ns / one for ns, one in zip(series["ns"], unit, strict=True)]


def color(name):
    """What is ours stands out."""
    if name == "fetch_add":
        return UNIT
    return OURS if name.startswith(("load", "cursor")) else PEERS


def panel(axes, comparison):
    """Bars, the shortest on top."""
    rows = sorted(ratios(comparison), key=lambda row: statistics.median(row[1]), reverse=True)
    names = [name for name, _ in rows]
    middles = [statistics.median(values) for _, values in rows]
    spread = [
        [middle - min(values) for middle, (_, values) in zip(middles, rows, strict=True)],
        [max(values) - middle for middle, (_, values) in zip(middles, rows, strict=True)],
    ]
    axes.barh(names, middles, xerr=spread, color=[color(name) for name in names], ecolor="#666666")
    axes.axvline(1, color=UNIT, linewidth=0.8)
    # A collapse under contention would hide all else.
    axes.set_xlim(0, min(max(middles) * 1.15, 6))
    for row, middle in enumerate(middles):
        axes.text(0.05, row, f"{middle:.2f}", va="center", color="white", fontsize=8)
    transfer = [f"{ns:.0f}" for ns in comparison["transfer_ns"] if ns is not None]
    told = f", cache line {' to '.join(transfer)} ns" if transfer else ""
    axes.set_title(f"{comparison['title']}{told}", fontsize=10)
    axes.set_xlabel("time per item, multiples of one shared fetch_add")


def main():
    """Reads the measurement and writes the image."""
    if len(sys.argv) != 3:
        sys.exit("usage: benches/figure.py JSON IMAGE")
    measured = json.loads(Path(sys.argv[1]).read_text())
    claims = [found for found in measured["comparisons"] if found["group"] == "claims"]
    if not claims:
        sys.exit("figure: there are no claims in it; leave --only away, or name claims")
    figure, grid = plt.subplots(1, len(claims), figsize=(5.5 * len(claims), 4.5), squeeze=False)
    for axes, comparison in zip(grid[0], claims, strict=True):
        panel(axes, comparison)
    machine = measured["machine"]
    title = f"{machine['processor']}, {machine['cores']} cores, {machine['rounds']} rounds"
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
