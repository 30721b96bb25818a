"""Losses: values, gradients, and everything they must refuse."""

from __future__ import annotations

import numpy as np

import minitorch as mt
import minitorch.functional as F
from tests.op_table.activation import log_softmax
from tests.op_table.row import Fixed, Row, bad, case, spread

LOGITS, IMAGE_LOGITS = spread(3, 4), spread(2, 3, 2)
LABELS, IMAGE_LABELS = np.array([2, 0, 2]), np.array([[0, 2], [1, 1]])
WITH_IGNORED = np.array([2, -100, 0])
WEIGHT = Fixed(spread(4, low=0.3, high=2.0, seed=1))
LOGS, IMAGE_LOGS = log_softmax(LOGITS, 1), log_softmax(IMAGE_LOGITS, 1)
MIXED = np.exp(log_softmax(spread(3, 4, seed=1), 1))
IMAGE_MIXED = np.exp(log_softmax(spread(2, 3, 2, seed=1), 1))
EXTREME = np.array([[1e4, -1e4, 0.0, 1.0], [0.0, 0.0, -1e4, 5.0]])
A, B = spread(3, 2), spread(3, 2, seed=1)
C = spread(3, 2, low=-3.0, high=1.5, seed=2)
P, T = spread(3, 2, low=0.05, high=0.95), spread(3, 2, low=0.0, high=1.0, seed=1)
SURE, HARD = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
FAR = np.array([-1e4, -40.0, -21.0, 21.0, 40.0, 1e4])
FEATURES, OTHERS = spread(4, 3), spread(4, 3, low=-1.5, high=1.0, seed=1)
SAME = np.array([1, 0, 0, 1])

REDUCTIONS = ({}, {"reduction": "sum"}, {"reduction": "none"})


