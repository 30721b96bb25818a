"""Further functions of each element, made of those in `arithmetic`, `choice`, `compare` and `elementwise`."""

from __future__ import annotations

import math
from typing import Any

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.limits import finfo
from minitorch.ops.activation import erf
from minitorch.ops.choice import clamp, where
from minitorch.ops.compare import isfinite, isnan
from minitorch.ops.elementwise import abs, sign, trunc
from minitorch.ops.promotion import floating


class Logit(Op):
    """log(a / (1 - a)), with `eps` of a kept within [eps, 1 - eps].  da = g / (a (1 - a)); outside 0, without `eps` nan."""

    def forward(ctx, a, eps):
        ctx.saved, ctx.eps = (a,), eps
        a = floating(a)
        a = a if eps is None else a.clip(eps, 1 - eps)
        return array_module(a).log(a / (1 - a))

    def backward(ctx, g):
        (a,) = ctx.saved
        if ctx.eps is None:
            return where((a < 0) | (a > 1), math.nan, g / (a * (1 - a)))
        return where((a >= ctx.eps) & (a <= 1 - ctx.eps), g / (a * (1 - a)), 0.0)


def expect_tensors(name: str, *values: Any) -> None:
    """Raise TypeError for a number where PyTorch wants a tensor."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}: expected a tensor, got {type(value).__name__}")


def frac(input: Tensor) -> Tensor:
    """Each element's fraction, with its sign."""
    if input.dtype.kind != "f":
        raise TypeError(f"frac: expected a floating-point tensor, got {input.dtype}")
    return input - trunc(input)


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1 for each element; of booleans themselves."""
    return sign(input) if input.dtype != backend.bool_ else input.clone()


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; where one is nan, the other."""
    expect_tensors("fmax", input, other)
    return where(isnan(other) | (input >= other), input, other)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; where one is nan, the other."""
    expect_tensors("fmin", input, other)
    return where(isnan(other) | (input <= other), input, other)


def clamp_min(input: Tensor, min: Tensor | float) -> Tensor:
    """Each element, but at least `min`."""
    expect_tensors("clamp_min", input)
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Tensor | float) -> Tensor:
    """Each element, but at most `max`."""
    expect_tensors("clamp_max", input)
    return clamp(input, max=max)


def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """`nan` (0) in place of nan, `posinf` and `neginf` (the largest numbers of the dtype) in place of the infinities."""
    if input.dtype.kind not in "fc":
        return input.clone()
    largest = finfo(input.dtype).max
    out = where(isnan(input), 0.0 if nan is None else nan, input)
    out = where(input == math.inf, largest if posinf is None else posinf, out)
    return where(input == -math.inf, -largest if neginf is None else neginf, out)


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol |other|, or both are equal.

    Raises TypeError for two dtypes, ValueError for negative tolerances.
    """
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
    """log(p / (1 - p)), the inverse of the sigmoid; with `eps`, of each element kept within [eps, 1 - eps]."""
    return Logit.apply(input, eps=eps)


def erfc(input: Tensor) -> Tensor:
    """1 - erf, computed as such: for large elements only as exact as 1 is."""
    return 1 - erf(input)
