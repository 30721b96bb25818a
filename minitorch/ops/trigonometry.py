"""Trigonometric and hyperbolic functions and their inverses, in radians; logarithms and powers of 2 and 10."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.arithmetic import rsqrt
from minitorch.ops.choice import where
from minitorch.ops.elementwise import exp
from minitorch.ops.promotion import floating, matched


class Curve(Op):
    """A function of each element that NumPy and CuPy have under the name `function`; saves the input, or its own output."""

    function: str
    saves_output = False

    def forward(ctx, a: Any) -> Any:
        floats = floating(a)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # inf at a pole, nan outside the domain
            out = getattr(array_module(floats), ctx.function)(floats)
        ctx.saved = (out if ctx.saves_output else a,)
        return out


class Tan(Curve):
    """tan a.  da = g (1 + tan^2 a)."""

    function, saves_output = "tan", True

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return g * (1 + out * out)


class Asin(Curve):
    """The angle whose sine is a.  da = g / sqrt(1 - a^2)."""

    function = "arcsin"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * rsqrt(1 - a * a)


class Acos(Curve):
    """The angle whose cosine is a.  da = -g / sqrt(1 - a^2)."""

    function = "arccos"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return -(g * rsqrt(1 - a * a))


class Atan(Curve):
    """The angle whose tangent is a.  da = g / (1 + a^2)."""

    function = "arctan"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / (1 + a * a)


class Sinh(Curve):
    """sinh a.  da = g cosh a."""

    function = "sinh"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * Cosh.apply(a)


class Cosh(Curve):
    """cosh a.  da = g sinh a."""

    function = "cosh"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * Sinh.apply(a)


class Asinh(Curve):
    """The number whose sinh is a.  da = g / sqrt(a^2 + 1)."""

    function = "arcsinh"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * rsqrt(a * a + 1)


class Acosh(Curve):
    """The number whose cosh is a.  da = g / sqrt(a^2 - 1)."""

    function = "arccosh"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * rsqrt(a * a - 1)


class Atanh(Curve):
    """The number whose tanh is a.  da = g / (1 - a^2)."""

    function = "arctanh"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        with np.errstate(divide="ignore"):
            return g / (1 - a * a)


class Expm1(Curve):
    """e^a - 1, exact for small a.  da = g e^a."""

    function, saves_output = "expm1", True

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return g * (out + 1)


class Exp2(Curve):
    """2^a.  da = g 2^a log 2."""

    function, saves_output = "exp2", True

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return g * (out * math.log(2))


class Log2(Curve):
    """The logarithm of a to base 2.  da = g / (a log 2)."""

    function = "log2"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        with np.errstate(divide="ignore", invalid="ignore"):
            return g / (a * math.log(2))


class Log10(Curve):
    """The logarithm of a to base 10.  da = g / (a log 10)."""

    function = "log10"

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        with np.errstate(divide="ignore", invalid="ignore"):
            return g / (a * math.log(10))


def _both(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands as floats of one dtype."""
    for value in (a, b):
        if not hasattr(value, "ndim"):
            raise TypeError(f"{name}: expected two tensors, got {type(value).__name__}")
    a, b = matched(a, b)
    return floating(a), floating(b)


class Atan2(Op):
    """The angle of the point (b, a), from -pi to pi.  da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2), both 0 at the origin."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b = _both("atan2", a, b)
        ctx.saved = a, b
        return array_module(a).arctan2(a, b)

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        square = a * a + b * b
        inverse = where(square == 0, 0.0, 1 / square)
        return g * b * inverse, -(g * a * inverse)


class Logaddexp(Op):
    """log(e^a + e^b), without overflow.  da = g / (1 + e^(b-a)), db = g / (1 + e^(a-b))."""

    def forward(ctx, a: Any, b: Any) -> Any:
        a, b = _both("logaddexp", a, b)
        ctx.saved = a, b
        return array_module(a).logaddexp(a, b)

    def backward(ctx, g: Any) -> Any:
        a, b = ctx.saved
        return g / (1 + exp(b - a)), g / (1 + exp(a - b))


def tan(input: Tensor) -> Tensor:
    """The tangent of each element."""
    return Tan.apply(input)


def asin(input: Tensor) -> Tensor:
    """The angle whose sine each element is, nan outside [-1, 1]."""
    return Asin.apply(input)


def acos(input: Tensor) -> Tensor:
    """The angle whose cosine each element is, nan outside [-1, 1]."""
    return Acos.apply(input)


def atan(input: Tensor) -> Tensor:
    """The angle whose tangent each element is."""
    return Atan.apply(input)


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input), from -pi to pi."""
    return Atan2.apply(input, other)


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine of each element."""
    return Sinh.apply(input)


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine of each element."""
    return Cosh.apply(input)


def asinh(input: Tensor) -> Tensor:
    """The number whose hyperbolic sine each element is."""
    return Asinh.apply(input)


def acosh(input: Tensor) -> Tensor:
    """The number whose hyperbolic cosine each element is, nan below 1."""
    return Acosh.apply(input)


def atanh(input: Tensor) -> Tensor:
    """The number whose hyperbolic tangent each element is, nan outside [-1, 1]."""
    return Atanh.apply(input)


def expm1(input: Tensor) -> Tensor:
    """e to the power of each element, less 1; exact for small ones."""
    return Expm1.apply(input)


def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""
    return Exp2.apply(input)


def log2(input: Tensor) -> Tensor:
    """The logarithm of each element to base 2: -inf at 0, nan below."""
    return Log2.apply(input)


def log10(input: Tensor) -> Tensor:
    """The logarithm of each element to base 10: -inf at 0, nan below."""
    return Log10.apply(input)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(e^input + e^other), without overflow."""
    return Logaddexp.apply(input, other)


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)
