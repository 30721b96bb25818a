"""Images of another size: elements repeated or dropped, or weighted means of neighbours along each dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.index import Take
from minitorch.ops.mean_pool import stretches
from minitorch.ops.shape import Expand

# for how many dimensions of an image each mode is meant
DIMENSIONS: dict[str, tuple[int, ...]] = dict.fromkeys(("nearest", "nearest-exact", "area"), (1, 2, 3))
DIMENSIONS |= {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Images (n, channels, ...) of one to three dimensions enlarged or reduced to `size`, or by `scale_factor`.

    "nearest" and "nearest-exact" repeat or drop elements; "linear", "bilinear" and "trilinear" weigh the two neighbours along
    each dimension, "bicubic" four (Keys 1981, a = -0.75), "area" takes means as adaptive pooling does. With `align_corners`
    the corner pixels keep their places; with `recompute_scale_factor` the scale is that of the rounded sizes. Raises ValueError
    unless exactly one of `size` and `scale_factor` is given and the mode suits the dimensions, and for `antialias`.
    """
    mode = str(mode)
    if antialias or mode not in DIMENSIONS:
        what = "antialias=False" if antialias else f"modes {', '.join(DIMENSIONS)}"
        raise ValueError(f"interpolate: only {what} is supported, got {antialias or mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: expected either size or scale_factor")
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor has a meaning with scale_factor only, not with size")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners has a meaning for linear and cubic modes only, not for {mode!r}")
    lengths = input.shape[2:]
    if len(lengths) not in DIMENSIONS[mode] or 0 in input.shape[1:]:
        wanted, given = " or ".join(f"{k + 2} dimensions" for k in DIMENSIONS[mode]), tuple(input.shape)
        raise ValueError(f"interpolate: expected images (n, channels, ...) of {wanted} for {mode!r}, got shape {given}")
    out, factors = _sizes(input.shape, size, None if recompute_scale_factor else scale_factor, scale_factor)
    if mode in ("nearest", "nearest-exact"):
        return _nearest(input, out, factors, 0.5 if mode == "nearest-exact" else 0.0)
    if mode == "area":
        return _weighted(input, [_area(n, count) for n, count in zip(lengths, out)])
    taps = _cubic if mode == "bicubic" else _linear
    if taps is _linear:  # as in PyTorch, a length that stays is copied for any factor
        factors = tuple(1.0 if count == n else f for count, n, f in zip(out, lengths, factors))
    return _weighted(input, [_matrix(taps, n, count, f, align_corners) for n, count, f in zip(lengths, out, factors)])


def _sizes(shape: tuple[int, ...], size: Any, scale: Any, given: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The lengths of the output, and the factor of each dimension: `scale`, or what the lengths amount to where it is None."""
    lengths = shape[2:]
    asked = size if size is not None else given
    each = tuple(asked) if isinstance(asked, (tuple, list)) else (asked,) * len(lengths)
    if len(each) != len(lengths):
        raise ValueError(f"interpolate: expected one number or {len(lengths)} for shape {tuple(shape)}, got {asked}")
    if size is not None and not all(isinstance(n, (int, np.integer)) and n >= 1 for n in each):
        raise ValueError(f"interpolate: expected size to be whole numbers of at least 1, got {size!r}")
    out = tuple(int(n) if size is not None else math.floor(length * n) for length, n in zip(lengths, each))
    if min(out) < 1:
        raise ValueError(f"interpolate: nothing is left of {tuple(shape)} at scale {given}")
    return out, tuple(float(n) for n in each) if scale is not None else tuple(count / n for count, n in zip(out, lengths))


def _nearest(input: Tensor, out: tuple[int, ...], factors: tuple[float, ...], shift: float) -> Tensor:
    """The elements at floor((i + shift) / factor) of each dimension."""
    lengths = input.shape[2:]
    if not shift and len(out) == 2:  # as in PyTorch, twice the length, or the same, repeats elements for any factor
        factors = tuple(count / n if count in (n, 2 * n) else f for count, n, f in zip(out, lengths, factors))
    repeats = tuple(count // n for count, n in zip(out, lengths))
    if factors == repeats:  # whole repeats need no index, and their gradient is a plain sum
        apart = [k for n in lengths for k in (n, 1)]
        spread = [k for n, times in zip(lengths, repeats) for k in (n, times)]
        whole = Expand.apply(input.reshape(*input.shape[:2], *apart), shape=(*input.shape[:2], *spread))
        return whole.reshape(*input.shape[:2], *out)
    xp, index = array_module(input.array), []
    for d, (count, factor, length) in enumerate(zip(out, factors, lengths)):
        at = np.floor((np.arange(count, dtype=np.float32) + np.float32(shift)) * np.float32(1 / factor)).astype(np.int64)
        index.append(xp.asarray(np.minimum(at, length - 1).reshape([-1 if i == d else 1 for i in range(len(out))])))
    return Take.apply(input, index=(slice(None), slice(None), *index))


@in_float32
def _weighted(input: Tensor, matrices: list[np.ndarray]) -> Tensor:
    """Each dimension of the images multiplied by its matrix (out, in)."""
    if input.dtype.kind not in "fc":
        raise TypeError(f"interpolate: expected a floating-point tensor, got {input.dtype}")
    for dim, matrix in enumerate(matrices, 2):
        weights = wrap(backend.to_array(matrix.T.astype(input.dtype), None, input.device))
        input = (input.transpose(dim, -1) @ weights).transpose(dim, -1)
    return input


def _area(length: int, count: int) -> np.ndarray:
    """The matrix (count, length) whose row i averages stretch i."""
    matrix = np.zeros((count, length))
    for row, (start, end) in zip(matrix, stretches(length, count)):
        row[start:end] = 1 / (end - start)
    return matrix


def _matrix(taps: Callable[..., Any], length: int, count: int, factor: float, align_corners: bool | None) -> np.ndarray:
    """The matrix (count, length) of the weights with which the elements of a line become `count` new ones."""
    at = np.arange(count, dtype=np.float64)
    at = at * ((length - 1) / max(count - 1, 1)) if align_corners else (at + 0.5) / factor - 0.5
    matrix = np.zeros((count, length))
    for place, weight in taps(at):
        np.add.at(matrix, (np.arange(count), np.clip(place, 0, length - 1)), weight)
    return matrix


def _linear(at: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two neighbours of each position, and how near it is to them; before the first element only that."""
    at = np.maximum(at, 0)
    first = np.floor(at).astype(np.int64)
    return [(first, 1 - (at - first)), (first + 1, at - first)]


def _cubic(at: np.ndarray, a: float = -0.75) -> list[tuple[np.ndarray, np.ndarray]]:
    """The four neighbours of each position, and their weights in the cubic through them."""
    first = np.floor(at).astype(np.int64)
    apart = {k: np.abs(at - first - k) for k in (-1, 0, 1, 2)}
    near = [(first + k, ((a + 2) * apart[k] - (a + 3)) * apart[k] * apart[k] + 1) for k in (0, 1)]
    return near + [(first + k, ((a * apart[k] - 5 * a) * apart[k] + 8 * a) * apart[k] - 4 * a) for k in (-1, 2)]
