"""Operations on each element: arithmetic with broadcasting, powers and exponentials, comparisons, activations.

Mixed dtypes follow PyTorch: bool < integers < floats, a Python number or a 0-d tensor does not widen a larger tensor of its
own kind, and a floating function of integers gives the default dtype. NumPy's own rules would turn int64 + float32 into
float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.backend import array_module
from minitorch.op import Op
from minitorch.tensor import Tensor, wrap

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def matched(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, arrays or numbers, in the dtype that PyTorch would compute in."""
    try:
        if a.dtype is b.dtype:
            return a, b
    except AttributeError:
        pass
    if not backend.is_array(a):
        if not backend.is_array(b):  # NumPy makes scalars of 0-d results inside a rule
            if isinstance(a, np.generic):
                return matched(np.asarray(a), b)
            if isinstance(b, np.generic):
                return matched(a, np.asarray(b))
        b, a = _with_number(b, a)
        return a, b
    if not backend.is_array(b):
        return _with_number(a, b)
    common = promote_types(a, b)
    return a.astype(common, copy=False), b.astype(common, copy=False)


def promote_types(a: Any, b: Any) -> np.dtype:
    """The dtype in which PyTorch would combine two arrays: only a larger kind, or dimensions, can widen."""
    rank_a, rank_b = _RANK[a.dtype.kind], _RANK[b.dtype.kind]
    if rank_a != rank_b:
        winner, loser = (a, b) if rank_a > rank_b else (b, a)
        if {winner.dtype.kind, loser.dtype.kind} == {"c", "f"}:
            return np.promote_types(a.dtype, b.dtype)
        return winner.dtype
    if bool(a.ndim) != bool(b.ndim):
        return a.dtype if a.ndim else b.dtype
    return np.promote_types(a.dtype, b.dtype)


def _with_number(array: Any, number: Any) -> tuple[Any, Any]:
    if isinstance(number, np.generic):
        number = number.item()  # a NumPy scalar would widen: float32 * np.float64 is float64
    if not isinstance(number, (bool, int, float, complex)):
        raise TypeError(f"expected a tensor or a number, got {type(number).__name__}")
    if not isinstance(array, np.generic) and not backend.is_array(array):
        raise TypeError(f"expected a tensor, got {type(array).__name__}")
    kind = array.dtype.kind
    if isinstance(number, float) and kind in "biu":
        array = array.astype(backend.get_default_dtype())
    elif isinstance(number, int) and not isinstance(number, bool) and kind == "b":
        array = array.astype(backend.int64)
    return array, number


def floating(a: Any) -> Any:
    """`a`, integers and booleans as the default float dtype."""
    if isinstance(a, np.generic):
        a = np.asarray(a)  # what NumPy makes of a 0-d result inside a rule
    if not backend.is_array(a):
        raise TypeError(f"expected a tensor, got {type(a).__name__}")
    return a if a.dtype.kind in "fc" else a.astype(backend.get_default_dtype())


# ---- arithmetic ----------------------------------------------------------------------------------------------------------


class Add(Op):
    """a + b.  da = g, db = g."""

    def forward(ctx, a, b):
        a, b = matched(a, b)
        return a + b

    def backward(ctx, g):
        return g, g


class Sub(Op):
    """a - b.  da = g, db = -g."""

    def forward(ctx, a, b):
        a, b = matched(a, b)
        if getattr(a, "dtype", None) == backend.bool_ and getattr(b, "dtype", None) == backend.bool_:
            raise TypeError("subtraction of booleans is not defined; use logical_xor or convert one")
        return a - b

    def backward(ctx, g):
        return g, -g if ctx.needs(1) else None


class Mul(Op):
    """a * b.  da = g b, db = g a."""

    def forward(ctx, a, b):
        ctx.saved = a if ctx.needs(1) else None, b if ctx.needs(0) else None
        a, b = matched(a, b)
        return a * b

    def backward(ctx, g):
        a, b = ctx.saved
        return None if b is None else g * b, None if a is None else g * a


