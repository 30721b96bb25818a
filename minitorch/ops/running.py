"""Along a dimension: running products, differences, areas; and reductions that give two results or leave nan out."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.choice import Where, where
from minitorch.ops.compare import isnan
from minitorch.ops.joining import cat
from minitorch.ops.reduce import Cumsum, Dim, mean, normalized_dims, std, sum, var
from minitorch.ops.shape import Flip, Permute


class Cumprod(Op):
    """Running products along `dim`.  da = the running sums of g out from the other end, divided by a where no element is 0."""

    def forward(ctx, a: Any, dim: Any) -> Any:
        out = a.cumprod(dim, dtype=backend.int64 if a.dtype.kind in "biu" else None)
        ctx.dim, ctx.saved = dim, (a, out)
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        if bool((a == 0).any()):
            return _through_zeros(a, g, ctx.dim)
        back = Flip.apply(g * out, dims=(ctx.dim,))
        return Flip.apply(Cumsum.apply(back, dim=ctx.dim), dims=(ctx.dim,)) / a


def _through_zeros(a: Any, g: Any, dim: int) -> Any:
    """The gradient of running products without dividing: for element i the products up to each j >= i without it, times g."""
    dims = [d for d in range(len(a.shape)) if d != dim] + [dim]
    back = tuple(dims.index(d) for d in range(len(dims)))
    a, g = (Permute.apply(x, dims=tuple(dims)) for x in (a, g))
    count = a.shape[-1]
    rows, weights = (x.reshape((*x.shape[:-1], 1, count)) for x in (a, g))
    xp = array_module(a.array if isinstance(a, Tensor) else a)
    without = Cumprod.apply(Where.apply(xp.eye(count, dtype=bool), 1.0, rows), dim=len(dims))
    later = xp.arange(count) >= xp.arange(count)[:, None]
    return Permute.apply(Where.apply(later, without * weights, 0.0).sum(-1), dims=back)


def cumprod(input: Tensor, dim: int, *, dtype: np.dtype | None = None) -> Tensor:
    """The running products along `dim`, with an exact gradient also where elements are zero."""
    input = input if dtype is None else input.to(dtype)
    dims = normalized_dims("cumprod", input.ndim, dim)
    return Cumprod.apply(input, dim=dims[0]) if dims else input * 1


def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """The differences of neighbours along `dim`, taken `n` times, after `prepend` and `append` were put on; xor of booleans."""
    if not input.ndim or n < 0:
        raise ValueError(f"diff: expected at least one dimension and n of 0 or more, got shape {tuple(input.shape)} and {n}")
    (dim,) = normalized_dims("diff", input.ndim, dim)
    parts = [part for part in (prepend, input, append) if part is not None]
    if any(part.ndim != input.ndim for part in parts):
        raise ValueError(
            f"diff: prepend and append must have {input.ndim} dimensions, got {[tuple(part.shape) for part in parts]}"
        )
    out = cat(parts, dim) if n and len(parts) > 1 else input
    before = (slice(None),) * dim
    for _ in range(min(n, out.shape[dim])):
        later, earlier = out[(*before, slice(1, None))], out[(*before, slice(None, -1))]
        out = later ^ earlier if out.dtype == backend.bool_ else later - earlier
    return out if n else out.clone()


def var_mean(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `dim`; the arguments are those of `var`."""
    return _with_mean(var, input, dim, unbiased, keepdim, correction)


def std_mean(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `dim`; the arguments are those of `std`."""
    return _with_mean(std, input, dim, unbiased, keepdim, correction)


def _with_mean(function: Any, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[Tensor, Tensor]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    given = {} if correction is None else {"correction": correction}
    return function(input, dim, unbiased, keepdim, **given), mean(input, dim, keepdim)


def nansum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The sum over `dim` of the elements that are not nan."""
    return sum(_without_nan(input), dim, keepdim, dtype=dtype)


def nanmean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The mean over `dim` of the elements that are not nan."""
    if input.dtype.kind not in "fc":
        raise TypeError(f"nanmean: expected a floating-point tensor, got {input.dtype}")
    return nansum(input, dim, keepdim, dtype=dtype) / sum((~isnan(input)).detach(), dim, keepdim)


def _without_nan(input: Tensor) -> Tensor:
    return where(isnan(input), 0.0, input) if input.dtype.kind in "fc" else input
