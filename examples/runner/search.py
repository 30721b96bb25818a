"""Searches: settings are tried one by one on pairs that are not the test pairs; each evaluation is a task kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.data import Digits, Pairs, draw_pairs, normalise
from runner.job import Job, Task
from runner.report import History, Net, Report
from runner.results import counted, frame, heading, plus_minus, spread
from runner.runs import train_once

Point = Mapping[str, Any]
"""One setting of what is searched, by name; numbers and strings, so that it can stand in a task's key and in JSON."""


def evaluations(
    job: Job,
    points: Iterable[Point],
    evaluate: Callable[..., dict[str, Any]],
    arguments: Callable[[int], tuple],
    repeats: int = 1,
    label: str = "",
) -> list[dict[str, Any]]:
    """`evaluate(point, *arguments(repeat))` for each point and repeat, as [{"point": ..., "runs": [result, ...]}, ...].

    A point that was evaluated before, in this list, in an earlier call or in a job that was stopped, is not evaluated again.
    A grid search calls this once with scikit-learn's ParameterGrid, a genetic search once for each generation.
    """
    points = [dict(point) for point in points]
    tasks = [[evaluation(point, evaluate, arguments, repeat) for repeat in range(repeats)] for point in points]
    results = job.do({task.key: task for repeated in tasks for task in repeated}.values(), label)
    return [{"point": point, "runs": [results[task.key] for task in repeated]} for point, repeated in zip(points, tasks)]


def evaluation(point: Point, evaluate: Callable[..., dict[str, Any]], arguments: Callable[[int], tuple], repeat: int) -> Task:
    """`evaluate(point, *arguments(repeat))` as a task, kept under the point and the repeat."""
    key = f"{', '.join(f'{name} {value}' for name, value in sorted(point.items()))} / {repeat:03d}"
    return Task(key, evaluate, lambda: (point, *arguments(repeat)))


def validation_sets(
    digits: Digits, n: int, share: float, *, rng: np.random.Generator, relation: str = "le"
) -> tuple[Pairs, Pairs]:
    """Draw n pairs from the training digits, `share` of them to validate and the others to train; no digit is in both."""
    order, held_out = rng.permutation(len(digits.train_labels)), round(share * n)
    cut = round(share * len(order))

    def draw(chosen: np.ndarray, count: int) -> Pairs:
        return draw_pairs(digits.train_images[chosen], digits.train_labels[chosen], count, rng=rng, relation=relation)

    return draw(order[cut:], n - held_out), draw(order[:cut], held_out)


@dataclass(frozen=True)
class Search:
    """A study that trains a net at every point and ranks the points by their validation accuracy.

    `candidate(point)` is the net, with the options its report's recipe reads. `pairs` training pairs are drawn for each run,
    `share` of which validate. `reported` are the points the report settled on; the table marks them, and lists the best ones
    of every value of the parameter `by` apart, if there is one.
    """

    title: str
    candidate: Callable[[Point], Net]
    points: Sequence[Point]
    quick_points: Sequence[Point]
    runs: int
    epochs: int
    quick_runs: int
    quick_epochs: int
    pairs: int = 1000
    share: float = 0.2
    reported: Sequence[Point] = ()
    by: str | None = None
    notes: str = ""
    figures: Mapping[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)

    def __call__(self, report: Report, job: Job) -> tuple[dict[str, Any], str, Mapping[str, Callable]]:
        """Do the search; its results, the table of the best points, and the figures to draw."""

        def arguments(repeat: int) -> tuple:
            seed = job.seed(repeat)
            pairs = validation_sets(
                job.digits, self.pairs, self.share, rng=np.random.default_rng(seed), relation=report.relation
            )
            return self.candidate, report.train, *(normalise(*pairs) if report.normalised else pairs), seed, job.settings

        points = self.quick_points if job.settings["quick"] else self.points
        tried = evaluations(job, points, train_point, arguments, job.settings["runs"], label=report.script)
        for one in tried:
            one["parameters"] = self.candidate(one["point"]).parameters()
            one["accuracy"] = spread([run["accuracy"] for run in one["runs"]])
            one["seconds"] = sum(run["seconds"] for run in one["runs"])
            one["reported"] = one["point"] in [dict(point) for point in self.reported]
        tried.sort(key=lambda one: -one["accuracy"]["mean"])
        results = {**frame(report, job), "title": self.title, "notes": self.notes, "by": self.by, "evaluations": tried}
        return results, ranking(results), self.figures


def train_point(
    point: Point,
    candidate: Callable[[Point], Net],
    train: Callable[[Net, Pairs, Pairs, int, str], History],
    train_pairs: Pairs,
    validation_pairs: Pairs,
    seed: int,
    settings: dict[str, Any],
) -> dict[str, float]:
    """Train the net of a point once; its final accuracy on the validation pairs in percent, its loss, and the seconds."""
    history = train_once(train, candidate(point), train_pairs, validation_pairs, seed, settings)
    accuracy = 100 - history["test_error"][-1]
    return {"accuracy": accuracy, "train_loss": history["train_loss"][-1], "seconds": history["seconds"]}


def ranking(results: dict[str, Any], best: int = 5) -> str:
    """The best points as a Markdown table, and those the report settled on wherever they rank."""
    tried = results["evaluations"]
    names = sorted({name for one in tried for name in one["point"]}, key=lambda name: (name != results["by"], name))
    head = ["place", *names, "parameters", "validation accuracy (%)", "lowest", "highest", "s"]
    rows = [head, ["---:" if name not in names else "---" for name in head]]
    for group in dict.fromkeys(one["point"].get(results["by"]) for one in tried):
        ranked = [one for one in tried if one["point"].get(results["by"]) == group]
        for place, one in enumerate(ranked, 1):
            if place <= best or one["reported"]:
                rows.append([f"{place} of {len(ranked)}{', the report' if one['reported'] else ''}", *_cells(one, names)])
    cost = f"{counted(len(tried), 'point')}, {sum(one['seconds'] for one in tried) / 60:.1f} core-minutes."
    return "\n".join([heading(results), "", cost, "", *(f"| {' | '.join(row)} |" for row in rows), ""])


def _cells(one: dict[str, Any], names: Sequence[str]) -> list[str]:
    accuracy = one["accuracy"]
    settings = [str(one["point"].get(name, "-")) for name in names]
    extremes = f"{accuracy['min']:.2f}", f"{accuracy['max']:.2f}"
    return [*settings, f"{one['parameters']:,}", plus_minus(accuracy), *extremes, f"{one['seconds']:.0f}"]
