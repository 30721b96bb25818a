"""Convolution in two dimensions, its transpose, and its weight gradient: three bilinear operations, each other's derivatives.

Tensors are NCHW by shape and channels-last (NHWC) in memory. There, the patch under a filter is a few contiguous runs, so
im2col is one quick copy, the product with the weights is one matrix product, and its result is channels-last already.

The patches of a whole batch would fill hundreds of megabytes; a slab of images at a time fills half of one, which stays in
the cache between the copy and the product. Measured on one core, (200, 16, 14, 14) with 16 filters of 7x7: forward 15 ms
in slabs and 31 ms in one piece, weight gradient 13 and 36 ms. On a GPU, bound by launches, a slab may fill much more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch.backend import array_module
from minitorch.op import Op
from minitorch.ops.shape import is_channels_last
from minitorch.tensor import Tensor

Pair = int | tuple[int, int]


class Window(NamedTuple):
    """How a filter moves over an image: everything about a convolution but its arrays."""

    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    dilation: tuple[int, int]
    groups: int

    def out_size(self, size: tuple[int, int], kernel: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the output for an input of height and width `size`."""
        return tuple(
            (n + before + after - d * (k - 1) - 1) // s + 1
            for n, k, s, (before, after), d in zip(size, kernel, self.stride, self.padding, self.dilation)
        )


class Conv2d(Op):
    """y = x * w + b: y[n,o,i,j] = b[o] + sum over c,k,l of x[n,c,s i + d k - p, s j + d l - p] w[o,c,k,l].

    dx = conv_transpose(g, w), dw = the correlation of x with g, db = the sum of g over n, i, j.
    """

    def forward(ctx, x, w, b, window):
        ctx.saved = x if ctx.needs(1) else None, w if ctx.needs(0) else None
        ctx.window, ctx.size, ctx.kernel = window, x.shape[2:], w.shape[2:]
        return correlate(padded(x, window.padding), w, b, window, window.out_size(x.shape[2:], w.shape[2:]))

    def backward(ctx, g):
        x, w = ctx.saved
        return (
            None if w is None else ConvTranspose2d.apply(g, w, size=ctx.size, window=ctx.window),
            None if x is None else ConvWeight.apply(x, g, kernel=ctx.kernel, window=ctx.window),
            channel_sums(g) if ctx.needs(2) else None,
        )


class ConvTranspose2d(Op):
    """The transpose of x -> conv2d(x, w), applied to y: what a convolution of height and width `size` sends back to its input.

    dy = conv2d(g, w), dw = the correlation of g with y.
    """

    def forward(ctx, y, w, size, window):
        ctx.saved = y if ctx.needs(1) else None, w if ctx.needs(0) else None
        ctx.window, ctx.kernel, ctx.out = window, w.shape[2:], y.shape[2:]
        # a stride of one makes it a convolution with the filters turned round, which has no overlapping sums to add up
        around = tuple(
            (d * (k - 1) - before, n - out + before)
            for k, d, (before, _), n, out in zip(w.shape[2:], window.dilation, window.padding, size, y.shape[2:])
        )
        area = math.prod(size) / max(math.prod(y.shape[2:]), 1)
        if window.stride == (1, 1) and area < 1.25 and min(min(pair) for pair in around) >= 0:
            return correlate(padded(y, around), turned(w, window.groups), None, window, size)
        return scatter(y, w, size, window)

    def backward(ctx, g):
        y, w = ctx.saved
        return (
            None if w is None else cropped(Conv2d.apply(g, w, None, window=ctx.window), ctx.out),
            None if y is None else ConvWeight.apply(g, y, kernel=ctx.kernel, window=ctx.window),
        )


