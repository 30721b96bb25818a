"""Report 003: the reported sizes and losses, what its studies change, and what its command writes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from siamese import AS_DRAWN, BASELINE, JOINS, NON_SIAMESE, OPTIMIZERS, REPORT, SIAMESE, Siamese, repaired, total_loss, train

import layers as nn
import minitorch
from minitorch.data import Pairs, draw_pairs, load_digits
from minitorch.functional import cross_entropy
from runner import main
from runner.command import parse

SMALL = ["--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "1"]


@pytest.fixture
def pairs() -> Pairs:
    digits = load_digits("digits")
    return draw_pairs(digits.train_images, digits.train_labels, 40, rng=minitorch.manual_seed(0).numpy)


def run(out: Path, *more: str) -> dict:
    main(REPORT, [*SMALL, "--out", str(out), *more])
    return json.loads((out / "results.json").read_text())


def test_the_nets_have_the_reported_numbers_of_parameters():
    assert [net.parameters() for net in (BASELINE, NON_SIAMESE, SIAMESE, AS_DRAWN)] == [81_239, 117_516, 192_601, 23_833]


@pytest.mark.parametrize("net", [NON_SIAMESE, SIAMESE], ids=lambda net: net.name)
def test_a_net_gives_scores_of_the_comparison_and_of_both_digits(net, pairs):
    comparison, first, second = net.build()(minitorch.from_numpy(pairs.inputs))
    assert comparison.shape == (40, 2) and first.shape == second.shape == (40, 10)


def test_the_branches_share_their_weights_in_the_siamese_net_alone(pairs):
    inputs = minitorch.from_numpy(pairs.inputs)
    for net, shared in ((SIAMESE, True), (NON_SIAMESE, False)):
        model = net.build().eval()
        _, first, second = model(inputs)
        _, swapped, _ = model(inputs.flip([1]))
        assert minitorch.allclose(second, swapped, atol=1e-4) == shared
        assert not minitorch.allclose(first, second, atol=1e-4)


def test_batch_norm_sees_first_and_second_digits_apart(pairs):
    """As in two passes through the branch: the first digits' scores do not depend on what the second ones are."""
    model = Siamese((16, 32, 64)).train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    inputs = minitorch.from_numpy(pairs.inputs)
    _, first, _ = model(inputs)
    _, same, _ = model(minitorch.cat([inputs[:, :1], inputs[:, 1:].flip([0])], 1))
    assert minitorch.allclose(first, same, atol=1e-4)


def test_every_join_gives_the_second_classifier_what_it_expects(pairs):
    inputs = minitorch.from_numpy(pairs.inputs)
    for join in JOINS:
        model = Siamese((8, 16, 32), join=join).eval()
        symmetric = minitorch.allclose(model(inputs)[0], model(inputs.flip([1]))[0], atol=1e-4)
        assert symmetric == (join == "maximum")


def test_all_three_losses_weigh_the_same():
    minitorch.manual_seed(0)
    comparison, first, second = minitorch.randn(5, 2), minitorch.randn(5, 10), minitorch.randn(5, 10)
    targets, classes = minitorch.randint(0, 2, (5,)), minitorch.randint(0, 10, (5, 2))
    parts = cross_entropy(comparison, targets), cross_entropy(first, classes[:, 0]), cross_entropy(second, classes[:, 1])
    loss = total_loss((comparison, first, second), targets, classes)
    assert float(loss) == pytest.approx(sum(float(part) for part in parts), rel=1e-6)
    assert float(total_loss(comparison, targets, classes)) == float(parts[0])


def test_pairing_anew_keeps_every_digit_and_its_class(pairs):
    anew = repaired(pairs)
    assert np.array_equal(anew.targets, (anew.classes[:, 0] <= anew.classes[:, 1]).astype(np.int64))
    assert not np.array_equal(anew.classes, pairs.classes)

    def digits(p: Pairs) -> list[tuple]:
        return sorted((int(c), image.tobytes()) for c, image in zip(p.classes.reshape(-1), p.inputs.reshape(-1, 14, 14)))

    assert digits(anew) == digits(pairs)


def test_pairing_anew_trains_on_other_pairs_with_one_optimizer_throughout(pairs):
    histories = {}
    for options in ({}, {"repaired": True}):
        minitorch.manual_seed(0)
        net = replace(AS_DRAWN, options={**AS_DRAWN.options, **options})
        histories[bool(options)] = train(net, pairs, pairs, 3, "cpu")
    assert all(len(histories[True][name]) == 3 for name in ("train_loss", "train_error", "test_loss", "test_error"))
    assert histories[True]["train_loss"] != histories[False]["train_loss"]


def test_raw_pairs_are_trained_on_as_they_are(pairs):
    losses = []
    for normalised in (True, False):
        minitorch.manual_seed(0)
        net = replace(AS_DRAWN, options={**AS_DRAWN.options, "normalised": normalised})
        losses.append(train(net, pairs, pairs, 1, "cpu")["train_loss"])
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains(name, pairs):
    net = replace(AS_DRAWN, options={"optimizer": name, "lr": 0.01})
    losses = train(net, pairs, pairs, 3, "cpu")["train_loss"]
    assert losses[-1] < losses[0]


def test_the_command_writes_the_table_with_times_and_the_curves(tmp_path):
    results = run(tmp_path)
    assert [net["parameters"] for net in results["nets"]] == [81_239, 117_516, 192_601, 23_833]
    for net in results["nets"]:
        (one,) = net["runs"]
        assert one["accuracy"] == 100 - one["test_error"][-1]
        assert one["train accuracy"] == 100 - one["final_train_error"][0]
        assert one["train time"] == one["seconds"] > 0
    text = (tmp_path / "table.md").read_text()
    assert "train time (s)" in text and "94.5 % (text)" in text
    for name in ("accuracy.png", "loss.png", "boxplot.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_a_study_trains_its_variants_beside_the_reported_net(tmp_path):
    names = [net["name"] for net in run(tmp_path, "--study", "join")["nets"]]
    assert names == ["Siamese", "Siamese + difference", "Siamese + maximum"]
    assert (tmp_path / "boxplot.png").exists()


def test_the_width_search_ranks_widths_that_grow_with_depth(tmp_path):
    results = run(tmp_path, "--study", "widths", "--quick")
    widths = [tuple(map(int, one["point"]["widths"].split("-"))) for one in results["evaluations"]]
    assert len(widths) == 2 * 4 and all(a < b < c for a, b, c in widths)
    accuracies = [one["accuracy"]["mean"] for one in results["evaluations"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert (tmp_path / "widths.png").exists()


def test_the_full_searches_hold_what_the_report_settled_on():
    for name, points in {"optimizers": 3 * 4 * 4, "widths": 2 * 20}.items():
        search = REPORT.studies[name]
        assert len(search.points) == points
        assert all(point in search.points for point in search.reported)


def test_help_lists_the_studies(capsys):
    with pytest.raises(SystemExit):
        parse(REPORT, ["--help"])
    assert "optimizers,widths,augmentation,normalisation,join" in "".join(capsys.readouterr().out.split())
