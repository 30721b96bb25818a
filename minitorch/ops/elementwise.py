"""Functions of each element: exponentials, roots, trigonometry, and steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module, bool_
from minitorch.ops.pieces import nothing
from minitorch.ops.promotion import array_of, floating
from minitorch.ops.strips import each


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
        out = each(getattr(array_module(a), ctx.ufunc), a)
        ctx.saved = (out if ctx.of_output else a,)
        return out

    def backward(ctx, g: Any) -> Any:
        return each(lambda g, a: g * ctx.slope(a), g, *ctx.saved)


class Exp(Curve, ufunc="exp", of_output=True):
    """e^a.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out


class Expm1(Curve, ufunc="expm1", of_output=True):
    """e^a - 1, also for small a exact.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out + 1


class Log(Curve, ufunc="log"):
    """The natural logarithm of a, -inf at 0 and nan below.  da = g / a."""

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / a


class Log1p(Curve, ufunc="log1p"):
    """log(1 + a), also for small a exact.  da = g / (1 + a)."""

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / (1 + a)


class Log2(Curve, ufunc="log2"):
    """The logarithm of a to base 2, -inf at 0 and nan below.  da = g / (a log 2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(2))


class Log10(Curve, ufunc="log10"):
    """The logarithm of a to base 10, -inf at 0 and nan below.  da = g / (a log 10)."""

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
    """The angle in radians whose sine is a, nan outside [-1, 1].  da = g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / sqrt(1 - a * a)


class Acos(Curve, ufunc="arccos"):
    """The angle in radians whose cosine is a, nan outside [-1, 1].  da = -g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return -1 / sqrt(1 - a * a)


class Atan(Curve, ufunc="arctan"):
    """The angle in radians whose tangent is a.  da = g / (1 + a^2)."""

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
        return array_module(a).abs(array_of(a))

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * sign(a)


class Sign(Op):
    """The sign of a, -1, 0 or 1, and 0 for nan.  da = 0."""

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
        return getattr(array_module(a), ctx.ufunc)(array_of(a), **parameters)

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


def of_each(op: type[Op]) -> Callable[[Tensor], Tensor]:
    """The public function that applies an operation to a tensor, named as it is in small letters."""

    def function(input: Tensor) -> Tensor:
        return op.apply(input)

    function.__name__ = function.__qualname__ = op.__name__.lower()
    function.__module__, formula = op.__module__, str(op.__doc__).split(".  ")[0]
    function.__doc__ = f"{formula}, for each element a of a tensor."
    return function


exp: Final = of_each(Exp)
expm1: Final = of_each(Expm1)
log: Final = of_each(Log)
log1p: Final = of_each(Log1p)
log2: Final = of_each(Log2)
log10: Final = of_each(Log10)
sqrt: Final = of_each(Sqrt)
sin: Final = of_each(Sin)
cos: Final = of_each(Cos)
tan: Final = of_each(Tan)
asin: Final = of_each(Asin)
acos: Final = of_each(Acos)
atan: Final = of_each(Atan)
sinh: Final = of_each(Sinh)
cosh: Final = of_each(Cosh)
tanh: Final = of_each(Tanh)
abs: Final = of_each(Abs)
sign: Final = of_each(Sign)
floor: Final = of_each(Floor)
ceil: Final = of_each(Ceil)
trunc: Final = of_each(Trunc)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element to `decimals` places, halves to the even neighbour; raises TypeError for booleans."""
    if input.dtype == bool_:  # of which NumPy makes float16
        raise TypeError(f"round: expected numbers, got bool of shape {tuple(input.shape)}")
    return Round.apply(input, decimals=decimals)


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element, z / |z| for a complex z; booleans stay as they are."""
    return sign(input) if input.dtype != bool_ else input.clone()


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)
