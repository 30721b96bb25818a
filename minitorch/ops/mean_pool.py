"""Average pooling in two dimensions: over windows, and over stretches of nearly equal length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.accumulate import CHAIN, in_float32, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.images import Pair, is_channels_last, pair
from minitorch.ops.pieces import flat
from minitorch.ops.pool import fitted_window


class SumPool2d(Op):
    """The sum of each window.  da = g spread over the window.

    Rows first, then columns: 14x14 places are 28 additions, not 196.
    """

    def forward(ctx, a: Any, window: Any) -> Any:
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        if is_whole(window, a.shape):  # one sum; forward and backward of (32, 64, 8, 8) take 0.63 of the time
            return total(a, (2, 3), True)
        return added(window.columns(added(window.rows(window.pad(a, 0)))))

    def backward(ctx, g: Any) -> Any:
        return flat(ctx, Spread.apply(g, window=ctx.window, shape=ctx.shape_in, last=ctx.last))


def is_whole(window: Any, shape: tuple[int, ...]) -> bool:
    """Whether the only window is the whole image, without padding."""
    return window.out == (1, 1) and window.kernel == tuple(shape[2:]) and not any(map(any, window.padding))


def added(slices: Iterable[Any]) -> Any:
    """The sum of arrays of one shape, in the memory order of the first, no more than `CHAIN` of them one by one."""
    parts: list[Any] = []
    for i, one in enumerate(slices):
        if i % CHAIN:
            parts[-1] += one
        else:
            parts.append(one.copy(order="K"))
    return parts[0] if len(parts) == 1 else added(parts)


class Spread(Op):
    """Zeros of `shape` with a added at every place of its window, channels-last if `last`.  da = g summed over each window."""

    def forward(ctx, a: Any, window: Any, shape: Any, last: Any) -> Any:
        ctx.window = window
        xp = array_module(a)
        if is_whole(window, shape):
            out = window.blank(xp, None, shape, a.dtype, last)
            out[...] = a
            return out
        out = window.blank(xp, 0, shape, a.dtype, last)
        wide = xp.zeros_like(out[:, :, : window.out[0]])
        for column in window.columns(wide):
            column += a
        for row in window.rows(out):
            row += wide
        return window.inside(out, shape)

    def backward(ctx, g: Any) -> Any:
        return SumPool2d.apply(g, window=ctx.window)


def stretches(length: int, out: int) -> list[tuple[int, int]]:
    """Where each of `out` stretches of nearly equal length begins and ends; they cover `length`, and may share elements."""
    return [(i * length // out, -(-(i + 1) * length // out)) for i in range(out)]


class StretchMeans(Op):
    """The means of a over stretches of rows and of columns, `size` of them.  da = g / count, spread over each stretch."""

    def forward(ctx, a: Any, size: Any) -> Any:
        ctx.size_in, xp = a.shape[-2:], array_module(a)
        rows = [total(a[..., i:j, :], (a.ndim - 2,)) / (j - i) for i, j in stretches(a.shape[-2], size[0])]
        a = xp.stack(rows, -2)
        return xp.stack([total(a[..., i:j], (a.ndim - 1,)) / (j - i) for i, j in stretches(a.shape[-1], size[1])], -1)

    def backward(ctx, g: Any) -> Any:
        return flat(ctx, StretchSpread.apply(g, size=ctx.size_in))


class StretchSpread(Op):
    """Each element of a, divided by the size of its stretch, added over it: the adjoint of StretchMeans.  da = its means."""

    def forward(ctx, a: Any, size: Any) -> Any:
        ctx.size_in, xp = a.shape[-2:], array_module(a)
        wide = xp.zeros((*a.shape[:-1], size[1]), a.dtype)
        for k, (i, j) in enumerate(stretches(size[1], a.shape[-1])):
            wide[..., i:j] += a[..., k : k + 1] / (j - i)
        out = xp.zeros((*a.shape[:-2], *size), a.dtype)
        for k, (i, j) in enumerate(stretches(size[0], a.shape[-2])):
            out[..., i:j, :] += wide[..., k : k + 1, :] / (j - i)
        return out

    def backward(ctx, g: Any) -> Any:
        return StretchMeans.apply(g, size=ctx.size_in)


@in_float32
def avg_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window; padding zeros are counted unless `count_include_pad=False`, or `divisor_override` is the count.

    Raises ValueError if a window does not fit or the divisor is 0.
    """
    if input.ndim == 3:
        whole = avg_pool2d(input.unsqueeze(0), kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
        return whole.squeeze(0)
    window = fitted_window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    sums = SumPool2d.apply(input, window=window)
    if divisor_override is not None:
        if not divisor_override:
            raise ValueError("avg_pool2d: divisor_override must not be 0")
        return sums / divisor_override
    counts = []
    for n, k, s, (before, _), out, p in zip(
        input.shape[2:], window.kernel, window.stride, window.padding, window.out, pair("", "", padding, 0)
    ):
        # the row that ceil_mode adds below the padding is never counted
        low, high = (-p, n + p) if count_include_pad else (0, n)
        starts = np.arange(out) * s - before
        counts.append(np.minimum(starts + k, high) - np.maximum(starts, low))
    divisor = np.outer(*counts)
    if (divisor == divisor[0, 0]).all():
        return sums / int(divisor[0, 0])
    return sums / wrap(backend.to_array(divisor.astype(input.dtype), None, input.device))


@in_float32
def adaptive_avg_pool2d(input: Tensor, output_size: int | tuple[int | None, int | None] | None) -> Tensor:
    """The means of `output_size` stretches of rows and columns, of nearly equal length; None keeps a dimension's length.

    Output i of n averages from floor(i length / n) to ceil((i + 1) length / n), as in PyTorch. Raises ValueError for an image
    without rows or columns and for sizes below 1, TypeError for a tensor that is not floating-point.
    """
    name = "adaptive_avg_pool2d"
    if input.ndim not in (3, 4) or 0 in input.shape[-2:]:
        raise ValueError(f"{name}: expected images (..., channels, height, width), got shape {tuple(input.shape)}")
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point tensor, got {input.dtype}")
    if isinstance(output_size, (tuple, list)) and None in output_size:
        given: Any = tuple(n if size is None else size for n, size in zip(input.shape[-2:], output_size))
    else:
        given = output_size
    height, width = input.shape[-2:] if given is None else pair(name, "output_size", given, 1)
    if input.shape[-2] % height == 0 and input.shape[-1] % width == 0:
        return avg_pool2d(input, (input.shape[-2] // height, input.shape[-1] // width))
    return StretchMeans.apply(input, size=(height, width))
