"""Losses of numbers and of pairs.

Nothing is broadcast and nothing wrong trains silently: shapes must be equal (ValueError) and dtypes one (TypeError).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

from minitorch.accumulate import in_float32
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.activation import logsigmoid
from minitorch.ops.choice import clamp, minimum, where
from minitorch.ops.dims import normalized_dims, shapes
from minitorch.ops.elementwise import abs, exp, log
from minitorch.ops.reduce import norm, root, sum

F = TypeVar("F", bound=Callable[..., Tensor])


def loss(function: F) -> F:
    """A decorator for losses: float16 is summed in float32, and PyTorch's old keywords, `size_average` and `reduce`, work."""
    function = in_float32(function)

    @functools.wraps(function)
    def call(*args: Any, size_average: bool | None = None, reduce: bool | None = None, **kwargs: Any) -> Tensor:
        if size_average is not None or reduce is not None:
            kwargs["reduction"] = reduction_of(size_average, reduce)
        return function(*args, **kwargs)

    return cast(F, call)


def reduction_of(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that PyTorch's two old switches, on unless they are False, stand for."""
    return "none" if reduce is False else "sum" if size_average is False else "mean"


def reduced(name: str, losses: Tensor, reduction: str) -> Tensor:
    """Losses as they are, summed, or averaged; raises ValueError for a reduction other than "none", "sum" and "mean"."""
    check_reduction(name, reduction)
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: expected reduction 'mean', 'sum' or 'none', got {reduction!r}")


def check_same(name: str, input: Tensor, target: Tensor, what: str = "input and target") -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name}: expected {what} of one shape, got {shapes(input, target)}")
    if input.dtype.kind not in "fc" or target.dtype != input.dtype:
        raise TypeError(f"{name}: expected one floating dtype, got input {input.dtype} and {what} {target.dtype}")


@loss
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The mean of (input - target)^2, or what `reduction` says."""
    check_same("mse_loss", input, target)
    difference = input - target
    return reduced("mse_loss", difference * difference, reduction)


@loss
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The mean of |input - target|, or what `reduction` says."""
    check_same("l1_loss", input, target)
    return reduced("l1_loss", abs(input - target), reduction)


@loss
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| is below `beta` (0 or more), else d - beta / 2 (Girshick 2015)."""
    check_same("smooth_l1_loss", input, target)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: expected beta of 0 or more, got {beta}")
    distance = abs(input - target)
    inner = clamp(distance, max=beta)  # or the slope of the other part, infinite at infinity, would make the gradient nan there
    losses = where(distance < beta, inner * inner * (0.5 / beta), distance - 0.5 * beta) if beta else distance
    return reduced("smooth_l1_loss", losses, reduction)


@loss
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """d^2 / 2 where d = |input - target| is below `delta` (above 0), else delta (d - delta / 2) (Huber 1964)."""
    check_same("huber_loss", input, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: expected a positive delta, got {delta}")
    distance = abs(input - target)
    inner = clamp(distance, max=delta)
    return reduced("huber_loss", inner * (distance - 0.5 * inner), reduction)


class BinaryCrossEntropy(Op):
    """-(t log x + (1 - t) log(1 - x)), no logarithm below -100.  dx = g (x - t) / (x (1 - x)), dt = g log((1 - x) / x).

    As in PyTorch the denominator is kept above 1e-12, so that a sure and wrong x has a large gradient, not an infinite one.
    """

    def forward(ctx, x: Any, t: Any) -> Any:
        ctx.saved = x, t
        xp = array_module(x)
        yes, no = xp.log(x), xp.log(1 - x)  # like `_log`, for arrays only: half the time for 50 elements
        return -(t * xp.maximum(yes, -100.0) + (1 - t) * xp.maximum(no, -100.0))

    def backward(ctx, g: Any) -> Any:
        x, t = ctx.saved
        dx = g * (x - t) / clamp(x * (1 - x), min=1e-12) if ctx.needs(0) else None
        return dx, g * (_log(1 - x) - _log(x)) if ctx.needs(1) else None


def _log(x: Any) -> Any:
    """log x, but not below -100; of an array or a tensor."""
    return clamp(log(x), min=-100.0)


def _weighted(name: str, losses: Tensor, weight: Tensor | None) -> Tensor:
    """Losses times `weight` in their dtype, which may be broadcast to their shape, but not the other way round."""
    if weight is None:
        return losses
    if weight.dtype.kind == "c" and losses.dtype.kind != "c":
        raise TypeError(f"{name}: expected a real weight, got {weight.dtype} of shape {shapes(weight)}")
    weighed = losses * weight.type(losses.dtype)
    if weighed.shape != losses.shape:
        raise ValueError(f"{name}: a weight and losses of shapes {shapes(weight, losses)} do not fit")
    return weighed


@loss
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(t log x + (1 - t) log(1 - x)) for x and t in [0, 1], else ValueError; logarithms are not below -100."""
    name = "binary_cross_entropy"
    check_same(name, input, target)
    for what, x in ("input", input.array.real), ("target", target.array.real):
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
        if not (low >= 0 and high <= 1):
            hint = "; for logits use binary_cross_entropy_with_logits" if what == "input" else ""
            raise ValueError(f"{name}: expected {what} from 0 to 1, got {low:g} to {high:g} (shape {shapes(x)}){hint}")
    return reduced(name, _weighted(name, BinaryCrossEntropy.apply(input, target), weight), reduction)


