"""The plot of reports, by matplotlib."""

import importlib.util
from pathlib import Path
from typing import Any

from . import report as reports
from .report import Report

_BARE, _BEST = "#999999", "#1f77b4"


def available() -> bool:
    """Whether matplotlib can be loaded."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(found: list[Report], image: Path) -> None:
    """A panel for each interpreter: what a turn of each program takes, bare and in the best way."""
    import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    mpl.use("Agg")
    # Text stays text, and one report always gives the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ft_local"})
    from matplotlib import pyplot as plt  # noqa: PLC0415

    size = (3.2 * len(found) + 2, 4.2)
    figure, grid = plt.subplots(1, len(found), figsize=size, sharey=True, squeeze=False)
    names = list(dict.fromkeys(name for one in found for name in reports.rows(one, "programs")))
    for axes, report in zip(grid[0], found, strict=True):
        _panel(axes, report, names)
    grid[0][0].invert_yaxis()
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(image, metadata={"Date": None})
    plt.close(figure)


def _panel(axes: Any, report: Report, names: list[str]) -> None:
    threads = reports.most_threads(report)
    rows = reports.rows(report, "programs")
    found = {name: reports.best(rows.get(name, {}), threads) for name in names}
    drawn = [name for name in names if found[name]]
    bare = [rows[name]["bare"] for name in drawn]
    best = [one for one in (found[name] for name in drawn) if one]
    lines = [names.index(name) for name in drawn]
    together = [figures[threads] for figures in bare]
    axes.hlines(lines, [one.together for one in best], together, color=_BARE, linewidth=1)
    alone = [figures.get(1, figures[threads]) for figures in bare]
    axes.plot(alone, lines, "|", color="black", label="bare, one thread")
    axes.plot(together, lines, "o", color=_BARE, label=f"bare, {threads} threads")
    axes.plot(
        [one.together for one in best],
        lines,
        "o",
        color=_BEST,
        label=f"best way, {threads} threads",
    )
    for line, one in zip(lines, best, strict=True):
        if one.way != "bare":
            axes.annotate(
                one.way, (one.together, line), (0, 5), textcoords="offset points", fontsize=7
            )
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.set_title(f"Python {reports.interpreter(report)}", fontsize=10)
    axes.set_xlabel("ns a turn of a thread")
