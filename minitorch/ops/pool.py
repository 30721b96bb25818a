"""Max pooling in two dimensions. Each place of the window is one strided slice of the image; time grows with their number."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.images import Pair, channels_last, is_channels_last, pair
from minitorch.ops.pieces import flat, masked
from minitorch.ops.window import Window


class MaxPool2d(Op):
    """The largest of each window.  da = g at the place where it was found, the first at a tie, in rows."""

    def forward(ctx, a: Any, window: Any) -> Any:
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out, place = winners(a, window, wanted=ctx.needs(0))
        ctx.saved = (place,)
        return out

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return flat(ctx, Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last))


def winners(a: Any, window: Window, wanted: bool) -> tuple[Any, Any]:
    """The largest element of each window and, if `wanted`, which place of the window it came from, as a byte if that fits.

    A nan is larger than any number, and of several the last one wins, as in PyTorch.
    """
    xp = array_module(a)
    slices = list(window.positions(window.pad(a, -math.inf)))
    out = slices[0].copy(order="K")
    dtype = backend.uint8 if len(slices) <= 256 else backend.int32
    place = first_inside(xp.zeros_like(out, dtype=dtype), window) if wanted else None
    for k, candidate in enumerate(slices[1:], 1):
        if wanted:
            # k where the candidate is larger; a product and a maximum, since `where` with a random mask takes 7 times as long
            larger = (candidate > out).view(backend.uint8).astype(dtype, copy=False)
            larger *= dtype.type(k)
            xp.maximum(place, larger, out=place)
        xp.maximum(out, candidate, out=out)
    if wanted and (xp is not np or xp.isnan(out.max(initial=-math.inf))):  # a GPU need not wait for it
        for k, candidate in enumerate(slices):
            xp.maximum(place, xp.isnan(candidate) * dtype.type(k), out=place)
    return out, place


def first_inside(place: Any, window: Window) -> Any:
    """`place` (zeros) as the first place of each window inside the image, so that a window of -inf never reports padding."""
    for axis, across in (0, window.kernel[1]), (1, 1):
        before, s, d = window.padding[axis][0], window.stride[axis], window.dilation[axis]
        for i in range(min(window.out[axis], -(-before // s))):  # the windows that begin in the padding
            border = place[:, :, i] if axis == 0 else place[..., i]
            border += place.dtype.type(-((i * s - before) // d) * across)
    return place


class Unpool(Op):
    """Zeros of `shape` with a added at the place of each window that is named.  da = g picked from those places.

    `last` repeats the memory order of the input, which cannot be read off an image of one pixel.
    """

    def forward(ctx, a: Any, place: Any, window: Any, shape: Any, last: Any) -> Any:
        ctx.saved = (place,)
        ctx.window = window
        out = window.blank(array_module(a), None if window.writes_all(shape) else 0, shape, a.dtype, last)
        overlaps = window.overlaps()
        if last:
            a = channels_last(a)
        for k, target in enumerate(window.positions(out)):
            if overlaps:
                target += masked(a, place == k)
            else:
                masked(a, place == k, out=target)
        return window.inside(out, shape)

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return Pick.apply(g, place, window=ctx.window), None


class Pick(Op):
    """The element of each window of a at its named place.  da = g added there."""

    def forward(ctx, a: Any, place: Any, window: Any) -> Any:
        ctx.saved = (place,)
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out = array_module(a).zeros_like(place, dtype=a.dtype)
        for k, candidate in enumerate(window.positions(window.pad(a, 0))):
            out += masked(candidate, place == k)
        return out

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last), None


def fitted_window(
    name: str, input: Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Window:
    """The window of a pooling over `input`; raises ValueError for arguments that do not fit."""
    if input.ndim != 4:
        raise ValueError(
            f"{name}: expected images (n, channels, height, width) or (channels, height, width), got shape {tuple(input.shape)}"
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
                f"dilation {dilation} (input {tuple(shape)})"
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
) -> Tensor | Any:
    """The largest element of each window, padded with -inf; one maximum gets the gradient, the first at a tie.

    With `return_indices`, also where it lies in its image, counted in rows, int64. Raises ValueError if a window does not fit.
    """
    if input.ndim == 3:
        whole = max_pool2d(input.unsqueeze(0), kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        return tuple(part.squeeze(0) for part in whole) if return_indices else whole.squeeze(0)
    window = fitted_window("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
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
