"""Pooling of extreme inputs: nan, infinities, and memory that no window writes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from tests.op_table import naive
from tests.op_table.checks import assert_close, host
from tests.op_table.row import spread

NAN, INF = math.nan, math.inf


def pooled_and_gradient(values, device, **parameters):
    x = mt.tensor(np.asarray(values, np.float64)[None, None], device=device, requires_grad=True)
    y = F.max_pool2d(x, **parameters)
    y.backward(mt.tensor(np.arange(1.0, y.numel() + 1).reshape(y.shape), device=device))
    return host(y)[0, 0], host(x.grad)[0, 0]


def test_no_gradient_is_read_from_unwritten_memory(device):
    """Every window of up to 5 by 5 over sizes that it divides, padded or with gaps; `np.empty` is poisoned in this suite."""
    for kernel in range(1, 6):
        for stride in range(1, 6):
            for padding in range(kernel // 2 + 1):
                for ceil_mode in (False, True):
                    for size in {3 * kernel, 2 * stride, kernel + stride} - set(range(kernel)):
                        x = mt.tensor(spread(1, 1, size, size), device=device, requires_grad=True)
                        y = F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode)
                        y.sum().backward()
                        assert float(x.grad.sum()) == y.numel(), (kernel, stride, padding, ceil_mode, size)


def test_the_gradient_of_a_nan_goes_to_the_last_nan_of_its_window(device):
    y, grad = pooled_and_gradient([[1, NAN, 3, 4], [NAN, 5, 6, 7]], device, kernel_size=2)
    assert_close(y, [[NAN, 7]])
    assert_close(grad, [[0, 0, 0, 0], [1, 0, 0, 2]])


def test_infinities_of_both_signs_are_pooled_without_a_floating_point_error(device):
    x = mt.tensor([[[[INF, 1.0, -INF, -INF], [2.0, 3.0, -INF, -INF]]]], device=device, requires_grad=True)
    with np.errstate(all="raise"):
        y, place = F.max_pool2d(x, 2, return_indices=True)
    assert y.tolist() == [[[[INF, -INF]]]] and place.tolist() == [[[[0, 2]]]]


def test_the_place_of_a_nan_is_named(device):
    x = mt.tensor([[[NAN, 1.0, 2.0], [0.0, NAN, 0.0], [3.0, 0.0, 0.0]]], device=device)
    values, indices = F.max_pool2d(x, 2, 1, return_indices=True)
    assert indices.tolist() == [[[4, 4], [4, 4]]]
    assert_close(host(values), np.full((1, 2, 2), NAN))


@pytest.mark.parametrize("stride", [1, 2])
def test_an_infinite_gradient_stays_where_it_belongs(stride, device):
    x = mt.tensor(spread(1, 1, 4, 4), device=device, requires_grad=True)
    y = F.max_pool2d(x, 2, stride)
    y.backward(mt.full(y.shape, INF, dtype=mt.float64, device=device))
    _, at = naive.max_pool2d(host(x), 2, stride, return_indices=True)
    expected = np.zeros(16)
    expected[at.reshape(-1)] = INF
    assert_close(host(x.grad).reshape(-1), expected)


@pytest.mark.parametrize("means", [lambda x: F.adaptive_avg_pool2d(x, (2, 3)), lambda x: F.interpolate(x, (2, 3), mode="area")])
def test_an_infinite_pixel_spoils_no_mean_but_that_of_its_own_stretch(means):
    x = mt.ones(1, 1, 3, 4)
    x[0, 0, 0, 0] = INF
    np.testing.assert_array_equal(means(x).numpy()[0, 0], [[INF, 1, 1], [1, 1, 1]])


@pytest.mark.parametrize("kernel", [(1, 4096), (4096, 1)])
def test_means_of_long_windows_are_exact_to_a_few_units_of_the_last_place(kernel):
    x = mt.full((1, 1, *(size + 3 * (size > 1) for size in kernel)), 0.1)
    np.testing.assert_allclose(F.avg_pool2d(x, kernel, stride=1).numpy(), np.float32(0.1), rtol=3e-6)