class ConvWeight(Op):
    """The gradient of conv2d's weights: sum over n,i,j of x[n,c,s i + d k - p, s j + d l - p] y[n,o,i,j].

    dx = conv_transpose(y, g), dy = conv2d(x, g).
    """

    def forward(ctx, x, y, kernel, window):
        ctx.saved = x, y
        ctx.window = window
        xp, groups = array_module(x), window.groups
        channels, filters = x.shape[1] // groups, y.shape[1] // groups
        total = xp.zeros((groups, kernel[0] * kernel[1] * channels, filters), x.dtype)
        y = xp.ascontiguousarray(y.transpose(0, 2, 3, 1))
        for stretch, columns in slabs(padded(x, window.padding), kernel, window, y.shape[1:3]):
            total += columns.swapaxes(-1, -2) @ grouped(y[stretch], groups)
        total = total.reshape(groups, *kernel, channels, filters).transpose(0, 4, 3, 1, 2)
        return total.reshape(groups * filters, channels, *kernel)

    def backward(ctx, g):
        x, y = ctx.saved
        return (
            ConvTranspose2d.apply(y, g, size=tuple(x.shape[2:]), window=ctx.window) if ctx.needs(0) else None,
            cropped(Conv2d.apply(x, g, None, window=ctx.window), tuple(y.shape[2:])) if ctx.needs(1) else None,
        )


def cropped(y: Any, size: tuple[int, int]) -> Any:
    """The part of `y` that a transposed convolution read: an output padding as long as a stride leaves room for more."""
    return y if tuple(y.shape[2:]) == size else y[:, :, : size[0], : size[1]]


def channel_sums(g: Any) -> Any:
    """The sum of images (n, c, h, w) over all but the channels, of an array or a tensor.

    Of channels-last arrays as a product with ones: (100, 32, 12, 12) takes 34 microseconds and NumPy's own sum 238.
    """
    if isinstance(g, Tensor) or not is_channels_last(g):
        return g.sum((0, 2, 3))
    rows = g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])
    return array_module(g).ones(rows.shape[0], g.dtype) @ rows


# ---- on arrays -----------------------------------------------------------------------------------------------------------


def padded(x: Any, padding: tuple[tuple[int, int], tuple[int, int]]) -> Any:
    """NCHW `x` as a contiguous NHWC array with zeros around it."""
    xp = array_module(x)
    x = x.transpose(0, 2, 3, 1)
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return xp.ascontiguousarray(x)
    n, height, width, channels = x.shape
    out = xp.zeros((n, height + top + bottom, width + left + right, channels), x.dtype)
    out[:, top : top + height, left : left + width] = x
    return out


