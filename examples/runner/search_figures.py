"""Figures of searches: what each setting does to the validation accuracy, and how the points rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from runner.figures import COLOURS, caption

MARKERS = "osD^vP"


def accuracy_by_setting(
    results: dict[str, Any], settings: Sequence[str], lines: str | None = None, panels: str | None = None
) -> Figure:
    """A panel for each of the `settings` and each value of `panels`: a point for every run, a line through the means.

    `lines` and `panels` name the parameters by whose values lines and panels are told apart.
    """
    tried = results["evaluations"]
    views = [
        (setting, value, seen)
        for value in (_values(tried, panels) if panels else [None])
        for setting in settings
        if (seen := [one for one in tried if setting in one["point"] and (panels is None or one["point"][panels] == value)])
    ]
    columns = min(len(views), 3 if len(views) != 4 else 2)
    rows = -(-len(views) // columns)
    size = max(4.2 * columns, 7.0), 3.3 * rows + 1.2
    figure, grid = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained")
    names = _values(tried, lines) if lines else [None]
    for axes, (setting, value, seen) in zip(grid.flat, views):
        _effect(axes, seen, setting, lines, names)
        axes.set(xlabel=setting, title="" if value is None else value)
    for axes in grid.flat[len(views) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("validation accuracy (%)")
    if lines:
        labelled = {name: line for axes in grid.flat for line, name in zip(*axes.get_legend_handles_labels())}
        figure.legend(labelled.values(), labelled, loc="outside upper center", ncols=len(labelled), frameon=False)
    dotted = " Dotted: what the report settled on." if any(one.get("reported") for one in tried) else ""
    what = f"Points: single runs;\nlines: means over all runs that share the value, whatever their other settings.{dotted}"
    caption(figure, results, what)
    return figure


def _values(tried: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return sorted({one["point"][name] for one in tried if name in one["point"]})


def _effect(axes: Axes, tried: Sequence[dict[str, Any]], setting: str, lines: str | None, names: Sequence[Any]) -> None:
    """Accuracy at each value of a setting, the values evenly spaced, as those of a grid mostly are on a logarithmic scale."""
    values = _values(tried, setting)
    for index, name in enumerate(names):
        of_line = [one for one in tried if lines is None or one["point"][lines] == name]
        at = {
            value: [run["accuracy"] for one in of_line if one["point"][setting] == value for run in one["runs"]]
            for value in values
        }
        places = [place for place, value in enumerate(values) if at[value]]
        if not places:
            continue
        shift, colour = 0.07 * (index - (len(names) - 1) / 2), COLOURS[index]
        for place in places:
            points = at[values[place]]
            axes.plot([place + shift] * len(points), points, MARKERS[index], color=colour, markersize=3.5, alpha=0.35)
        means = [np.mean(at[values[place]]) for place in places]
        axes.plot(np.add(places, shift), means, marker=MARKERS[index], color=colour, linewidth=2, label=name)
    for value in {one["point"][setting] for one in tried if one.get("reported")}:
        axes.axvline(values.index(value), color="0.4", linestyle=":", linewidth=1)
    axes.set_xticks(range(len(values)), [f"{value:g}" if isinstance(value, (int, float)) else value for value in values])
    axes.tick_params(axis="x", labelsize=8.5 if len(values) > 6 else 10)  # of more, the longest would touch
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.grid(alpha=0.25)


def accuracy_by_point(results: dict[str, Any], label: str, panels: str) -> Figure:
    """A row for every point, the best on top: the accuracy of its runs and their mean, and the parameters of its net.

    Rows are named by the points' `label`, those that the report settled on stand out. A panel for each value of `panels`.
    """
    tried = results["evaluations"]
    values = _values(tried, panels)
    most = max(sum(one["point"][panels] == value for one in tried) for value in values)
    size = 5.5 * len(values), 0.24 * most + 1.5
    figure, grid = plt.subplots(1, len(values), figsize=size, sharex=True, squeeze=False, layout="constrained")
    for axes, value in zip(grid.flat, values):
        ranked = [one for one in tried if one["point"][panels] == value]
        for row, one in enumerate(ranked):
            colour = COLOURS[5] if one["reported"] else COLOURS[0]
            runs = [run["accuracy"] for run in one["runs"]]
            axes.plot(runs, [row] * len(runs), "o", color=colour, markersize=4, alpha=0.4)
            axes.plot(one["accuracy"]["mean"], row, "D", color=colour, markersize=7)
        names = [f"{one['point'][label]} ({one['parameters']:,})" for one in ranked]
        axes.set_yticks(range(len(ranked)), names, fontsize=8.5)
        axes.invert_yaxis()
        axes.set(xlabel="validation accuracy (%)", title=value)
        axes.grid(alpha=0.25)
    grid[0, 0].set_ylabel(f"{label} (parameters)")
    caption(figure, results, f"Points: runs; diamonds: means, best on top; red: the {label} that the report settled on.")
    return figure


def best_so_far(results: dict[str, Any]) -> Figure:
    """The best accuracy that each search had found after so many evaluations: thin lines for the runs, bold for their mean."""
    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    for search, colour in zip(results["nets"], COLOURS):
        runs = [np.maximum.accumulate(run["visited"]) for run in search["runs"]]
        longest = max(len(run) for run in runs)
        for run in runs:
            axes.step(np.arange(1, len(run) + 1), run, where="post", color=colour, alpha=0.35, linewidth=0.8)
        mean = np.mean([np.pad(run, (0, longest - len(run)), mode="edge") for run in runs], axis=0)
        axes.step(np.arange(1, longest + 1), mean, where="post", color=colour, linewidth=2.2, label=search["name"])
    axes.set(xlabel="different points evaluated", ylabel="best accuracy so far, cross-validated (%)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, loc="lower right")
    axes.grid(alpha=0.25)
    caption(figure, results, "Thin lines: single runs;\nbold: their mean, in which a run that has ended keeps its best.")
    return figure
