"""Corners of the losses that a table of ordinary inputs does not reach."""

import math

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F

LOGITS = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [0.1, 0.2, 0.4]])
TARGET = np.array([0, 2, 1])


def test_smoothing_counts_a_class_of_weight_zero_as_a_class_and_not_as_ignored():
    weight, e = np.array([1.0, 2.0, 0.0]), 0.1
    logs = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    own = -logs[np.arange(3), TARGET] * weight[TARGET]
    spread = -(logs * weight).sum(1) / 3
    expected = ((1 - e) * own + e * spread).sum() / weight[TARGET].sum()
    got = F.cross_entropy(mt.tensor(LOGITS), mt.tensor(TARGET), mt.tensor(weight), label_smoothing=e)
    assert got.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_mean_over_nothing_but_ignored_classes_is_nan_and_warns_of_nothing(smoothing):
    loss = F.cross_entropy(mt.tensor(LOGITS), mt.tensor(TARGET * 0 - 100), label_smoothing=smoothing)
    assert np.isnan(loss.item())


@pytest.mark.parametrize(
    "loss, options", [(F.cross_entropy, {}), (F.cross_entropy, {"label_smoothing": 0.1}), (F.nll_loss, {})]
)
def test_the_mean_over_no_rows_is_nan_and_their_sum_zero(loss, options):
    logits, target = mt.zeros(0, 3, requires_grad=True), mt.zeros(0, dtype=mt.int64)
    mean = loss(logits, target, **options)
    mean.backward()
    assert np.isnan(mean.item()) and logits.grad.shape == (0, 3)
    assert loss(logits, target, reduction="sum", **options).item() == 0


@pytest.mark.parametrize("ignored, target, wrong", [(-100, [-100, -1, 0], -1), (1, [1, 3, 0], 3), (7, [7, 0, 3], 3)])
def test_a_class_out_of_range_is_refused_beside_ignored_ones(ignored, target, wrong):
    with pytest.raises(IndexError, match=f"^cross_entropy: class {wrong} is out of range for 3 classes"):
        F.cross_entropy(mt.tensor(LOGITS), mt.tensor(target), ignore_index=ignored)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_class_to_ignore_that_no_row_has_changes_nothing(reduction):
    target = mt.tensor([0, 2, 0])
    plain, within = (F.cross_entropy(mt.tensor(LOGITS), target, ignore_index=i, reduction=reduction) for i in (-100, 1))
    assert plain.tolist() == pytest.approx(within.tolist(), rel=1e-15)


