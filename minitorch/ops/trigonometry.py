"""Trigonometric and hyperbolic functions, in radians; logarithms and powers of 2 and 10."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.arithmetic import rsqrt
from minitorch.ops.choice import where
from minitorch.ops.promotion import floating, matched


class Curve(Op):
    """f(a), for a function f of each element that NumPy and CuPy have under the name `function`.  da = g f'(a).

    `slope` computes f' from a, or, where `of_output` is set, from f(a).
    """

    function: str
    of_output: bool
    slope: Callable[..., Any]

    def __init_subclass__(cls, function: str = "", of_output: bool = False) -> None:
        if function:  # a subclass of one of them, as of any operation, has its function already
            cls.function, cls.of_output = function, of_output

    def forward(ctx, a: Any) -> Any:
        a = floating(a)
        out = getattr(array_module(a), ctx.function)(a)
        ctx.saved = (out if ctx.of_output else a,)
        return out

    def backward(ctx, g: Any) -> Any:
        return g * ctx.slope(*ctx.saved)


class Tan(Curve, function="tan", of_output=True):
    """tan a.  da = g (1 + tan^2 a)."""

    def slope(ctx, out: Any) -> Any:
        return 1 + out * out


class Asin(Curve, function="arcsin"):
    """The angle whose sine is a.  da = g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return rsqrt(1 - a * a)


class Acos(Curve, function="arccos"):
    """The angle whose cosine is a.  da = -g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return -rsqrt(1 - a * a)


class Atan(Curve, function="arctan"):
    """The angle whose tangent is a.  da = g / (1 + a^2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (1 + a * a)


class Sinh(Curve, function="sinh"):
    """sinh a.  da = g cosh a."""

    def slope(ctx, a: Any) -> Any:
        return Cosh.apply(a)


class Cosh(Curve, function="cosh"):
    """cosh a.  da = g sinh a."""

    def slope(ctx, a: Any) -> Any:
        return Sinh.apply(a)


class Expm1(Curve, function="expm1", of_output=True):
    """e^a - 1, exact for small a.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out + 1


class Exp2(Curve, function="exp2", of_output=True):
    """2^a.  da = g 2^a log 2."""

    def slope(ctx, out: Any) -> Any:
        return out * math.log(2)


class Log2(Curve, function="log2"):
    """The logarithm of a to base 2.  da = g / (a log 2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(2))


class Log10(Curve, function="log10"):
    """The logarithm of a to base 10.  da = g / (a log 10)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(10))


class Atan2(Op):
    """The angle of the point (b, a), from -pi to pi.  da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2), both 0 at the origin."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b = ctx.saved = tuple(map(floating, matched(a, b)))
        return array_module(a).arctan2(a, b)

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        square = a * a + b * b
        inverse = where(square == 0, 0.0, 1 / square)
        return g * b * inverse, -(g * a * inverse)


def _of_each(op: type[Op], name: str, text: str) -> Callable[[Tensor], Tensor]:
    """The public function `name` that applies `op` to a tensor."""

    def function(input: Tensor) -> Tensor:
        return op.apply(input)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


tan: Final = _of_each(Tan, "tan", "The tangent of each element.")
asin: Final = _of_each(Asin, "asin", "The angle whose sine each element is, nan outside [-1, 1].")
acos: Final = _of_each(Acos, "acos", "The angle whose cosine each element is, nan outside [-1, 1].")
atan: Final = _of_each(Atan, "atan", "The angle whose tangent each element is.")
sinh: Final = _of_each(Sinh, "sinh", "The hyperbolic sine of each element.")
cosh: Final = _of_each(Cosh, "cosh", "The hyperbolic cosine of each element.")
expm1: Final = _of_each(Expm1, "expm1", "e to the power of each element, less 1; exact for small ones.")
exp2: Final = _of_each(Exp2, "exp2", "2 to the power of each element.")
log2: Final = _of_each(Log2, "log2", "The logarithm of each element to base 2: -inf at 0, nan below.")
log10: Final = _of_each(Log10, "log10", "The logarithm of each element to base 10: -inf at 0, nan below.")


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input), from -pi to pi."""
    return Atan2.apply(input, other)


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)
