"""Patches of images as columns and back, and channels as pixels and back."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.images import pair

Pair = int | tuple[int, int]


class Unfold(Op):
    """im2col: the patches of a (n, c, h, w) as columns (n, c kh kw, positions).  da = g folded."""

    def forward(ctx, a: Any, size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
        ctx.options: dict[str, Any] = {
            "size": size,
            "kernel": kernel,
            "dilation": dilation,
            "padding": padding,
            "stride": stride,
        }
        xp, (ph, pw), (n, c) = array_module(a), padding, a.shape[:2]
        whole = xp.zeros((n, c, size[0] + 2 * ph, size[1] + 2 * pw), a.dtype)
        whole[:, :, ph : ph + size[0], pw : pw + size[1]] = a
        columns = xp.stack([whole[place] for place in _places(**ctx.options)], 2)
        return columns.reshape(n, c * kernel[0] * kernel[1], math.prod(columns.shape[3:]))

    def backward(ctx, g: Any) -> Any:
        return Fold.apply(g, **ctx.options)


class Fold(Op):
    """col2im: columns (n, c kh kw, positions) added where their patches lie in an image (n, c, *size).  da = g unfolded."""

    def forward(ctx, a: Any, size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
        ctx.options: dict[str, Any] = {
            "size": size,
            "kernel": kernel,
            "dilation": dilation,
            "padding": padding,
            "stride": stride,
        }
        xp, (ph, pw), places = array_module(a), padding, _places(**ctx.options)
        n, c = a.shape[0], a.shape[1] // len(places)
        whole = xp.zeros((n, c, size[0] + 2 * ph, size[1] + 2 * pw), a.dtype)
        for k, place in enumerate(places):
            target = whole[place]
            target += a.reshape(n, c, len(places), a.shape[2])[:, :, k].reshape(target.shape)
        return whole[:, :, ph : ph + size[0], pw : pw + size[1]].copy()

    def backward(ctx, g: Any) -> Any:
        return Unfold.apply(g, **ctx.options)


def _out(
    size: tuple[Any, ...], kernel: tuple[Any, ...], dilation: tuple[Any, ...], padding: tuple[Any, ...], stride: tuple[Any, ...]
) -> tuple[int, ...]:
    """How many positions a patch has along both dimensions."""
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(size, kernel, dilation, padding, stride))


def _places(
    size: tuple[Any, ...], kernel: tuple[Any, ...], dilation: tuple[Any, ...], padding: tuple[Any, ...], stride: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    """For each place in a patch, the pixels of the padded image that come to lie there."""
    (oh, ow), (sh, sw), (dh, dw) = _out(size, kernel, dilation, padding, stride), stride, dilation
    reach = (sh * (oh - 1) + 1, sw * (ow - 1) + 1)
    return [
        (..., slice(i * dh, i * dh + reach[0], sh), slice(j * dw, j * dw + reach[1], sw))
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]


def _options(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, tuple[int, int]]:
    given = {"kernel_size": (kernel_size, 1), "dilation": (dilation, 1), "padding": (padding, 0), "stride": (stride, 1)}
    checked = {what: pair(name, what, value, least) for what, (value, least) in given.items()}
    return {"kernel": checked.pop("kernel_size"), **checked}


def unfold(input: Tensor, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> Tensor:
    """The patches of images (n, c, h, w) as columns: (n, c kh kw, positions), or without n.

    `weight.view(out, -1) @ unfold(x, k)` is a convolution. Raises ValueError if a patch does not fit.
    """
    if input.ndim == 3:
        return unfold(input.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0)
    options = _options("unfold", kernel_size, dilation, padding, stride)
    if input.ndim != 4 or 0 in input.shape[1:]:
        raise ValueError(f"unfold: expected images (n, channels, height, width), got shape {tuple(input.shape)}")
    size = tuple(input.shape[2:])
    if min(_out(size, **options)) < 1:
        raise ValueError(f"unfold: patches of {options} do not fit into {size} (input {tuple(input.shape)})")
    return Unfold.apply(input, size=size, **options)


def fold(
    input: Tensor, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Columns (n, c kh kw, positions) added where their patches lie in images (n, c, *output_size), or without n.

    Raises ValueError for a number of rows or positions that does not fit.
    """
    if input.ndim == 2:
        return fold(input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0)
    size, options = pair("fold", "output_size", output_size, 1), _options("fold", kernel_size, dilation, padding, stride)
    (oh, ow), (kh, kw) = _out(size, **options), options["kernel"]
    if input.ndim != 3 or not input.shape[1] or input.shape[1] % (kh * kw) or min(oh, ow) < 1 or input.shape[2] != oh * ow:
        raise ValueError(
            f"fold: expected columns (n, channels x {kh * kw}, {max(oh, 0) * max(ow, 0)}) for images of {size} and {options}, "
            f"got shape {tuple(input.shape)}"
        )
    return Fold.apply(input, size=size, **options)


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


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The reverse of `pixel_shuffle`; raises ValueError if height and width do not divide."""
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ValueError(f"pixel_unshuffle: expected (..., height x {r}, width x {r}), got shape {tuple(input.shape)}")
    if r == 1:
        return input.clone()
    *before, channels, height, width = input.shape
    split = input.reshape(math.prod(before), channels, height // r, r, width // r, r).permute(0, 1, 3, 5, 2, 4)
    return split.reshape(*before, channels * r * r, height // r, width // r)