def slabs(x: Any, kernel: tuple[int, int], window: Window, out: tuple[int, int]) -> Iterator[tuple[slice, Any]]:
    """im2col in slabs: (a stretch of images, their patches as (groups, images x height x width, kernel x channels))."""
    xp = array_module(x)
    n, _, _, channels = x.shape
    groups = window.groups
    step_n, step_h, step_w, step_c = x.strides
    patches = xp.lib.stride_tricks.as_strided(
        x,
        (n, *out, *kernel, groups, channels // groups),
        (
            step_n, step_h * window.stride[0], step_w * window.stride[1], step_h * window.dilation[0],
            step_w * window.dilation[1], step_c * (channels // groups), step_c,
        ),
    )  # fmt: skip
    patch = kernel[0] * kernel[1] * (channels // groups)
    one = out[0] * out[1] * patch * groups * x.itemsize
    size = images_in_a_slab(xp, one)
    for start in range(0, n, size):
        stretch = slice(start, min(start + size, n))
        block = patches[stretch]
        if channels == groups:  # one channel: neighbours in memory are pixels, so copy a row per place in the filter
            yield stretch, block.transpose(5, 3, 4, 6, 0, 1, 2).reshape(groups, patch, -1).swapaxes(1, 2)
        else:
            yield stretch, block.transpose(5, 0, 1, 2, 3, 4, 6).reshape(groups, -1, patch)


def images_in_a_slab(xp: Any, one: int) -> int:
    """How many images, with patches of `one` bytes each, make a slab: half a megabyte, on a GPU half a gigabyte."""
    return max(1, (2**19 if xp is np else 2**29) // max(one, 1))


def grouped(y: Any, groups: int) -> Any:
    """NHWC as (groups, images x height x width, channels of a group)."""
    rows = y.reshape(-1, groups, y.shape[-1] // groups)
    return rows.transpose(1, 0, 2)


def matrix(w: Any, groups: int) -> Any:
    """Filters (out, in of a group, kh, kw) as matrices (groups, kh x kw x in, out of a group), to multiply patches with."""
    filters, channels, kh, kw = w.shape
    w = w.reshape(groups, filters // groups, channels, kh, kw).transpose(0, 3, 4, 2, 1)
    return w.reshape(groups, kh * kw * channels, filters // groups)


def turned(w: Any, groups: int) -> Any:
    """The filters that carry a gradient back: rotated by half a turn, with input and output channels exchanged."""
    filters, channels, kh, kw = w.shape
    w = w[:, :, ::-1, ::-1].reshape(groups, filters // groups, channels, kh, kw).swapaxes(1, 2)
    return w.reshape(groups * channels, filters // groups, kh, kw)


def correlate(x: Any, w: Any, b: Any, window: Window, out: tuple[int, int]) -> Any:
    """Padded NHWC `x` with filters `w` moved over it in the strides of `window`: NCHW by shape, NHWC in memory."""
    xp, groups = array_module(x), window.groups
    weights = matrix(w, groups)
    filters = w.shape[0]
    y = xp.empty((x.shape[0], *out, filters), x.dtype)
    bias = None if b is None else xp.tile(b, out[0] * out[1])  # an image long: added in one run each, not one per pixel
    for stretch, columns in slabs(x, w.shape[2:], window, out):
        rows = y[stretch].reshape(-1, filters)
        if groups == 1:
            xp.matmul(columns[0], weights[0], out=rows)
        else:
            rows.reshape(-1, groups, filters // groups)[...] = (columns @ weights).transpose(1, 0, 2)
        if bias is not None:
            images = y[stretch].reshape(-1, bias.size)
            images += bias
    return y.transpose(0, 3, 1, 2)


def scatter(y: Any, w: Any, size: tuple[int, int], window: Window) -> Any:
    """col2im in slabs: each y times its filters, added up where the patches overlap; NCHW by shape, NHWC in memory."""
    xp, groups, kernel = array_module(y), window.groups, w.shape[2:]
    (top, bottom), (left, right) = window.padding
    (sh, sw), (dh, dw) = window.stride, window.dilation
    n, (oh, ow), channels = y.shape[0], y.shape[2:], w.shape[1]
    y = xp.ascontiguousarray(y.transpose(0, 2, 3, 1))
    weights = matrix(w, groups).swapaxes(-1, -2)
    x = xp.zeros((n, size[0] + top + bottom, size[1] + left + right, groups * channels), y.dtype)
    one = oh * ow * math.prod(kernel) * groups * channels * y.itemsize
    step = images_in_a_slab(xp, one)
    for start in range(0, n, step):
        stretch = slice(start, min(start + step, n))
        columns = (grouped(y[stretch], groups) @ weights).reshape(groups, -1, oh, ow, *kernel, channels)
        into = x[stretch].reshape(-1, *x.shape[1:3], groups, channels)
        for k in range(kernel[0]):
            for j in range(kernel[1]):
                rows = slice(k * dh, k * dh + sh * (oh - 1) + 1, sh)
                cols = slice(j * dw, j * dw + sw * (ow - 1) + 1, sw)
                into[:, rows, cols] += columns[:, :, :, :, k, j].transpose(1, 2, 3, 0, 4)
    return x[:, top : top + size[0], left : left + size[1]].transpose(0, 3, 1, 2)


# ---- functions -----------------------------------------------------------------------------------------------------------


def pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """A number for both dimensions or one for each; raises ValueError below `least`."""
    both = (value, value) if isinstance(value, (int, np.integer)) else tuple(value)
    if len(both) == 1:
        both *= 2
    if len(both) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in both):
        raise ValueError(f"{name}: expected {what} to be one or two whole numbers of at least {least}, got {value!r}")
    return int(both[0]), int(both[1])


def _check(name: str, input: Tensor, weight: Tensor, bias: Tensor | None, channels: int, filters: int, form: str) -> None:
    shapes = f"input {input.shape}, weight {weight.shape}, bias {None if bias is None else bias.shape}"
    if input.ndim != 4 or weight.ndim != 4:
        raise ValueError(f"{name}: expected input (n, channels, height, width) and weight {form}; got {shapes}")
    if input.shape[1] != channels:
        raise ValueError(f"{name}: the weight takes {channels} channels, the input has {input.shape[1]} ({shapes})")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{name}: expected a bias of shape {(filters,)} ({shapes})")
    dtypes = {tensor.dtype for tensor in (input, weight, bias) if tensor is not None}
    if len(dtypes) > 1 or input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected one floating dtype, got {', '.join(sorted(map(str, dtypes)))} ({shapes})")


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """The correlation of images (n, in, height, width) with filters (out, in / groups, kh, kw), plus bias (out).

    `padding` is a number of zeros on each side, "valid" (none) or "same" (an output of the input's size, stride 1 only). One
    image (in, height, width) is taken too. Raises ValueError if the shapes do not fit, TypeError if the dtypes differ.
    """
    if input.ndim == 3:
        return conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
    if groups < 1 or (weight.ndim and weight.shape[0] % groups):
        raise ValueError(f"conv2d: the filters of weight {weight.shape} do not divide into {groups} groups")
    form = "(out, in / groups, kh, kw)"
    channels = weight.shape[1] * groups if weight.ndim == 4 else 0
    _check("conv2d", input, weight, bias, channels, weight.shape[0] if weight.ndim else 0, form)
    stride, dilation = pair("conv2d", "stride", stride, 1), pair("conv2d", "dilation", dilation, 1)
    kernel = weight.shape[2:]
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"conv2d: padding 'same' needs a stride of 1, got {stride}")
        around = tuple((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation))
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f"conv2d: expected padding to be numbers, 'same' or 'valid', got {padding!r}")
    else:
        around = tuple((n, n) for n in pair("conv2d", "padding", 0 if padding == "valid" else padding, 0))
    window = Window(stride, around, dilation, groups)
    if min(window.out_size(input.shape[2:], kernel)) < 1:
        raise ValueError(
            f"conv2d: a filter of {kernel} with dilation {dilation} does not fit into an image of {input.shape[2:]} with "
            f"padding {padding} (input {input.shape}, weight {weight.shape})"
        )
    return Conv2d.apply(input, weight, bias, window=window)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Tensor:
    """The transpose of conv2d: images (n, in, height, width), filters (in, out / groups, kh, kw), plus bias (out).

    `output_padding` is added to one side of the output, whose size a stride leaves open. Raises as `conv2d` does.
    """
    if input.ndim == 3:
        whole = conv_transpose2d(input.unsqueeze(0), weight, bias, stride, padding, output_padding, groups, dilation)
        return whole.squeeze(0)
    name = "conv_transpose2d"
    if groups < 1 or (weight.ndim and weight.shape[0] % groups):
        raise ValueError(f"{name}: the channels of weight {weight.shape} do not divide into {groups} groups")
    filters = weight.shape[1] * groups if weight.ndim == 4 else 0
    _check(name, input, weight, bias, weight.shape[0] if weight.ndim else 0, filters, "(in, out / groups, kh, kw)")
    stride, dilation = pair(name, "stride", stride, 1), pair(name, "dilation", dilation, 1)
    padding, extra = pair(name, "padding", padding, 0), pair(name, "output_padding", output_padding, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise ValueError(f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}")
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(input.shape[2:], stride, padding, dilation, weight.shape[2:], extra)
    )
    if min(size) < 1:
        raise ValueError(f"{name}: nothing is left of an output of {size} (input {input.shape}, weight {weight.shape})")
    window = Window(stride, tuple((p, p) for p in padding), dilation, groups)
    out = ConvTranspose2d.apply(input, weight, size=size, window=window)
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)
