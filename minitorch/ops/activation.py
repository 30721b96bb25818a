"""Activation functions, softmax and its logarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.accumulate import in_float32, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.assign import doable_in_place
from minitorch.ops.choice import where
from minitorch.ops.dims import whole
from minitorch.ops.elementwise import cos, exp, sin
from minitorch.ops.pieces import flat, zeroed
from minitorch.ops.promotion import floating
from minitorch.ops.reduce import summed

__all__ = [
    "cos",
    "elu",
    "erf",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "tanh",
]


class Tanh(Op):
    """tanh a.  da = g (1 - tanh^2 a)."""

    def forward(ctx, a):
        a = floating(a)
        out = array_module(a).tanh(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return g * (1 - out * out)


class Sigmoid(Op):
    """s = 1 / (1 + e^-a), computed as (1 + tanh(a/2)) / 2, which never overflows.  da = g s (1 - s)."""

    def forward(ctx, a):
        a = floating(a)
        out = array_module(a).tanh(a * 0.5)
        out += 1
        out *= 0.5
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return g * (out * (1 - out))


class Relu(Op):
    """max(a, 0).  da = g where a > 0, else 0 (also at 0); g at a nan, which so stays in sight."""

    def forward(ctx, a):
        out = array_module(a).maximum(a, 0)
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return flat(ctx, zeroed(g, out <= 0))


class LeakyRelu(Op):
    """a where a > 0, else slope a.  da = g, or slope g."""

    def forward(ctx, a, slope):
        ctx.saved = (a,)
        ctx.slope = slope
        return array_module(a).where(a > 0, a, a * slope)

    def backward(ctx, g):
        (a,) = ctx.saved
        return flat(ctx, where(a > 0, g, g * ctx.slope))


class Elu(Op):
    """scale * (a where a > 0, else alpha (e^a - 1)).  da = scale g, or scale alpha e^a g."""

    def forward(ctx, a, alpha, scale):
        ctx.saved = (a,)
        ctx.alpha, ctx.scale = alpha, scale
        a = floating(a)
        xp = array_module(a)
        return scale * xp.where(a > 0, a, alpha * xp.expm1(xp.minimum(a, 0)))

    def backward(ctx, g):
        (a,) = ctx.saved
        bent = a <= 0  # not at a nan
        return where(bent, g * (ctx.scale * ctx.alpha * exp(where(bent, a, 0.0))), g * ctx.scale)


class Softplus(Op):
    """log(1 + e^(beta a)) / beta, and a itself where beta a > threshold.  da = g sigmoid(beta a), or g."""

    def forward(ctx, a, beta, threshold):
        ctx.saved = (a,)
        ctx.beta, ctx.threshold = beta, threshold
        a = floating(a)
        xp = array_module(a)
        scaled = a * beta
        # log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): no overflow for any x
        smooth = xp.maximum(scaled, 0) + xp.log1p(xp.exp(xp.where(scaled > 0, -scaled, scaled)))
        return xp.where(scaled > threshold, a, smooth / beta)

    def backward(ctx, g):
        (a,) = ctx.saved
        return where(a * ctx.beta > ctx.threshold, g, g * sigmoid(a * ctx.beta))


class Erf(Op):
    """The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to a.  da = g 2/sqrt(pi) e^(-a^2)."""

    def forward(ctx, a):
        ctx.saved = (a,)
        a = floating(a)
        # the polynomials leave the range of half precision
        return _erf(a.astype(backend.float32)).astype(a.dtype) if a.dtype == backend.float16 else _erf(a)

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * (exp(-(a * a)) * (2 / math.sqrt(math.pi)))


class Softmax(Op):
    """p = e^a / sum e^a over `dim`, with the maximum taken off first.  da = p (g - sum(g p))."""

    def forward(ctx, a, dim):
        a = floating(a)
        out = _softmax(a, dim) if a.size else a.copy()
        ctx.saved = (out,)
        ctx.dim = dim
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        weighted = g * out
        return weighted - out * summed(weighted, _dims(g, ctx.dim), True)


class LogSoftmax(Op):
    """l = a - log sum e^a over `dim`, with the maximum taken off first.  da = g - e^l sum g."""

    def forward(ctx, a, dim):
        a = floating(a)
        out = _log_softmax(a, dim) if a.size else a.copy()
        ctx.saved = (out,)
        ctx.dim = dim
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return g - exp(out) * summed(g, _dims(g, ctx.dim), True)


def _softmax(a: Any, dim: int) -> Any:
    out = array_module(a).exp(a - a.max(dim, keepdims=True))
    out /= total(out, _dims(a, dim), True)
    return out


def _log_softmax(a: Any, dim: int) -> Any:
    xp = array_module(a)
    out = a - a.max(dim, keepdims=True)
    out -= xp.log(total(xp.exp(out), _dims(a, dim), True))
    return out


def _dims(a: Any, dim: int) -> tuple[int, ...]:
    """`dim`, counted from the front, as sums take it; a 0-d array has none."""
    return (dim % len(a.shape),) if a.shape else ()


# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): the coefficients of
# |x| <= 0.46875, of 0.46875 <= |x| <= 4 and of |x| > 4, highest power first. NumPy has no erf.
_ERF_P = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERFC_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_ERFC_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_FAR_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346047e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def _ratio(x: Any, p: tuple[float, ...], q: tuple[float, ...]) -> Any:
    above, below = x * p[0], x * q[0]
    for a, b in zip(p[1:-1], q[1:-1]):
        above, below = (above + a) * x, (below + b) * x
    return (above + p[-1]) / (below + q[-1])


def _erf(x: Any) -> Any:
    xp = array_module(x)
    size = xp.abs(x)
    near = x * _ratio(xp.minimum(size, 0.5) ** 2, _ERF_P, _ERF_Q)
    middle = xp.clip(size, 0.46875, 4.0)
    complement = xp.exp(-middle * middle) * _ratio(middle, _ERFC_P, _ERFC_Q)
    far = xp.clip(size, 4.0, 30.0)
    inverse = 1 / (far * far)
    tail = xp.exp(-far * far) / far * (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _FAR_P, _FAR_Q))
    large = xp.copysign(1 - xp.where(size > 4, tail, complement), x)
    return xp.where(size <= 0.46875, near, large)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent of each element."""
    return Tanh.apply(input)


