"""What occurs in a tensor and how often, and between which bounds it lies. None of it has a gradient."""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.dims import dimension, normalized_dims, shapes


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements in order, or the different slices along `dim`; no gradients flow through it.

    With `return_inverse` also where in them each element is found, with `return_counts` also how often each occurs.
    """
    xp = array_module(input.array)
    dim = None if dim is None else dimension("unique", input.shape, dim)
    found = xp.unique(input.array, return_inverse=True, return_counts=True, axis=dim, equal_nan=False)
    parts = [found[0]]
    if return_inverse:
        parts.append(found[1].reshape(input.shape if dim is None else -1))
    if return_counts:
        parts.append(found[2])
    return tuple(map(wrap, parts)) if len(parts) > 1 else wrap(parts[0])


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 up occurs in a vector, or the sum of its `weights`; ValueError for negative ones."""
    if input.dtype.kind not in "iu":
        raise TypeError(f"bincount: expected integers, got {input.dtype}")
    if input.ndim != 1 or (weights is not None and weights.shape != input.shape) or minlength < 0:
        given = f"{shapes(*(x for x in (input, weights) if x is not None))} and {minlength}"
        raise ValueError(f"bincount: expected a 1-d tensor, weights of its shape and minlength >= 0, got {given}")
    if input.numel() and int(input.array.min()) < 0:
        raise ValueError(f"bincount: expected no negative number, got {int(input.array.min())} in shape {shapes(input)}")
    xp = array_module(input.array)
    counts = xp.bincount(input.array, None if weights is None else weights.array, minlength)
    return wrap(counts.astype(weights.dtype if weights is not None and weights.dtype == backend.float32 else counts.dtype))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal stretches from `min` to `max`; if these are equal, over the whole range."""
    if input.dtype.kind != "f":
        raise TypeError(f"histc: expected a floating-point tensor, got {input.dtype}")
    if bins <= 0:
        raise ValueError(f"histc: expected bins > 0, got {bins}")
    low, high = float(min), float(max)
    if low == high and input.numel():
        low, high = float(input.array.min()), float(input.array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not -float("inf") < low < high < float("inf"):
        raise ValueError(f"histc: expected finite min <= max, got {low} and {high}")
    xp = array_module(input.array)
    inside = input.array[(input.array >= low) & (input.array <= high)]
    at = xp.minimum(((inside - low) / (high - low) * bins).astype(backend.int64), bins - 1)
    return wrap(xp.bincount(at, None, bins).astype(input.dtype))


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero, (count, ndim)."""
    return input.nonzero()


def count_nonzero(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """How many elements are not zero, over `dim` or over everything."""
    dims = normalized_dims("count_nonzero", input.ndim, dim)
    return wrap(array_module(input.array).asarray((input.array != 0).sum(dims, dtype=backend.int64)))
