"""Losses. Shapes must agree exactly, labels must be in range: nothing is broadcast and nothing wrong trains silently."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.accumulate import in_float32, products, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.activation import log_softmax, logsigmoid, softmax
from minitorch.ops.choice import clamp, minimum, where
from minitorch.ops.elementwise import abs, log
from minitorch.ops.index import AddAt, Take
from minitorch.ops.pieces import flat
from minitorch.ops.reduce import ScatterAlong, norm, normalized_dims, sum


class CrossEntropy(Op):
    """The sum over rows of c (log sum e^x - x[target]), for logits x (n, classes).  dx = g c (softmax x - one-hot target)."""

    def forward(ctx, x: Any, target: Any, coefficients: Any) -> Any:
        xp = array_module(x)
        shifted = x - largest(x)
        p = xp.exp(shifted)
        sums = total(p, (1,), True)
        p /= sums
        losses = xp.log(sums[:, 0]) - shifted[xp.arange(x.shape[0]), target]
        ctx.saved = x, p, target, coefficients
        return products(losses, coefficients)

    def backward(ctx, g: Any) -> Any:
        x, p, target, coefficients = ctx.saved
        if isinstance(g, Tensor):  # recorded: p depends on x
            classes = array_module(x.array).arange(x.shape[1])
            one_hot = wrap((classes == target.array[:, None]).astype(x.dtype))
            return (softmax(x, 1) - one_hot) * coefficients.unsqueeze(1) * g, None, None
        dx = p * coefficients[:, None]
        dx[array_module(p).arange(dx.shape[0]), target] -= coefficients
        dx *= g
        return dx, None, None


class Picked(Op):
    """Minus the entry of its target in each row of x (n, classes), for targets (n, 1).  dx = -g there."""

    def forward(ctx, x: Any, target: Any) -> Any:
        ctx.saved = (target,)
        ctx.shape_in = x.shape
        return -x[array_module(x).arange(x.shape[0]), target[:, 0]]

    def backward(ctx, g: Any) -> Any:
        (target,) = ctx.saved
        return flat(ctx, ScatterAlong.apply(-g.reshape(target.shape), target, shape=ctx.shape_in, dim=1)), None


class BinaryCrossEntropy(Op):
    """-(t log x + (1 - t) log(1 - x)), no logarithm below -100.  dx = g (x - t) / (x (1 - x)), dt = g log((1 - x) / x).

    As in PyTorch the denominator is kept above 1e-12, so that a sure and wrong x has a large gradient, not an infinite one.
    """

    def forward(ctx, x: Any, t: Any) -> Any:
        ctx.saved = x, t
        xp = array_module(x)
        yes, no = xp.log(x), xp.log(1 - x)  # as `_log`, on arrays alone: half of the time, of 50 elements
        return -(t * xp.maximum(yes, -100.0) + (1 - t) * xp.maximum(no, -100.0))

    def backward(ctx, g: Any) -> Any:
        x, t = ctx.saved
        dx = g * (x - t) / clamp(x * (1 - x), min=1e-12) if ctx.needs(0) else None
        return dx, g * (_log(1 - x) - _log(x)) if ctx.needs(1) else None


def largest(rows: Any) -> Any:
    """The largest of each row (n, classes), as (n, 1).

    Short rows are laid out as columns first, and those compared: (100, 10) takes 3 microseconds and NumPy's own maximum 7,
    (1000, 10) 8 and 67, (1000, 32) 35 and 101.
    """
    xp = array_module(rows)
    if xp is np and rows.shape[1] <= 32:
        return xp.ascontiguousarray(rows.T).max(0)[:, None]
    return rows.max(1, keepdims=True)


def _log(x: Any) -> Any:
    """log x, but not below -100; of an array or a tensor."""
    return clamp(log(x), min=-100.0)


def old_reduction(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a loss take PyTorch's old keywords: `size_average=False` is reduction "sum", `reduce=False` is "none"."""

    @functools.wraps(loss)
    def with_old_keywords(*args: Any, size_average: bool | None = None, reduce: bool | None = None, **kwargs: Any) -> Tensor:
        if size_average is not None or reduce is not None:
            kwargs["reduction"] = reduction_of(size_average, reduce)
        return loss(*args, **kwargs)

    return with_old_keywords


