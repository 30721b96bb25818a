"""Arithmetic on each element, with broadcasting: sums, products, quotients, remainders, powers."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.choice import where
from minitorch.ops.elementwise import log, of_each, sqrt
from minitorch.ops.pieces import nothing
from minitorch.ops.promotion import floating, matched


class Add(Op):
    """a + b.  da = g, db = g."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b = matched(a, b)
        return a + b

    def backward(ctx, g: Any) -> Any:
        return g, g


class Sub(Op):
    """a - b.  da = g, db = -g."""

    def forward(ctx, a: Any, b: Any) -> Any:
        if any(isinstance(value, bool) or getattr(value, "dtype", None) == backend.bool_ for value in (a, b)):
            raise TypeError("booleans cannot be subtracted; use ~ or logical_xor, or convert them")
        a, b = matched(a, b)
        return a - b

    def backward(ctx, g: Any) -> Any:
        return g, -g if ctx.needs(1) else None


class Mul(Op):
    """a * b.  da = g b, db = g a."""

    def forward(ctx, a: Any, b: Any) -> Any:
        ctx.saved = a if ctx.needs(1) else None, b if ctx.needs(0) else None
        a, b = matched(a, b)
        return a * b

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        return None if b is None else g * b, None if a is None else g * a


class Div(Op):
    """a / b.  da = g / b, db = -g a / b^2."""

    def forward(ctx, a: Any, b: Any) -> Any:
        ctx.saved = a if ctx.needs(1) else None, b
        a, b = matched(a, b)
        if getattr(a, "dtype", backend.bool_).kind in "biu" and getattr(b, "dtype", backend.bool_).kind in "biu":
            a = floating(a) if backend.is_array(a) else float(a)
            b = floating(b) if backend.is_array(b) else float(b)
        return a / b

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        da = g / b
        return da if ctx.needs(0) else None, None if a is None else -da * (a / b)


class FloorDivide(Op):
    """floor(a / b).  da = db = 0."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b, whole = _divided(a, b)
        return a // b if whole or _on_host(a, b) else _parts(a, b)[0]

    def backward(ctx, g: Any) -> Any:
        return nothing(g), nothing(g)


class TruncDivide(FloorDivide):
    """a / b without its fraction.  da = db = 0."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b, whole = _divided(a, b)
        if not whole:
            return array_module(a if backend.is_array(a) else b).trunc(a / b)
        floor = a // b
        return floor + ((floor < 0) & (floor * b != a))


class Remainder(Op):
    """a - floor(a / b) b, with the sign of b.  da = g, db = -g floor(a / b)."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b, whole = _divided(a, b)
        ctx.saved = a, b
        return a % b if whole or _on_host(a, b) else _parts(a, b)[1]

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        return g, -(g * FloorDivide.apply(a, b)) if ctx.needs(1) else None


def _divided(a: Any, b: Any) -> tuple[Any, Any, bool]:
    """Two operands in one dtype, and whether it is one of integers: these, on the host, must not be divided by 0."""
    a, b = matched(a, b)
    array = a if backend.is_array(a) else b
    if array.dtype.kind == "b":
        raise TypeError("booleans cannot be divided into whole parts; convert them")
    whole = array.dtype.kind in "iu"
    if whole and _on_host(a, b) and not (b.all() if backend.is_array(b) else b):
        raise ZeroDivisionError("a whole number is divided by 0")
    return a, b, whole


def _on_host(a: Any, b: Any) -> bool:
    return array_module(a if backend.is_array(a) else b) is np


def _parts(a: Any, b: Any) -> tuple[Any, Any]:
    """floor(a / b) and what is left, on a GPU, as NumPy has them: CuPy's 1 // 0.1 is 10, and its 5 % inf is nan."""
    xp = array_module(a if backend.is_array(a) else b)
    rest = xp.fmod(a, b)
    down = (rest != 0) & ((rest < 0) != (b < 0))
    return xp.where(xp.equal(b, 0), a / b, xp.rint((a - rest) / b) - down), xp.where(down, rest + b, rest)


class Neg(Op):
    """-a.  da = -g."""

    def forward(ctx, a: Any) -> Any:
        return -a

    def backward(ctx, g: Any) -> Any:
        return -g


class Pow(Op):
    """a ** b.  da = g b a^(b-1), and 0 where b is 0; db = g a^b log a, and 0 where a is 0 and b is not negative."""

    def forward(ctx, a: Any, b: Any) -> Any:
        base, exponent = matched(a, b)
        if type(b) in (int, float) and b in _BY_PRODUCTS:
            out = _power(base, int(b))
        elif backend.is_array(exponent) and exponent.dtype.kind == "i":
            out = _whole_power(base, exponent)
        elif type(exponent) is int and exponent < 0 and base.dtype.kind in "iu":  # for which CuPy would give 0, 1 or -1
            raise ValueError("Integers to negative integer powers are not allowed")
        else:
            out = base**exponent
        ctx.saved = _plain(base, a), _plain(exponent, b), out if ctx.needs(1) else None
        return out

    def backward(ctx, g: Any) -> Any:
        a, b, out = ctx.saved
        da = db = None
        if ctx.needs(0):
            if isinstance(b, (int, float)):
                da = g * a * 2 if b == 2 else nothing(g) if b == 0 else g * (Pow.apply(a, b - 1) * b)
            else:
                da = where(b == 0, 0.0, g * (b * a ** where(b == 0, 1.0, b - 1)))
        if out is not None:
            if not isinstance(a, (int, float)):
                flat = (a == 0) & (b >= 0)
                db = where(flat, 0.0, g * out * log(where(flat, 1.0, a)))
            elif a == 0:
                db = where(b >= 0, 0.0, g * -math.inf)
            else:
                db = g * out * (math.log(a) if a > 0 else math.nan)
        return da, db


