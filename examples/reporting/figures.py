"""Figures: learning curves of every run with their mean, and a box plot of the nets. Colours that the colour-blind can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no screen needed
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito, "Color universal design" (2008), in an order whose neighbours also differ in grey
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]

GUESS = 55  # percent of the pairs whose first digit is less than or equal to the second: what a guess scores


def draw_all(results: dict[str, Any], figures: Mapping[str, Callable[[dict[str, Any]], Figure]], folder: Path) -> list[Path]:
    """Draw figures of the results, by file name, into `folder`; the paths."""
    for name, draw in figures.items():
        figure = draw(results)
        figure.savefig(folder / name, dpi=150)
        plt.close(figure)
    return [folder / name for name in figures]


def learning_curves(results: dict[str, Any]) -> Figure:
    """Training loss and test accuracy over the epochs: a faint line for each run, a bold one for their mean."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    for net, colour in zip(results["nets"], COLOURS):
        bundle(left, [run["train_loss"] for run in net["runs"]], colour, net["name"])
        bundle(right, 100 - per_epoch(net, "test_error"), colour, net["name"])
        reported_line(right, net, "accuracy", colour)
    left.set(xlabel="epoch", ylabel="training loss, all terms", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(GUESS, 101))
    handles, names = left.get_legend_handles_labels()
    if results["data"]["comparable"]:
        handles.append(plt.Line2D([], [], color="0.4", linestyle="--", linewidth=1))
        names.append("reported final accuracy")
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    caption(figure, results, "Thin lines: single runs; bold: their mean.")
    return figure


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


def boxplot(results: dict[str, Any]) -> Figure:
    """The first measure of every run: a box and its points for each net, a dashed line where the reported mean is."""
    nets, measure = results["nets"], results["measures"][0]
    figure, axes = plt.subplots(figsize=(2.2 + 1.7 * len(nets), 4.8), layout="constrained")
    values = [[run[measure["name"]] for run in net["runs"]] for net in nets]
    boxes = axes.boxplot(values, widths=0.5, patch_artist=True, showfliers=False, medianprops={"color": "black"})
    jitter = np.random.default_rng(0)
    for place, (net, points, box, colour) in enumerate(zip(nets, values, boxes["boxes"], COLOURS), 1):
        box.set(facecolor=colour, alpha=0.35)
        axes.plot(place + jitter.uniform(-0.12, 0.12, len(points)), points, "o", color=colour, markersize=4, alpha=0.8)
        if measure["name"] in net["reported"]:
            reported = net["reported"][measure["name"]]["mean"]
            axes.hlines(reported, place - 0.38, place + 0.38, color="black", linestyle="--", linewidth=1.3)
    axes.set_xticks(range(1, len(nets) + 1), [net["name"].replace(" + ", "\n+ ") for net in nets])
    axes.set_ylabel(f"test {measure['name']} ({measure['unit']})")
    axes.grid(axis="y", alpha=0.25)
    dashes = " dashes: reported mean;" if any(net["reported"] for net in nets) else ""
    caption(figure, results, f"Box: quartiles, median;\nwhiskers: to 1.5 times the quartile distance;{dashes} points: runs.")
    return figure


def caption(figure: Figure, results: dict[str, Any], what: str) -> None:
    """A line below the figure: which report, which data, how many runs, and what is to be seen."""
    settings = results["settings"]
    data, runs = results["data"]["name"], f"{settings['runs']} runs of {settings['epochs']} epochs"
    text = f"Report {results['report']} on {data}: {runs}. {what}"
    figure.supxlabel(text, fontsize=8.5, color="0.25")