def reduction_of(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that PyTorch's two old switches, on unless they are False, stand for."""
    return "none" if reduce is False else "sum" if size_average is False else "mean"


# ---- classes -------------------------------------------------------------------------------------------------------------


@old_reduction
@in_float32
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log of the softmax probability of the target class, for logits (n, classes), (n, classes, ...) or (classes).

    `target` holds classes, integers of shape (n, ...), or probabilities of the shape of `input`. `weight` (classes) weighs
    classes; a "mean" divides by the targets' weights. Rows whose class is `ignore_index` are left out: their gradient is 0,
    whatever they hold, and the mean of no row is nan. `label_smoothing` e mixes the target with e parts of the uniform
    distribution. Raises ValueError if the shapes do not fit or for an `ignore_index` beside probabilities, IndexError for a
    class out of range, TypeError for wrong dtypes.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: expected label_smoothing from 0 to 1, got {label_smoothing}")
    name = "cross_entropy"
    _check_reduction(name, reduction)
    _check_floats(name, input, weight)
    if target.dtype.kind in "fc":
        if ignore_index >= 0:
            raise ValueError(f"cross_entropy: ignore_index {ignore_index} names a class, the target holds probabilities")
        return _probabilities(input, target, weight, reduction, label_smoothing)
    rows, labels, factors, shape, valid = _rows(name, input, target, weight, ignore_index)
    if reduction in ("mean", "sum") and not label_smoothing and labels.size:
        if factors is None:
            factors = array_module(labels).full(labels.shape, 1 / labels.size if reduction == "mean" else 1, input.dtype)
        elif reduction == "mean":
            factors = (wrap(factors) / _weight_of(factors)).array  # seen by anomaly mode
        return CrossEntropy.apply(rows, wrap(labels), wrap(factors))
    logs = log_softmax(rows, 1)
    losses = _picked(logs, labels, factors)
    if label_smoothing:
        spread = -(logs if weight is None else logs * weight).sum(1)
        losses = losses * (1 - label_smoothing) + spread * (label_smoothing / rows.shape[1])
    return _reduced(name, losses, reduction, shape, factors, valid)


@old_reduction
@in_float32
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Minus the entry of the target class, for log-probabilities (n, classes), (n, classes, ...) or (classes).

    Weights, ignored classes, reductions and errors are those of `cross_entropy`.
    """
    _check_reduction("nll_loss", reduction)
    _check_floats("nll_loss", input, weight)
    rows, labels, factors, shape, valid = _rows("nll_loss", input, target, weight, ignore_index)
    return _reduced("nll_loss", _picked(rows, labels, factors), reduction, shape, factors, valid)


def _check_floats(name: str, input: Tensor, weight: Tensor | None) -> None:
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected floating-point input, got {input.dtype}")
    if weight is not None and weight.dtype != input.dtype:
        raise TypeError(f"{name}: input is {input.dtype}, weight {weight.dtype}")
    if weight is not None and weight.requires_grad:
        raise RuntimeError(
            f"{name}: the weight of shape {tuple(weight.shape)} requires a gradient, which it never gets; detach() it"
        )
    if input.ndim == 0:
        raise ValueError(f"{name}: expected input (n, classes), (n, classes, ...) or (classes), got a 0-d tensor")
    classes = input.shape[0 if input.ndim == 1 else 1]
    if weight is not None and weight.shape != (classes,):
        raise ValueError(
            f"{name}: expected a weight of shape {(classes,)} for input {tuple(input.shape)}, got {tuple(weight.shape)}"
        )


def _rows(name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> tuple[Any, ...]:
    """Input as rows (m, classes), labels (m), the factor of each row (None: 1 for all), and the shape of the losses.

    Ignored rows are not among them: the last says which are (a mask, or on a GPU their positions), or is None for all. A
    product with a factor of 0 would make nan of an infinity that they hold.
    """
    shape = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape != shape:
        raise ValueError(
            f"{name}: expected targets of shape {tuple(shape)} for input {tuple(input.shape)}, got {tuple(target.shape)}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integer classes, got {target.dtype}")
    classes = input.shape[0 if input.ndim == 1 else 1]
    labels, valid = target.array.reshape(-1), None
    low, high = _range(labels)
    if low <= ignore_index <= high:
        valid = labels != ignore_index
        if array_module(valid) is not np:  # a mask would make the host wait again in each backward pass
            valid = valid.nonzero()[0]
        labels = labels[valid]
        low, high = _range(labels)
    if low < 0 or high >= classes:
        worst = low if low < 0 else high
        raise IndexError(f"{name}: class {worst} is out of range for {classes} classes (input {tuple(input.shape)})")
    factors = None if weight is None else weight.array[labels]
    if input.ndim == 1:
        input = input.reshape(1, -1)
    elif input.ndim > 2:
        input = input.permute(0, *range(2, input.ndim), 1).reshape(-1, classes)
    return input if valid is None else Take.apply(input, index=(valid,)), labels, factors, shape, valid


def _range(labels: Any) -> tuple[int, int]:
    """The smallest and the largest label; of none, one that fits any classes."""
    return (int(labels.min()), int(labels.max())) if labels.size else (0, 0)


def _picked(logs: Tensor, labels: Any, factors: Any) -> Tensor:
    """Minus the entry of its label in each row, times its factor."""
    losses = Picked.apply(logs, wrap(labels.astype(backend.int64).reshape(-1, 1)))
    return losses if factors is None else losses * wrap(factors)


def _probabilities(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float) -> Tensor:
    """Cross-entropy with a distribution as target."""
    name = "cross_entropy"
    if target.shape != input.shape:
        raise ValueError(f"{name}: expected probabilities of the input's shape {tuple(input.shape)}, got {tuple(target.shape)}")
    if target.dtype != input.dtype:
        raise TypeError(f"{name}: input is {input.dtype}, target {target.dtype}")
    dim = 0 if input.ndim == 1 else 1
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[dim]
    losses = log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * weight.reshape([-1 if i == dim else 1 for i in range(input.ndim)])
    losses = -losses.sum(dim)
    if reduction == "mean":
        return losses.sum() / max(losses.numel(), 1)
    return _reduced(name, losses, reduction, losses.shape, None)


def _reduced(
    name: str, losses: Tensor, reduction: str, shape: tuple[int, ...] | None = None, factors: Any = None, valid: Any = None
) -> Tensor:
    """Losses as they are, with 0 for rows that are not `valid`, summed, or averaged over the weight they carry."""
    _check_reduction(name, reduction)
    if reduction == "none":
        if valid is not None:
            losses = AddAt.apply(losses, index=(valid,), shape=(math.prod(shape or ()),))
        return losses if shape is None else losses.reshape(shape)
    if reduction == "sum":
        return losses.sum()
    if factors is None:
        return losses.mean()
    return losses.sum() / _weight_of(factors)


def _weight_of(factors: Any) -> Tensor:
    """The weight that rows carry together."""
    return wrap(array_module(factors).asarray(total(factors, (0,))))


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: expected reduction 'mean', 'sum' or 'none', got {reduction!r}")


# ---- numbers -------------------------------------------------------------------------------------------------------------


def _check_same(name: str, input: Tensor, target: Tensor, what: str = "target") -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name}: expected input and {what} of one shape, got {tuple(input.shape)} and {tuple(target.shape)}")
    if input.dtype.kind not in "fc" or target.dtype != input.dtype:
        raise TypeError(f"{name}: expected one floating dtype, got input {input.dtype} and {what} {target.dtype}")


def _weighed(name: str, losses: Tensor, weight: Tensor | None) -> Tensor:
    """Losses times `weight`, which may be broadcast to them, but not they to it."""
    if weight is None:
        return losses
    weighed = losses * weight
    if weighed.shape != losses.shape:
        raise ValueError(f"{name}: a weight of shape {tuple(weight.shape)} does not fit losses of shape {tuple(losses.shape)}")
    return weighed


@old_reduction
@in_float32
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)^2; raises ValueError unless the shapes are equal, TypeError unless the dtypes are."""
    _check_same("mse_loss", input, target)
    difference = input - target
    return _reduced("mse_loss", difference * difference, reduction)


@old_reduction
@in_float32
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target|; raises ValueError unless the shapes are equal, TypeError unless the dtypes are."""
    _check_same("l1_loss", input, target)
    return _reduced("l1_loss", abs(input - target), reduction)


@old_reduction
@in_float32
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| is below `beta`, else d - beta / 2 (Girshick 2015).

    Raises ValueError for a negative beta and unless the shapes are equal, TypeError unless the dtypes are.
    """
    _check_same("smooth_l1_loss", input, target)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: expected beta of 0 or more, got {beta}")
    return _reduced("smooth_l1_loss", _smooth(abs(input - target), beta), reduction)


def _smooth(distance: Tensor, beta: float) -> Tensor:
    return where(distance < beta, distance * distance * (0.5 / beta), distance - 0.5 * beta) if beta else distance


@in_float32
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """d^2 / 2 where d = |input - target| is below `delta`, else delta (d - delta / 2) (Huber 1964).

    Raises ValueError for a delta of 0 or less and unless the shapes are equal, TypeError unless the dtypes are.
    """
    _check_same("huber_loss", input, target)
    if delta <= 0:
        raise ValueError(f"huber_loss: expected a positive delta, got {delta}")
    return _reduced("huber_loss", _smooth(abs(input - target), delta) * delta, reduction)


@old_reduction
@in_float32
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(t log x + (1 - t) log(1 - x)) for probabilities x; logarithms are not below -100.

    Raises ValueError for an x or a t outside [0, 1] and unless the shapes are equal and the weight's fits, TypeError unless the
    dtypes are equal.
    """
    _check_same("binary_cross_entropy", input, target)
    for what, x in ("input", input.array.real), ("target", target.array.real):
        if x.size and not (float(x.min()) >= 0 and float(x.max()) <= 1):
            raise ValueError(
                f"binary_cross_entropy: expected {what} from 0 to 1, got {float(x.min()):g} to {float(x.max()):g} (shape "
                f"{tuple(input.shape)})" + ("; for logits use binary_cross_entropy_with_logits" if what == "input" else "")
            )
    losses = BinaryCrossEntropy.apply(input, target)
    return _reduced("binary_cross_entropy", _weighed("binary_cross_entropy", losses, weight), reduction)


@old_reduction
@in_float32
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(p t log s + (1 - t) log(1 - s)) with s = sigmoid(input) and p = `pos_weight`; finite for any finite input.

    Raises ValueError unless the shapes are equal and those of the weights fit, TypeError unless the dtypes are equal.
    """
    name = "binary_cross_entropy_with_logits"
    _check_same(name, input, target)
    positive = 1 if pos_weight is None else _weighed(name, target, pos_weight - 1) + 1
    losses = (1 - target) * input - logsigmoid(input) * positive
    return _reduced(name, _weighed(name, losses, weight), reduction)


# ---- pairs ---------------------------------------------------------------------------------------------------------------


@in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps over the last dimension; raises ValueError unless the shapes are equal."""
    _check_same("pairwise_distance", x1, x2, "x2")
    return _distance(x1, x2, p, eps, keepdim)


def _distance(x1: Tensor, x2: Tensor, p: float, eps: float, keepdim: bool = False) -> Tensor:
    return norm(x1 - x2 + eps, p, -1, keepdim)


@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) over `dim`, no norm taken below `eps`; raises ValueError unless the shapes are equal.

    A norm raised to `eps` is a constant to the gradient; in PyTorch it is not, and the gradient there not that of the values.
    """
    _check_same("cosine_similarity", x1, x2, "x2")
    dims = normalized_dims("cosine_similarity", x1.ndim, dim)
    return sum(x1 * x2, dims) / (clamp(norm(x1, 2, dims), min=eps) * clamp(norm(x2, 2, dims), min=eps))


@in_float32
def contrastive_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """(t d^2 + (1 - t) max(margin - d, 0)^2) / 2 for rows at Euclidean distance d: 1 in `target` (n) says same, 0 different.

    Hadsell, Chopra & LeCun 2006, equation 4, with their Y = 1 - t. Not in PyTorch. The gradient at d = 0 is 0. Raises
    ValueError unless the inputs are (n, features), the targets (n), and these 0 or 1.
    """
    _check_same("contrastive_loss", input1, input2, "input2")
    if input1.ndim != 2 or target.shape != input1.shape[:1]:
        raise ValueError(
            f"contrastive_loss: expected inputs (n, features) and targets (n), got {tuple(input1.shape)} and "
            f"{tuple(target.shape)}"
        )
    if not bool(((target.array == 0) | (target.array == 1)).all()):
        raise ValueError("contrastive_loss: expected targets of 0 (different) and 1 (same)")
    difference = input1 - input2
    short = clamp(margin - norm(difference, 2, 1), min=0)
    same = target.type(input1.dtype)
    losses = (same * (difference * difference).sum(1) + (1 - same) * short * short) * 0.5
    return _reduced("contrastive_loss", losses, reduction)


@old_reduction
@in_float32
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
    given = {"anchor": anchor, "positive": positive, "negative": negative}
    if not anchor.shape == positive.shape == negative.shape:
        shapes = ", ".join(f"{what} {tuple(tensor.shape)}" for what, tensor in given.items())
        raise ValueError(f"triplet_margin_loss: expected inputs of one shape, got {shapes}")
    dtypes = {tensor.dtype for tensor in given.values()}
    if len(dtypes) > 1 or anchor.dtype.kind not in "fc":
        raise TypeError(f"triplet_margin_loss: expected one floating dtype, got {', '.join(sorted(map(str, dtypes)))}")
    far = _distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, _distance(positive, negative, p, eps))
    losses = clamp(_distance(anchor, positive, p, eps) - far + margin, min=0)
    return _reduced("triplet_margin_loss", losses, reduction)
