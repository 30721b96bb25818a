"""Report 000: the reported sizes and loss, and what its command and its studies write."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from fully_connected import ALPHAS, NETS, RATES, REPORT, head, total_loss

import minitorch
from minitorch.data import Pairs, draw_pairs, load_digits
from runner import error_rate, main

SMALL = ["--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "1"]


def run(out: Path, *more: str) -> dict:
    main(REPORT, [*SMALL, "--out", str(out), *more])
    return json.loads((out / "results.json").read_text())


def pairs(n: int) -> Pairs:
    digits = load_digits("digits")
    rng = minitorch.manual_seed(0).numpy
    return draw_pairs(digits.train_images, digits.train_labels, n, rng=rng, relation=REPORT.relation)


def test_the_nets_have_the_reported_numbers_of_parameters_where_the_text_explains_them():
    assert [net.parameters() for net in NETS] == [481_121, 246_711, 246_711, 56_711, 44_410]
    assert sum(parameter.numel() for parameter in head().parameters()) == 12_301


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_a_net_gives_a_probability_and_the_scores_of_both_digits(net):
    probability, scores = net.build()(minitorch.from_numpy(pairs(3).inputs))
    assert probability.shape == (3,) and scores.shape == (3, 2, 10)
    assert 0 <= float(probability.min()) <= float(probability.max()) <= 1


@pytest.mark.parametrize("net", NETS[1:4], ids=lambda net: net.name)
def test_a_shared_branch_says_the_same_of_a_digit_in_either_place(net):
    inputs, model = minitorch.from_numpy(pairs(3).inputs), net.build()
    assert minitorch.allclose(model(inputs)[1].flip([1]), model(inputs.flip([1]))[1], atol=1e-5)


def test_argmax_compares_strictly():
    model = NETS[4].build()
    image = minitorch.from_numpy(pairs(1).inputs[:, :1])
    probability, _ = model(minitorch.cat([image, image], 1))
    assert float(probability) == 0  # the same digit twice: not less


def test_the_loss_is_the_reports_formula():
    probability = minitorch.tensor([0.25, 0.5])
    scores = minitorch.zeros(2, 2, 10)
    targets, classes = minitorch.tensor([1, 0]), minitorch.tensor([[3, 4], [5, 5]])
    comparison = -(math.log(0.25) + math.log(0.5)) / 2
    for alpha in (0.0, 0.9, 1.0):
        expected = (1 - alpha) * comparison + alpha * 2 * math.log(10)
        assert float(total_loss((probability, scores), targets, classes, alpha)) == pytest.approx(expected, rel=1e-6)


def test_the_command_measures_errors_and_writes_its_figures(tmp_path):
    results = run(tmp_path)
    assert results["measures"] == [{"name": "error", "unit": "%", "lower_is_better": True}]
    assert [net["name"] for net in results["nets"]] == [net.name for net in NETS]
    for net in results["nets"]:
        (one,) = net["runs"]
        assert net["attained"]["error"]["mean"] == one["error"] == one["test_error"][-1]
        assert 0 <= one["error"] <= 100
    text = (tmp_path / "table.md").read_text()
    assert "error (%)" in text
    assert "482,101" in text and "481,121" in text  # the count that no architecture in the report's text explains
    for name in ("figures_3_4_5_8.png", "boxplot.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("study", "nets", "figures"),
    [
        ("learning-rate", [f"eta = {rate:g}" for rate in RATES], ["figure_1.png", "figure_1_runs.png"]),
        ("auxiliary-factor", [f"alpha = {alpha:g}" for alpha in ALPHAS], ["figure_6.png"]),
    ],
)
def test_a_study_trains_the_same_net_with_each_value(tmp_path, study, nets, figures):
    results = run(tmp_path, "--study", study)
    assert [net["name"] for net in results["nets"]] == nets
    assert len({net["parameters"] for net in results["nets"]}) == 1
    assert len({net["runs"][0]["seed"] for net in results["nets"]}) == 1
    losses = [net["runs"][0]["train_loss"][-1] for net in results["nets"]]
    assert len(set(losses)) == len(nets)  # the value reaches the training
    for name in figures:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_recipe_is_searched_on_training_pairs_that_are_held_out(tmp_path):
    results = run(tmp_path, "--study", "recipe", "--quick")
    assert {(one["point"]["net"], one["point"]["rate"]) for one in results["evaluations"]} == {
        (net, rate) for net in ("Fully connected", "LeNet5 + auxiliary loss") for rate in (1e-4, 1e-3)
    }
    assert "validation" in (tmp_path / "table.md").read_text()


def test_the_search_trains_on_800_pairs_and_validates_on_200_of_the_same_relation(tmp_path):
    def looked_at(net, train_pairs, validation_pairs, epochs, device):
        for pairs, count in ((train_pairs, 800), (validation_pairs, 200)):
            assert pairs.targets.tolist() == (pairs.classes[:, 0] < pairs.classes[:, 1]).astype(int).tolist()
            assert len(pairs.targets) == count
        return {"test_error": [30.0], "train_loss": [0.0]}

    main(replace(REPORT, train=looked_at), [*SMALL, "--study", "recipe", "--quick", "--out", str(tmp_path)])
    evaluations = json.loads((tmp_path / "results.json").read_text())["evaluations"]
    assert [one["accuracy"]["mean"] for one in evaluations] == [70.0] * 4


def test_a_probability_decides_by_whether_it_exceeds_a_half():
    probabilities, targets = minitorch.tensor([0.9, 0.6, 0.5, 0.1]), minitorch.tensor([1, 0, 0, 1])
    assert error_rate(probabilities, targets) == 50.0  # the second and the last
