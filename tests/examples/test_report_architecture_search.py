"""Report 004: the five nets, their recipes, and the two searches, run small on the embedded digits."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import architecture_search
import numpy as np
import pytest
from architecture_search import REPORT, recipes
from double_nets import LOSSES, MODELS, SPACE, Double, Naive, recipe

import minitorch
from runner import main
from runner.genetic import fitness, individuality, next_generation, random_individual
from runner.search_tables import verdict

SMALL = ["--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "1", "--quick"]


def job(out: Path, *more: str) -> dict:
    main(replace(REPORT, pairs=200), [*SMALL, "--out", str(out), *more])
    return json.loads((out / "results.json").read_text())


def without_clock(results: dict) -> dict:
    """Searches and what they found, without what a clock says."""
    return {
        net["name"]: [{name: value for name, value in run.items() if "time" not in name} for run in net["runs"]]
        for net in results["nets"]
    }


# ---- nets and recipes ----------------------------------------------------------------------------------------------------


def test_parameter_counts():
    counts = {net.name: net.parameters() for net in REPORT.nets}
    assert counts.pop("simple net") == 13_706
    assert counts == {"naive": 27_412, "model 1": 15_180, "model 2": 28_886, "model 3": 28_886, "model 4": 15_180}


def test_with_weight_sharing_a_digit_is_scored_alike_in_both_places_and_without_it_is_not():
    pairs = minitorch.randn(4, 2, 14, 14)
    swapped = minitorch.from_numpy(pairs.numpy()[:, ::-1].copy())
    for sharing in (True, False):
        net = Double(sharing)
        _, first, second = net(pairs)
        _, first_swapped, second_swapped = net(swapped)
        same = np.allclose(first.detach().numpy(), second_swapped.detach().numpy(), atol=1e-6)
        assert same is sharing
        assert np.allclose(second.detach().numpy(), first_swapped.detach().numpy(), atol=1e-6) is sharing


def test_the_naive_net_compares_the_classes_it_names():
    comparison, first, second = Naive()(minitorch.randn(50, 2, 14, 14))
    says_le = first.detach().numpy().argmax(1) <= second.detach().numpy().argmax(1)
    assert (comparison.numpy().argmax(1) == says_le).all()


def test_nll_of_log_probabilities_is_cross_entropy_so_both_are_one_recipe():
    scores, targets = minitorch.randn(20, 10), minitorch.randint(0, 10, (20,))
    assert float(LOSSES["NLL"](scores, targets)) == pytest.approx(float(LOSSES["cross-entropy"](scores, targets)), rel=1e-6)
    choice = random_individual(SPACE, np.random.default_rng(0)) | {"model": "model 4"}
    assert recipe({**choice, "class loss": "NLL"}) == recipe({**choice, "class loss": "cross-entropy"})


def test_a_recipe_has_what_its_model_uses_and_the_grid_has_each_recipe_once():
    grid = recipes(SPACE)
    assert Counter(point["model"] for point in grid) == {
        "naive": 60,
        "model 1": 60,
        "model 2": 720,
        "model 3": 60,
        "model 4": 720,
    }
    assert all(set(point) - {"model", "optimizer", "learning rate"} == MODELS[point["model"]][1] for point in grid)


# ---- the genetic algorithm -----------------------------------------------------------------------------------------------


def test_individuality_is_as_printed_with_the_individuals_own_value():
    population = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 3}]
    # N - N_v: of the first 3 - 2 and 3 - 1, of the third 3 - 1 and 3 - 1
    assert individuality(population[0], population) == pytest.approx(1 / (1 / 1 + 1 / 2))
    assert individuality(population[2], population) == pytest.approx(1 / (1 / 2 + 1 / 2))


def test_individuality_is_nine_sixths_where_nothing_is_shared_and_nothing_where_all_share_a_value():
    population = [dict.fromkeys("abcdef", number) for number in range(10)]
    assert individuality(population[0], population) == pytest.approx(9 / 6)
    assert individuality(population[0] | {"a": 0}, [one | {"a": 0} for one in population]) == 0


def test_the_fittest_six_of_ten_live_and_children_take_every_parameter_from_one_of_them():
    rng = np.random.default_rng(0)
    population = [{"a": number, "b": number % 2, "c": -number} for number in range(10)]
    accuracies = [number / 10 for number in range(10)]
    following = next_generation(population, accuracies, rng)
    ranked = sorted(range(10), key=lambda number: -fitness(population, accuracies)[number])
    parents = [population[number] for number in ranked[:6]]
    assert following[:6] == parents
    assert len(following) == 10
    for child in following[6:]:
        assert all(child[name] in [parent[name] for parent in parents] for name in child)


def test_diversity_can_save_a_less_accurate_individual():
    population = [{"a": 1, "b": 1}] * 3 + [{"a": 2, "b": 2}]
    assert np.argmax(fitness(population, [0.9, 0.9, 0.9, 0.5])) == 3


# ---- the command ---------------------------------------------------------------------------------------------------------


def test_the_table_is_by_ten_folds_and_every_figure_is_drawn(tmp_path):
    results = job(tmp_path)
    for net in results["nets"]:
        (run,) = net["runs"]
        assert len(run["fold_accuracy"]) == 10
        assert run["10-fold accuracy"] == pytest.approx(np.mean(run["fold_accuracy"]))
        assert run["test accuracy"] == 100 - run["test_error"][-1]
    naive = results["nets"][1]["runs"][0]
    assert np.sum(naive["figure_1"], 1) == pytest.approx([1, 1], abs=1e-5)
    assert "Not MNIST" in (tmp_path / "table.md").read_text()
    for name in ("boxplot.png", "learning_curves.png", "probabilities.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_both_searches_have_the_same_budget_and_go_on_after_an_interruption_without_repeating_an_evaluation(tmp_path):
    study = ["--study", "both-searches"]
    results = job(tmp_path, *study)
    genetic, grid = (net["runs"][0] for net in results["nets"])
    assert 10 <= genetic["evaluations"] == grid["evaluations"] == len(grid["visited"]) <= 10 + 3 * 4
    assert genetic["share of the grid"] == pytest.approx(100 * genetic["evaluations"] / 1620)
    assert genetic["accuracy in the search"] == max(genetic["visited"])
    assert recipe(genetic["best"]) == genetic["best"]

    kept = sorted((tmp_path / "tasks").glob("*.json"))
    for lost in kept[::2]:
        if lost.name != "settings.json":
            lost.unlink()
    untouched = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
    again = job(tmp_path, *study, "--resume")
    assert without_clock(again) == without_clock(results)
    assert sorted((tmp_path / "tasks").glob("*.json")) == kept
    assert {path: path.stat().st_mtime_ns for path in untouched} == untouched

    assert verdict(results) in (tmp_path / "table.md").read_text()
    for name in ("boxplot.png", "best_so_far.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_grid_search_tries_every_recipe_and_the_best_of_each_model_again(tmp_path, monkeypatch):
    few = {name: values[:1] for name, values in SPACE.items()} | {"model": list(MODELS), "optimizer": ["Adam", "AdaGrad"]}
    monkeypatch.setattr(architecture_search, "FEW", few)
    results = job(tmp_path, "--study", "grid-search")
    assert len(results["evaluations"]) == 10
    best = {}
    for one in results["evaluations"]:
        best.setdefault(one["point"]["model"], one["runs"][0]["accuracy"])
        assert one["runs"][0]["accuracy"] <= best[one["point"]["model"]]
    assert [net["name"] for net in results["nets"]] == list(MODELS)
    assert all(len(net["runs"][0]["fold_accuracy"]) == 10 for net in results["nets"])
    assert (tmp_path / "table.md").read_text().count("\n| model 4 |") == 2
    assert (tmp_path / "learning_rates.png").read_bytes().startswith(b"\x89PNG")
