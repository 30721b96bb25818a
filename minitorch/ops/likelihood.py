"""Losses that are minus the logarithm of a probability, and the divergence of two distributions."""

from __future__ import annotations

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
