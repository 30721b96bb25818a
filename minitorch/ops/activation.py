"""Activation functions."""

from __future__ import annotations

import math
from typing import Any, Final

from minitorch.accumulate import in_float32
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.choice import BITS, selected, where
from minitorch.ops.elementwise import exp, of_each, tanh
from minitorch.ops.erf import Gelu
from minitorch.ops.inplace import doable_in_place
from minitorch.ops.pieces import flat, masked
from minitorch.ops.promotion import floating
from minitorch.ops.strips import each, passes, strips
from minitorch.threads import CHEAP, run


class Sigmoid(Op):
    """s = 1 / (1 + e^-a).  da = g s (1 - s)."""

    def forward(ctx, a: Any) -> Any:
        a = floating(a)
        out = array_module(a).empty_like(a)
        run(logistic, strips(a, out))
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return each(lambda g, out: g * (out * (1 - out)), g, out)


def logistic(a: Any, out: Any) -> None:
    """Write the sigmoid of an array into `out`, which may be the array itself.

    Small s keep all their digits, down to the smallest normal number. The form (1 + tanh(a / 2)) / 2 takes 0.8 of the time, but
    in float32 it is wrong by 6 % at -16, by 44 % at -17, and 0 from -20 on.
    """
    xp = array_module(a)
    if a.dtype.kind == "c":  # of a complex step: e^-a would overflow to nan
        out[...] = (1 + xp.tanh(a / 2)) / 2
        return
    xp.negative(a, out=out)
    xp.exp(out, out=out)
    out += 1
    xp.divide(1, out, out=out)


class Relu(Op):
    """max(a, 0).  da = g where a > 0, else 0 (also at 0); g at a nan, so that it stays visible."""

    def forward(ctx, a: Any) -> Any:
        out = array_module(a).empty_like(a)
        run(_rectify, passes(a, out), CHEAP)
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        (out,) = ctx.saved
        return flat(ctx, masked(g, out != 0))  # out is never below 0


def _rectify(a: Any, out: Any) -> None:
    """Write max(a, 0) of an array into `out`."""
    out.fill(0)  # with it, NumPy's maximum of two arrays takes half of the time of that with a number
    array_module(a).maximum(a, out, out=out)


class LeakyRelu(Op):
    """a where a > 0, else slope a.  da = g, or slope g."""

    def forward(ctx, a: Any, slope: Any) -> Any:
        ctx.saved, ctx.slope = (a,), slope
        a = floating(a)
        xp, out = array_module(a), array_module(a).empty_like(a)

        def bend(x: Any, y: Any) -> None:  # `where` takes 8 times as long on random signs, which the processor cannot predict
            xp.multiply(x if slope else xp.minimum(x, 0), slope, out=y)  # an infinity times 0 is nan
            (xp.maximum if slope <= 1 else xp.minimum)(x, y, out=y)

        run(bend, strips(a, out), CHEAP)
        return out

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return flat(ctx, _bent(g, a, ctx.slope))


def _bent(h: Any, a: Any, slope: float) -> Any:
    """`h` where a > 0, else slope h; on arrays a product with the bits of 1 or of the slope, as `where` is far slower."""
    if isinstance(h, Tensor):
        return where(a > 0, h, h * slope)
    out, real = array_module(a).empty_like(a, dtype=h.dtype), h.real.dtype
    low, one = (real.type(value).view(BITS[real.itemsize]) for value in (slope, 1))

    def bend(x: Any, y: Any, z: Any) -> None:
        bits = (x > 0).astype(low.dtype)
        bits *= one - low
        bits += low
        array_module(a).multiply(bits.view(real), y, out=z)

    run(bend, strips(a, h, out), CHEAP)
    return out