def _plain(matched: Any, given: Any) -> Any:
    """What the rule uses: the array that was given, or a plain number, not one of NumPy's or widened for a single dtype."""
    return given if backend.is_array(given) else matched.item() if isinstance(matched, np.generic) else matched


_BY_PRODUCTS = range(2, 9)  # exponents: NumPy's general power of a negative float32 takes 100 times as long as a product


def _power(base: Any, exponent: int) -> Any:
    """`base` to a whole power of at least 1, by repeated squaring; each product is exact to half a unit of the last place."""
    if exponent == 1:
        return base
    half = _power(base, exponent // 2)
    return half * half * base if exponent % 2 else half * half


def _whole_power(base: Any, exponent: Any) -> Any:
    """Whole numbers to whole powers: 1 / base^|exponent| without its fraction where the exponent is negative, as in PyTorch."""
    negative = exponent < 0
    inverse = ((base == 1) | (base == -1)) * base ** (exponent & 1)
    return array_module(exponent).where(negative, inverse, base ** (exponent * ~negative))


def _tensor_of(input: Tensor | float, other: Tensor | float) -> Any:
    """`input`, a number as a tensor if `other` is a number too."""
    if isinstance(input, Tensor) or isinstance(other, Tensor) or not isinstance(input, (int, float)):
        return input
    dtypes = {bool: backend.bool_, int: backend.int64, float: backend.get_default_dtype()}
    return wrap(backend.to_array(input, dtypes[type(input)], backend.get_default_device()))


def add(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """`input + alpha * other`, broadcast."""
    return Add.apply(_tensor_of(input, other), other if alpha == 1 else other * alpha)


def sub(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """`input - alpha * other`, broadcast."""
    return Sub.apply(_tensor_of(input, other), other if alpha == 1 else other * alpha)


def mul(input: Tensor, other: Tensor | float) -> Tensor:
    """`input * other`, broadcast."""
    return Mul.apply(_tensor_of(input, other), other)


def div(input: Tensor, other: Tensor | float, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`, broadcast, as floats; with `rounding_mode="floor"` or `"trunc"` rounded, with a gradient of 0."""
    if rounding_mode not in _QUOTIENTS:
        raise ValueError(f"div: expected rounding_mode None, 'floor' or 'trunc', got {rounding_mode!r}")
    return _QUOTIENTS[rounding_mode].apply(_tensor_of(input, other), other)


_QUOTIENTS: dict[str | None, type[Op]] = {None: Div, "floor": FloorDivide, "trunc": TruncDivide}


def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """`floor(input / other)`, broadcast; its gradient is 0. Raises ZeroDivisionError for whole numbers over 0 on the host."""
    return FloorDivide.apply(input, other)


def remainder(input: Tensor, other: Tensor | float) -> Tensor:
    """The remainder of `input / other`, with the sign of `other`, like Python's `%`. Raises like `floor_divide`."""
    return Remainder.apply(input, other)


neg: Final = of_each(Neg)


def pow(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """`input ** exponent`, broadcast."""
    return Pow.apply(input, exponent)


def square(input: Tensor) -> Tensor:
    """`input ** 2`."""
    return Pow.apply(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """`1 / input`."""
    return Div.apply(1.0, input)


def rsqrt(input: Tensor) -> Tensor:
    """One over the square root of each element."""
    return reciprocal(sqrt(input))


def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """`input + weight * (end - input)`, exactly `end` at weight 1, broadcast; raises TypeError unless all are of one dtype."""
    kinds = {input.dtype, end.dtype} | ({weight.dtype} if isinstance(weight, Tensor) else set())
    if len(kinds) > 1 or input.dtype.kind not in "fc":
        raise TypeError(f"lerp: expected one floating dtype, got {', '.join(sorted(map(str, kinds)))}")
    difference = end - input
    if isinstance(weight, Tensor):
        return where(weight.abs() < 0.5, input + weight * difference, end - (1 - weight) * difference)
    return input + weight * difference if abs(weight) < 0.5 else end - (1 - weight) * difference


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value * tensor1 * tensor2`, broadcast."""
    return add(input, tensor1 * tensor2, alpha=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value * tensor1 / tensor2`, broadcast; raises TypeError for integers, as PyTorch does."""
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise TypeError(f"addcdiv: expected floating-point tensors, got {tensor1.dtype} and {tensor2.dtype}")
    return add(input, tensor1 / tensor2, alpha=value)
