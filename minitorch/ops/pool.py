"""Pooling in two dimensions. Each position of the window is one strided slice of the image; a window costs as many slices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.conv import Pair, pair
from minitorch.ops.index import Take
from minitorch.ops.shape import Expand, channels_last, is_channels_last


class Window(NamedTuple):
    """How a pooling window moves over an image."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    dilation: tuple[int, int]
    out: tuple[int, int]  # height and width of the output

    def positions(self, x: Any) -> Iterator[Any]:
        """For each place in the window, the padded image's elements that come to lie there: views (n, c, *out)."""
        for row in self.rows(x):
            yield from self.columns(row)

    def rows(self, x: Any) -> Iterator[Any]:
        """For each row of the window, the padded image's rows that come to lie there: views (n, c, out[0], width)."""
        for i in range(self.kernel[0]):
            yield x[..., self._reach(0, i), :]

    def columns(self, x: Any) -> Iterator[Any]:
        """For each column of the window, the padded image's columns that come to lie there: views (n, c, height, out[1])."""
        for j in range(self.kernel[1]):
            yield x[..., self._reach(1, j)]

    def _reach(self, axis: int, at: int) -> slice:
        start, step = at * self.dilation[axis], self.stride[axis]
        return slice(start, start + step * (self.out[axis] - 1) + 1, step)

    def pad(self, x: Any, value: float) -> Any:
        """`x` with `value` around it, in the same memory order; itself where there is no padding."""
        if not any(map(any, self.padding)):
            return x
        out = self.blank(array_module(x), value, x.shape, x.dtype, is_channels_last(x))
        self.inside(out, x.shape)[...] = x
        return out

    def blank(self, xp: Any, value: float | None, shape: tuple[int, ...], dtype: np.dtype, last: bool) -> Any:
        """An array for a padded image of `shape`, filled with `value` (None: not filled), channels-last in memory if `last`."""
        (top, bottom), (left, right) = self.padding
        n, c, h, w = shape
        size = (n, h + top + bottom, w + left + right, c) if last else (n, c, h + top + bottom, w + left + right)
        out = xp.empty(size, dtype)
        if value is not None:
            out.fill(value)
        return out.transpose(0, 3, 1, 2) if last else out

    def skip_padding(self, place: Any) -> None:
        """Move the zeros of `place` to the first place of each window that lies in the image: not even a window of -inf has
        its largest in the padding."""
        for axis, across in (0, self.kernel[1]), (1, 1):
            before, s, d = self.padding[axis][0], self.stride[axis], self.dilation[axis]
            for i in range(min(self.out[axis], -(-before // s))):  # the windows that begin in the padding
                border = place[:, :, i] if axis == 0 else place[..., i]
                border += place.dtype.type(-((i * s - before) // d) * across)

    def inside(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The image of `shape` within its padding, as a view."""
        (top, _), (left, _) = self.padding
        return x[:, :, top : top + shape[2], left : left + shape[3]]


class MaxPool2d(Op):
    """The largest of each window.  da = g at the place where it was found, the first at a tie, in rows."""

    def forward(ctx, a, window):
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out, place = winners(a, window, wanted=ctx.needs(0))
        ctx.saved = (place,)
        return out

    def backward(ctx, g):
        (place,) = ctx.saved
        return Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last)


def winners(a: Any, window: Window, wanted: bool) -> tuple[Any, Any]:
    """The largest element of each window and, if `wanted`, which place of the window it came from, as a byte if that fits."""
    xp = array_module(a)
    slices = window.positions(window.pad(a, -math.inf))
    out = next(slices).copy(order="K")
    dtype = backend.uint8 if math.prod(window.kernel) <= 256 else backend.int32
    place = xp.zeros_like(out, dtype=dtype) if wanted else None
    if wanted:
        window.skip_padding(place)
    for k, candidate in enumerate(slices, 1):
        if wanted:
            # k where the candidate is larger; a product and a maximum, since `where` with a random mask takes 7 times as long
            larger = (candidate > out).view(backend.uint8).astype(dtype, copy=False)
            larger *= dtype.type(k)
            xp.maximum(place, larger, out=place)
        xp.maximum(out, candidate, out=out)
    return out, place


class Unpool(Op):
    """Zeros of `shape` with a added at the place of each window that is named.  da = g picked from those places.

    In memory channels-last if `last`, which the input was: an image of one pixel does not tell.
    """

    def forward(ctx, a, place, window, shape, last):
        ctx.saved = (place,)
        ctx.window = window
        xp = array_module(a)
        overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))
        tiled = not overlapping and all(k * n == size for k, n, size in zip(window.kernel, window.out, shape[2:]))
        out = window.blank(xp, None if tiled else 0, shape, a.dtype, last)
        if last:
            a = channels_last(a)
        for k, target in enumerate(window.positions(out)):
            if overlapping:
                target += a * (place == k)
            else:
                xp.multiply(a, (place == k).astype(a.dtype), out=target)  # NumPy's own cast, in buffers, takes longer
        return window.inside(out, shape)

    def backward(ctx, g):
        (place,) = ctx.saved
        return Pick.apply(g, place, window=ctx.window), None


class Pick(Op):
    """Of each window of a the element at its named place.  da = g added there."""

    def forward(ctx, a, place, window):
        ctx.saved = (place,)
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out = array_module(a).zeros_like(place, dtype=a.dtype)
        for k, candidate in enumerate(window.positions(window.pad(a, 0))):
            out += candidate * (place == k)
        return out

    def backward(ctx, g):
        (place,) = ctx.saved
        return Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last), None


class SumPool2d(Op):
    """The sum of each window.  da = g spread over the window.

    Rows first, then columns: 14x14 places are 28 additions, not 196.
    """

    def forward(ctx, a, window):
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        return total(window.columns(total(window.rows(window.pad(a, 0)))))

    def backward(ctx, g):
        return Spread.apply(g, window=ctx.window, shape=ctx.shape_in, last=ctx.last)


def total(slices: Iterator[Any]) -> Any:
    """The sum of arrays of one shape, in the memory order of the first."""
    out = next(slices).copy(order="K")
    for one in slices:
        out += one
    return out


class Spread(Op):
    """Zeros of `shape` with a added at every place of its window, channels-last if `last`.  da = g summed over each window."""

    def forward(ctx, a, window, shape, last):
        ctx.window = window
        xp = array_module(a)
        out = window.blank(xp, 0, shape, a.dtype, last)
        wide = xp.zeros_like(out[:, :, : window.out[0]])
        for column in window.columns(wide):
            column += a
        for row in window.rows(out):
            row += wide
        return window.inside(out, shape)

    def backward(ctx, g):
        return SumPool2d.apply(g, window=ctx.window)


def _window(
    name: str, input: Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Window:
    """The window of a pooling over `input`; raises ValueError for arguments that do not fit."""
    if input.ndim != 4:
        raise ValueError(
            f"{name}: expected images (n, channels, height, width) or (channels, height, width), got shape {input.shape}"
        )
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point tensor, got {input.dtype}")
    kernel = pair(name, "kernel_size", kernel_size, 1)
    stride = kernel if stride is None or stride == () else pair(name, "stride", stride, 1)
    padding, dilation = pair(name, "padding", padding, 0), pair(name, "dilation", dilation, 1)
    return _fitted(name, input.shape, kernel, stride, padding, dilation, ceil_mode)


@lru_cache
def _fitted(
    name: str,
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: bool,
) -> Window:
    """The window over images of `shape`."""
    out, around = [], []
    for n, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation):
        if p > k // 2:
            raise ValueError(f"{name}: padding {padding} is more than half of the window {kernel}")
        free = n + 2 * p - d * (k - 1) - 1
        count = (-(-free // s) if ceil_mode else free // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # the last window must begin inside the image or its left padding
        if count < 1 or (free < 0 and not ceil_mode):
            raise ValueError(
                f"{name}: a window of {kernel} does not fit into {shape[2:]} with padding {padding} and "
                f"dilation {dilation} (input {shape})"
            )
        out.append(count)
        around.append((p, max(p, (count - 1) * s + d * (k - 1) + 1 - n - p)))
    return Window(kernel, stride, tuple(around), dilation, tuple(out))


def max_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest element of each window, padded with -inf; one maximum gets the gradient, the first at a tie.

    With `return_indices`, also where it lies in its image, counted in rows, int64. Raises ValueError if a window does not fit.
    """
    if input.ndim == 3:
        whole = max_pool2d(input.unsqueeze(0), kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        return tuple(part.squeeze(0) for part in whole) if return_indices else whole.squeeze(0)
    window = _window("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    values = MaxPool2d.apply(input, window=window)
    return (values, _indices(input.array, window)) if return_indices else values


def _indices(a: Any, window: Window) -> Tensor:
    """Where the largest of each window lies in its image, counted in rows."""
    xp = array_module(a)
    within = winners(a, window, wanted=True)[1].astype(backend.int64)
    at = (within // window.kernel[1], within % window.kernel[1])
    row, column = (
        (xp.arange(n) * s - before).reshape([-1, 1] if axis == 0 else [1, -1]) + at[axis] * d
        for axis, (n, s, (before, _), d) in enumerate(zip(window.out, window.stride, window.padding, window.dilation))
    )
    return wrap(row * a.shape[3] + column)


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
    window = _window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    total = SumPool2d.apply(input, window=window)
    if divisor_override is not None:
        if not divisor_override:
            raise ValueError("avg_pool2d: divisor_override must not be 0")
        return total / divisor_override
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
        return total / int(divisor[0, 0])
    return total / Tensor(divisor.astype(input.dtype), device=input.device)


def adaptive_avg_pool2d(input: Tensor, output_size: int | tuple[int | None, int | None] | None) -> Tensor:
    """The means of `output_size` stretches of rows and columns, of nearly equal length; None keeps a dimension's length.

    Output i of n averages from floor(i length / n) to ceil((i + 1) length / n), as in PyTorch. Raises ValueError for an image
    without rows or columns and for sizes below 1, TypeError for a tensor that is not floating-point.
    """
    name = "adaptive_avg_pool2d"
    if input.ndim not in (3, 4) or 0 in input.shape[-2:]:
        raise ValueError(f"{name}: expected images (..., channels, height, width), got shape {input.shape}")
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point tensor, got {input.dtype}")
    if isinstance(output_size, (tuple, list)) and None in output_size:
        output_size = tuple(n if size is None else size for n, size in zip(input.shape[-2:], output_size))
    height, width = input.shape[-2:] if output_size is None else pair(name, "output_size", output_size, 1)
    if input.shape[-2] % height == 0 and input.shape[-1] % width == 0:
        return avg_pool2d(input, (input.shape[-2] // height, input.shape[-1] // width))
    rows, columns = (
        Tensor(_averages(n, out).astype(input.dtype), device=input.device) for n, out in zip(input.shape[-2:], (height, width))
    )
    return rows @ input @ columns.T


def _averages(length: int, out: int) -> np.ndarray:
    """The matrix (out, length) whose row i averages stretch i."""
    place = np.arange(length)
    starts = np.arange(out)[:, None] * length // out
    ends = -(-(np.arange(out)[:, None] + 1) * length // out)
    inside = (place >= starts) & (place < ends)
    return inside / inside.sum(1, keepdims=True)


def interpolate(
    input: Tensor,
    size: int | tuple[int, int] | None = None,
    scale_factor: float | tuple[float, float] | None = None,
    mode: str = "nearest",
) -> Tensor:
    """Images (n, channels, height, width) enlarged or reduced by repeating or dropping rows and columns.

    Raises ValueError unless exactly one of `size` and `scale_factor` is given, and for any mode but "nearest".
    """
    if mode != "nearest":
        raise ValueError(f"interpolate: only mode 'nearest' is supported, got {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: expected either size or scale_factor")
    if input.ndim != 4:
        raise ValueError(f"interpolate: expected images (n, channels, height, width), got shape {input.shape}")
    n, channels, height, width = input.shape
    if size is not None:
        out = pair("interpolate", "size", size, 1)
        ratios = (height / out[0], width / out[1])
        factors = (out[0] / height, out[1] / width)
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
        out = tuple(math.floor(length * factor) for length, factor in zip((height, width), factors))
        # twice the length, or the same, repeats elements whatever the factor was, as in PyTorch
        factors = tuple(count / n if count in (n, 2 * n) else f for count, n, f in zip(out, (height, width), factors))
        ratios = tuple(1 / factor for factor in factors)
        if min(out) < 1:
            raise ValueError(f"interpolate: nothing is left of {input.shape} at scale {scale_factor}")
    repeats = (out[0] // height, out[1] // width)
    if factors == repeats:  # whole repeats need no index, and their gradient is a plain sum
        spread = Expand.apply(
            input.reshape(n, channels, height, 1, width, 1), shape=(n, channels, height, repeats[0], width, repeats[1])
        )
        return spread.reshape(n, channels, *out)
    rows, columns = (
        np.minimum(np.floor(np.arange(count, dtype=np.float32) * np.float32(ratio)).astype(np.int64), length - 1)
        for count, ratio, length in zip(out, ratios, (height, width))
    )
    xp = array_module(input.array)
    return Take.apply(input, index=(slice(None), slice(None), xp.asarray(rows[:, None]), xp.asarray(columns[None, :])))
