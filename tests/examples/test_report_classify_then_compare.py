"""Report 002: the reported sizes, what is read off a run, and what its command writes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from classify_then_compare import (
    BOLD,
    MEASURES,
    NETS,
    RECIPES,
    REPORT,
    TABLE_1,
    AlexNet,
    LeNet,
    Linear,
    ResNet,
    best_epoch,
    candidate,
    loss,
)

import minitorch
from minitorch import Tensor
from minitorch.functional import cross_entropy
from runner import main

SMALL = ["--data", "digits", "--runs", "2", "--epochs", "2", "--jobs", "1"]


def run(out: Path, *more: str) -> dict:
    main(replace(REPORT, pairs=60), [*SMALL, "--out", str(out), *more])
    return json.loads((out / "results.json").read_text())


@pytest.fixture
def images() -> Tensor:
    minitorch.manual_seed(0)
    return minitorch.randn(6, 1, 14, 14)


def test_the_nets_have_the_reported_numbers_of_parameters_or_near_ones():
    assert [net.parameters() for net in NETS] == [43_018, 43_018, 59_038, 61_928, 51_370, 1_796_842]


def test_every_net_gives_ten_scores_a_digit(images):
    for net in NETS:
        assert net.build().eval()(images).shape == (6, 10)


def test_the_auxiliary_classifier_speaks_in_training_alone_and_weighs_three_tenths(images):
    model, classes = LeNet(auxiliary=True).train(), minitorch.arange(6)
    scores, auxiliary = model(images)
    parts = cross_entropy(scores, classes), cross_entropy(auxiliary, classes)
    assert float(loss((scores, auxiliary), classes)) == pytest.approx(float(parts[0]) + 0.3 * float(parts[1]), rel=1e-6)
    assert isinstance(model.eval()(images), Tensor)


def test_a_residual_block_whose_convolutions_are_zero_changes_nothing(images):
    whole, without = ResNet(channels=4, kernel=3, blocks=1).eval(), ResNet(channels=4, kernel=3, blocks=0).eval()
    for parameter in whole[3].parameters():
        parameter.data.zero_()
    state = {name: value for name, value in whole.state_dict().items() if not name.startswith("3.")}
    without.load_state_dict({name.replace("6.", "5."): value for name, value in state.items()})
    assert minitorch.allclose(whole(images), without(images))


def test_only_the_linear_net_is_trained_by_adam():
    kinds = {kind: recipe.optimizer.func.__name__ for kind, recipe in RECIPES.items()}
    assert kinds == {Linear: "Adam", LeNet: "SGD", ResNet: "SGD", AlexNet: "SGD"}


def test_the_best_epoch_is_the_first_of_lowest_comparison_error():
    history = {"test_error": [9.0, 2.0, 3.0, 2.0], "digit_error": [9.0, 4.0, 1.0, 3.0], "train_error": [8.0, 7.0, 6.0, 5.0]}
    assert best_epoch(history) == 1
    assert [measure.value(history) for measure in MEASURES] == [2.0, 2.0, 4.0, 3.0, 7.0, 5.0]


def test_the_reported_spread_of_the_linear_nets_train_error_is_that_of_one_run_at_another_epoch():
    runs = np.array([0.45] + [0.0] * 19)
    assert runs.mean() == pytest.approx(0.022, abs=6e-4) and runs.std(ddof=1) == pytest.approx(0.101, abs=5e-4)


def test_table_1_has_every_combination_and_among_them_what_the_report_settled_on():
    kinds = [point["net"] for point in TABLE_1.points]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"Linear": 40, "LeNet": 16, "ResNet": 300}
    assert all(point in TABLE_1.points for point in BOLD)
    assert [candidate(point).parameters() for point in BOLD] == [43_018, 61_928, 51_370]


def test_every_option_of_table_1_reaches_its_net():
    """Each point that differs from the settled ones in one option alone builds a net that differs from theirs."""
    for settled in BOLD:
        own = str(candidate(settled).build())
        for point in TABLE_1.points:
            if point["net"] == settled["net"] and sum(point[name] != settled[name] for name in settled) == 1:
                assert str(candidate(point).build()) != own


def test_the_command_writes_four_figures_per_epoch_and_both_epochs_in_the_table(tmp_path):
    results = run(tmp_path)
    for net in results["nets"]:
        for one in net["runs"]:
            assert all(len(one[name]) == 2 for name in ("train_loss", "train_error", "digit_error", "test_error"))
            assert one["comparison error, best epoch"] == min(one["test_error"]) <= one["comparison error, final epoch"]
    text = (tmp_path / "table.md").read_text()
    assert "Not MNIST" in text
    for net in NETS:
        assert f"| {net.name} | {net.parameters():,} | comparison error, best epoch (%) |" in text
    assert text.count("final epoch (%) |") == 3 * len(NETS)
    for name in ("figure_1.png", "errors.png", "boxplot.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_study_of_table_1_trains_the_best_net_of_each_kind_again(tmp_path):
    results = run(tmp_path, "--study", "table-1", "--quick", "--runs", "1", "--epochs", "1")
    assert [one["accuracy"]["mean"] for one in results["evaluations"]] == sorted(
        (one["accuracy"]["mean"] for one in results["evaluations"]), reverse=True
    )
    for kind, net in zip(("Linear", "LeNet", "ResNet"), results["again"]["nets"]):
        best = next(one["point"] for one in results["evaluations"] if one["point"]["net"] == kind)
        assert net["name"] == candidate(best).name
        assert len(net["runs"]) == REPORT.quick_runs == results["again"]["settings"]["runs"]
    for name in ("linear.png", "lenet.png", "resnet.png", "best_again.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