class Div(Op):
    """a / b.  da = g / b, db = -g a / b^2."""

    def forward(ctx, a, b):
        ctx.saved = a if ctx.needs(1) else None, b
        a, b = matched(a, b)
        if getattr(a, "dtype", backend.bool_).kind in "biu" and getattr(b, "dtype", backend.bool_).kind in "biu":
            a = floating(a) if backend.is_array(a) else float(a)
            b = floating(b) if backend.is_array(b) else float(b)
        return a / b

    def backward(ctx, g):
        a, b = ctx.saved
        da = g / b
        return da if ctx.needs(0) else None, None if a is None else -da * (a / b)


class FloorDivide(Op):
    """floor(a / b).  da = db = 0."""

    def forward(ctx, a, b):
        a, b = matched(a, b)
        return a // b

    def backward(ctx, g):
        zero = g * 0.0
        return zero, zero


class Remainder(Op):
    """a - floor(a / b) b, with the sign of b.  da = g, db = -g floor(a / b)."""

    def forward(ctx, a, b):
        ctx.saved = a, b
        a, b = matched(a, b)
        return a % b

    def backward(ctx, g):
        a, b = ctx.saved
        return g, -(g * FloorDivide.apply(a, b)) if ctx.needs(1) else None


class Neg(Op):
    """-a.  da = -g."""

    def forward(ctx, a):
        return -a

    def backward(ctx, g):
        return -g


class Pow(Op):
    """a ** b.  da = g b a^(b-1), and 0 where b is 0; db = g a^b log a, and 0 where a and the result are 0."""

    def forward(ctx, a, b):
        base, exponent = matched(a, b)
        # a square is exact, and cheaper than a general power
        out = base * base if type(b) is int and b == 2 else base**exponent
        a, b = a if backend.is_array(a) else base, b if backend.is_array(b) else exponent  # plain numbers, not NumPy's
        ctx.saved = a, b, out if ctx.needs(1) else None
        return out

    def backward(ctx, g):
        a, b, out = ctx.saved
        da = db = None
        if ctx.needs(0):
            if isinstance(b, (int, float)):
                da = g * a * 2 if b == 2 else g * 0.0 if b == 0 else g * (b * a ** (b - 1))
            else:
                da = g * where(b == 0, 0.0, b * a ** where(b == 0, 1.0, b - 1))
        if out is not None:
            if isinstance(a, (int, float)):
                db = g * out * (math.log(a) if a > 0 else 0.0 if a == 0 else math.nan)
            else:
                db = where(out == 0, 0.0, g * out * log(where(out == 0, 1.0, a)))
        return da, db


