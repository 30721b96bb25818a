"""Whole numbers that users give: dimensions, counted from either end, and sizes. A boolean is not one, unlike in Python."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

Dim = int | tuple[int, ...] | list[int] | None


def whole(name: str, what: str, value: Any) -> int:
    """`value` as a whole number; raises TypeError for anything else, such as a boolean or a float."""
    if type(value) is int:
        return value
    if not isinstance(value, (bool, np.bool_)):
        try:
            return operator.index(value)
        except (TypeError, ValueError):  # a tensor of several numbers
            pass
    raise TypeError(f"{name}: expected {what} to be a whole number, got {value!r:.40} ({type(value).__name__})")


def wholes(name: str, what: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """The whole numbers of `f(2, 3)` and of `f((2, 3))` alike."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    return tuple(whole(name, what, value) for value in given)


def dimension(name: str, shape: Sequence[int], dim: int, extra: int = 0) -> int:
    """`dim` counted from the front; IndexError beyond the dimensions of `shape` (at least one) and `extra` more."""
    dim, count = whole(name, "dim", dim), max(len(shape) + extra, 1)
    if not -count <= dim < count:
        raise IndexError(f"{name}: dim {dim} is out of range for a tensor of shape {tuple(shape)}")
    return dim % count


def normalized_dims(name: str, ndim: int, dim: Dim) -> tuple[int, ...]:
    """The dimensions that `dim` names, from the front; None names all. IndexError beyond `ndim`, ValueError for one twice."""
    if dim is None:
        return tuple(range(ndim))
    dims, count = [whole(name, "dim", d) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))], max(ndim, 1)
    for d in dims:
        if not -count <= d < count:
            raise IndexError(f"{name}: dim {d} is out of range for {ndim} dimensions")
    if len({d % count for d in dims}) != len(dims):
        raise ValueError(f"{name}: a dim appears twice in {dim}")
    return tuple(d % count for d in dims) if ndim else ()


def reduced_dims(name: str, ndim: int, dim: Dim) -> tuple[int, ...]:
    """`normalized_dims` of a reduction: no dimensions are all of them, as in PyTorch."""
    return normalized_dims(name, ndim, dim) or tuple(range(ndim))


def along(dim: int, part: Any) -> tuple[Any, ...]:
    """An index with `part` at dimension `dim` and full slices before it."""
    return (*(slice(None),) * dim, part)


def shapes(*tensors: Any) -> str:
    """The shapes of tensors as messages write them: "(2, 3), (3,) and ()"."""
    *first, last = (str(tuple(tensor.shape)) for tensor in tensors)
    return f"{', '.join(first)} and {last}" if first else last
