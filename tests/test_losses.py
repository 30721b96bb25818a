"""Corners of the losses that a table of ordinary inputs does not reach."""

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
