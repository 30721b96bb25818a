"""Further functions of each element: trigonometry, powers and logarithms to other bases, and what is made of simpler ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.arithmetic import rsqrt
from minitorch.ops.choice import where
from minitorch.ops.compare import isfinite, isnan
from minitorch.ops.elementwise import Curve, abs, sign, trunc
from minitorch.ops.erf import erf
from minitorch.ops.promotion import floating


class Tan(Curve, ufunc="tan", of_output=True):
    """tan a.  da = g (1 + tan^2 a)."""

    def slope(ctx, out: Any) -> Any:
        return 1 + out * out


class Asin(Curve, ufunc="arcsin"):
    """The angle whose sine is a.  da = g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return rsqrt(1 - a * a)


class Acos(Curve, ufunc="arccos"):
    """The angle whose cosine is a.  da = -g / sqrt(1 - a^2)."""

    def slope(ctx, a: Any) -> Any:
        return -rsqrt(1 - a * a)


class Atan(Curve, ufunc="arctan"):
    """The angle whose tangent is a.  da = g / (1 + a^2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (1 + a * a)


class Sinh(Curve, ufunc="sinh"):
    """sinh a.  da = g cosh a."""

    def slope(ctx, a: Any) -> Any:
        return Cosh.apply(a)


class Cosh(Curve, ufunc="cosh"):
    """cosh a.  da = g sinh a."""

    def slope(ctx, a: Any) -> Any:
        return Sinh.apply(a)


class Expm1(Curve, ufunc="expm1", of_output=True):
    """e^a - 1, exact for small a.  da = g e^a."""

    def slope(ctx, out: Any) -> Any:
        return out + 1


class Exp2(Curve, ufunc="exp2", of_output=True):
    """2^a.  da = g 2^a log 2."""

    def slope(ctx, out: Any) -> Any:
        return out * math.log(2)


class Log2(Curve, ufunc="log2"):
    """The logarithm of a to base 2.  da = g / (a log 2)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(2))


class Log10(Curve, ufunc="log10"):
    """The logarithm of a to base 10.  da = g / (a log 10)."""

    def slope(ctx, a: Any) -> Any:
        return 1 / (a * math.log(10))


class Logit(Op):
    """log(a / (1 - a)), with `eps` of a limited to [eps, 1 - eps].  da = g / (a (1 - a)); outside 0, without `eps` nan."""

    def forward(ctx, a: Any, eps: Any) -> Any:
        ctx.saved, ctx.eps = (a,), eps
        a = floating(a)
        a = a if eps is None else a.clip(eps, 1 - eps)
        return array_module(a).log(a / (1 - a))

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        if ctx.eps is None:
            return where((a < 0) | (a > 1), math.nan, g / (a * (1 - a)))
        return where((a >= ctx.eps) & (a <= 1 - ctx.eps), g / (a * (1 - a)), 0.0)


def _of_each(op: type[Op], name: str, text: str) -> Callable[[Tensor], Tensor]:
    """The public function `name` that applies `op` to a tensor."""

    def function(input: Tensor) -> Tensor:
        return op.apply(input)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


tan: Final = _of_each(Tan, "tan", "The tangent of each element.")
asin: Final = _of_each(Asin, "asin", "The angle in radians whose sine is the element; nan outside [-1, 1].")
acos: Final = _of_each(Acos, "acos", "The angle in radians whose cosine is the element; nan outside [-1, 1].")
atan: Final = _of_each(Atan, "atan", "The angle in radians whose tangent is the element.")
sinh: Final = _of_each(Sinh, "sinh", "The hyperbolic sine of each element.")
cosh: Final = _of_each(Cosh, "cosh", "The hyperbolic cosine of each element.")
expm1: Final = _of_each(Expm1, "expm1", "e to the power of each element, less 1; exact for small ones.")
exp2: Final = _of_each(Exp2, "exp2", "2 to the power of each element.")
log2: Final = _of_each(Log2, "log2", "The logarithm of each element to base 2: -inf at 0, nan below.")
log10: Final = _of_each(Log10, "log10", "The logarithm of each element to base 10: -inf at 0, nan below.")


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)


def frac(input: Tensor) -> Tensor:
    """Each element's fraction, with its sign."""
    if input.dtype.kind != "f":
        raise TypeError(f"frac: expected a floating-point tensor, got {input.dtype}")
    return input - trunc(input)


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element; booleans stay as they are."""
    return sign(input) if input.dtype != backend.bool_ else input.clone()


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol |other|, or both are equal; raises TypeError for two dtypes."""
    if input.dtype != other.dtype:
        raise TypeError(f"isclose: expected one dtype, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: expected tolerances of 0 or more, got rtol {rtol} and atol {atol}")
    equal = input == other
    if equal_nan and input.dtype.kind in "fc":
        equal = equal | (isnan(input) & isnan(other))
    if input.dtype == backend.bool_ or not (rtol or atol):
        return equal
    apart = abs((input - other).detach())
    return equal | (isfinite(apart) & (apart <= atol + abs(other.detach() * rtol)))


def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """`input + weight * (end - input)`, broadcast; raises TypeError unless all are of one dtype."""
    kinds = {input.dtype, end.dtype} | ({weight.dtype} if isinstance(weight, Tensor) else set())
    if len(kinds) > 1 or input.dtype.kind not in "fc":
        raise TypeError(f"lerp: expected one floating dtype, got {', '.join(sorted(map(str, kinds)))}")
    return input + weight * (end - input)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value * tensor1 * tensor2`, broadcast."""
    product = tensor1 * tensor2
    return input + (product if value == 1 else value * product)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value * tensor1 / tensor2`, broadcast; raises TypeError for integers, as PyTorch does."""
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise TypeError(f"addcdiv: expected floating-point tensors, got {tensor1.dtype} and {tensor2.dtype}")
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else value * quotient)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(p / (1 - p)), the inverse of the sigmoid; with `eps`, of each element limited to [eps, 1 - eps]."""
    return Logit.apply(input, eps=eps)


def erfc(input: Tensor) -> Tensor:
    """1 - erf, computed as that difference: the small values at large elements have few exact digits."""
    return 1 - erf(input)
