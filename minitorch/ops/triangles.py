"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device, array_module
from minitorch.ops.choice import where
from minitorch.ops.dims import normalized_dims, shapes
from minitorch.ops.index import AddAt
from minitorch.ops.joining import movedim
from minitorch.ops.reduce import sum as total
from minitorch.ops.shape import flatten


class Diagonal(Op):
    """The diagonal `offset` of the last two dimensions of a, as a view.  da = zeros with g there."""

    view = True

    def forward(ctx, a: Any, offset: Any) -> Any:
        out = array_module(a).diagonal(a, offset, -2, -1)
        if isinstance(out, np.ndarray) and a.flags.writeable:
            out.flags.writeable = True  # NumPy's diagonal is locked
        ctx.shape_in, ctx.index = a.shape, _on_diagonal(a, out.shape[-1], offset)
        return out

    def backward(ctx, g: Any) -> Any:
        return AddAt.apply(g, index=ctx.index, shape=ctx.shape_in, once=True)


def _on_diagonal(a: Any, count: int, offset: int) -> tuple[Any, ...]:
    """The index of the first `count` elements of a diagonal, as arrays where `a` lies."""
    along = array_module(a).arange(count)
    return Ellipsis, along + max(-offset, 0), along + max(offset, 0)


def _above(name: str, input: Tensor) -> Tensor:
    """How far above the main diagonal of a matrix each element stands."""
    if input.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 dimensions, got shape {shapes(input)}")
    xp = array_module(input.array)
    return wrap(xp.arange(input.shape[-1]) - xp.arange(input.shape[-2])[:, None])


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, zeros above the `diagonal` counted upwards from the main one."""
    return where(_above("tril", input) <= int(diagonal), input, False)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, zeros below the `diagonal` counted upwards from the main one."""
    return where(_above("triu", input) >= int(diagonal), input, False)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two different dimensions, as the last dimension of a view, `offset` above the main one."""
    first, second = normalized_dims("diagonal", input.ndim, (dim1, dim2))
    return Diagonal.apply(movedim(input, (first, second), (-2, -1)), offset=offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the rows of `input` on their diagonals, in the new dimensions `dim1` and `dim2`."""
    first, second = normalized_dims("diag_embed", input.ndim + 1, (dim1, dim2))
    size = input.shape[-1] + abs(offset)
    index = _on_diagonal(input.array, input.shape[-1], offset)
    out = AddAt.apply(input, index=index, shape=(*input.shape[:-1], size, size), once=True)
    return movedim(out, (-2, -1), (first, second))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix as a copy, or the matrix that has a vector on its diagonal."""
    if input.ndim not in (1, 2):
        raise ValueError(f"diag: expected a vector or a matrix, got shape {shapes(input)}")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return Diagonal.apply(input, offset=diagonal).clone()


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix that has the elements of `input` on its diagonal."""
    return diag_embed(flatten(input), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ValueError(f"trace: expected a matrix, got shape {shapes(input)}")
    return total(Diagonal.apply(input, offset=0))


_Place = Device | str | None


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: np.dtype | None = None, device: _Place = None) -> Tensor:
    """The indices of the lower triangle of a row by col matrix, (2, count) int64, row by row."""
    return _triangle("tril", row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: np.dtype | None = None, device: _Place = None) -> Tensor:
    """The indices of the upper triangle of a row by col matrix, (2, count) int64, row by row."""
    return _triangle("triu", row, col, offset, dtype, device)


def _triangle(name: str, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        raise ValueError(f"{name}_indices: expected sizes of 0 or more, got {row} and {col}")
    xp = backend.module_of(backend.as_device(device))
    found = getattr(xp, name)(xp.ones((row, col), bool), offset).nonzero()
    return wrap(xp.stack(found).astype(dtype or backend.int64))
