"""The plots of the rows: ratios to PyTorch, growth, chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import growth
from benchmarks.peers import MINITORCH, TORCH
from benchmarks.report import Row
from benchmarks.timing import spread

COLOURS = {MINITORCH.name: "#0072B2", TORCH.name: "#D55E00"}  # Okabe & Ito, "Color universal design" (2008)
WIDE = 100  # ratios beyond it are drawn on a logarithmic axis
OTHER_COLOURS = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9"]


def draw_all(results: Mapping[str, Sequence[Row]], folder: Path) -> dict[str, list[str]]:
    """Draw the plots of the subjects in `results`; return the file names by subject, none if Matplotlib is not installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        return {}
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    drawn: dict[str, list[str]] = {}
    for (subject, name), draw in PLOTS.items():
        if (rows := results.get(subject)) and (figure := draw(plt, rows)) is not None:
            figure.savefig(folder / f"{name}.png", dpi=150)
            plt.close(figure)
            drawn.setdefault(subject, []).append(f"{name}.png")
    return drawn


def ratios(plt: Any, rows: Sequence[Row]) -> Any:
    """A panel for each number of threads, with a point and a 10 % to 90 % range for each case and quantity; 1 is PyTorch."""
    seen = [row for row in rows if row.ratio(TORCH.name)]
    if not seen:
        return None
    threads, cases, quantities = (
        list(dict.fromkeys(values)) for values in zip(*((r.threads, r.case, r.quantity) for r in seen))
    )
    colours = dict(zip(quantities, [COLOURS[MINITORCH.name], *OTHER_COLOURS]))
    size = 4.2 * len(threads) + 2.5, 0.22 * len(cases) + 1.6
    figure, grid = plt.subplots(1, len(threads), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained")
    for axes, count in zip(grid.flat, threads):
        for row in (row for row in seen if row.threads == count):
            one, place, colour = row.ratio(TORCH.name), cases.index(row.case), colours[row.quantity]
            axes.plot([one["low"], one["high"]], [place, place], color=colour, linewidth=2, alpha=0.5)
            axes.plot(one["median"], place, "o", color=colour, markersize=5)
        axes.axvline(1, color=COLOURS[TORCH.name], linewidth=1)
        axes.set_yticks(range(len(cases)), cases, fontsize=8.5)
        axes.set(title=f"{count} thread{'s' * (count > 1)}", xlabel="time of minitorch / PyTorch")
        axes.grid(alpha=0.25)
    grid[0, 0].set(ylim=(len(cases) - 0.5, -0.5))
    grid[0, 0].set(xscale="log") if grid[0, 0].get_xlim()[1] > WIDE else grid[0, 0].set(xlim=(0, None))
    if len(quantities) > 1:
        points = [plt.Line2D([], [], marker="o", linestyle="", color=colour) for colour in colours.values()]
        figure.legend(points, quantities, loc="outside upper right", ncols=len(quantities), frameon=False, fontsize=8.5)
    return figure


def growing(plt: Any, rows: Sequence[Row]) -> Any:
    """A log-log panel for each kind of size: the medians of every contender, and a line that grows as the work does."""
    figure, grid = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    for axes, (kind, power) in zip(grid.flat, growth.WORK.items()):
        seen = [row for row in rows if row.facts.get("kind") == kind]
        lines(axes, seen, lambda row: row.facts["size"])
        if seen and MINITORCH.name in seen[-1].rounds:
            sizes, last = [row.facts["size"] for row in seen], spread(seen[-1].rounds[MINITORCH.name])["median"]
            work = [last * (size / sizes[-1]) ** power for size in sizes]
            axes.plot(sizes, work, color="0.5", linestyle=":", label=f"the work: exponent {power}")
        axes.set(xlabel=kind, ylabel="ms per step", xscale="log", yscale="log")
        plain(axes.xaxis, axes.yaxis)
        axes.legend(frameon=False, fontsize=8.5)
        axes.grid(alpha=0.25)
    return figure


def chains(plt: Any, rows: Sequence[Row]) -> Any:
    """The microseconds per operation of chains, forward and backward."""
    chained = [row for row in rows if row.case.startswith("chain of")]
    if not chained:
        return None
    figure, grid = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for axes, direction in zip(grid.flat, ("forward", "backward")):
        seen = [row for row in chained if row.quantity == direction]
        lines(axes, seen, lambda row: int(row.case.removeprefix("chain of ").replace(",", "")))
        axes.set(title=direction, xlabel="operations in a chain", xscale="log", yscale="log")
        plain(axes.xaxis, axes.yaxis)
        axes.grid(alpha=0.25)
    grid[0].set_ylabel("µs per operation")
    grid[0].legend(frameon=False, fontsize=8.5)
    return figure


def lines(axes: Any, rows: Sequence[Row], size: Callable[[Row], float]) -> None:
    """Draw a line of medians for every contender."""
    others = iter(OTHER_COLOURS)
    for name in dict.fromkeys(name for row in rows for name in row.rounds):
        seen = [row for row in rows if name in row.rounds]
        medians = [spread(row.rounds[name])["median"] for row in seen]
        axes.plot([size(row) for row in seen], medians, marker="o", label=name, color=COLOURS.get(name) or next(others))


def plain(*logarithmic: Any) -> None:
    """Label the axes at 1, 2, 5, 10, 20, ... in plain numbers; long horizontal axes only at 1, 10, 100, ..."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axis in logarithmic:
        low, high = axis.get_data_interval()
        axis.set_major_locator(LogLocator(subs=(1,) if axis.axis_name == "x" and high >= 100 * low else (1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
        axis.set_minor_locator(NullLocator())


PLOTS: dict[tuple[str, str], Callable[[Any, Sequence[Row]], Any]] = {
    ("steps", "steps"): ratios,
    ("ops", "ops"): ratios,
    ("overhead", "chains"): chains,
    ("growth", "growth"): growing,
}
