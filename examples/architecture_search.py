"""Report 004: which of five nets compares two digits best, and is a genetic search a cheap way to find its recipe?

    python examples/architecture_search.py                         # the nets at their best, 10-fold cross-validation
    python examples/architecture_search.py --study grid-search     # every recipe of every net; what the best were chosen by
    python examples/architecture_search.py --study genetic         # the genetic search
    python examples/architecture_search.py --study both-searches   # the genetic search and a grid search of the same cost
    python examples/architecture_search.py --quick                 # a small version, of each study too

The nets, their recipe and how they are cross-validated are in `double_nets.py`; here are the two searches for a recipe.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import double_nets
import numpy as np
from double_nets import DOUBLE_NETS, MODELS, SPACE, TEN_FOLD, TEST, cross_validation, learn, recipe
from matplotlib.figure import Figure
from sklearn.model_selection import ParameterGrid

import minitorch
from minitorch.data import Pairs, normalise, pair_sets
from runner import Job, Report, main
from runner.figures import boxplot
from runner.genetic import next_generation, random_individual
from runner.results import frame, heading, plus_minus, spread, summary
from runner.search import Point, evaluation
from runner.search_figures import accuracy_by_setting, best_so_far
from runner.search_tables import described, markdown, side_by_side

# ---- searches: section 2.5 of the report ---------------------------------------------------------------------------------

INDIVIDUALS, GENERATIONS = 10, 30
GENETIC, GRID = "genetic search", "grid search"
Study = tuple[dict[str, Any], str, Mapping[str, Callable[[dict[str, Any]], Figure]]]  # results, table, figures


def search_folds(job: Job) -> int:
    """Folds of the cross-validation by which recipes are searched: the report's tables have three, its text two or three."""
    return 2 if job.settings["quick"] else 3


