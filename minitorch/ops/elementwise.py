"""Functions of each element: exponentials, roots, trigonometry, and steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.pieces import nothing
from minitorch.ops.promotion import floating

# ---- exponentials, roots, trigonometry -----------------------------------------------------------------------------------


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


class Log(Op):
    """The natural logarithm of a: -inf at 0, nan below.  da = g / a."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        a = floating(a)
        return array_module(a).log(a)

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / a


class Log1p(Op):
    """log(1 + a), exact for small a.  da = g / (1 + a)."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        a = floating(a)
        return array_module(a).log1p(a)

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g / (1 + a)


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


class Abs(Op):
    """|a|.  da = g sign a, which is 0 at 0."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        return array_module(a).abs(a)

    def backward(ctx, g: Any) -> Any:
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

    def forward(ctx, a: Any) -> Any:
        return array_module(a).floor(a)

    def backward(ctx, g: Any) -> Any:
        return nothing(g)


class Ceil(Floor):
    """The integer at or above a.  da = 0."""

    def forward(ctx, a: Any) -> Any:
        return array_module(a).ceil(a)


class Round(Floor):
    """a to `decimals` places, halves to even.  da = 0."""

    def forward(ctx, a: Any, decimals: Any) -> Any:  # type: ignore[override]  # an operation is called by its own parameters
        return array_module(a).round(a, decimals)


class Trunc(Floor):
    """The integer part of a.  da = 0."""

    def forward(ctx, a: Any) -> Any:
        return array_module(a).trunc(a)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element; 0 for nan, as in PyTorch."""
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
