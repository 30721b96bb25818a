"""How a window moves over images, and the order that images have in memory."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.ops.images import Window

NONE = ((0, 0), (0, 0))


@pytest.mark.parametrize(
    "kernel, stride, dilation, overlaps",
    [
        ((2, 2), (2, 2), (1, 1), False),
        ((2, 2), (1, 2), (1, 1), True),
        ((2, 2), (2, 1), (1, 1), True),
        ((3, 1), (2, 1), (1, 1), True),
        ((1, 1), (1, 1), (1, 1), False),
        ((1, 1), (1, 1), (3, 3), False),
        ((2, 2), (2, 2), (2, 2), True),
        ((2, 2), (3, 3), (2, 2), False),
        ((3, 3), (6, 6), (2, 2), False),
        ((3, 3), (5, 5), (2, 2), False),
        ((3, 3), (4, 4), (2, 2), True),
        ((2, 3), (2, 2), (1, 1), True),
    ],
)
def test_windows_overlap_if_the_next_begins_before_the_last_has_ended(kernel, stride, dilation, overlaps):
    assert Window(kernel, stride, NONE, dilation, (4, 4)).overlaps() == overlaps


@pytest.mark.parametrize(
    "kernel, stride, padding, out, size, all_written",
    [
        ((2, 2), (2, 2), NONE, (3, 2), (6, 4), True),
        ((2, 2), (2, 2), NONE, (3, 2), (7, 4), False),  # a last row that no window reaches
        ((2, 2), (2, 2), ((0, 1), (0, 0)), (3, 2), (5, 4), True),
        ((2, 2), (1, 1), NONE, (2, 2), (3, 3), False),
        ((2, 2), (1, 1), NONE, (2, 2), (4, 4), False),  # as many places as pixels, some written twice
        ((2, 2), (3, 3), NONE, (2, 2), (5, 5), False),
        ((1, 2), (1, 2), NONE, (1, 3), (1, 6), True),
        ((2, 2), (2, 2), NONE, (1, 1), (1, 5), False),
        ((2, 2), (2, 2), NONE, (1, 1), (2, 2), True),
    ],
)
def test_windows_side_by_side_that_hold_as_many_places_as_there_are_pixels_write_each_once(
    kernel, stride, padding, out, size, all_written
):
    assert Window(kernel, stride, padding, (1, 1), out).writes_all((7, 3, *size)) == all_written


def derivatives(groups, x, w):
    """A convolution and its gradients with respect to images and filters, for numbers that tell places apart."""
    x, w = (mt.tensor(a, requires_grad=True) for a in (x, w))
    y = F.conv2d(x, w, groups=groups)
    g = mt.from_numpy(np.cos(np.arange(y.numel())).reshape(y.shape))
    return [y.detach().numpy(), *(grad.numpy() for grad in mt.autograd.grad(y, [x, w], g))]


@pytest.mark.parametrize("groups, channels, width", [(4, 2, 4), (2, 4, 5), (2, 2, 2)])
def test_groups_as_many_as_filters_or_as_columns_are_not_taken_for_filters_of_one_channel_each(groups, channels, width):
    x = np.cos(np.arange(3 * groups * channels * 3 * width)).reshape(3, groups * channels, 3, width)
    w = np.sin(np.arange(groups * channels * 4)).reshape(groups, channels, 2, 2)
    together = derivatives(groups, x, w)
    alone = [F.conv2d(mt.from_numpy(x[:, k * channels :][:, :channels]), mt.from_numpy(w[k : k + 1])) for k in range(groups)]
    np.testing.assert_allclose(together[0], np.concatenate([y.numpy() for y in alone], 1), rtol=1e-12, atol=1e-14)
    g = np.cos(np.arange(together[0].size)).reshape(together[0].shape)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j in np.ndindex(2, 2):  # the textbook's sums, a place of the filter at a time
        under, into = (a[:, :, i : i + 2, j : j + width - 1].reshape(3, groups, channels, 2, width - 1) for a in (x, dx))
        dw[:, :, i, j] = np.einsum("nkchw,nkhw->kc", under, g)
        into += np.einsum("kc,nkhw->nkchw", w[:, :, i, j], g)
        dx[:, :, i : i + 2, j : j + width - 1] = into.reshape(3, groups * channels, 2, width - 1)
    np.testing.assert_allclose(together[1], dx, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(together[2], dw, rtol=1e-12, atol=1e-13)
