"""Losses that are minus the logarithm of a probability, and the divergence of two distributions."""

from __future__ import annotations

import math

from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor
from minitorch.ops.choice import where
from minitorch.ops.elementwise import exp, log
from minitorch.ops.loss import _reduced, old_reduction


@old_reduction
@in_float32
def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (log t - x) for log-probabilities x and probabilities t, or their logarithms with `log_target` (Kullback & Leibler).

    `reduction="batchmean"` divides the sum by the length of the first dimension, which is the divergence as it is defined;
    "mean" divides by the number of elements.
    """
    if log_target:
        losses = exp(target) * (target - input)
    else:
        zero = target == 0  # t log t is 0 there
        losses = where(zero, 0.0, target * log(where(zero, 1.0, target))) - target * input
    if reduction == "batchmean":
        return losses.sum() / (input.shape[0] if input.ndim else 1)
    return _reduced("kl_div", losses, reduction)


@old_reduction
@in_float32
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """e^x - t x, for counts t of a Poisson distribution with rate e^x; x - t log(x + eps) with `log_input=False`.

    `full` adds Stirling's t log t - t + log(2 pi t) / 2 where t > 1, which the gradient of x does not need.
    """
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        large = target > 1
        counts = where(large, target, 1.0)
        losses = losses + where(large, counts * log(counts) - counts + 0.5 * log(counts * (2 * math.pi)), 0.0)
    return _reduced("poisson_nll_loss", losses, reduction)


@in_float32
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log v + (x - t)^2 / v) / 2, for targets t of a normal distribution with mean x and variance v.

    `full` adds log(2 pi) / 2. `var` is a number or has the shape of `input`, perhaps without its last dimension or with length
    one in one of them; none below `eps` is used, which the gradient does not see (Nix & Weigend 1994). Raises ValueError for
    another shape or a negative variance.
    """
    name = "gaussian_nll_loss"
    if isinstance(var, (int, float)):
        var = input.detach() * 0 + var
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or [v for v, n in zip(var.shape, input.shape) if v != n] != [1]:
            raise ValueError(f"{name}: a var of shape {tuple(var.shape)} does not fit input {tuple(input.shape)}")
    if bool((var.array < 0).any()):
        raise ValueError(f"{name}: expected variances of 0 or more, got {float(var.array.min())} (shape {tuple(var.shape)})")
    var = var + (var.detach().clamp(min=eps) - var.detach())  # raised to eps, with the gradient of var itself
    losses = 0.5 * (log(var) + (input - target) ** 2 / var)
    losses = losses + 0.5 * math.log(2 * math.pi) if full else losses
    return _reduced(name, losses, reduction)
