"""Losses that ask for a distance between what is right and what is wrong."""

from __future__ import annotations

from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor
from minitorch.ops.activation import softplus
from minitorch.ops.choice import clamp, where
from minitorch.ops.loss import _reduced, old_reduction


@old_reduction
@in_float32
def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """max(0, -t (x1 - x2) + margin): t = 1 says that x1 is to be the larger, -1 that x2 is.

    Raises ValueError unless the three have one number of dimensions.
    """
    if not input1.ndim == input2.ndim == target.ndim:
        raise ValueError(
            f"margin_ranking_loss: expected three tensors of one number of dimensions, got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(target.shape)}"
        )
    return _reduced("margin_ranking_loss", clamp(-target * (input1 - input2) + margin, min=0), reduction)


@old_reduction
@in_float32
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1, for distances x."""
    losses = where(target != -1, input, 0.0) + where(target != 1, clamp(margin - input, min=0), 0.0)
    return _reduced("hinge_embedding_loss", losses, reduction)


@old_reduction
@in_float32
def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """log(1 + e^(-t x)) for targets 1 and -1, finite for any x; raises ValueError unless the shapes are equal."""
    if input.shape != target.shape:
        raise ValueError(
            f"soft_margin_loss: expected input and target of one shape, got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    return _reduced("soft_margin_loss", softplus(-target * input, threshold=float("inf")), reduction)


@old_reduction
@in_float32
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1, for rows (n, features) or one.

    Raises ValueError for other shapes.
    """
    if input1.ndim not in (1, 2) or input1.shape != input2.shape or target.shape != input1.shape[:-1]:
        raise ValueError(
            f"cosine_embedding_loss: expected rows (n, features) and targets (n), got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(target.shape)}"
        )
    eps = 1e-12  # PyTorch's
    lengths = ((input1 * input1).sum(-1) + eps) * ((input2 * input2).sum(-1) + eps)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, clamp(cosine - margin, min=0), 0.0)
    return _reduced("cosine_embedding_loss", losses, reduction)
