"""Losses over classes. Shapes agree exactly and labels are in range: nothing is broadcast, nothing wrong trains silently."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.accumulate import products, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, int64
from minitorch.ops.dims import shapes
from minitorch.ops.index import AddAt, ScatterAlong, Take
from minitorch.ops.loss import check_reduction, loss, reduced
from minitorch.ops.pieces import flat
from minitorch.ops.softmax import largest, log_softmax, softmax
from minitorch.ops.strips import along, each_row
from minitorch.threads import run


class CrossEntropy(Op):
    """The sum over rows of c (log sum e^x - x[target]), for logits x (n, classes).  dx = g c (softmax x - one-hot target)."""

    def forward(ctx, x: Any, target: Any, coefficients: Any) -> Any:
        xp = array_module(x)
        if len(along(x)) == 1:
            losses, p = _losses(x, target)
        else:
            p, losses = xp.empty_like(x), xp.empty(x.shape[0], x.dtype)

            def compute(x: Any, p: Any, target: Any, losses: Any) -> None:
                losses[...], p[...] = _losses(x, target)

            run(compute, along(x, p, target, losses))
        ctx.saved = x, p, target, coefficients
        return products(losses, coefficients)

    def backward(ctx, g: Any) -> Any:
        x, p, target, coefficients = ctx.saved
        if isinstance(g, Tensor):  # recorded: p depends on x
            classes = array_module(x.array).arange(x.shape[1])
            one_hot = wrap((classes == target.array[:, None]).astype(x.dtype))
            return (softmax(x, 1) - one_hot) * coefficients.unsqueeze(1) * g, None, None

        def rule(p: Any, target: Any, coefficients: Any) -> Any:
            dx = p * coefficients[:, None]
            dx[array_module(p).arange(dx.shape[0]), target] -= coefficients
            dx *= g
            return dx

        return each_row(rule, p, target, coefficients), None, None


def _losses(x: Any, target: Any) -> tuple[Any, Any]:
    """log sum e^x - x[target] of each row, and its softmax."""
    xp, shifted = array_module(x), x - largest(x)
    p = xp.exp(shifted)
    sums = total(p, (1,), True)
    p /= sums
    return xp.log(sums[:, 0]) - shifted[xp.arange(x.shape[0]), target], p


class Picked(Op):
    """Minus the entry of its target in each row of x (n, classes), for targets (n, 1).  dx = -g there."""

    def forward(ctx, x: Any, target: Any) -> Any:
        ctx.saved, ctx.shape_in = (target,), x.shape
        return -x[array_module(x).arange(x.shape[0]), target[:, 0]]

    def backward(ctx, g: Any) -> Any:
        (target,) = ctx.saved
        return flat(ctx, ScatterAlong.apply(-g.reshape(target.shape), target, shape=ctx.shape_in, dim=1)), None


@loss
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log of the softmax probability of the target class, for logits (n, classes), (n, classes, ...) or (classes).

    `target` holds classes, integers of shape (n, ...), or probabilities of the shape of `input`. `weight` (classes) is a factor
    per class; a "mean" divides by the targets' weights. Rows whose class is `ignore_index` are left out, and the mean of no row
    is nan. `label_smoothing` e replaces a share e of the target by the uniform distribution. Raises ValueError if the shapes do
    not fit or for an `ignore_index` beside probabilities, IndexError for a class out of range, TypeError for wrong dtypes.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: expected label_smoothing from 0 to 1, got {label_smoothing}")
    _check_classes("cross_entropy", input, weight, reduction)
    if target.dtype.kind in "fc":
        if ignore_index >= 0:
            raise ValueError(f"cross_entropy: ignore_index {ignore_index} names a class, the target holds probabilities")
        return _probabilities(input, target, weight, reduction, label_smoothing)
    rows, labels, factors, shape, valid = _rows("cross_entropy", input, target, weight, ignore_index)
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
    return _reduced_rows(losses, reduction, shape, factors, valid)


@loss
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Minus the entry of the target class, for log-probabilities; shapes, weights and errors are those of `cross_entropy`."""
    _check_classes("nll_loss", input, weight, reduction)
    rows, labels, factors, shape, valid = _rows("nll_loss", input, target, weight, ignore_index)
    return _reduced_rows(_picked(rows, labels, factors), reduction, shape, factors, valid)


