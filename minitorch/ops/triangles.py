"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device, array_module
from minitorch.ops.dims import normalized_dims
from minitorch.ops.joining import movedim
from minitorch.ops.reduce import sum as total
from minitorch.ops.shape import flatten


class Triangle(Op):
    """a with zeros above the diagonal `k`, or else below it.  da = g with zeros there."""

    def forward(ctx, a: Any, k: Any, lower: Any) -> Any:
        ctx.k, ctx.lower = k, lower
        xp = array_module(a)
        above = xp.arange(a.shape[-1]) - xp.arange(a.shape[-2])[:, None]
        return xp.where(above <= k if lower else above >= k, a, a.dtype.type(0))

    def backward(ctx, g: Any) -> Any:
        return Triangle.apply(g, k=ctx.k, lower=ctx.lower)


class Diagonal(Op):
    """The diagonal `offset` of the last two dimensions of a, as a view.  da = zeros with g there."""

    view = True

    def forward(ctx, a: Any, offset: Any) -> Any:
        ctx.shape_in, ctx.offset = a.shape, offset
        out = array_module(a).diagonal(a, offset, -2, -1)
        if isinstance(out, np.ndarray) and a.flags.writeable:
            out.flags.writeable = True  # NumPy's diagonal is locked
        return out

    def backward(ctx, g: Any) -> Any:
        return OnDiagonal.apply(g, offset=ctx.offset, shape=ctx.shape_in)


def _on_diagonal(a: Any, count: int, offset: int) -> tuple[Any, ...]:
    """The index of the first `count` elements of a diagonal, as arrays where `a` lies."""
    along = array_module(a).arange(count)
    return Ellipsis, along + max(-offset, 0), along + max(offset, 0)


class OnDiagonal(Op):
    """Zeros of `shape` with a on the diagonal `offset` of the last two dimensions.  da = the diagonal of g."""

    def forward(ctx, a: Any, offset: Any, shape: Any) -> Any:
        ctx.offset = offset
        out = array_module(a).zeros(shape, a.dtype)
        out[_on_diagonal(a, a.shape[-1], offset)] = a
        return out

    def backward(ctx, g: Any) -> Any:
        return Diagonal.apply(g, offset=ctx.offset)


def _matrix(name: str, input: Tensor) -> Tensor:
    if input.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 dimensions, got shape {tuple(input.shape)}")
    return input


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, zeros above the `diagonal` counted upwards from the main one."""
    return Triangle.apply(_matrix("tril", input), k=int(diagonal), lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, zeros below the `diagonal` counted upwards from the main one."""
    return Triangle.apply(_matrix("triu", input), k=int(diagonal), lower=False)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, as the last dimension of a view, `offset` above the main one.

    Raises ValueError if the two dimensions are one.
    """
    first, second = normalized_dims("diagonal", input.ndim, (dim1, dim2))
    return Diagonal.apply(movedim(input, (first, second), (-2, -1)), offset=offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the rows of `input` on their diagonals, in the new dimensions `dim1` and `dim2`."""
    first, second = normalized_dims("diag_embed", input.ndim + 1, (dim1, dim2))
    size = input.shape[-1] + abs(offset)
    out = OnDiagonal.apply(input, offset=offset, shape=(*input.shape[:-1], size, size))
    return movedim(out, (-2, -1), (first, second))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix as a copy, or the matrix that has a vector on its diagonal."""
    if input.ndim not in (1, 2):
        raise ValueError(f"diag: expected a vector or a matrix, got shape {tuple(input.shape)}")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return Diagonal.apply(input, offset=diagonal).clone()


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix that has the elements of `input` on its diagonal."""
    return diag_embed(flatten(input), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ValueError(f"trace: expected a matrix, got shape {tuple(input.shape)}")
    return total(Diagonal.apply(input, offset=0))


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: np.dtype | None = None, device: Device | str | None = None
) -> Tensor:
    """The indices of the lower triangle of a row by col matrix, (2, count) int64, row by row."""
    return _triangle("tril", row, col, offset, dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: np.dtype | None = None, device: Device | str | None = None
) -> Tensor:
    """The indices of the upper triangle of a row by col matrix, (2, count) int64, row by row."""
    return _triangle("triu", row, col, offset, dtype, device)


def _triangle(name: str, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        raise ValueError(f"{name}_indices: expected sizes of 0 or more, got {row} and {col}")
    xp = backend.module_of(backend.as_device(device))
    found = getattr(xp, name)(xp.ones((row, col), bool), offset).nonzero()
    return wrap(xp.stack(found).astype(dtype or backend.int64))
