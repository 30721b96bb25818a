"""Losses that ask for a distance between what is right and what is wrong."""

from __future__ import annotations

from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, int64
from minitorch.ops.activation import logsigmoid, softplus
from minitorch.ops.choice import clamp, where
from minitorch.ops.loss import _reduced, old_reduction
from minitorch.ops.reduce import gather


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


@old_reduction
@in_float32
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes i other than the target t of w[t] max(0, margin - x[t] + x[i])^p, for scores (n, classes).

    Raises ValueError for p other than 1 and 2 and for shapes that do not fit, IndexError for a class out of range.
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: expected p of 1 or 2, got {p}")
    if input.ndim > 2 or target.numel() != (len(input) if input.ndim == 2 else 1) or target.ndim > 1:
        raise ValueError(
            f"{name}: expected scores (n, classes) and targets (n), got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    rows, labels = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1, 1)
    if weight is not None and weight.shape != rows.shape[1:]:
        raise ValueError(f"{name}: expected a weight of shape {tuple(rows.shape[1:])}, got {tuple(weight.shape)}")
    short = clamp(margin - gather(rows, 1, labels) + rows, min=0)
    short = short if p == 1 else short * short
    short = short if weight is None else short * weight[labels]
    xp = array_module(labels.array)
    others = wrap(xp.arange(rows.shape[1]) != labels.array)
    losses = where(others, short, 0.0).sum(1) / rows.shape[1]
    return _reduced(name, losses, reduction, target.shape)


@old_reduction
@in_float32
def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The sum over right classes j and wrong ones i of max(0, 1 - (x[j] - x[i])) / classes, for scores (n, classes).

    `target` lists the right classes of each row, ended by -1. Raises ValueError unless the shapes are equal.
    """
    if input.shape != target.shape or input.ndim > 2:
        raise ValueError(
            f"multilabel_margin_loss: expected scores and targets (n, classes), got {tuple(input.shape)} and "
            f"{tuple(target.shape)}"
        )
    classes = input.shape[-1] if input.ndim else 1
    rows, labels = input.reshape(-1, classes), target.array.reshape(-1, classes)
    xp = array_module(labels)
    listed = xp.cumsum(labels < 0, 1) == 0  # up to the first -1
    right = ((labels[:, :, None] == xp.arange(classes)) & listed[:, :, None]).any(1)
    own = gather(rows, 1, wrap(xp.where(listed, labels, 0).astype(int64)))
    short = clamp(1 - (own.unsqueeze(2) - rows.unsqueeze(1)), min=0)
    losses = where(wrap(listed[:, :, None] & ~right[:, None, :]), short, 0.0).sum((1, 2)) / classes
    return _reduced("multilabel_margin_loss", losses, reduction, input.shape[:-1])


@old_reduction
@in_float32
def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(t log s + (1 - t) log(1 - s)), s = sigmoid(x), times `weight`, averaged over the classes (..., classes)."""
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    losses = losses if weight is None else losses * weight
    return _reduced("multilabel_soft_margin_loss", losses.mean(-1), reduction)
