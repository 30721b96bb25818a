"""Figures: learning curves of every run with their mean, and a box plot of the nets. Colour-blind readers can tell the colours.

What they show of the comparison is its test error where lower is better in the first measure, else its test accuracy.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image  # which matplotlib brings

mpl.use("Agg")  # no screen needed
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from runner.results import repetitions

# Okabe & Ito, "Color universal design" (2008), in an order whose neighbours also differ in grey
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]

GUESS = 55  # percent of the pairs whose first digit is less than or equal to the second: what a guess scores


def draw_all(results: dict[str, Any], figures: Mapping[str, Callable[[dict[str, Any]], Figure]], folder: Path) -> list[Path]:
    """Draw figures of the results, by file name, into `folder`; the paths."""
    for name, draw in figures.items():
        figure = draw(results)
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=120)
        plt.close(figure)
        # 256 colours look the same and need a third of the space
        Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(folder / name, optimize=True)
    return [folder / name for name in figures]


def learning_curves(results: dict[str, Any]) -> Figure:
    """Training loss and test error or accuracy over the epochs: a faint line for each run, a bold one for their mean.

    Raises ValueError for more nets than there are colours to tell them by.
    """
    nets, measure = results["nets"], results["measures"][0]
    if len(nets) > len(COLOURS):
        raise ValueError(f"learning_curves: {len(nets)} nets in {len(COLOURS)} colours: draw them in several figures")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    for net, colour in zip(nets, COLOURS):
        errors = per_epoch(net, "test_error")
        bundle(left, [run["train_loss"] for run in net["runs"]], colour, net["name"])
        bundle(right, errors if measure["lower_is_better"] else 100 - errors, colour, net["name"])
        reported_line(right, net, measure["name"], colour)
    left.set(xlabel="epoch", ylabel="training loss, all terms", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(GUESS, 101))
    if measure["lower_is_better"]:
        right.set(ylabel="test error (%)", ylim=(-1, 100 - GUESS))
    handles, names = left.get_legend_handles_labels()
    if any(measure["name"] in net["reported"] for net in nets):
        handles.append(plt.Line2D([], [], color="0.4", linestyle="--", linewidth=1))
        names.append(f"reported {measure['name']}")
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    caption(figure, results, "Thin lines: single runs; bold: their mean.")
    return figure


def train_and_test(results: dict[str, Any], titles: Sequence[str] | None = None) -> Figure:
    """Training and test error over the epochs, a panel for each net: faint lines for the runs, bold ones for their means.

    `titles` stand above the panels in place of the nets' names.
    """
    nets, measure = results["nets"], results["measures"][0]
    figure, grid = panels(len(nets), xlabel="epoch", ylabel="error (%)")
    for axes, net, title in zip(grid, nets, titles or [net["name"] for net in nets]):
        bundle(axes, per_epoch(net, "train_error"), COLOURS[0], "training pairs")
        bundle(axes, per_epoch(net, "test_error"), COLOURS[5], "test pairs")
        if measure["lower_is_better"] and measure["name"] in net["reported"]:
            reported = net["reported"][measure["name"]]["mean"]
            axes.axhline(reported, color="black", linestyle="--", linewidth=1, label="reported test error")
        axes.set_title(title, fontsize=10)
    grid[0].set_ylim(bottom=-1)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    caption(figure, results, "Thin lines: single runs; bold: their mean.")
    return figure


def panels(count: int, xlabel: str, ylabel: str) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels on the same axes, labelled at its edges."""
    columns = 2 if count in (2, 4) else min(count, 3)
    rows = -(-count // columns)
    size = max(4.0 * columns, 6.0), 3.4 * rows + 1
    figure, grid = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained")
    for place, axes in enumerate(grid.flat):
        if place >= count:
            axes.remove()
            continue
        if place + columns >= count:  # nothing below it
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(xlabel)
        if place % columns == 0:
            axes.set_ylabel(ylabel)
    return figure, list(grid.flat[:count])


def per_epoch(net: dict[str, Any], quantity: str) -> np.ndarray:
    """One quantity of all runs of a net, as (runs, epochs); nan where a run had diverged."""
    return np.array([run[quantity] for run in net["runs"]], dtype=float)


def reported_line(axes: Axes, net: dict[str, Any], measure: str, colour: str) -> None:
    """A dashed line at the reported mean, if there is one."""
    if measure in net["reported"]:
        axes.axhline(net["reported"][measure]["mean"], color=colour, linestyle="--", linewidth=1)


def bundle(axes: Axes, runs: Any, colour: str, name: str) -> None:
    """Runs over epochs: thin lines, and their mean in bold."""
    runs = np.array(runs, dtype=float)
    epochs = np.arange(1, runs.shape[1] + 1)
    for run in runs:
        axes.plot(epochs, run, color=colour, alpha=0.3, linewidth=0.7)
    axes.plot(epochs, runs.mean(0), color=colour, linewidth=2.2, label=name)
    axes.grid(alpha=0.25)


def mean_and_extremes(axes: Axes, runs: Any, colour: str, name: str, marker: str = "o") -> None:
    """Runs over epochs: their mean, with bars down to the lowest and up to the highest run."""
    runs = np.array(runs, dtype=float)
    epochs, mean = np.arange(1, runs.shape[1] + 1), runs.mean(0)
    bars = np.stack([mean - runs.min(0), runs.max(0) - mean]).clip(0)  # rounding may leave -1e-15, which is refused
    axes.errorbar(epochs, mean, bars, color=colour, marker=marker, markersize=3, elinewidth=0.8, capsize=1.5, label=name)
    axes.grid(alpha=0.25)


def mean_and_deviation(axes: Axes, runs: Any, colour: str, name: str) -> None:
    """Runs over epochs: their mean, in a band of one standard deviation (n - 1) to both sides."""
    runs = np.array(runs, dtype=float)
    epochs, mean = np.arange(1, runs.shape[1] + 1), runs.mean(0)
    deviation = runs.std(0, ddof=1) if len(runs) > 1 else np.zeros_like(mean)
    axes.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.25, linewidth=0)
    axes.plot(epochs, mean, color=colour, linewidth=2, label=name)
    axes.grid(alpha=0.25)