def validate(point: Point, train_pairs: Pairs, test_pairs: Pairs, seed: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate a recipe by cross-validation with `folds` folds of the training pairs, or by the plain split if `folds` is 1."""
    minitorch.manual_seed(seed)
    start = time.perf_counter()
    build, epochs, device = MODELS[point["model"]][0], settings["epochs"], settings["device"]
    if point["folds"] == 1:
        accuracies = [100 - learn(build, point, train_pairs, test_pairs, epochs, device)[1]["test_error"][-1]]
    else:
        accuracies = cross_validation(build, point, train_pairs, point["folds"], epochs, device)
    return {"accuracy": statistics.fmean(accuracies), "folds": accuracies, "seconds": time.perf_counter() - start}


def score(report: Report, job: Job, wanted: Sequence[tuple[int, Point]], folds: int, label: str) -> list[dict[str, Any]]:
    """What `validate` gives for each recipe on the pairs of its run; none is evaluated twice, here or in an earlier call."""

    def arguments(run: int) -> tuple:
        seed = job.seed(run)
        pairs = pair_sets(job.digits, report.pairs, rng=np.random.default_rng(seed), relation=report.relation)
        return *normalise(*pairs), seed, job.settings

    tasks = [evaluation({**point, "folds": folds}, validate, arguments, run) for run, point in wanted]
    results = job.do({task.key: task for task in tasks}.values(), label)
    return [{**results[task.key], "point": point} for task, (_, point) in zip(tasks, wanted)]


def best_again(report: Report, job: Job, wanted: Sequence[tuple[int, Point]]) -> list[dict[str, Any]]:
    """Recipes that a search found best, by 10-fold cross-validation and on the plain split, in the form of a run."""
    by_folds = zip(*(score(report, job, wanted, folds, label) for folds, label in ((10, "10-fold"), (1, "plain split"))))
    return [{"fold_accuracy": ten["folds"], "test_error": [100 - plain["accuracy"]]} for ten, plain in by_folds]


def genetic_search(report: Report, job: Job) -> list[list[dict[str, Any]]]:
    """What the search of each run evaluated, in order. The runs go side by side, so that all processors have work."""
    generations = 4 if job.settings["quick"] else GENERATIONS
    rngs = [np.random.default_rng([job.seed(run), 1]) for run in range(job.settings["runs"])]
    populations = [[random_individual(SPACE, rng) for _ in range(INDIVIDUALS)] for rng in rngs]
    visited: list[dict[str, Any]] = [{} for _ in rngs]
    for generation in range(1, generations + 1):
        wanted = [(run, recipe(one)) for run, population in enumerate(populations) for one in population]
        found = iter(score(report, job, wanted, search_folds(job), f"generation {generation} of {generations}"))
        for run, rng in enumerate(rngs):
            results = [next(found) for _ in populations[run]]
            visited[run].update((str(result["point"]), result) for result in results)
            populations[run] = next_generation(populations[run], [result["accuracy"] / 100 for result in results], rng)
    return [list(one.values()) for one in visited]


def recipes(space: Mapping[str, Sequence[Any]]) -> list[Point]:
    """The grid: every recipe of a space, once."""
    return list({str(point): point for point in map(recipe, ParameterGrid(space))}.values())


def part_of_grid(report: Report, job: Job, sizes: Sequence[int]) -> list[list[dict[str, Any]]]:
    """What a grid search has evaluated in each run if it is stopped after so many evaluations.

    In the grid's own order it would have tried one loss and one optimizer only, so it goes through the grid in random order.
    """
    points = recipes(SPACE)
    orders = [np.random.default_rng([job.seed(run), 2]).permutation(len(points))[:size] for run, size in enumerate(sizes)]
    wanted = [(run, points[place]) for run, order in enumerate(orders) for place in order]
    found = iter(score(report, job, wanted, search_folds(job), GRID))
    return [[next(found) for _ in order] for order in orders]


def grid_search(report: Report, job: Job) -> Study:
    """Every recipe on the pairs of the first run, and the best of each model again, on the pairs of all runs."""
    points, runs = recipes(FEW if job.settings["quick"] else SPACE), range(job.settings["runs"])
    tried = score(report, job, [(0, point) for point in points], search_folds(job), GRID)
    tried.sort(key=lambda one: -one["accuracy"])
    best = {model: [one for one in tried if one["point"]["model"] == model][:3] for model in MODELS}
    nets = [replace(net, options=best[net.name][0]["point"]) for net in DOUBLE_NETS]
    again = iter(best_again(report, job, [(run, net.options) for net in nets for run in runs]))
    study = replace(report, title=f"{report.title}: {GRID}", nets=nets, measures=[TEN_FOLD, TEST], notes=GRID_NOTES)
    results = summary(study, job, {net.name: [next(again) for _ in runs] for net in nets})
    results["evaluations"] = [{"point": one["point"], "runs": [one]} for one in tried]

    head = [*SPACE, f"{search_folds(job)}-fold (%)", "10-fold, reported", "10-fold", "test"]
    rows = []
    for net in results["nets"]:
        figures = [net["reported"].get(TEN_FOLD.name), *(net["attained"][measure.name] for measure in (TEN_FOLD, TEST))]
        for one in best[net["name"]]:
            cells = *described(one["point"], list(SPACE)), f"{one['accuracy']:.2f}", *(plus_minus(figure) for figure in figures)
            rows.append(cells)
            figures = [None] * 3  # only the best is tried again
    cost = (
        f"The three best recipes of each model, of {len(tried):,} tried on the pairs of the first run in "
        f"{sum(one['seconds'] for one in tried) / 60:.1f} core-minutes (the report's grid took about 360 minutes). The best "
        "again on the pairs of every run."
    )
    text = "\n".join([heading(results), "", cost, "", *markdown(head, rows), ""])
    return results, text, {"boxplot.png": boxplot, "learning_rates.png": learning_rates}


def searches(report: Report, job: Job, both: bool) -> Study:
    """The genetic search, and a grid search that stops after as many evaluations, on the pairs of every run."""
    seen = {GENETIC: genetic_search(report, job)}
    if both:
        seen[GRID] = part_of_grid(report, job, [len(one) for one in seen[GENETIC]])
    best = [(run, max(one, key=lambda result: result["accuracy"])) for ones in seen.values() for run, one in enumerate(ones)]
    again = iter(best_again(report, job, [(run, one["point"]) for run, one in best]))
    results = {
        **frame(report, job),
        "title": f"{report.title}: {' and '.join(seen)}",
        "notes": f"{READING} {GRID_NOTES}",
        "space": list(SPACE),
        "measures": [
            {"name": name, "unit": unit, "lower_is_better": unit == "core-minutes"} for name, unit in SEARCH_MEASURES.items()
        ],
        "nets": [],
    }
    for name in seen:
        runs = [search_run(one, next(again)) for one in seen[name]]
        reported = REPORTED_SEARCHES[name] if job.digits.is_mnist else {}
        results["nets"].append(
            {
                "name": name,
                "reported": {measure: {"mean": mean, "std": std} for measure, (mean, std) in reported.items()},
                "attained": {measure: spread([run[measure] for run in runs]) for measure in SEARCH_MEASURES},
                "runs": runs,
            }
        )
    return results, side_by_side(results), {"boxplot.png": boxplot, "best_so_far.png": best_so_far}


def search_run(seen: Sequence[dict[str, Any]], again: dict[str, Any]) -> dict[str, Any]:
    """What one search cost and found, from all it evaluated and its best again."""
    best = max(seen, key=lambda one: one["accuracy"])
    minutes, size = sum(one["seconds"] for one in seen) / 60, len(recipes(SPACE))
    values = (
        TEN_FOLD.value(again),
        TEST.value(again),
        best["accuracy"],
        len(seen),
        100 * len(seen) / size,
        minutes,
        minutes / len(seen) * size,
    )
    return {**dict(zip(SEARCH_MEASURES, values)), "best": best["point"], "visited": [one["accuracy"] for one in seen]}


def learning_rates(results: dict[str, Any]) -> Figure:
    """Every recipe of the grid, tried once: what its learning rate does, by optimizer and model."""
    once = {**results, "settings": {**results["settings"], "runs": 1}}
    return accuracy_by_setting(once, ["learning rate"], lines="optimizer", panels="model")


# ---- what the searches say of themselves ---------------------------------------------------------------------------------

SEARCH_MEASURES = {  # and their units
    TEN_FOLD.name: "%",
    TEST.name: "%",
    "accuracy in the search": "%",
    "evaluations": "different recipes",
    "share of the grid": "%",
    "time": "core-minutes",
    "time of the whole grid at this rate": "core-minutes",
}
REPORTED_SEARCHES = {  # tables 3 and 8 and section 3; its times are those of a laptop of 2015
    GENETIC: {TEN_FOLD.name: (87, 4), "accuracy in the search": (85, None), "time": (19.6, None)},
    GRID: {TEN_FOLD.name: (95, 2), "accuracy in the search": (96, None), "time of the whole grid at this rate": (360, None)},
}
READING = (
    "Fitness is accuracy, from 0 to 1, plus 0.75 times individuality, I_n = 1 / sum over the parameters of 1 / (N - N_v). As "
    "printed, N - N_v is summed over all values of the parameter, and I_n is the same for every individual; here v is the "
    "value that individual n has."
)
GRID_NOTES = (
    "A recipe is a choice without what its model does not use. NLL is given log-probabilities, so that it is cross-entropy, "
    "and the 6,400 choices are 1,620 recipes. The loss is the comparison's plus lambda times those of both digits: the report "
    "does not say what lambda weighs."
)
FEW = {  # the grid of --quick
    "model": list(MODELS),
    "comparison loss": ["cross-entropy", "MSE"],
    "class loss": ["cross-entropy", "MSE"],
    "optimizer": ["Adam", "AdaGrad"],
    "learning rate": [1e-3, 1e-2],
    "lambda": [0.2],
}

REPORT = replace(
    double_nets.REPORT,
    studies={
        "grid-search": grid_search,
        "genetic": partial(searches, both=False),
        "both-searches": partial(searches, both=True),
    },
)

if __name__ == "__main__":
    main(REPORT)