def test_logarithms_of_binary_cross_entropy_are_bounded_forward_and_backward():
    x, target = mt.tensor([0.0, 1.0, 1e-60, 0.5]).double(), mt.tensor([1.0, 0.0, 1.0, 0.0]).double().requires_grad_()
    loss = F.binary_cross_entropy(x, target, reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(300 + np.log(2), rel=1e-12)
    np.testing.assert_allclose(target.grad.array, [100, -100, 100, 0], atol=1e-12)


# ---- what is ignored is left out ------------------------------------------------------------------------------------------

CLASS_LOSSES = [F.cross_entropy, F.nll_loss, lambda *a, **kw: F.cross_entropy(*a, **kw, label_smoothing=0.1)]


@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=["cross_entropy", "nll_loss", "smoothed"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("hidden", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("weight", [None, mt.tensor([0.5, 2.0])], ids=["", "weighted"])
def test_an_ignored_row_is_left_out_whatever_it_holds(loss, reduction, hidden, weight):
    whole = mt.tensor([[hidden, 1.0], [1.0, 2.0], [hidden, hidden]], requires_grad=True)
    row = mt.tensor([[1.0, 2.0]], requires_grad=True)
    got = loss(whole, mt.tensor([-100, 1, -100]), weight, reduction=reduction)
    alone = loss(row, mt.tensor([1]), weight, reduction=reduction)
    got.sum().backward()
    alone.sum().backward()
    assert got.tolist() == ([0, alone.item(), 0] if reduction == "none" else alone.item())
    assert whole.grad.tolist() == [[0, 0], *row.grad.tolist(), [0, 0]]


@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=["cross_entropy", "nll_loss", "smoothed"])
@pytest.mark.parametrize("weight", [None, mt.tensor([0.5, 2.0])], ids=["", "weighted"])
def test_a_batch_that_is_all_ignored_has_no_mean_and_changes_no_weight(loss, weight):
    for shape, ignored in [((3, 2), (3,)), ((2, 2, 4, 4), (2, 4, 4)), ((2,), ())]:
        x = mt.ones(*shape, requires_grad=True)
        y = loss(x, mt.full(ignored, -100, dtype=mt.int64), weight)
        y.backward()
        assert math.isnan(y.item())
        assert x.grad.tolist() == mt.zeros(*shape).tolist()


def test_an_ignored_class_beside_probabilities_is_refused():
    with pytest.raises(ValueError, match="cross_entropy: ignore_index 1 names a class, the target holds probabilities"):
        F.cross_entropy(mt.ones(2, 3), mt.ones(2, 3), ignore_index=1)


# ---- no rows, no dimensions, no eps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0, 2), (0, 2, 3, 3), (2, 2, 0)])
def test_batch_norm_of_no_values_is_empty_and_moves_nothing(shape):
    x, weight, bias = mt.ones(*shape, requires_grad=True), mt.ones(2, requires_grad=True), mt.zeros(2, requires_grad=True)
    means, variances = mt.zeros(2), mt.ones(2)
    y = F.batch_norm(x, means, variances, weight, bias, training=True)
    y.sum().backward()
    assert y.shape == shape and x.grad.shape == shape
    assert (means.tolist(), variances.tolist()) == ([0, 0], [1, 1])
    assert (weight.grad.tolist(), bias.grad.tolist()) == ([0, 0], [0, 0])


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_refuses_an_eps_below_0(training):
    with pytest.raises(ValueError, match="batch_norm: expected an eps above 0, got -1"):
        F.batch_norm(mt.ones(4, 2), mt.zeros(2), mt.ones(2), training=training, eps=-1.0)


def test_the_cosine_similarity_of_two_numbers_is_that_of_their_signs():
    assert F.cosine_similarity(mt.tensor(-4.0), mt.tensor(3.0), dim=0).item() == -1


def test_binary_cross_entropy_of_one_number_has_its_gradient_in_float64():
    x = mt.tensor(np.array(0.125), requires_grad=True)
    F.binary_cross_entropy(x, mt.tensor(np.array(0.5))).backward()
    assert abs(x.grad.item() + 0.375 / (0.125 * 0.875)) < 1e-14
    x = mt.tensor(np.array(0.1), requires_grad=True)
    F.binary_cross_entropy(x, mt.tensor(np.array(0.5))).backward()
    assert abs(x.grad.item() + 0.4 / (0.1 * 0.9)) < 1e-14


@pytest.mark.parametrize("target", [2.0, -1.0, math.nan])
def test_binary_cross_entropy_refuses_targets_that_are_no_probabilities(target):
    with pytest.raises(ValueError, match="binary_cross_entropy: expected target from 0 to 1, got"):
        F.binary_cross_entropy(mt.full((2,), 0.5), mt.tensor([0.5, target]))


@pytest.mark.parametrize("target", [mt.zeros(0, 3), mt.zeros(0, dtype=mt.int64)], ids=["probabilities", "classes"])
def test_the_mean_loss_of_an_empty_batch_is_nan(target):
    assert F.cross_entropy(mt.zeros(0, 3), target).isnan()


@pytest.mark.parametrize("loss", [F.smooth_l1_loss, F.huber_loss])
def test_the_gradient_of_an_infinite_error_is_that_of_the_straight_part(loss):
    x = mt.tensor([math.inf, -math.inf, 3.0, 0.5], requires_grad=True)
    loss(x, mt.zeros(4), reduction="sum").backward()
    assert x.grad.tolist() == [1.0, -1.0, 1.0, 0.5]


def test_a_straight_part_that_begins_at_infinity_or_at_once_leaves_the_other():
    x = mt.tensor([3.0, -0.5], requires_grad=True)
    found = F.huber_loss(x, mt.zeros(2), delta=math.inf, reduction="none")
    assert found.tolist() == [4.5, 0.125] and mt.autograd.grad(found.sum(), x)[0].tolist() == [3.0, -0.5]
    small = F.smooth_l1_loss(x, mt.zeros(2), beta=1e-40, reduction="none")
    assert small.tolist() == [3.0, 0.5] and mt.autograd.grad(small.sum(), x)[0].tolist() == [1.0, -1.0]


def test_rows_of_no_numbers_are_0_apart():
    for p in (0, 1, 2, 3, math.inf):
        assert mt.cdist(mt.zeros(2, 0), mt.zeros(3, 0), p=p).tolist() == [[0.0] * 3] * 2