@loss
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None
) -> Tensor:
    """-(p t log s + (1 - t) log(1 - s)) with s = sigmoid(input) and p = `pos_weight`; finite for any finite input."""
    name = "binary_cross_entropy_with_logits"
    check_same(name, input, target)
    positive = 1 if pos_weight is None else _weighted(name, target, pos_weight - 1) + 1
    losses = (1 - target) * input - logsigmoid(input) * positive
    return reduced(name, _weighted(name, losses, weight), reduction)


@loss
def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (log t - x) for log-probabilities x and (with `log_target` log-) probabilities t; "batchmean" is the divergence."""
    for what, x in ("input", input), ("target", target):
        if x.dtype.kind not in "fc":
            raise TypeError(f"kl_div: expected {what} to be floating-point, got {x.dtype} of shape {shapes(x)}")
    if log_target:
        losses = exp(target) * (target - input)
    else:
        zero = target == 0  # t log t is 0 there
        losses = where(zero, 0.0, target * log(where(zero, 1.0, target))) - target * input
    if reduction == "batchmean":
        return losses.sum() / (input.shape[0] if input.ndim else 1)
    return reduced("kl_div", losses, reduction)


@in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps over the last dimension; raises ValueError unless the shapes are equal."""
    check_same("pairwise_distance", x1, x2, "x1 and x2")
    return norm(x1 - x2 + eps, p, -1, keepdim)


@in_float32
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norm of each row of `x1` (..., n, m) minus each row of `x2` (..., k, m): (..., n, k).

    For p = 2 and more than 25 rows it is made of products of rows, unless `compute_mode` is "donot_use_mm_for_euclid_dist", or
    "use_mm_for_euclid_dist" for any number: faster, but less exact where they are close, as in PyTorch.
    """
    least = {"use_mm_for_euclid_dist_if_necessary": 26, "use_mm_for_euclid_dist": 0, "donot_use_mm_for_euclid_dist": math.inf}
    if min(x1.ndim, x2.ndim) < 2 or x1.shape[-1] != x2.shape[-1] or p < 0 or compute_mode not in least:
        expected = f"(..., n, m), (..., k, m), p of 0 or more and {', '.join(least)}"
        raise ValueError(f"cdist: expected {expected}, got {shapes(x1, x2)}, {p} and {compute_mode!r}")
    if x1.dtype.kind not in "fc" or x2.dtype != x1.dtype:
        raise TypeError(f"cdist: expected one floating dtype, got {x1.dtype} and {x2.dtype}")
    if p == 2 and max(x1.shape[-2], x2.shape[-2]) >= least[compute_mode]:
        return root(clamp(sum(x1 * x1, -1, True) - 2 * (x1 @ x2.mT) + sum(x2 * x2, -1).unsqueeze(-2), min=0.0))
    return norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p if x1.shape[-1] else 1, -1)  # rows of no numbers are 0 apart


@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) over `dim`, no norm taken below `eps`; raises ValueError unless the shapes are equal.

    A norm raised to `eps` is a constant in the gradient; in PyTorch it is not, so its gradient is not that of its values.
    """
    check_same("cosine_similarity", x1, x2, "x1 and x2")
    dims = normalized_dims("cosine_similarity", x1.ndim, dim)
    return sum(x1 * x2, dims) / (clamp(norm(x1, 2, dims), min=eps) * clamp(norm(x2, 2, dims), min=eps))