class Elu(Op):
    """scale * (a where a > 0, else alpha (e^a - 1)).  da = scale g, or scale alpha e^a g."""

    def forward(ctx, a: Any, alpha: Any, scale: Any) -> Any:
        ctx.saved = (a,)
        ctx.alpha, ctx.scale = alpha, scale
        a = floating(a)
        xp = array_module(a)
        return scale * (xp.maximum(a, 0) + alpha * xp.expm1(xp.minimum(a, 0)))

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        bent = a <= 0  # not at a nan
        return where(bent, g * (ctx.scale * ctx.alpha * exp(where(bent, a, 0.0))), g * ctx.scale)


class Silu(Op):
    """a s, with s = sigmoid a.  da = g s (1 + a (1 - s))."""

    def forward(ctx, a: Any) -> Any:
        x = floating(a)
        xp = array_module(x)
        out, slope = xp.empty_like(x), xp.empty_like(x) if ctx.needs(0) else None
        run(_silu, strips(x, out) if slope is None else strips(x, out, slope))
        ctx.saved = a, slope
        return out

    def backward(ctx, g: Any) -> Any:
        a, slope = ctx.saved
        if isinstance(g, Tensor):  # recorded: the slope depends on a
            s = sigmoid(a)
            return g * (s * (1 + a * (1 - s)))
        return each(array_module(g).multiply, g, slope)


def _silu(a: Any, out: Any, slope: Any = None) -> None:
    """Write a s into `out` and, into `slope`, s (1 + a (1 - s)) = s + a s (1 - s): while s is at hand that takes little."""
    s = out if slope is None else slope
    logistic(a, s)
    array_module(a).multiply(a, s, out=out)
    if slope is not None:
        rest = 1 - s
        rest *= out
        slope += rest


class LogSigmoid(Op):
    """log sigmoid a = min(a, 0) - log(1 + e^-|a|), finite for any a.  da = g sigmoid(-a)."""

    def forward(ctx, a: Any) -> Any:
        ctx.saved = (a,)
        a = floating(a)
        xp = array_module(a)
        out = xp.empty_like(a)

        def logsigmoid(x: Any, y: Any) -> None:
            xp.minimum(x, -x, out=y)  # -|a|, and differentiable by a complex step
            xp.exp(y, out=y)
            xp.log1p(y, out=y)
            xp.subtract(xp.minimum(x, 0), y, out=y)

        run(logsigmoid, strips(a, out))
        return out

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return each(lambda g, s: g * s, g, sigmoid(-a))


class Softplus(Op):
    """log(1 + e^(beta a)) / beta, and a itself where beta a > threshold.  da = g sigmoid(beta a), or g."""

    def forward(ctx, a: Any, beta: Any, threshold: Any) -> Any:
        ctx.saved = (a,)
        ctx.beta, ctx.threshold = beta, threshold
        a = floating(a)
        xp = array_module(a)
        scaled = a * beta
        # log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): no overflow for any x
        smooth = xp.maximum(scaled, 0) + xp.log1p(xp.exp(xp.minimum(scaled, -scaled)))
        return selected(scaled > threshold, a, smooth / beta)

    def backward(ctx, g: Any) -> Any:
        (a,) = ctx.saved
        return where(a * ctx.beta > ctx.threshold, g, g * sigmoid(a * ctx.beta))


sigmoid: Final = in_float32(of_each(Sigmoid))
logsigmoid: Final = in_float32(of_each(LogSigmoid))


@doable_in_place
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0) for each element, with gradient 0 at 0."""
    return Relu.apply(input)


@doable_in_place
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x limited to [0, 6], with gradient 0 at both bounds."""
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
    return Silu.apply(input)


@in_float32
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016); `approximate="tanh"` uses tanh for that.

    Raises ValueError for another approximation.
    """
    if approximate == "none":
        return Gelu.apply(input)
    if approximate == "tanh":
        return input * (tanh((input + input * input * input * 0.044715) * math.sqrt(2 / math.pi)) + 1) * 0.5
    raise ValueError(f"gelu: expected approximate 'none' or 'tanh', got {approximate!r}")


@in_float32
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`."""
    return Softplus.apply(input, beta=beta, threshold=threshold)
