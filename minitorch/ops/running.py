"""Along a dimension: running sums and products, the product of all, and differences of neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.accumulate import in_float32, rounded, running_total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module, int64
from minitorch.ops.choice import Where
from minitorch.ops.dims import dimension, normalized_dims
from minitorch.ops.reduce import kept, sum
from minitorch.ops.shape import Permute, permute, reshape


class Cumsum(Op):
    """Running sums along `dim`.  da = the running sums of g from the other end."""

    def forward(ctx, a: Any, dim: Any, backwards: Any = False) -> Any:
        ctx.dim, ctx.backwards = dim, backwards
        return rounded(running_total(a, dim, backwards), a)

    def backward(ctx, g: Any) -> Any:
        return Cumsum.apply(g, dim=ctx.dim, backwards=not ctx.backwards)


class Cumprod(Op):
    """Running products along `dim`.  da = the running sums of g out from the other end, divided by a where no element is 0."""

    def forward(ctx, a: Any, dim: Any) -> Any:
        out = a.cumprod(dim, dtype=int64 if a.dtype.kind in "biu" else None)
        ctx.dim, ctx.xp, ctx.saved = dim, array_module(a), (a, out)
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        if not bool((a == 0).any()):
            return Cumsum.apply(g * out, dim=ctx.dim, backwards=True) / a
        # without dividing: for element i the products up to each j >= i without it, times g
        dims = [d for d in range(len(a.shape)) if d != ctx.dim] + [ctx.dim]
        a, g = (Permute.apply(x, dims=tuple(dims)) for x in (a, g))
        count = a.shape[-1]
        rows, weights = (x.reshape((*x.shape[:-1], 1, count)) for x in (a, g))
        without = Cumprod.apply(Where.apply(ctx.xp.eye(count, dtype=bool), 1.0, rows), dim=len(dims))
        later = ctx.xp.arange(count) >= ctx.xp.arange(count)[:, None]
        da = Where.apply(later, without * weights, 0.0).sum(-1)
        return Permute.apply(da, dims=tuple(dims.index(d) for d in range(len(dims))))


def cumsum(input: Tensor, dim: int, *, dtype: np.dtype | None = None) -> Tensor:
    """The running sums along `dim`."""
    input = input if dtype is None else input.type(dtype)
    dim = dimension("cumsum", input.shape, dim)
    out = Cumsum.apply(input, dim=dim) if input.ndim else sum(input)
    return out if dtype is None else out.type(dtype)


def cumprod(input: Tensor, dim: int, *, dtype: np.dtype | None = None) -> Tensor:
    """The running products along `dim`, with an exact gradient also where elements are zero."""
    input = input if dtype is None else input.type(dtype)
    dim = dimension("cumprod", input.shape, dim)
    out = Cumprod.apply(input, dim=dim) if input.ndim else input * 1
    return out if dtype is None else out.type(dtype)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The product over `dim`, with an exact gradient also where elements are zero."""
    input = input if dtype is None else input.type(dtype)
    dims = normalized_dims("prod", input.ndim, dim)
    rest = tuple(d for d in range(input.ndim) if d not in dims)
    shape = tuple(input.shape[d] for d in rest)
    rows = reshape(permute(input, rest + dims), (*shape, math.prod(input.shape[d] for d in dims)))
    out = reshape(_product(rows), kept(input.shape, dims) if keepdim else shape)
    return out if dtype is None else out.type(dtype)


@in_float32
def _product(rows: Tensor) -> Tensor:
    """The product along the last dimension: the last of the running products, 1 where there is none."""
    last = rows.ndim - 1
    return Cumprod.apply(rows, dim=last)[..., -1] if rows.shape[-1] else sum(rows, last) + 1
