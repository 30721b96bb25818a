"""Layer norm and group norm: every order of memory and every length of rows has the numbers of its rule."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F


def by_hand(x, groups):
    """Group norm and its gradient, for an incoming one that tells elements apart, by the formula."""
    rows = x.reshape(x.shape[0], groups, -1)
    g = np.cos(np.arange(x.size)).reshape(rows.shape)
    inverse = 1 / np.sqrt(rows.var(-1, keepdims=True) + 1e-5)
    n = (rows - rows.mean(-1, keepdims=True)) * inverse
    dx = (g - g.mean(-1, keepdims=True) - n * (g * n).mean(-1, keepdims=True)) * inverse
    return n.reshape(x.shape), g.reshape(x.shape), dx.reshape(x.shape)


@pytest.mark.parametrize("shape", [(3, 4, 2, 5), (2, 4, 1, 1), (2, 4, 3, 1), (1, 6, 1, 7), (2, 2, 40, 30)])
@pytest.mark.parametrize("last", [False, True])
def test_group_norm_of_images_of_either_order_in_memory(shape, last):
    values = np.sin(np.arange(np.prod(shape)) * 1.3).reshape(shape)
    n, g, dx = by_hand(values, 2)
    x = np.ascontiguousarray(values.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else values
    x = mt.from_numpy(x).requires_grad_()
    y = F.group_norm(x, 2)
    (found,) = mt.autograd.grad(y, x, mt.from_numpy(g))
    np.testing.assert_allclose(y.detach().numpy(), n, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found.numpy(), dx, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("norm", [lambda x: F.layer_norm(x, x.shape[1:]), lambda x: F.group_norm(x[:, None], 1)])
def test_the_mean_of_a_long_row_is_right_to_the_last_digits(norm):
    y = norm(mt.full((1, 300_000), 0.1))  # one chain of sums would leave 0.0014
    assert np.abs(y.numpy()).max() < 1e-4


@pytest.mark.parametrize(
    "values, p, expected",
    [
        ([0.0, 1.0, 2.0], -1, 0.0),
        ([1.0, 2.0], -1, 2 / 3),
        ([np.inf, np.inf], -2, np.inf),
        ([np.nan, np.inf, 0.0, -0.0], 0, 2.0),
    ],
)
def test_norms_of_zeros_infinities_and_nan(values, p, expected):
    assert mt.tensor(values).norm(p=p).item() == pytest.approx(expected)


def test_a_norm_of_whole_numbers_is_refused_since_their_squares_would_wrap():
    for call in (lambda x: x.norm(), lambda x: x.norm(p=1), lambda x: F.normalize(x, dim=0), mt.linalg.norm):
        with pytest.raises(TypeError, match=r"^norm: expected a floating-point tensor, got int8"):
            call(mt.tensor([100, 100], dtype=mt.int8))


def test_a_norm_without_a_number_to_begin_with_is_refused():
    for p in (np.inf, -np.inf, -1.0):
        with pytest.raises(ValueError, match=r"^norm: there is no element"):
            mt.zeros(2, 0).norm(p=p, dim=1)
