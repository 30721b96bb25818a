"""Tables that compare searches: what each cost, what it found, and which found better points."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from runner.results import counted, heading, plus_minus


def side_by_side(results: dict[str, Any]) -> str:
    """A row for each measure and a column for each search, the reported one before it; then what was found in each run."""
    comparable = results["data"]["comparable"]
    head = ["mean over runs"]
    rows = [[f"{measure['name']} ({measure['unit']})"] for measure in results["measures"]]
    for search in results["nets"]:
        head += [f"{search['name']}, reported"] * comparable + [search["name"]]
        for row, measure in zip(rows, results["measures"]):
            reported, got = search["reported"].get(measure["name"]), search["attained"][measure["name"]]
            row += [plus_minus(reported)] * comparable + [plus_minus(got)]
    measures = [measure["name"] for measure in results["measures"][:3]]
    found = [
        [str(number), search["name"], *described(run["best"], results["space"]), *(f"{run[name]:.2f}" for name in measures)]
        for number in range(results["settings"]["runs"])
        for search in results["nets"]
        for run in [search["runs"][number]]
    ]
    said = [f"{verdict(results)}", ""] if len(results["nets"]) == 2 else []
    titles = ["run", "search", *results["space"], *(f"{name} (%)" for name in measures)]
    lines = [heading(results), "", *markdown(head, rows), "", *said, "What was found:", "", *markdown(titles, found), ""]
    return "\n".join(lines)


def verdict(results: dict[str, Any]) -> str:
    """Whether the first search found the better points by the first measure, from the differences in each run."""
    measure, (first, second) = results["measures"][0], results["nets"]
    gains = [ours[measure["name"]] - other[measure["name"]] for ours, other in zip(first["runs"], second["runs"])]
    mean, error = statistics.fmean(gains), statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else float("inf")
    word = "beats" if mean > 2 * error else "loses to" if mean < -2 * error else "cannot be told from"
    better = f"{sum(gain > 0 for gain in gains)} of {counted(len(gains), 'run')}"
    return (
        f"With as many evaluations, the {first['name']} {word} the {second['name']}: its best has {mean:+.2f} ± {error:.2f} "
        f"points of {measure['name']}, and is the better one in {better}."
    )


def described(point: Mapping[str, Any], space: Sequence[str]) -> list[str]:
    """The values of a point, in the order of the parameters of the space; a dash for those that it has not."""
    return [str(point.get(name, "-")) for name in space]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
