"""Convolution in two dimensions, its transpose, and its weight gradient: three bilinear operations, each other's derivatives.

The textbook form comes first: a convolution is one product of the filters with the patches of the images. The operations
below it compute the same, as the tests show, by the products of `im2col.py`, for tensors that are NCHW by shape and
channels-last (NHWC) in memory. Forward and backward, (100, 32, 6, 6) to 64 filters of 3x3 take 0.45 of the textbook form's
time with them, (50, 16, 14, 14) to 16 of 7x7 take 0.27.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.dims import shapes
from minitorch.ops.im2col import correlate, padded, spread, weigh
from minitorch.ops.images import Pair, Window, sizes
from minitorch.ops.reduce import channel_sums

# ---- the textbook form (Chellapilla, Puri & Simard 2006), on arrays, for one group ------------------------------------------


def patches(x: Any, window: Window) -> Any:
    """im2col: the patch of the images (n, c, height, width) at each place, as a column: (n, c kh kw, places)."""
    found = array_module(x).stack(list(window.positions(window.pad(x, 0))), 2)  # (n, c, kh kw, out height, out width)
    return found.reshape(len(x), found.shape[1] * found.shape[2], math.prod(window.out))


def add_back(columns: Any, size: tuple[int, ...], window: Window) -> Any:
    """col2im: add each number of the columns (n, c kh kw, places) to the pixel of the images that it was copied from."""
    n, places = len(columns), math.prod(window.kernel)
    columns = columns.reshape(n, columns.shape[1] // places, places, *window.out)
    images = array_module(columns).zeros((n, columns.shape[1], *window.padded_size(size)), columns.dtype)
    for i, pixels in enumerate(window.positions(images)):
        pixels += columns[:, :, i]
    return window.inside(images, (*images.shape[:2], *size))


def plain_conv2d(x: Any, w: Any, b: Any, window: Window) -> Any:
    """y = w P + b, where P are the patches of x and each filter is a row of w."""
    y = w.reshape(len(w), -1) @ patches(x, window) + b[:, None]
    return y.reshape(len(x), len(w), *window.out)


def plain_gradients(g: Any, x: Any, w: Any, window: Window) -> tuple[Any, Any, Any]:
    """dP = w^T g, which is added back to the pixels, dw = g P^T and db = g, each summed over what it was used for."""
    g, rows = g.reshape(len(x), len(w), -1), w.reshape(len(w), -1)
    dx = add_back(rows.T @ g, x.shape[2:], window)
    dw = (g @ patches(x, window).swapaxes(1, 2)).sum(0)
    return dx, dw.reshape(w.shape), g.sum((0, 2))


# ---- the operations ----------------------------------------------------------------------------------------------------------


class Conv2d(Op):
    """y = x * w + b: y[n,o,i,j] = b[o] + sum over c,k,l of x[n,c,s i + d k - p, s j + d l - p] w[o,c,k,l].

    dx = conv_transpose(g, w), dw = the correlation of x with g, db = the sum of g over n, i, j.
    """

    def forward(ctx, x: Any, w: Any, b: Any, window: Any) -> Any:
        ctx.saved = x if ctx.needs(1) else None, w if ctx.needs(0) else None
        ctx.window, ctx.size = window, x.shape[2:]
        return correlate(padded(x, window.padding), w, b, window)

    def backward(ctx, g: Any) -> Any:
        x, w = ctx.saved
        dx = None if w is None else ConvTranspose2d.apply(g, w, size=ctx.size, window=ctx.window)
        dw = None if x is None else ConvWeight.apply(x, g, window=ctx.window)
        return dx, dw, channel_sums(g) if ctx.needs(2) else None


class ConvTranspose2d(Op):
    """The transpose of x -> conv2d(x, w), applied to y: the gradient of a convolution by its input of height and width `size`.

    dy = conv2d(g, w), dw = the correlation of g with y.
    """

    def forward(ctx, y: Any, w: Any, size: Any, window: Any) -> Any:
        ctx.saved = y if ctx.needs(1) else None, w if ctx.needs(0) else None
        ctx.window = window
        return spread(y, w, size, window)

    def backward(ctx, g: Any) -> Any:
        y, w = ctx.saved
        dy = None if w is None else Conv2d.apply(g, w, None, window=ctx.window)
        dw = None if y is None else ConvWeight.apply(g, y, window=ctx.window)
        return dy, dw


class ConvWeight(Op):
    """The gradient of conv2d's weights: sum over n,i,j of x[n,c,s i + d k - p, s j + d l - p] y[n,o,i,j].

    dx = conv_transpose(y, g), dy = conv2d(x, g).
    """

    def forward(ctx, x: Any, y: Any, window: Any) -> Any:
        ctx.saved = x, y
        ctx.window = window
        return weigh(x, y, window)

    def backward(ctx, g: Any) -> Any:
        x, y = ctx.saved
        dx = ConvTranspose2d.apply(y, g, size=tuple(x.shape[2:]), window=ctx.window) if ctx.needs(0) else None
        dy = Conv2d.apply(x, g, None, window=ctx.window) if ctx.needs(1) else None
        return dx, dy


# ---- functions -----------------------------------------------------------------------------------------------------------


def _check(name: str, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool) -> None:
    """Raise ValueError unless the shapes fit, TypeError unless the dtypes are one."""

    def given() -> str:  # written out only if something is wrong
        return f"input {shapes(input)}, weight {shapes(weight)}, bias {None if bias is None else shapes(bias)}"

    if input.ndim != 4 or weight.ndim != 4:
        form = "(in, out / groups, kh, kw)" if transposed else "(out, in / groups, kh, kw)"
        raise ValueError(f"{name}: expected input (n, channels, height, width) and weight {form}; got {given()}")
    if groups < 1 or weight.shape[0] % groups:
        what = "channels" if transposed else "filters"
        raise ValueError(f"{name}: the {what} of weight {shapes(weight)} do not divide into {groups} groups")
    channels, filters = weight.shape[0], weight.shape[1] * groups
    if not transposed:
        channels, filters = filters, channels
    if not channels or not filters:
        raise ValueError(f"{name}: expected at least one channel and one filter; got {given()}")
    if input.shape[1] != channels:
        raise ValueError(f"{name}: the weight takes {channels} channels, the input has {input.shape[1]} ({given()})")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"{name}: expected a bias of shape {(filters,)} ({given()})")
    dtypes = {tensor.dtype for tensor in (input, weight, bias) if tensor is not None}
    if len(dtypes) > 1 or input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected one floating dtype, got {', '.join(sorted(map(str, dtypes)))} ({given()})")


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
    image (in, height, width) is taken too. Raises ValueError if the shapes do not fit or there is no channel (PyTorch's
    output is empty then), TypeError if the dtypes differ.
    """
    if input.ndim == 3:
        return conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
    _check("conv2d", input, weight, bias, groups, False)
    stride, dilation = sizes("conv2d", "stride", stride, 1), sizes("conv2d", "dilation", dilation, 1)
    kernel = weight.shape[2:]
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"conv2d: padding 'same' needs a stride of 1, got {stride}")
        around = tuple((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation))
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f"conv2d: expected padding to be numbers, 'same' or 'valid', got {padding!r}")
    else:
        around = tuple((n, n) for n in sizes("conv2d", "padding", 0 if padding == "valid" else padding, 0))
    out = tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, (before, after), d, k, s in zip(input.shape[2:], around, dilation, kernel, stride)
    )
    if min(out) < 1 or 0 in kernel or 0 in input.shape[2:]:
        image = f"an image of {input.shape[2:]} with padding {padding} (input {shapes(input)}, weight {shapes(weight)})"
        raise ValueError(f"conv2d: a filter of {kernel} with dilation {dilation} does not fit into {image}")
    return Conv2d.apply(input, weight, bias, window=Window(kernel, stride, around, dilation, out, groups))


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

    `output_padding` is added to one side of the output, whose size a stride above 1 leaves open. Raises like `conv2d`.
    """
    name, more = "conv_transpose2d", (bias, stride, padding, output_padding, groups, dilation)
    if input.ndim == 3:
        return conv_transpose2d(input.unsqueeze(0), weight, *more).squeeze(0)
    _check(name, input, weight, bias, groups, True)
    stride, dilation = sizes(name, "stride", stride, 1), sizes(name, "dilation", dilation, 1)
    padding, extra = sizes(name, "padding", padding, 0), sizes(name, "output_padding", output_padding, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise ValueError(f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}")
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(input.shape[2:], stride, padding, dilation, weight.shape[2:], extra)
    )
    if min(size) < 1 or 0 in weight.shape[2:] or 0 in input.shape[2:]:
        raise ValueError(f"{name}: nothing is left of an output of {size} (input {shapes(input)}, weight {shapes(weight)})")
    window = Window(weight.shape[2:], stride, tuple((p, p) for p in padding), dilation, input.shape[2:], groups)
    out = ConvTranspose2d.apply(input, weight, size=size, window=window)
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)


# ---- patches as columns and back -----------------------------------------------------------------------------------------


class Unfold(Op):
    """im2col: the patches of a (n, c, h, w) as columns (n, c kh kw, positions).  da = g folded."""

    def forward(ctx, a: Any, window: Any) -> Any:
        ctx.window, ctx.size = window, a.shape[2:]
        return patches(a, window)

    def backward(ctx, g: Any) -> Any:
        return Fold.apply(g, size=ctx.size, window=ctx.window)


class Fold(Op):
    """col2im: columns (n, c kh kw, positions) added where their patches lie in an image (n, c, *size).  da = g unfolded."""

    def forward(ctx, a: Any, size: Any, window: Any) -> Any:
        ctx.window = window
        return add_back(a, size, window).copy()

    def backward(ctx, g: Any) -> Any:
        return Unfold.apply(g, window=ctx.window)


def _window(name: str, size: tuple[int, ...], kernel: Any, dilation: Any, padding: Any, stride: Any) -> Window:
    """How a patch moves over an image of `size`."""
    kernel, dilation = sizes(name, "kernel_size", kernel, 1), sizes(name, "dilation", dilation, 1)
    padding, stride = sizes(name, "padding", padding, 0), sizes(name, "stride", stride, 1)
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(size, kernel, dilation, padding, stride))
    return Window(kernel, stride, tuple((p, p) for p in padding), dilation, out)


def unfold(input: Tensor, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> Tensor:
    """The patches of images (n, c, h, w) as columns: (n, c kh kw, positions), or without n.

    `weight.view(out, -1) @ unfold(x, k)` is a convolution. Raises ValueError if a patch does not fit.
    """
    if input.ndim == 3:
        return unfold(input.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0)
    window = _window("unfold", tuple(input.shape[2:]), kernel_size, dilation, padding, stride)
    if input.ndim != 4 or 0 in input.shape[1:]:
        raise ValueError(f"unfold: expected images (n, channels, height, width), got shape {shapes(input)}")
    if min(window.out) < 1:
        raise ValueError(f"unfold: patches of {window.kernel} do not fit into {tuple(input.shape[2:])} (input {shapes(input)})")
    return Unfold.apply(input, window=window)


def fold(
    input: Tensor, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Columns (n, c kh kw, positions) added where their patches lie in images (n, c, *output_size), or without n.

    Raises ValueError for a number of rows or positions that does not fit.
    """
    if input.ndim == 2:
        return fold(input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0)
    size = sizes("fold", "output_size", output_size, 1)
    window = _window("fold", size, kernel_size, dilation, padding, stride)
    each, places = math.prod(window.kernel), math.prod(max(n, 0) for n in window.out)
    if input.ndim != 3 or not input.shape[1] or input.shape[1] % each or not places or input.shape[2] != places:
        given = f"images of {size} and patches of {window.kernel}, got shape {shapes(input)}"
        raise ValueError(f"fold: expected columns (n, channels x {each}, {places}) for {given}")
    return Fold.apply(input, size=size, window=window)
