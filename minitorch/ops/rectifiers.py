"""Activation functions made of pieces and of other activations; at a corner the gradient is PyTorch's."""

from __future__ import annotations

import math

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.ops.activation import elu, relu6, sigmoid, softplus
from minitorch.ops.choice import where
from minitorch.ops.dims import dimension, shapes
from minitorch.ops.elementwise import abs, tanh
from minitorch.ops.inplace import doable_in_place
from minitorch.ops.joining import chunk
from minitorch.ops.promotion import held
from minitorch.ops.softmax import softmax


@doable_in_place
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > `threshold`, else `value`."""
    return where(input <= threshold, held("threshold", value, input.dtype), input)


@doable_in_place
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [`min_val`, `max_val`], with gradient 0 at both; raises ValueError where the first is the larger.

    It raises ValueError for a negative bound of an unsigned tensor, too.
    """
    least = 0 if input.dtype.kind == "u" else -math.inf
    if not least <= min_val <= max_val:
        raise ValueError(f"hardtanh: expected {least} <= min_val <= max_val for {input.dtype}, got {min_val} and {max_val}")
    if input.dtype.kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
    return where(input <= min_val, min_val, where(input >= max_val, max_val, input))


@doable_in_place
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6, a sigmoid of three straight lines (Howard et al. 2019)."""
    return relu6(input + 3.0) / 6


@doable_in_place
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""
    return input * relu6(input + 3.0) / 6


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > `lambd`, else 0."""
    return where(abs(input) <= lambd, 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by `lambd`, 0 where |x| <= `lambd`; raises ValueError for a negative `lambd`."""
    if lambd < 0:
        raise ValueError(f"softshrink: expected a lambd of 0 or more, got {lambd}")
    return where(abs(input) <= lambd, 0.0, where(input > 0, input - lambd, input + lambd))


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x."""
    return input - tanh(input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1 + abs(input))


def softmin(input: Tensor, dim: int | None = None, dtype: np.dtype | None = None) -> Tensor:
    """softmax(-x) along `dim`, without it as `softmax`."""
    return softmax(input * -1.0, dim, dtype=dtype)  # -input wraps round in uint8


@doable_in_place
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)) (Misra 2019)."""
    return input * tanh(softplus(input))


@doable_in_place
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else `alpha (e^(x / alpha) - 1)` (Barron 2017); raises ValueError for an alpha that is not above 0."""
    if alpha <= 0:
        raise ValueError(f"celu: expected an alpha above 0, got {alpha}")
    return where(input > 0, input, elu(input / alpha) * alpha)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x, with one learned w or one for each channel of (n, channels, ...) (He et al. 2015)."""
    channels = 1 if input.ndim < 2 else input.shape[1]
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise ValueError(f"prelu: expected one weight or {channels} for input {shapes(input)}, got shape {shapes(weight)}")
    if weight.dtype != input.dtype:
        raise TypeError(f"prelu: input is {input.dtype}, weight {weight.dtype}")
    if weight.numel() != 1:
        weight = weight.reshape(1, channels, *[1] * (input.ndim - 2))
    return where(input > 0, input, weight.reshape(()) * input if weight.numel() == 1 else weight * input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b) of the two halves a, b along `dim` (Dauphin et al. 2017); raises ValueError for an odd length."""
    dim = dimension("glu", input.shape, dim)
    if not input.ndim or input.shape[dim] % 2:
        raise ValueError(f"glu: expected an even length of dim {dim}, got shape {shapes(input)}")
    first, second = chunk(input, 2, dim)
    return first * sigmoid(second)