def reduced(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def in_all_reductions(*inputs, **parameters):
    return [case(*inputs, **parameters, **reduction) for reduction in REDUCTIONS]


def looked_at(*inputs, **parameters):
    """Cases whose labels (or probabilities) are checked before they are used."""
    return in_all_reductions(*inputs, waits="forward", **parameters)


def nll_loss(logs, target, weight=None, ignore_index=-100, reduction="mean"):
    logs, target = np.moveaxis(logs, 1 if logs.ndim > 1 else 0, -1), np.asarray(target)
    losses, total = np.zeros(target.shape), 0.0
    for at in np.ndindex(target.shape):
        if target[at] != ignore_index:
            factor = 1.0 if weight is None else weight[target[at]]
            losses[at] = -logs[(*at, target[at])] * factor
            total += factor
    return losses.sum() / total if reduction == "mean" else reduced(losses, reduction)


def cross_entropy(x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    dim = 1 if x.ndim > 1 else 0
    if target.dtype.kind == "f":
        weights = 1 if weight is None else weight.reshape([-1 if i == dim else 1 for i in range(x.ndim)])
        target = target * (1 - label_smoothing) + label_smoothing / x.shape[dim]
        losses = -(log_softmax(x, dim) * target * weights).sum(dim)
        return losses.sum() / max(losses.size, 1) if reduction == "mean" else reduced(losses, reduction)
    logs = log_softmax(x, dim)
    hard = nll_loss(logs, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    # Szegedy et al. 2016: (1 - e) times the loss of the class, plus e times the mean loss over all classes
    weights = np.ones(x.shape[dim]) if weight is None else weight
    valid = target != ignore_index
    even = -np.moveaxis(logs, dim, -1) @ weights * valid / x.shape[dim]
    if reduction == "mean":
        even = even.sum() / (weights[np.where(valid, target, 0)] * valid).sum()
    return (1 - label_smoothing) * hard + label_smoothing * (even.sum() if reduction == "sum" else even)


def smooth_l1_loss(x, y, reduction="mean", beta=1.0):
    d = np.abs(x - y)
    return reduced(np.where(d < beta, d**2 / 2 / (beta or 1), d - beta / 2), reduction)


def huber_loss(x, y, reduction="mean", delta=1.0):
    d = np.abs(x - y)
    return reduced(np.where(d < delta, d**2 / 2, delta * (d - delta / 2)), reduction)


def binary_cross_entropy(x, t, weight=1.0, reduction="mean"):
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
    return reduced(-(t * logs[0] + (1 - t) * logs[1]) * weight, reduction)


def binary_cross_entropy_with_logits(x, t, weight=None, reduction="mean", pos_weight=1.0):
    losses = pos_weight * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_in_torch(name):
    """With the weight taken out, which has no gradient in PyTorch, and the parameters in our order, without those it gave up."""

    def call(torch, x, t, weight=None, reduction="mean", *positive):
        losses = getattr(torch.nn.functional, name)(x, t, reduction="none", **dict(zip(["pos_weight"], positive)))
        losses = losses if weight is None else losses * weight
        return losses if reduction == "none" else getattr(losses, reduction)()

    return call


def distances(x, y, p=2.0, compute_mode=None):
    return np.linalg.norm(x[..., :, None, :] - y[..., None, :, :], p, -1)


def pairwise_distance(x, y, p=2.0, eps=1e-6, keepdim=False):
    return (np.abs(x - y + eps) ** p).sum(-1, keepdims=keepdim) ** (1 / p)


def cosine_similarity(x, y, dim=1, eps=1e-8):
    lengths = [np.maximum(np.sqrt((a**2).sum(dim)), eps) for a in (x, y)]
    return (x * y).sum(dim) / (lengths[0] * lengths[1])


def contrastive_loss(x, y, target, margin=1.0, reduction="mean"):
    d = np.sqrt(((x - y) ** 2).sum(1))
    return reduced(np.where(target == 1, d**2, np.maximum(margin - d, 0) ** 2) / 2, reduction)


def contrastive_in_torch(torch, x, y, target, margin=1.0, reduction="mean"):
    d = torch.linalg.vector_norm(x - y, dim=1)
    losses = torch.where(target == 1, ((x - y) ** 2).sum(1), torch.relu(margin - d) ** 2) / 2
    return losses if reduction == "none" else getattr(losses, reduction)()


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(np.maximum(pairwise_distance(anchor, positive, p, eps) - far + margin, 0), reduction)


def unequal(name, *more, other="input and target", **parameters):
    """Two inputs that broadcasting would have made equal, two dtypes, and an unknown reduction."""
    return [
        bad(
            ValueError,
            rf"^{name}: expected {other} of one shape, got \(3, 1\) and \(3,\)",
            spread(3, 1),
            spread(3),
            *more,
            **parameters,
        ),
        bad(
            TypeError,
            rf"^{name}: expected one floating dtype, got input float32 and {other} float64",
            A.astype("f"),
            B,
            *more,
            **parameters,
        ),
        bad(
            TypeError,
            rf"^{name}: expected one floating dtype, got input int64 and {other} int64",
            np.ones((3, 2), int),
            np.ones((3, 2), int),
            *more,
            **parameters,
        ),
    ]


def unknown_reduction(name, *inputs):
    return bad(ValueError, rf"^{name}: expected reduction 'mean', 'sum' or 'none', got 'average'", *inputs, reduction="average")


def classes_refused(name):
    """What every loss over classes must refuse."""
    return [
        bad(IndexError, rf"^{name}: class 4 is out of range for 4 classes \(input \(3, 4\)\)", LOGITS, np.array([0, 4, 1])),
        bad(IndexError, rf"^{name}: class -1 is out of range for 4 classes", LOGITS, np.array([0, -1, 1])),
        bad(
            ValueError, rf"^{name}: expected targets of shape \(3,\) for input \(3, 4\), got \(3, 1\)", LOGITS, LABELS[:, None]
        ),
        bad(
            ValueError,
            rf"^{name}: expected targets of shape \(2, 2\) for input \(2, 3, 2\), got \(2,\)",
            IMAGE_LOGITS,
            np.array([0, 1]),
        ),
        bad(ValueError, rf"^{name}: expected input .*, got a 0-d tensor", spread(), np.array(0)),
        bad(
            ValueError,
            rf"^{name}: expected a weight of shape \(4,\) for input \(3, 4\), got \(3,\)",
            LOGITS,
            LABELS,
            Fixed(spread(3)),
        ),
        bad(TypeError, rf"^{name}: expected floating-point input, got int64", LOGITS.astype(int), LABELS),
        bad(TypeError, rf"^{name}: expected integer classes, got bool", LOGITS, LABELS == 0),
        bad(TypeError, rf"^{name}: input is float32, weight float64", LOGITS.astype("f"), LABELS, WEIGHT),
        bad(RuntimeError, rf"^{name}: the weight of shape \(4,\) requires a gradient.*detach", LOGITS, LABELS, WEIGHT.values),
        unknown_reduction(name, LOGITS, LABELS),
    ]


# fmt: off
ROWS = [
    Row("cross_entropy", F.cross_entropy, cross_entropy, [
        *looked_at(LOGITS, LABELS), *looked_at(LOGITS, LABELS, WEIGHT), *looked_at(LOGITS, WITH_IGNORED, WEIGHT),
        *looked_at(LOGITS, LABELS, WEIGHT, label_smoothing=0.2), *looked_at(IMAGE_LOGITS, IMAGE_LABELS, ignore_index=1, label_smoothing=0.1),
        *looked_at(IMAGE_LOGITS, IMAGE_LABELS), *looked_at(LOGITS[0], np.array(1)), *looked_at(EXTREME, np.array([1, 3])),
        *looked_at(EXTREME, np.array([1, 3]), label_smoothing=0.1),
        *in_all_reductions(LOGITS, MIXED), *in_all_reductions(LOGITS, MIXED, WEIGHT, label_smoothing=0.1),
        *in_all_reductions(IMAGE_LOGITS, IMAGE_MIXED), case(LOGITS[0], MIXED[0]), case(EXTREME, MIXED[:2]),
        case(spread(0, 3), np.zeros(0, int), reduction="sum")],
        bad=[*classes_refused("cross_entropy"),
             bad(ValueError, r"^cross_entropy: expected probabilities of the input's shape \(3, 4\), got \(3, 3\)", LOGITS, spread(3, 3)),
             bad(TypeError, r"^cross_entropy: input is float64, target float32", LOGITS, MIXED.astype("f")),
             bad(ValueError, "^cross_entropy: expected label_smoothing from 0 to 1, got 1.5", LOGITS, LABELS, label_smoothing=1.5)]),
    Row("nll_loss", F.nll_loss, nll_loss, [
        *looked_at(LOGS, LABELS), *looked_at(LOGS, LABELS, WEIGHT), *looked_at(LOGS, WITH_IGNORED, WEIGHT),
        *looked_at(IMAGE_LOGS, IMAGE_LABELS, ignore_index=1), *looked_at(LOGS[0], np.array(1))],
        bad=classes_refused("nll_loss")),
    Row("mse_loss", F.mse_loss, lambda x, y, reduction="mean": reduced((x - y) ** 2, reduction), in_all_reductions(A, B),
        bad=[*unequal("mse_loss"), unknown_reduction("mse_loss", A, B)]),
    Row("l1_loss", F.l1_loss, lambda x, y, reduction="mean": reduced(np.abs(x - y), reduction), in_all_reductions(A, B),
        analytic=False, bad=[*unequal("l1_loss"), unknown_reduction("l1_loss", A, B)]),
    Row("smooth_l1_loss", F.smooth_l1_loss, smooth_l1_loss,
        [*in_all_reductions(A, B), *in_all_reductions(A, B, beta=0.6), case(A, B, beta=0.0)], analytic=False,
        bad=[*unequal("smooth_l1_loss"), unknown_reduction("smooth_l1_loss", A, B),
             bad(ValueError, "^smooth_l1_loss: expected beta of 0 or more, got -1", A, B, beta=-1)]),
    Row("huber_loss", F.huber_loss, huber_loss, [*in_all_reductions(A, B), *in_all_reductions(A, B, delta=0.6)], analytic=False,
        bad=[*unequal("huber_loss"), unknown_reduction("huber_loss", A, B),
             bad(ValueError, "^huber_loss: expected a positive delta, got 0", A, B, delta=0)]),
    Row("binary_cross_entropy", F.binary_cross_entropy, binary_cross_entropy, torch=binary_in_torch("binary_cross_entropy"),
        cases=[*looked_at(P, T), *looked_at(P, T, spread(3, 2, low=0.3, high=2.0, seed=2)), *looked_at(P, T, spread(2, low=0.3, high=2.0, seed=2))],
        bad=[*unequal("binary_cross_entropy"), unknown_reduction("binary_cross_entropy", P, T),
             bad(ValueError, r"^binary_cross_entropy: expected input from 0 to 1, got .* to .* \(shape .*\); .*with_logits", A, T),
             bad(ValueError, r"^binary_cross_entropy: .*weight.*\(2, 3, 2\).*\(3, 2\)", P, T, spread(2, 3, 2))]),
    Row("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, binary_cross_entropy_with_logits,
        torch=binary_in_torch("binary_cross_entropy_with_logits"), cases=[
        *in_all_reductions(A, T), *in_all_reductions(A, T, spread(2, low=0.3, high=2.0, seed=2)),
        *(case(A, T, None, reduction, Fixed(spread(2, low=0.3, high=2.0, seed=2))) for reduction in ("mean", "sum", "none")),
        case(FAR, np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.5]), reduction="none"), case(FAR, np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0]))],
        bad=[*unequal("binary_cross_entropy_with_logits"), unknown_reduction("binary_cross_entropy_with_logits", A, T),
             *(bad(ValueError, r"^binary_cross_entropy_with_logits: .*weight.*\(3,\).*\(3, 1\)", spread(3, 1), spread(3, 1), *weights)
               for weights in ((spread(3),), (None, "mean", spread(3))))]),
    # unlike PyTorch's, pos_weight has a gradient
    Row("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, binary_cross_entropy_with_logits, torch=None,
        cases=[case(A, T, None, "mean", spread(2, low=0.3, high=2.0, seed=2))]),
    Row("pairwise_distance", F.pairwise_distance, pairwise_distance,
        [case(FEATURES, OTHERS), case(FEATURES, OTHERS, eps=0.1, keepdim=True), case(FEATURES[0], OTHERS[0])],
        bad=unequal("pairwise_distance", other="x1 and x2")),
    Row("cdist", mt.cdist, distances, [case(FEATURES, OTHERS[:2]), case(spread(2, 1, 2, 2), spread(3, 1, 2, seed=1)), case(spread(27, 2), OTHERS[:1, :2]),
        case(FEATURES, OTHERS[:2], compute_mode="use_mm_for_euclid_dist"), case(spread(27, 2), OTHERS[:1, :2], 2, "donot_use_mm_for_euclid_dist")],
        bad=[bad(ValueError, r"^cdist: expected .*, got \(2, 3\) and \(2, 2\), 2.0 and", spread(2, 3), spread(2, 2)),
             bad(ValueError, r"^cdist: expected .*p of 0 or more and .*, -1 and", spread(2, 3), spread(2, 3), -1),
             bad(ValueError, r"^cdist: expected .* got .*, 2.0 and 'fast'", spread(2, 3), spread(2, 3), compute_mode="fast"),
             bad(TypeError, "^cdist: expected one floating dtype, got int64 and int64", np.ones((2, 2), int), np.ones((2, 2), int))]),
    Row("cdist", mt.cdist, distances, [case(FEATURES, OTHERS[:2], p) for p in (1.0, 3.0, np.inf)], analytic=False),
    Row("pairwise_distance", F.pairwise_distance, pairwise_distance, [case(FEATURES, OTHERS, p) for p in (1.0, 3.0)], analytic=False),
    Row("cosine_similarity", F.cosine_similarity, cosine_similarity,
        [case(FEATURES, OTHERS), case(FEATURES, OTHERS, dim=0), case(FEATURES[0], OTHERS[0], dim=-1)],
        bad=[*unequal("cosine_similarity", other="x1 and x2"), bad(IndexError, r"^cosine_similarity: dim 2 is out of range", A, B, dim=2)]),
    # where a norm is raised to eps, PyTorch's gradient is not that of its values
    Row("cosine_similarity", F.cosine_similarity, cosine_similarity, [case(FEATURES, OTHERS * 0.01, eps=0.05)], torch=None),
    Row("contrastive_loss", F.contrastive_loss, contrastive_loss,
        [*looked_at(FEATURES, OTHERS, SAME), *looked_at(FEATURES, OTHERS, SAME, margin=2.6)], torch=contrastive_in_torch,
        bad=[*unequal("contrastive_loss", SAME[:3], other="input1 and input2"), unknown_reduction("contrastive_loss", FEATURES, OTHERS, SAME),
             bad(ValueError, r"^contrastive_loss: expected inputs \(n, features\) and targets \(n\), got \(4, 3\) and \(4, 1\)", FEATURES,
                 OTHERS, SAME[:, None]),
             bad(ValueError, r"^contrastive_loss: .* got \(4,\) and \(4,\)", FEATURES[:, 0], OTHERS[:, 0], SAME),
             bad(ValueError, r"^contrastive_loss: expected targets of 0 \(different\) and 1 \(same\)", FEATURES, OTHERS, SAME * 2 - 1)]),
    Row("triplet_margin_loss", F.triplet_margin_loss, triplet_margin_loss, [
        *in_all_reductions(A, B, C), *in_all_reductions(A, B, C, margin=0.3, swap=True)],
        bad=[bad(ValueError, r"^triplet_margin_loss: .*anchor \(3, 2\), positive \(3, 1\), negative \(3, 2\)", A, spread(3, 1), C),
             bad(ValueError, r"^triplet_margin_loss: .*anchor \(3, 2\), positive \(3, 2\), negative \(2,\)", A, B, spread(2)),
             bad(TypeError, "^triplet_margin_loss: expected one floating dtype, got float32, float64", A.astype("f"), B, C),
             unknown_reduction("triplet_margin_loss", A, B, C)]),
    Row("triplet_margin_loss", F.triplet_margin_loss, triplet_margin_loss, [case(A, B, C, p=1.0), case(A, B, C, p=3.0, swap=True)],
        analytic=False),
]
# fmt: on