def _check_classes(name: str, input: Tensor, weight: Tensor | None, reduction: str) -> None:
    check_reduction(name, reduction)
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected floating-point input, got {input.dtype}")
    if input.ndim == 0:
        raise ValueError(f"{name}: expected input (n, classes), (n, classes, ...) or (classes), got a 0-d tensor")
    if weight is None:
        return
    if weight.dtype != input.dtype:
        raise TypeError(f"{name}: input is {input.dtype}, weight {weight.dtype}")
    given, classes = shapes(weight), input.shape[:2][-1:]
    if weight.requires_grad:
        raise RuntimeError(f"{name}: the weight of shape {given} requires a gradient, which it never gets; detach() it")
    if weight.shape != classes:
        raise ValueError(f"{name}: expected a weight of shape {classes} for input {shapes(input)}, got {given}")


def _rows(name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> tuple[Any, ...]:
    """Input as rows (m, classes), labels (m), the factor of each row (None: 1 for all), and the shape of the losses.

    Ignored rows are left out, as a factor of 0 would turn an infinity in them into nan; a fifth item tells which rows remain:
    a mask, on a GPU their positions, or None for all.
    """
    classes = input.shape[:2][-1]  # the second length, or the only one
    shape = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape != shape:
        raise ValueError(f"{name}: expected targets of shape {shape} for input {shapes(input)}, got {shapes(target)}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integer classes, got {target.dtype}")
    labels, valid = target.array.reshape(-1), None
    low, high = _range(labels)
    if low <= ignore_index <= high:
        valid = labels != ignore_index
        if array_module(valid) is not np:  # a mask would make the host wait again in each backward pass
            valid = valid.nonzero()[0]
        labels = labels[valid]
        low, high = _range(labels)
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise IndexError(f"{name}: class {wrong} is out of range for {classes} classes (input {shapes(input)})")
    factors = None if weight is None else weight.array[labels]
    if input.ndim == 1:
        input = input.reshape(1, -1)
    elif input.ndim > 2:
        input = input.permute(0, *range(2, input.ndim), 1).reshape(-1, classes)
    return input if valid is None else Take.apply(input, index=(valid,)), labels, factors, shape, valid


def _range(labels: Any) -> tuple[int, int]:
    """The smallest and the largest label; (0, 0), which is never out of range, if there are none."""
    return (int(labels.min()), int(labels.max())) if labels.size else (0, 0)


def _picked(logs: Tensor, labels: Any, factors: Any) -> Tensor:
    """Minus the entry of its label in each row, times its factor."""
    losses = Picked.apply(logs, wrap(labels.astype(int64).reshape(-1, 1)))
    return losses if factors is None else losses * wrap(factors)


def _probabilities(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float) -> Tensor:
    """Cross-entropy with a distribution as target."""
    if target.shape != input.shape:
        raise ValueError(f"cross_entropy: expected probabilities of the input's shape {shapes(input)}, got {shapes(target)}")
    if target.dtype != input.dtype:
        raise TypeError(f"cross_entropy: input is {input.dtype}, target {target.dtype}")
    dim = 0 if input.ndim == 1 else 1
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[dim]
    losses = log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * weight.reshape([-1 if i == dim else 1 for i in range(input.ndim)])
    losses = -losses.sum(dim)
    return losses.sum() / (losses.numel() or math.nan) if reduction == "mean" else reduced("cross_entropy", losses, reduction)


def _reduced_rows(losses: Tensor, reduction: str, shape: tuple[int, ...], factors: Any, valid: Any) -> Tensor:
    """Losses of rows in their `shape`, with 0 for rows that are not `valid`; summed, or divided by their total weight."""
    if reduction == "none":
        return (losses if valid is None else AddAt.apply(losses, index=(valid,), shape=(math.prod(shape),))).reshape(shape)
    return reduced("", losses, reduction) if factors is None or reduction == "sum" else losses.sum() / _weight_of(factors)


def _weight_of(factors: Any) -> Tensor:
    """The total weight of the rows."""
    return wrap(array_module(factors).asarray(total(factors, (0,))))
