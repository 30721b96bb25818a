"""Figures: learning curves of every run with their mean, and a box plot of the nets. Colours that the colour-blind can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no screen needed
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.results import accuracy

# Okabe & Ito, "Color universal design" (2008), in an order whose neighbours also differ in grey
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]


def draw_all(results: dict[str, Any], folder: Path) -> list[Path]:
    """Draw every figure of the results as PNG into `folder`; the paths."""
    figures = {"learning_curves.png": learning_curves(results), "boxplot.png": boxplot(results)}
    paths = []
    for name, figure in figures.items():
        paths.append(folder / name)
        figure.savefig(paths[-1], dpi=150)
        plt.close(figure)
    return paths


def learning_curves(results: dict[str, Any]) -> Figure:
    """Training loss and test accuracy over the epochs: a faint line for each run, a bold one for their mean."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    for net, colour in zip(results["nets"], COLOURS):
        losses = np.array([run["train_loss"] for run in net["runs"]], dtype=float)
        rates = 100 - np.array([run["test_error"] for run in net["runs"]], dtype=float)
        _bundle(left, losses, colour, net["name"])
        _bundle(right, rates, colour, net["name"])
        if net["reported"] and net["reported"]["accuracy"] is not None:
            right.axhline(net["reported"]["accuracy"], color=colour, linestyle="--", linewidth=1)
    left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(50, 101))
    handles, names = left.get_legend_handles_labels()
    if results["data"]["comparable"]:
        handles.append(plt.Line2D([], [], color="0.4", linestyle="--", linewidth=1))
        names.append("reported final accuracy")
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    _caption(figure, results, "Thin lines: single runs; bold: their mean.")
    return figure


def _bundle(axes: Axes, runs: np.ndarray, colour: str, name: str) -> None:
    epochs = np.arange(1, runs.shape[1] + 1)
    for run in runs:
        axes.plot(epochs, run, color=colour, alpha=0.22, linewidth=0.7)
    axes.plot(epochs, runs.mean(0), color=colour, linewidth=2.2, label=name)
    axes.grid(alpha=0.25)


def boxplot(results: dict[str, Any]) -> Figure:
    """Test accuracy of every run after the last epoch: a box and its points for each net, a line where the report's mean is."""
    nets = results["nets"]
    figure, axes = plt.subplots(figsize=(2.2 + 1.7 * len(nets), 4.8), layout="constrained")
    rates = [[accuracy(run) for run in net["runs"]] for net in nets]
    boxes = axes.boxplot(rates, widths=0.5, patch_artist=True, showfliers=False, medianprops={"color": "black"})
    jitter = np.random.default_rng(0)
    for place, (net, values, box, colour) in enumerate(zip(nets, rates, boxes["boxes"], COLOURS), 1):
        box.set(facecolor=colour, alpha=0.35)
        axes.plot(place + jitter.uniform(-0.12, 0.12, len(values)), values, "o", color=colour, markersize=4, alpha=0.8)
        if net["reported"] and net["reported"]["accuracy"] is not None:
            axes.hlines(net["reported"]["accuracy"], place - 0.38, place + 0.38, color="black", linestyle="--", linewidth=1.3,
                        label="reported mean" if place == 1 else None)  # fmt: skip
    axes.set_xticks(range(1, len(nets) + 1), [net["name"].replace(" + ", "\n+ ") for net in nets])
    axes.set_ylabel("test accuracy (%)")
    axes.grid(axis="y", alpha=0.25)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower right")
    _caption(figure, results, "Box: quartiles and median; whiskers: 1.5 times\nthe quartile distance at most; points: single runs.")
    return figure


def _caption(figure: Figure, results: dict[str, Any], what: str) -> None:
    settings = results["settings"]
    text = f"Report {results['report']} on {results['data']['name']}: {settings['runs']} runs of {settings['epochs']} epochs. {what}"
    figure.supxlabel(text, fontsize=8.5, color="0.25")
