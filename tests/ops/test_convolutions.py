"""Convolutions large enough to be taken apart: into rows of the filter, slabs of images, stretches of columns."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.ops import im2col
from minitorch.ops.conv import plain_conv2d, plain_gradients
from minitorch.ops.im2col import bands, gathering_pays
from minitorch.ops.images import Window
from tests.op_table import naive
from tests.op_table.checks import assert_close, host

LARGE = {
    "rows of the filter apart": ((2, 4, 8, 6), (3, 4, 3, 3), {"padding": 1}),
    "rows apart, with stride along the height": ((1, 4, 14, 5), (2, 4, 6, 3), {"stride": (2, 1)}),
    "rows apart, with stride along the width": ((2, 4, 8, 7), (3, 4, 3, 3), {"padding": 1, "stride": (1, 2)}),
    "rows apart, with dilation along the height": ((2, 4, 9, 6), (3, 4, 3, 3), {"padding": (2, 1), "dilation": (2, 1)}),
    "rows apart, with dilation along the width": ((2, 4, 8, 7), (3, 4, 3, 3), {"padding": (1, 2), "dilation": (1, 2)}),
    "rows apart, in groups": ((2, 8, 8, 6), (4, 4, 3, 3), {"padding": 1, "groups": 2}),
    "rows apart, of one channel": ((1, 1, 8, 14), (1, 1, 3, 12), {"padding": (1, 0)}),
    "rows apart, in slabs of images": ((100, 4, 12, 12), (1, 4, 3, 3), {"padding": 1}),
    "slabs of images": ((30, 2, 14, 14), (2, 2, 3, 3), {}),
    "slabs of images of one channel": ((40, 1, 16, 16), (2, 1, 5, 5), {}),
    "images larger than a slab": ((2, 1, 80, 80), (1, 1, 5, 5), {}),
    "rows gathered": ((3, 16, 6, 7), (4, 16, 3, 4), {"padding": (1, 2)}),
    "rows gathered, in slabs of images": ((9, 16, 14, 14), (16, 16, 5, 5), {"padding": 2}),
    "rows gathered, with stride along the width": ((2, 16, 5, 9), (3, 16, 3, 4), {"padding": (1, 2), "stride": (1, 2)}),
    "rows gathered, dilated along the width": ((2, 16, 7, 9), (3, 16, 3, 4), {"padding": (1, 3), "dilation": (1, 2)}),
    "rows gathered, dilated along the height": ((2, 16, 7, 9), (3, 16, 3, 4), {"padding": (2, 1), "dilation": (2, 1)}),
    "rows gathered, of an output taller than the input": ((2, 16, 4, 5), (3, 16, 3, 4), {"padding": (2, 1)}),
    "rows gathered, with stride along the height": ((2, 16, 3, 5), (3, 16, 5, 4), {"padding": (4, 1), "stride": (2, 1)}),
    "stretches of columns": ((6, 8, 44, 60), (1, 8, 5, 5), {}),
    "columns one by one": ((8, 32, 132, 2), (1, 32, 5, 1), {}),
}


@pytest.mark.parametrize("x_shape, w_shape, parameters", LARGE.values(), ids=LARGE)
def test_a_large_convolution_and_its_gradients(x_shape, w_shape, parameters, device):
    """A convolution is linear in either operand, so that a gradient is known by its product with any other operand."""
    draw = np.random.default_rng(0).standard_normal
    x, w, b = (mt.tensor(draw(shape), device=device, requires_grad=True) for shape in (x_shape, w_shape, w_shape[0]))
    y = F.conv2d(x, w, b, **parameters)
    assert_close(host(y), naive.conv2d(host(x), host(w), host(b), **parameters))
    given, other_x, other_w = draw(y.shape), draw(x_shape), draw(w_shape)
    y.backward(mt.tensor(given, device=device))
    size = np.sqrt(given.size)
    expected = (given * naive.conv2d(other_x, host(w), **parameters)).sum()
    assert_close((host(x.grad) * other_x).sum(), expected, least=size)
    expected = (given * naive.conv2d(host(x), other_w, **parameters)).sum()
    assert_close((host(w.grad) * other_w).sum(), expected, least=size)
    assert_close(host(b.grad), given.sum((0, 2, 3)), least=size)


@pytest.mark.parametrize(
    "x_shape, w_shape, parameters",
    [shapes for shapes in LARGE.values() if "groups" not in shapes[2]],
    ids=[name for name, shapes in LARGE.items() if "groups" not in shapes[2]],
)
def test_the_textbook_form_and_its_gradients_are_those_of_the_operation(x_shape, w_shape, parameters):
    draw = np.random.default_rng(0).standard_normal
    x, w, b = (mt.tensor(draw(shape), requires_grad=True) for shape in (x_shape, w_shape, w_shape[0]))
    y = F.conv2d(x, w, b, **parameters)
    window, g = y.grad_fn.window, draw(y.shape)
    assert_close(host(y), plain_conv2d(host(x), host(w), host(b), window))
    y.backward(mt.tensor(g))
    for tensor, gradient in zip((x, w, b), plain_gradients(g, host(x), host(w), window)):
        assert_close(host(tensor.grad), gradient, least=np.sqrt(g.size))


def moved(kernel, size, padding, groups=1):
    """The window of a filter that moves by one pixel over an image of height and width `size`."""
    out = tuple(n + 2 * p - k + 1 for n, p, k in zip(size, padding, kernel))
    return Window(kernel, (1, 1), tuple((p, p) for p in padding), (1, 1), out, groups)


@pytest.mark.parametrize("groups, channels", [(1, 4), (2, 2), (1, 16), (4, 1)])
@pytest.mark.parametrize("slab", [1, 300, 2**12])
def test_a_slab_too_small_for_an_image_changes_no_number(groups, channels, slab, monkeypatch):
    draw = np.random.default_rng(0).standard_normal

    def results():
        x, w, b = (mt.tensor(a, requires_grad=True) for a in arrays)
        y = F.conv2d(x, w, b, padding=1, groups=groups)
        y.backward(given)
        return [host(each) for each in (y, x.grad, w.grad, b.grad)]

    arrays = draw((3, groups * channels, 5, 6)), draw((4, channels, 3, 3)), draw(4)
    given = mt.tensor(draw((3, 4, 5, 6)))
    whole = results()
    monkeypatch.setattr(im2col, "slab", lambda xp: slab)
    for apart, together in zip(results(), whole):
        assert_close(apart, together)


@pytest.mark.parametrize(
    "x_shape, w_shape, padding",
    [((40, 8, 28, 30), (8, 8, 3, 3), 0), ((40, 2, 28, 30), (32, 2, 3, 3), 0), ((40, 22, 28, 30), (44, 22, 3, 3), 1)],
    ids=["rows", "whole", "gathered"],
)
def test_what_a_convolution_works_in_does_not_grow_with_the_batch(x_shape, w_shape, padding):
    """A slab of half a megabyte, and one twice as large on the way back, whose products are added up beside it."""
    x, w = mt.ones(x_shape, requires_grad=True), mt.ones(w_shape, requires_grad=True)
    given = mt.ones_like(F.conv2d(x, w, padding=padding))
    tracemalloc.start()
    y = F.conv2d(x, w, padding=padding)
    y.backward(given)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = sum(tensor.array.nbytes for tensor in (x, x, y, y))  # images and output, and their copies or gradients
    assert most < kept + 1.6e6


@pytest.mark.parametrize(
    "channels, size, filter_size, count",
    [
        (64, (6, 6), (2, 2), 1),
        (32, (6, 6), (3, 3), 3),
        (1, (14, 14), (3, 3), 1),
        (2, (14, 14), (3, 3), 1),
        (4, (14, 14), (3, 3), 3),
        (4, (14, 6), (3, 3), 3),
        (4, (6, 14), (3, 3), 3),
        (4, (14, 14), (2, 8), 1),
        (2, (14, 14), (8, 2), 1),
        (12, (14, 14), (8, 1), 8),
    ],
)
def test_a_filter_is_taken_apart_where_that_was_measured_to_pay(channels, size, filter_size, count):
    window = moved(filter_size, size, (0, 0))
    (_, parts), *_ = bands(np.ones((1, *size, channels)), window)
    assert len(parts) == count


@pytest.mark.parametrize(
    "channels, filters, size, kernel, padding, groups, pays",
    [
        (16, 16, (14, 14), (7, 7), (3, 3), 1, True),
        (16, 32, (7, 7), (5, 5), (2, 2), 1, True),
        (32, 32, (14, 14), (3, 3), (1, 1), 1, True),
        (192, 128, (3, 3), (3, 3), (1, 1), 1, True),
        (16, 8, (9, 4), (3, 4), (1, 0), 1, True),
        (32, 33, (14, 14), (6, 3), (3, 3), 1, False),
        (32, 64, (6, 6), (3, 3), (0, 0), 1, False),
        (32, 64, (6, 6), (3, 3), (0, 1), 1, False),
        (8, 8, (14, 14), (3, 3), (1, 1), 1, False),
        (32, 32, (14, 14), (3, 3), (1, 1), 2, False),
        (16, 80, (14, 14), (5, 5), (2, 2), 1, False),
    ],
)
def test_rows_are_gathered_where_that_was_measured_to_pay(channels, filters, size, kernel, padding, groups, pays):
    window = moved(kernel, size, padding, groups)
    x, y = np.ones((1, channels, *size)), np.ones((1, filters, *window.out))
    assert gathering_pays(x, y, window) is pays


@pytest.mark.parametrize(
    "channels, filters, groups, kernel, own",
    [
        (2, 2, 2, (3, 3), True),
        (1, 1, 1, (3, 3), False),
        (4, 8, 4, (3, 3), False),
        (4, 4, 2, (3, 3), False),
        (2, 2, 2, (8, 16), True),
        (2, 2, 2, (3, 43), False),
    ],
)
def test_pixels_and_weights_are_multiplied_where_each_channel_has_one_small_filter(channels, filters, groups, kernel, own):
    assert im2col.is_depthwise(channels, filters, moved(kernel, (50, 50), (0, 0), groups)) is own


def test_a_slab_is_half_a_megabyte_and_on_a_gpu_half_a_gigabyte():
    assert (im2col.slab(np), im2col.slab(None)) == (2**19, 2**29)


@pytest.mark.parametrize("kernel, padding, stride", [(3, 1, 1), (2, 0, 2), (5, 2, 1), (12, 6, 1)])  # the last by products
@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_filter_of_its_own_for_each_channel_is_one_convolution_a_channel(n, kernel, padding, stride):
    draw = np.random.default_rng(0).normal
    x, w, b = (mt.tensor(draw(size=shape), requires_grad=True) for shape in ((n, 6, 13, 14), (6, 1, kernel, kernel), (6,)))
    options = {"padding": padding, "stride": stride}
    ours = F.conv2d(x, w, b, groups=6, **options)
    apart = mt.cat([F.conv2d(x[:, i : i + 1], w[i : i + 1], b[i : i + 1], **options) for i in range(6)], 1)
    np.testing.assert_allclose(ours.detach().numpy(), apart.detach().numpy(), rtol=1e-12, atol=1e-12)
    for found, plain in zip(*(mt.autograd.grad((out * out).sum(), [x, w, b]) for out in (ours, apart))):
        np.testing.assert_allclose(found.numpy(), plain.numpy(), rtol=1e-10, atol=1e-10)
