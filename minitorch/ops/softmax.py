"""Softmax and its logarithm."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minitorch.accumulate import in_float32, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.dims import dimension
from minitorch.ops.elementwise import exp
from minitorch.ops.promotion import floating
from minitorch.ops.reduce import summed
from minitorch.ops.strips import each_row


class Softmax(Op):
    """p = e^a / sum e^a over `dim`, with the maximum subtracted first.  da = p (g - sum(g p))."""

    def forward(ctx, a: Any, dim: Any) -> Any:
        ctx.dims = dims = (dim % a.ndim,) if a.ndim else ()

        def softmax(a: Any) -> Any:
            out = _below_most(a, dims)
            array_module(out).exp(out, out=out)
            out /= total(out, dims, True)
            return out

        a = floating(a)
        out = softmax(a) if dims == (0,) else each_row(softmax, a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        def rule(g: Any, out: Any) -> Any:
            weighted = g * out
            return weighted - out * summed(weighted, ctx.dims, True)

        return each_row(rule, g, *ctx.saved) if ctx.dims != (0,) else rule(g, *ctx.saved)


class LogSoftmax(Op):
    """l = a - log sum e^a over `dim`, with the maximum subtracted first.  da = g - e^l sum g."""

    def forward(ctx, a: Any, dim: Any) -> Any:
        ctx.dims = (dim % a.ndim,) if a.ndim else ()
        out = _below_most(floating(a), ctx.dims)
        xp = array_module(out)
        out -= xp.log(total(xp.exp(out), ctx.dims, True))
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return g - exp(out) * summed(g, ctx.dims, True)


def _below_most(a: Any, dims: tuple[int, ...]) -> Any:
    """`a` less its maximum over `dims`, in a new array."""
    if a.ndim > 1 and dims == (a.ndim - 1,) and a.size and a.flags.c_contiguous:
        return a - largest(a.reshape(-1, a.shape[-1])).reshape(*a.shape[:-1], 1)
    return array_module(a).asarray(a - a.max(dims, keepdims=True) if a.size else a.copy())


def largest(rows: Any) -> Any:
    """The largest of each row (n, classes), as (n, 1); of short rows as columns: (1000, 10) takes 8 microseconds, else 67."""
    xp = array_module(rows)
    if xp is np and rows.shape[1] <= 32:
        return xp.ascontiguousarray(rows.T).max(0)[:, None]
    return rows.max(1, keepdims=True)


def softmax(input: Tensor, dim: int | None = None, dtype: np.dtype | None = None) -> Tensor:
    """e^x divided by its sum along `dim`; finite for any finite x.

    Without `dim` it takes the dimension that PyTorch takes: the first of 0, 1 or 3, the second of any other number. Where that
    is not the last one, it warns.
    """
    return _softmax_of(_cast("softmax", input, dtype), dim=_along("softmax", input, dim))


def log_softmax(input: Tensor, dim: int | None = None, dtype: np.dtype | None = None) -> Tensor:
    """The logarithm of softmax along `dim` (without it as `softmax`), without ever taking the logarithm of 0."""
    return _log_softmax_of(_cast("log_softmax", input, dtype), dim=_along("log_softmax", input, dim))


def _cast(name: str, input: Tensor, dtype: np.dtype | None) -> Tensor:
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"{name}: expected a floating dtype, got {np.dtype(dtype)}")
    return input if dtype is None else input.type(dtype)


def _along(name: str, input: Tensor, dim: int | None) -> int:
    """The dimension `dim` of `input`, or the one that PyTorch takes where none is given."""
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
        if input.ndim > 2:
            said = f"{name}: no dim was given for shape {tuple(input.shape)}; it is taken along dim {dim}, as in PyTorch"
            warnings.warn(said, stacklevel=4)  # beyond the wrapper of public functions
    return dimension(name, input.shape, dim)


_softmax_of, _log_softmax_of = in_float32(Softmax.apply), in_float32(LogSoftmax.apply)