def boxplot(results: dict[str, Any], quantity: str = "", points: str = "runs") -> Figure:
    """The first measure of every run: a box and its points for each net, a dashed line where the reported mean is.

    Where the nets are one net at several values of a `quantity`, called "alpha = 0.1" and so on, the values stand below their
    boxes, the quantity is named below them, and they share one colour. `points` says in the caption what the points are.
    """
    nets, measure = results["nets"], results["measures"][0]
    names = [net["name"].split(" = ")[-1] if quantity else net["name"].replace(" + ", "\n+ ") for net in nets]
    width = 0.3 + 0.1 * max(len(line) for name in names for line in name.split("\n"))
    figure, axes = plt.subplots(figsize=(max(2.2 + width * len(nets), 6.0), 4.8), layout="constrained")
    values = [[run[measure["name"]] for run in net["runs"]] for net in nets]
    boxes = axes.boxplot(values, widths=0.5, patch_artist=True, showfliers=False, medianprops={"color": "black"})
    jitter = np.random.default_rng(0)
    colours = cycle(COLOURS[:1] if quantity else COLOURS)
    for place, (net, heights, box, colour) in enumerate(zip(nets, values, boxes["boxes"], colours), 1):
        box.set(facecolor=colour, alpha=0.35)
        axes.plot(place + jitter.uniform(-0.12, 0.12, len(heights)), heights, "o", color=colour, markersize=4, alpha=0.8)
        if measure["name"] in net["reported"]:
            reported = net["reported"][measure["name"]]["mean"]
            axes.hlines(reported, place - 0.38, place + 0.38, color="black", linestyle="--", linewidth=1.3)
    axes.set_xticks(range(1, len(nets) + 1), names)
    axes.set_xlabel(quantity)
    of_test = "test " if measure["name"] in ("accuracy", "error") else ""
    axes.set_ylabel(f"{of_test}{measure['name']} ({measure['unit']})")
    axes.grid(axis="y", alpha=0.25)
    dashes = "dashes: reported mean; " if any(net["reported"] for net in nets) else ""
    what = f"Box: quartiles, median;\nwhiskers: to 1.5 times the quartile distance; {dashes}points: {points}."
    caption(figure, results, what)
    return figure


def caption(figure: Figure, results: dict[str, Any], what: str) -> None:
    """A line below the figure: which report, which data, how many runs, and what is to be seen."""
    text = f"Report {results['report']} on {results['data']['name']}: {repetitions(results['settings'])}. {what}"
    figure.supxlabel(text, fontsize=8.5, color="0.25")