@loss
def contrastive_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """(t d^2 + (1 - t) max(margin - d, 0)^2) / 2 for rows at Euclidean distance d: 1 in `target` (n) says same, 0 different.

    Hadsell, Chopra & LeCun 2006, equation 4, with their Y = 1 - t. Not in PyTorch. The gradient at d = 0 is 0. Raises
    ValueError unless the inputs are (n, features), the targets (n), and these 0 or 1.
    """
    check_same("contrastive_loss", input1, input2, "input1 and input2")
    if input1.ndim != 2 or target.shape != input1.shape[:1]:
        raise ValueError(f"contrastive_loss: expected inputs (n, features) and targets (n), got {shapes(input1, target)}")
    if not bool(((target.array == 0) | (target.array == 1)).all()):
        raise ValueError("contrastive_loss: expected targets of 0 (different) and 1 (same)")
    difference = input1 - input2
    short = clamp(margin - norm(difference, 2, 1), min=0)
    same = target.type(input1.dtype)
    losses = (same * (difference * difference).sum(1) + (1 - same) * short * short) * 0.5
    return reduced("contrastive_loss", losses, reduction)


@loss
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0), d the distance of `pairwise_distance`.

    With `swap` the negative's distance is the smaller of those from anchor and positive (Balntas et al. 2016). Raises
    ValueError unless the shapes are equal, TypeError unless the dtypes are.
    """
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: expected a margin above 0, got {margin}")
    if not anchor.shape == positive.shape == negative.shape:
        found = f"anchor {shapes(anchor)}, positive {shapes(positive)}, negative {shapes(negative)}"
        raise ValueError(f"triplet_margin_loss: expected inputs of one shape, got {found}")
    kinds = {str(tensor.dtype) for tensor in (anchor, positive, negative)}
    if len(kinds) > 1 or anchor.dtype.kind not in "fc":
        raise TypeError(f"triplet_margin_loss: expected one floating dtype, got {', '.join(sorted(kinds))}")
    far = norm(anchor - negative + eps, p, -1)
    if swap:
        far = minimum(far, norm(positive - negative + eps, p, -1))
    return reduced("triplet_margin_loss", clamp(norm(anchor - positive + eps, p, -1) - far + margin, min=0), reduction)


@loss
def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """max(0, -t (x1 - x2) + margin): t = 1 if x1 is to be the larger, -1 if x2 is; all need one number of dimensions."""
    if not input1.ndim == input2.ndim == target.ndim:
        raise ValueError(f"margin_ranking_loss: expected one number of dimensions, got {shapes(input1, input2, target)}")
    return reduced("margin_ranking_loss", clamp(-target * (input1 - input2) + margin, min=0), reduction)


@loss
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1, for rows (n, features) or one."""
    if input1.ndim not in (1, 2) or input1.shape != input2.shape or target.shape != input1.shape[:-1]:
        found = shapes(input1, input2, target)
        raise ValueError(f"cosine_embedding_loss: expected rows (n, features) and targets (n), got {found}")
    eps = 1e-12  # PyTorch's
    lengths = ((input1 * input1).sum(-1) + eps) * ((input2 * input2).sum(-1) + eps)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, clamp(cosine - margin, min=0), 0.0)
    return reduced("cosine_embedding_loss", losses, reduction)
