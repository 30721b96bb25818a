"""The error function, and the normal distribution function, by which gelu multiplies each number."""

from __future__ import annotations

import math
from typing import Any, Final

from minitorch.accumulate import in_float32
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module, float32
from minitorch.ops.elementwise import exp, of_each
from minitorch.ops.promotion import floating
from minitorch.ops.strips import each, strips
from minitorch.threads import run


class Erf(Op):
    """The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to a.  da = g 2/sqrt(pi) e^(-a^2)."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        return _erf(floating(a))

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return g * (exp(-(a * a)) * (2 / math.sqrt(math.pi)))


class Erfc(Erf):
    """1 - erf a, with all its digits where it is small.  da = -g 2/sqrt(pi) e^(-a^2)."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        return _erfc(floating(a))

    def backward(ctx, g: Any) -> Any:
        return super().backward(-g)


class Gelu(Op):
    """a P, with P = P(a) the normal distribution function and p its density.  da = g (P + a p)."""

    def forward(ctx, a: Any) -> Any:
        xp = array_module(a)
        x = floating(a)
        slope, out = xp.empty_like(x), xp.empty_like(x)
        run(_curve, strips(x, out, slope))  # by `erf` and without strips 8 times as long, with its rule
        ctx.saved = a, slope
        return out

    def backward(ctx, g: Any) -> Any:
        a, slope = ctx.saved
        if isinstance(g, Tensor):  # recorded: the slope depends on a
            slope = erfc(a * -math.sqrt(0.5)) * 0.5 + a * (exp(a * a * -0.5) * _DENSITY)
            return g * slope
        return each(array_module(g).multiply, g, slope)


_DENSITY = 1 / math.sqrt(2 * math.pi)  # the normal density at 0

# P(-z) e^(z^2 / 2) for 0 <= z <= 14 as a quotient of polynomials, highest power first (that of the denominator has
# factor 1), fitted by weighted least squares; its relative error is 4e-7.
_TAIL_P = (0.39889559149742126, 2.7969229221343994, 8.469809532165527, 11.699616432189941)
_TAIL_Q = (7.006103992462158, 22.30964469909668, 35.609073638916016, 23.399242401123047)


def _curve(a: Any, out: Any, slope: Any) -> None:
    """Write a P and P + a p of an array into `out` and `slope`: P of float32 has an error below 3e-7."""
    xp = array_module(a)
    if a.dtype != float32:
        slope[...] = _erfc(a * -math.sqrt(0.5)) * 0.5
        p = xp.exp(a * a * -0.5)
    else:
        z = xp.minimum(xp.abs(a), xp.full_like(a, 14.5))  # beyond, e^(-z^2 / 2) is 0
        ratio, q = z * _TAIL_P[0], z + _TAIL_Q[0]
        for above, below in zip(_TAIL_P[1:], _TAIL_Q[1:]):
            ratio += above
            q *= z
            q += below
            if above != _TAIL_P[-1]:
                ratio *= z
        ratio /= q
        z *= z
        z *= -0.5
        p = xp.exp(z)
        ratio *= p
        xp.abs((a > 0) - ratio, out=slope)  # P(-z), or 1 minus that
    xp.multiply(a, slope, out=out)
    p *= _DENSITY
    p *= a
    slope += p


# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): the coefficients of
# |x| <= 0.46875, of 0.46875 <= |x| <= 4 and of |x| > 4, highest power first. NumPy has no erf.
# fmt: off
_ERF_P = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERFC_P = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)
_ERFC_Q = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
    4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)
_FAR_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = (
    1.0, 2.56852019228982242e0, 1.87295284992346047e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
)
# fmt: on


def _ratio(x: Any, p: tuple[float, ...], q: tuple[float, ...]) -> Any:
    above, below = x * p[0], x * q[0]
    for a, b in zip(p[1:-1], q[1:-1]):
        above, below = (above + a) * x, (below + b) * x
    return (above + p[-1]) / (below + q[-1])


def _near(x: Any) -> Any:
    """erf for |x| <= 0.5."""
    return x * _ratio(array_module(x).minimum(abs(x), 0.5) ** 2, _ERF_P, _ERF_Q)


def _beyond(size: Any) -> Any:
    """1 - erf for sizes from 0.46875."""
    xp = array_module(size)
    middle, far = xp.clip(size, 0.46875, 4.0), xp.clip(size, 4.0, 30.0)
    inverse = 1 / (far * far)
    ratio = (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _FAR_P, _FAR_Q)) / far
    size = xp.clip(size, 0.46875, 30.0)
    short = xp.floor(size * 16) / 16  # its square is exact: that of size, rounded, would cost the exponential digits
    power = xp.exp(-short * short) * xp.exp((short - size) * (short + size))
    return power * xp.where(size > 4, ratio, _ratio(middle, _ERFC_P, _ERFC_Q))


def _erf(x: Any) -> Any:
    xp = array_module(x)
    size = xp.abs(x)
    return xp.where(size <= 0.46875, _near(x), xp.copysign(1 - _beyond(size), x))


def _erfc(x: Any) -> Any:
    xp = array_module(x)
    size = xp.abs(x)
    beyond = _beyond(size)
    return xp.where(size <= 0.46875, 1 - _near(x), xp.where(xp.signbit(x), 2 - beyond, beyond))


erf: Final = in_float32(of_each(Erf))
erfc: Final = in_float32(of_each(Erfc))
