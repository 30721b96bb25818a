"""Images read at places that a net computes: what a spatial transformer is made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.choice import clamp, where
from minitorch.ops.compare import isnan
from minitorch.ops.dims import shapes
from minitorch.ops.elementwise import floor
from minitorch.ops.elementwise import round as rounded
from minitorch.ops.images import plain_sizes
from minitorch.ops.index import Take
from minitorch.ops.promotion import check_floats
from minitorch.ops.resize import cubic_weights

_MODES, _BEYOND = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


@in_float32
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places (n, height, width, 2) where `grid_sample` finds the pixels of images of `size` (n, c, height, width).

    Each is theta (2, 3) times (x, y, 1), where x and y go from -1 to 1: between the middles of the corner pixels with
    `align_corners`, else between the edges of the image. Volumes have one dimension more, and a theta (3, 4). Raises ValueError
    for other shapes, TypeError for whole numbers.
    """
    size, k = plain_sizes(size), len(size) - 2
    if k not in (2, 3) or theta.shape != (size[0], k, k + 1) or min(size) < 1:
        expected = "theta (n, 2, 3) and a size (n, c, h, w), or (n, 3, 4) and (n, c, d, h, w)"
        raise ValueError(f"affine_grid: expected {expected}, got {shapes(theta)} and {tuple(size)}")
    check_floats("affine_grid", theta)
    xp, dtype = array_module(theta.array), theta.dtype
    base = xp.ones((*size[2:], k + 1), dtype)
    for axis, m in enumerate(size[2:]):
        steps = xp.arange(m, dtype=dtype).reshape(-1, *[1] * (k - 1 - axis)) * 2
        base[..., k - 1 - axis] = steps / (m - 1) - 1 if align_corners and m > 1 else (steps + 1) / m - 1
    return (wrap(base.reshape(-1, k + 1)) @ theta.transpose(1, 2)).reshape(size[0], *size[2:], k)


@in_float32
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """The images (n, c, h, w) at the places (x, y) of `grid` (n, rows, columns, 2), as images (n, c, rows, columns).

    (-1, -1) is the upper left and (1, 1) the lower right corner: the middles of their pixels with `align_corners`, else the
    corners of the image. "bilinear" weighs the four pixels around a place, "bicubic" sixteen (Keys 1981, a = -0.75), "nearest"
    takes one. Beyond the image there are "zeros", its pixels at the "border", or its "reflection"; at a nan there is nan.
    Volumes have one dimension more, and no "bicubic". Raises ValueError for other modes and shapes, TypeError for other dtypes.
    """
    if mode not in _MODES or padding_mode not in _BEYOND:
        raise ValueError(f"grid_sample: expected a mode of {_MODES} and {_BEYOND}, got {mode!r} and {padding_mode!r}")
    lengths, k, allowed = input.shape[2:], input.ndim - 2, (2,) if mode == "bicubic" else (2, 3)
    if k not in allowed or grid.ndim != k + 2 or grid.shape[-1] != k or len(grid) != len(input) or 0 in input.shape[1:]:
        expected = "input (n, c, h, w) and grid (n, rows, columns, 2), or both with one dimension more"
        raise ValueError(f"grid_sample: expected {expected}, got {shapes(input, grid)}")
    if input.dtype.kind != "f" or input.dtype != grid.dtype:
        raise TypeError(f"grid_sample: expected two tensors of one floating dtype, got {input.dtype} and {grid.dtype}")
    image = array_module(input.array).arange(len(input)).reshape(-1, *[1] * k)
    around = [_around(grid[..., -1 - axis], m, mode, padding_mode, bool(align_corners)) for axis, m in enumerate(lengths)]
    total: Any = 0
    for corner in product(*around):  # of each dimension a pixel and its weight
        weight: Any = 1
        for (at, near), m in zip(corner, lengths):
            weight = weight * near * ((at >= 0) & (at < m)).type(input.dtype)
        index = (clamp(where(isnan(at), 0.0, at), 0, m - 1).long().array for (at, _), m in zip(corner, lengths))
        total = total + Take.apply(input, index=(image, slice(None), *index)) * weight[..., None]  # (n, rows, columns, c)
    return total.movedim(-1, 1)


def _around(at: Tensor, length: int, mode: str, beyond: str, align_corners: bool) -> list[tuple[Tensor, Any]]:
    """The pixels next to each place, from -1 to 1, along one dimension, and their weights."""
    at = (at + 1) * ((length - 1) / 2) if align_corners else ((at + 1) * length - 1) / 2
    if mode == "bicubic":  # of the pixels, not of the place, those beyond the image are moved into it
        first = floor(at.detach())
        weights = enumerate(cubic_weights(at - first))
        return [(_inside(first + k - 1, length, beyond, align_corners), weight) for k, weight in weights]
    at = _inside(at, length, beyond, align_corners)
    if mode == "nearest":
        return [(rounded(at.detach()), where(isnan(at), at, 1.0))]
    first = floor(at.detach())
    return [(first, 1 - (at - first)), (first + 1, at - first)]


def _inside(at: Tensor, length: int, beyond: str, align_corners: bool) -> Tensor:
    """The places, counted in pixels, those beyond the image moved into it, unless zeros lie there."""
    if beyond == "zeros":
        return at
    low, span = (0.0, length - 1) if align_corners else (-0.5, length)
    if beyond == "reflection" and span:
        way = (at - low).abs()
        folds = floor(way.detach() / span)
        rest = way - folds * span
        at = where(folds % 2 == 0, rest, span - rest) + low
    return where((at > 0) & (at < length - 1), at, clamp(at.detach(), 0, length - 1))