def add(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """`input + alpha * other`, broadcast."""
    return Add.apply(input, other if alpha == 1 else other * alpha)


def sub(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """`input - alpha * other`, broadcast."""
    return Sub.apply(input, other if alpha == 1 else other * alpha)


def mul(input: Tensor, other: Tensor | float) -> Tensor:
    """`input * other`, broadcast."""
    return Mul.apply(input, other)


def div(input: Tensor, other: Tensor | float, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`, broadcast, in a float dtype; with `rounding_mode="floor"` or `"trunc"` rounded, with a gradient of 0.

    Raises ValueError for another rounding mode.
    """
    if rounding_mode is None:
        return Div.apply(input, other)
    if rounding_mode == "floor":
        return FloorDivide.apply(input, other)
    if rounding_mode == "trunc":
        return trunc(Div.apply(input, other)).type(FloorDivide.apply(input, other).dtype)
    raise ValueError(f"div: expected rounding_mode None, 'floor' or 'trunc', got {rounding_mode!r}")


def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """`floor(input / other)`, broadcast; its gradient is 0."""
    return FloorDivide.apply(input, other)


def remainder(input: Tensor, other: Tensor | float) -> Tensor:
    """The remainder of `input / other`, with the sign of `other`, as Python's `%`."""
    return Remainder.apply(input, other)


def neg(input: Tensor) -> Tensor:
    """`-input`."""
    return Neg.apply(input)


def pow(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """`input ** exponent`, broadcast."""
    return Pow.apply(input, exponent)


def square(input: Tensor) -> Tensor:
    """`input ** 2`."""
    return Pow.apply(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """`1 / input`."""
    return Div.apply(1.0, input)


# ---- exponentials, roots, trigonometry -----------------------------------------------------------------------------------


class Exp(Op):
    """e^a.  da = g e^a."""

    def forward(ctx, a):
        a = floating(a)
        out = array_module(a).exp(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return g * out


class Log(Op):
    """The natural logarithm of a.  da = g / a."""

    def forward(ctx, a):
        ctx.saved = (a,)
        a = floating(a)
        with np.errstate(divide="ignore", invalid="ignore"):  # log 0 is -inf and log of a negative nan, as in PyTorch
            return array_module(a).log(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        with np.errstate(divide="ignore", invalid="ignore"):
            return g / a


class Log1p(Op):
    """log(1 + a), exact for small a.  da = g / (1 + a)."""

    def forward(ctx, a):
        ctx.saved = (a,)
        a = floating(a)
        with np.errstate(divide="ignore", invalid="ignore"):
            return array_module(a).log1p(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        with np.errstate(divide="ignore", invalid="ignore"):
            return g / (1 + a)


class Sqrt(Op):
    """The square root of a.  da = g / (2 sqrt a), which is infinite at 0."""

    def forward(ctx, a):
        a = floating(a)
        with np.errstate(invalid="ignore"):
            out = array_module(a).sqrt(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        with np.errstate(divide="ignore", invalid="ignore"):
            return g / (out * 2)


class Sin(Op):
    """sin a.  da = g cos a."""

    def forward(ctx, a):
        ctx.saved = (a,)
        a = floating(a)
        return array_module(a).sin(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * cos(a)


class Cos(Op):
    """cos a.  da = -g sin a."""

    def forward(ctx, a):
        ctx.saved = (a,)
        a = floating(a)
        return array_module(a).cos(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        return -(g * sin(a))


class Abs(Op):
    """|a|.  da = g sign a, which is 0 at 0."""

    def forward(ctx, a):
        ctx.saved = (a,)
        return array_module(a).abs(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * sign(a)


def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""
    return Exp.apply(input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm of each element: -inf at 0, nan below."""
    return Log.apply(input)


def log1p(input: Tensor) -> Tensor:
    """The natural logarithm of 1 + each element, exact for small ones."""
    return Log1p.apply(input)


def sqrt(input: Tensor) -> Tensor:
    """The square root of each element: nan below 0; the gradient at 0 is infinite."""
    return Sqrt.apply(input)


def rsqrt(input: Tensor) -> Tensor:
    """One over the square root of each element."""
    return Pow.apply(input, -0.5)


def sin(input: Tensor) -> Tensor:
    """The sine of each element, in radians."""
    return Sin.apply(input)


def cos(input: Tensor) -> Tensor:
    """The cosine of each element, in radians."""
    return Cos.apply(input)


def abs(input: Tensor) -> Tensor:
    """The absolute value of each element; its gradient at 0 is 0."""
    return Abs.apply(input)


# ---- steps, which have a gradient of zero --------------------------------------------------------------------------------


class Sign(Op):
    """-1, 0 or 1.  da = 0."""

    def forward(ctx, a):
        return array_module(a).sign(a)

    def backward(ctx, g):
        return g * 0.0


class Floor(Op):
    """The integer at or below a.  da = 0."""

    def forward(ctx, a):
        return array_module(a).floor(a)

    def backward(ctx, g):
        return g * 0.0


class Ceil(Floor):
    """The integer at or above a.  da = 0."""

    def forward(ctx, a):
        return array_module(a).ceil(a)


class Round(Floor):
    """a to `decimals` places, halves to even.  da = 0."""

    def forward(ctx, a, decimals):
        return array_module(a).round(a, decimals)


class Trunc(Floor):
    """The integer part of a.  da = 0."""

    def forward(ctx, a):
        return array_module(a).trunc(a)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element, nan for nan (PyTorch has 0)."""
    return Sign.apply(input)


def floor(input: Tensor) -> Tensor:
    """The largest integer not above each element."""
    return Floor.apply(input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below each element."""
    return Ceil.apply(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element to `decimals` places, halves to the even neighbour."""
    return Round.apply(input, decimals=decimals)


def trunc(input: Tensor) -> Tensor:
    """Each element without its fraction."""
    return Trunc.apply(input)


# ---- choice --------------------------------------------------------------------------------------------------------------


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
    found = input.array.nonzero()
    if as_tuple:
        return tuple(wrap(index) for index in found)
    module = array_module(input.array)
    return wrap(module.stack(found, -1) if found else module.zeros((0, 0), backend.int64))


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