@in_float32
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e^-x) for each element; finite for any x."""
    return Sigmoid.apply(input)


@in_float32
def logsigmoid(input: Tensor) -> Tensor:
    """log sigmoid(x) for each element, as -log(1 + e^-x): finite for any x."""
    return -Softplus.apply(-input, beta=1.0, threshold=math.inf)


@doable_in_place
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0) for each element, with gradient 0 at 0."""
    return Relu.apply(input)


@doable_in_place
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x kept within 0 and 6, with gradient 0 at both."""
    return where(input >= 6, 6, relu(input))


@doable_in_place
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else `negative_slope * x`."""
    return LeakyRelu.apply(input, slope=negative_slope)


@doable_in_place
@in_float32
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else `alpha (e^x - 1)` (Clevert et al. 2016)."""
    return Elu.apply(input, alpha=alpha, scale=1.0)


@doable_in_place
@in_float32
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The scaled ELU whose constants keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return Elu.apply(input, alpha=1.6732632423543772848170429916717, scale=1.0507009873554804934193349852946)


@doable_in_place
@in_float32
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x)."""
    return input * sigmoid(input)


def erf(input: Tensor) -> Tensor:
    """The error function of each element."""
    return Erf.apply(input)


@in_float32
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016); `approximate="tanh"` is its smooth stand-in.

    Raises ValueError for another approximation.
    """
    if approximate == "none":
        return input * (erf(input * math.sqrt(0.5)) + 1) * 0.5
    if approximate == "tanh":
        return input * (tanh((input + input * input * input * 0.044715) * math.sqrt(2 / math.pi)) + 1) * 0.5
    raise ValueError(f"gelu: expected approximate 'none' or 'tanh', got {approximate!r}")


@in_float32
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`."""
    return Softplus.apply(input, beta=beta, threshold=threshold)


def softmax(input: Tensor, dim: int = -1, dtype: np.dtype | None = None) -> Tensor:
    """e^x over its sum along `dim`; finite for any finite x. PyTorch guesses a missing dim, here it is the last one."""
    return _softmax_of(input if dtype is None else input.type(dtype), dim=whole("softmax", "dim", dim))


def log_softmax(input: Tensor, dim: int = -1, dtype: np.dtype | None = None) -> Tensor:
    """The logarithm of softmax along `dim`, without ever taking the logarithm of 0."""
    dim = whole("log_softmax", "dim", dim)
    return _log_softmax_of(input if dtype is None else input.type(dtype), dim=dim)


_softmax_of, _log_softmax_of = in_float32(Softmax.apply), in_float32(LogSoftmax.apply)
