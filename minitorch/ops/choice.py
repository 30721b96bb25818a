"""One of two for each element: by a condition, the larger, the smaller, or the nearest bound."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.promotion import matched


class Where(Op):
    """a where the condition holds, else b.  da = g there, db = g elsewhere."""

    def forward(ctx, condition, a, b):
        ctx.saved = (condition,)
        if not backend.is_array(a) and not backend.is_array(b):
            scalar = next((value for value in (a, b) if isinstance(value, np.generic)), None)  # a 0-d result inside a rule
            kinds = {type(a), type(b)}
            whole = backend.int64 if int in kinds else backend.bool_
            dtype = scalar.dtype if scalar is not None else backend.get_default_dtype() if float in kinds else whole
            a = array_module(condition).asarray(a, dtype=dtype)
        a, b = matched(a, b)
        return array_module(condition).where(condition, a, b)

    def backward(ctx, g):
        (condition,) = ctx.saved
        return None, where(condition, g, 0.0) if ctx.needs(1) else None, where(condition, 0.0, g) if ctx.needs(2) else None


class Maximum(Op):
    """The larger of a and b, nan if either is.  The gradient goes to the larger, half to each at a tie, as in PyTorch."""

    def forward(ctx, a, b):
        a, b = matched(a, b)
        ctx.saved = a, b
        return array_module(a).maximum(a, b)

    def backward(ctx, g):
        a, b = ctx.saved
        return _to_the_larger(g, a, b, ctx.needs(0)), _to_the_larger(g, b, a, ctx.needs(1))


class Minimum(Op):
    """The smaller of a and b, nan if either is.  The gradient goes to the smaller, half to each at a tie."""

    def forward(ctx, a, b):
        a, b = matched(a, b)
        ctx.saved = a, b
        return array_module(a).minimum(a, b)

    def backward(ctx, g):
        a, b = ctx.saved
        return _to_the_larger(g, b, a, ctx.needs(0)), _to_the_larger(g, a, b, ctx.needs(1))


def _to_the_larger(g: Any, a: Any, b: Any, wanted: bool) -> Any:
    """What the larger of two gets: g where a > b, half of it where they are equal."""
    return where(a == b, g * 0.5, where(a > b, g, 0.0)) if wanted else None


class Clamp(Op):
    """a kept within [low, high], and high where low > high.  g goes to a where low <= a <= high, else to the bound it met."""

    def forward(ctx, a, low, high):
        ctx.saved = a, low, high
        a, low = (a, None) if low is None else matched(a, low)
        a, high = (a, None) if high is None else matched(a, high)
        return array_module(a).clip(a, low, high)

    def backward(ctx, g):
        a, low, high = ctx.saved
        da = dlow = dhigh = None
        if ctx.needs(0):
            inside = (a == a) if low is None else (a >= low)
            da = where(inside if high is None else inside & (a <= high), g, 0.0)
        if ctx.needs(1):
            dlow = where(a < low if high is None else (a < low) & (low <= high), g, 0.0)
        if ctx.needs(2):
            dhigh = where(a > high if low is None else (a > high) | (low > high), g, 0.0)
        return da, dlow, dhigh


def where(condition: Tensor, input: Tensor | float | None = None, other: Tensor | float | None = None) -> Tensor:
    """`input` where `condition` holds, else `other`, all broadcast; with a condition alone, the indices where it holds.

    Raises TypeError if the condition is not boolean.
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if condition.dtype != backend.bool_:
        raise TypeError(f"where: expected a boolean condition, got {condition.dtype}")
    if isinstance(condition, Tensor):  # a user's NumPy scalar is a number like any other
        input, other = (value.item() if isinstance(value, np.generic) else value for value in (input, other))
    return Where.apply(condition, input, other)


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero: `(count, ndim)` int64, or with `as_tuple` one tensor per dimension."""
    found = (input.array if input.ndim else input.array.reshape(1)).nonzero()  # NumPy refuses a 0-d array
    if as_tuple:
        return tuple(wrap(index) for index in found)
    return wrap(array_module(input.array).stack(found, -1)[:, : input.ndim])


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two tensors, element by element, broadcast; nan if either is."""
    return Maximum.apply(input, other)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two tensors, element by element, broadcast; nan if either is."""
    return Minimum.apply(input, other)


def clamp(input: Tensor, min: Tensor | float | None = None, max: Tensor | float | None = None) -> Tensor:
    """Each element kept within [min, max]; raises ValueError if neither bound is given."""
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both")
    return Clamp.apply(input, min, max)
