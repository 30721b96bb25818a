"""Functions of each element: exponentials, roots, trigonometry, and steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.pieces import nothing
from minitorch.ops.promotion import floating


class Curve(Op):
    """f(a), for a function f of each element that NumPy and CuPy have under the name `ufunc`.  da = g f'(a).

    `slope` computes f' from a, or, where `of_output` is set, from f(a).
    """

    ufunc: str
    of_output: bool
    slope: Callable[..., Any]

    def __init_subclass__(cls, ufunc: str = "", of_output: bool = False) -> None:
        if ufunc:  # a subclass of one of them, as of any operation, has its own already
            cls.ufunc, cls.of_output = ufunc, of_output

    def forward(ctx, a: Any) -> Any:
        a = floating(a)
        out = getattr(array_module(a), ctx.ufunc)(a)
        ctx.saved = (out if ctx.of_output else a,)
        return out

    def backward(ctx, g: Any) -> Any:
        return g * ctx.slope(*ctx.saved)


class Exp(Curve, ufunc="exp", of_output=True):
    """e^a.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out


class Expm1(Curve, ufunc="expm1", of_output=True):
    """e^a - 1, exact for small a.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out + 1


class Log(Curve, ufunc="log"):
    """The natural logarithm of a: -inf at 0, nan below.  da = g / a."""

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / a


class Log1p(Curve, ufunc="log1p"):
    """log(1 + a), exact for small a.  da = g / (1 + a)."""

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / (1 + a)


class Log2(Curve, ufunc="log2"):
    """The logarithm of a to base 2.  da = g / (a log 2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(2))


class Log10(Curve, ufunc="log10"):
    """The logarithm of a to base 10.  da = g / (a log 10)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(10))


class Sqrt(Op):
    """The square root of a.  da = g / (2 sqrt a), which is infinite at 0."""

    def forward(ctx, a: Any) -> Any:
        a = floating(a)
        out = array_module(a).sqrt(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return g / (out * 2)


class Sin(Curve, ufunc="sin"):
    """sin a.  da = g cos a."""

    def slope(ctx, a: Any) -> Any:
        return cos(a)


class Cos(Curve, ufunc="cos"):
    """cos a.  da = -g sin a."""

    def slope(ctx, a: Any) -> Any:
        return -sin(a)


class Tan(Curve, ufunc="tan", of_output=True):
    """tan a.  da = g (1 + tan^2 a)."""

    def slope(ctx, out: Any) -> Any:
        return 1 + out * out


class Asin(Curve, ufunc="arcsin"):
    """The angle whose sine is a.  da = g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / sqrt(1 - a * a)


class Acos(Curve, ufunc="arccos"):
    """The angle whose cosine is a.  da = -g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return -1 / sqrt(1 - a * a)


class Atan(Curve, ufunc="arctan"):
    """The angle whose tangent is a.  da = g / (1 + a^2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (1 + a * a)


class Sinh(Curve, ufunc="sinh"):
    """sinh a.  da = g cosh a."""

    def slope(ctx, a: Any) -> Any:
        return cosh(a)


class Cosh(Curve, ufunc="cosh"):
    """cosh a.  da = g sinh a."""

    def slope(ctx, a: Any) -> Any:
        return sinh(a)


class Tanh(Curve, ufunc="tanh", of_output=True):
    """tanh a.  da = g (1 - tanh^2 a)."""

    def slope(ctx, out: Any) -> Any:
        return 1 - out * out


class Abs(Op):
    """|a|.  da = g sign a, which is 0 at 0."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        return array_module(a).abs(a)

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * sign(a)


class Sign(Op):
    """-1, 0 or 1, and 0 for nan.  da = 0."""

    def forward(ctx, a: Any) -> Any:
        xp = array_module(a)
        if a.dtype.kind in "bc":
            return a.copy() if a.dtype.kind == "b" else xp.sign(a)
        return xp.subtract(a > 0, a < 0, dtype=a.dtype)

    def backward(ctx, g: Any) -> Any:
        return nothing(g)


class Floor(Op):
    """The integer at or below a.  da = 0."""

    ufunc = "floor"

    def forward(ctx, a: Any, **parameters: Any) -> Any:
        return getattr(array_module(a), ctx.ufunc)(a, **parameters)

    def backward(ctx, g: Any) -> Any:
        return nothing(g)


class Ceil(Floor):
    """The integer at or above a.  da = 0."""

    ufunc = "ceil"


class Trunc(Floor):
    """The integer part of a.  da = 0."""

    ufunc = "trunc"


class Round(Floor):
    """a to `decimals` places, halves to even.  da = 0."""

    ufunc = "round"


def of_each(op: type[Op], text: str) -> Callable[[Tensor], Tensor]:
    """The public function that applies an operation to a tensor and has its name, in small letters."""

    def function(input: Tensor) -> Tensor:
        return op.apply(input)

    function.__name__ = function.__qualname__ = op.__name__.lower()
    function.__module__, function.__doc__ = op.__module__, text
    return function


exp: Final = of_each(Exp, "e to the power of each element.")
expm1: Final = of_each(Expm1, "e to the power of each element, less 1; exact for small ones.")
log: Final = of_each(Log, "The natural logarithm of each element: -inf at 0, nan below.")
log1p: Final = of_each(Log1p, "The natural logarithm of 1 + each element, exact for small ones.")
log2: Final = of_each(Log2, "The logarithm of each element to base 2: -inf at 0, nan below.")
log10: Final = of_each(Log10, "The logarithm of each element to base 10: -inf at 0, nan below.")
sqrt: Final = of_each(Sqrt, "The square root of each element: nan below 0; the gradient at 0 is infinite.")
sin: Final = of_each(Sin, "The sine of each element, in radians.")
cos: Final = of_each(Cos, "The cosine of each element, in radians.")
tan: Final = of_each(Tan, "The tangent of each element, in radians.")
asin: Final = of_each(Asin, "The angle in radians whose sine is the element; nan outside [-1, 1].")
acos: Final = of_each(Acos, "The angle in radians whose cosine is the element; nan outside [-1, 1].")
atan: Final = of_each(Atan, "The angle in radians whose tangent is the element.")
sinh: Final = of_each(Sinh, "The hyperbolic sine of each element.")
cosh: Final = of_each(Cosh, "The hyperbolic cosine of each element.")
tanh: Final = of_each(Tanh, "The hyperbolic tangent of each element.")
abs: Final = of_each(Abs, "The absolute value of each element; its gradient at 0 is 0.")
sign: Final = of_each(Sign, "-1, 0 or 1 for each element; 0 for nan, as in PyTorch.")
floor: Final = of_each(Floor, "The largest integer not above each element.")
ceil: Final = of_each(Ceil, "The smallest integer not below each element.")
trunc: Final = of_each(Trunc, "Each element without its fraction.")


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element to `decimals` places, halves to the even neighbour."""
    return Round.apply(input, decimals=decimals)


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element; booleans stay as they are."""
    return sign(input) if input.dtype != backend.bool_ else input.clone()


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)
