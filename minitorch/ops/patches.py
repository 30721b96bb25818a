"""Patches of images as columns and back, and channels as pixels."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.ops.conv import add_back, patches
from minitorch.ops.images import Pair, Window, pair


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
    kernel, dilation = pair(name, "kernel_size", kernel, 1), pair(name, "dilation", dilation, 1)
    padding, stride = pair(name, "padding", padding, 0), pair(name, "stride", stride, 1)
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
        raise ValueError(f"unfold: expected images (n, channels, height, width), got shape {tuple(input.shape)}")
    if min(window.out) < 1:
        raise ValueError(f"unfold: patches of {window} do not fit into {tuple(input.shape[2:])} (input {tuple(input.shape)})")
    return Unfold.apply(input, window=window)


def fold(
    input: Tensor, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Columns (n, c kh kw, positions) added where their patches lie in images (n, c, *output_size), or without n.

    Raises ValueError for a number of rows or positions that does not fit.
    """
    if input.ndim == 2:
        return fold(input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0)
    size = pair("fold", "output_size", output_size, 1)
    window = _window("fold", size, kernel_size, dilation, padding, stride)
    each, places = math.prod(window.kernel), math.prod(max(n, 0) for n in window.out)
    if input.ndim != 3 or not input.shape[1] or input.shape[1] % each or not places or input.shape[2] != places:
        given = f"images of {size} and {window}, got shape {tuple(input.shape)}"
        raise ValueError(f"fold: expected columns (n, channels x {each}, {places}) for {given}")
    return Fold.apply(input, size=size, window=window)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., c r^2, h, w) to (..., c, h r, w r): each r^2 channels become a square of pixels (Shi et al. 2016).

    Raises ValueError if the channels do not divide.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: expected (..., channels x {r}^2, height, width), got shape {tuple(input.shape)}")
    if r == 1:
        return input.clone()
    *before, channels, height, width = input.shape
    split = input.reshape(math.prod(before), channels // (r * r), r, r, height, width).permute(0, 1, 4, 2, 5, 3)
    return split.reshape(*before, channels // (r * r), height * r, width * r)
