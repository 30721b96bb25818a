"""Losses with a margin, and those that are the logarithm of a probability."""

from __future__ import annotations

import math

import numpy as np

import minitorch.functional as F
from tests.op_table.activation import log_softmax
from tests.op_table.loss import in_all_reductions, looked_at, reduced
from tests.op_table.row import Fixed, Row, bad, case, spread

A, B, C = spread(3, 4, high=2.3), spread(3, 4, low=-1.5, high=1.0, seed=1), spread(3, 4, low=0.2, high=2.0, seed=2)
SIGNS = np.array([1, -1, 1])
ALL_SIGNS = np.sign(spread(3, 4, seed=3)).astype(int)
LABELS = np.array([2, 0, 3])
LISTS = np.array([[2, 0, -1, 1], [-1, 3, 2, 0], [3, 1, 0, 2]])
WEIGHT = Fixed(spread(4, low=0.3, high=2.0, seed=1))
LOGS, CHANCES = log_softmax(A, 1), np.exp(log_softmax(B, 1))


def margin_ranking_loss(x, y, t, margin=0.0, reduction="mean"):
    return reduced(np.maximum(-t * (x - y) + margin, 0), reduction)


def hinge_embedding_loss(x, t, margin=1.0, reduction="mean"):
    return reduced(np.where(t == 1, x, np.maximum(margin - x, 0)), reduction)


def soft_margin_loss(x, t, reduction="mean"):
    return reduced(np.logaddexp(0, -t * x), reduction)


def cosine_embedding_loss(x, y, t, margin=0.0, reduction="mean"):
    cosine = (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))
    return reduced(np.where(t == 1, 1 - cosine, np.maximum(cosine - margin, 0)), reduction)


def multi_margin_loss(x, t, p=1, margin=1.0, weight=None, reduction="mean"):
    rows, labels = np.atleast_2d(x), np.atleast_1d(t)
    losses = np.zeros(len(rows))
    for n, label in enumerate(labels):
        for i in range(rows.shape[1]):
            if i != label:
                losses[n] += (1 if weight is None else weight[label]) * max(0, margin - rows[n, label] + rows[n, i]) ** p
    return reduced((losses / rows.shape[1]).reshape(t.shape), reduction)


def multilabel_margin_loss(x, t, reduction="mean"):
    losses = []
    for row, labels in zip(np.atleast_2d(x), np.atleast_2d(t)):
        right = [*labels, -1][: [*labels, -1].index(-1)]
        wrong = [i for i in range(len(row)) if i not in right]
        losses.append(sum(max(0, 1 - (row[j] - row[i])) for j in right for i in wrong) / len(row))
    return reduced(np.array(losses).reshape(x.shape[:-1]), reduction)


def multilabel_soft_margin_loss(x, t, weight=1.0, reduction="mean"):
    return reduced(((t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)) * weight).mean(-1), reduction)


def kl_div(x, t, reduction="mean", log_target=False):
    logs, chances = (t, np.exp(t)) if log_target else (np.log(np.where(t > 0, t, 1)), t)
    losses = chances * logs - chances * x
    return losses.sum() / len(x) if reduction == "batchmean" else reduced(losses, reduction)


def poisson_nll_loss(x, t, log_input=True, full=False, eps=1e-8, reduction="mean"):
    losses = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    with np.errstate(all="ignore"):
        stirling = np.where(t > 1, t * np.log(t) - t + 0.5 * np.log(2 * math.pi * t), 0)
    return reduced(losses + stirling * full, reduction)


def gaussian_nll_loss(x, t, var, full=False, eps=1e-6, reduction="mean"):
    var = np.maximum(var[..., None] if np.ndim(var) == x.ndim - 1 else var, eps)
    return reduced(0.5 * (np.log(var) + (x - t) ** 2 / var) + full * 0.5 * math.log(2 * math.pi), reduction)


def weighed_in_torch(torch, x, t, weight, reduction="mean"):
    return torch.nn.functional.multilabel_soft_margin_loss(x, t, weight, reduction=reduction)


COUNTS = Fixed(np.array([[0.0, 1.0, 3.0, 2.0]] * 3))

# fmt: off
ROWS = [
    Row("margin_ranking_loss", F.margin_ranking_loss, margin_ranking_loss, in_all_reductions(A, B, ALL_SIGNS, margin=0.3),
        torch=lambda torch, *given, **rest: torch.nn.functional.margin_ranking_loss(*given, **rest),
        bad=[bad(ValueError, r"^margin_ranking_loss: .* \(3, 4\), \(3, 4\) and \(3,\)", A, B, SIGNS)]),
    Row("hinge_embedding_loss", F.hinge_embedding_loss, hinge_embedding_loss, in_all_reductions(C, ALL_SIGNS, margin=1.1)),
    Row("soft_margin_loss", F.soft_margin_loss, soft_margin_loss, in_all_reductions(A, ALL_SIGNS),
        bad=[bad(ValueError, r"^soft_margin_loss: .* \(3, 4\) and \(3,\)", A, SIGNS)]),
    Row("cosine_embedding_loss", F.cosine_embedding_loss, cosine_embedding_loss,
        [*in_all_reductions(A, Fixed(B), SIGNS, margin=-0.9), *in_all_reductions(Fixed(A), B, SIGNS), case(A[0], Fixed(B[0]), np.array(1))],
        bad=[bad(ValueError, r"^cosine_embedding_loss: .* got \(3, 4\), \(3, 4\) and \(4,\)", A, B, np.ones(4, int))]),
    Row("multi_margin_loss", F.multi_margin_loss, multi_margin_loss,
        [*looked_at(A, LABELS, margin=1.3), *looked_at(A, LABELS, 2, 1.1), *looked_at(A, LABELS, 1, 1.0, WEIGHT), *looked_at(A[0], np.array([2]))],
        torch=lambda torch, x, t, p=1, margin=1.0, weight=None, **rest: torch.nn.functional.multi_margin_loss(x, t, p, margin, weight, **rest),
        bad=[bad(ValueError, "^multi_margin_loss: expected p of 1 or 2, got 3", A, LABELS, 3),
             bad(ValueError, r"^multi_margin_loss: .* got \(3, 4\) and \(2,\)", A, LABELS[:2]),
             bad(ValueError, r"^multi_margin_loss: expected a weight of shape \(4,\), got \(3,\)", A, LABELS, 1, 1.0, Fixed(spread(3))),
             bad(IndexError, "^gather: an index is out of range for dim 1 of length 4", A, LABELS + 1)]),
    Row("multilabel_margin_loss", F.multilabel_margin_loss, multilabel_margin_loss, [*looked_at(A, LISTS), *looked_at(A[0], LISTS[0])],
        bad=[bad(ValueError, r"^multilabel_margin_loss: .* got \(3, 4\) and \(3,\)", A, LABELS)]),
    Row("multilabel_soft_margin_loss", F.multilabel_soft_margin_loss, multilabel_soft_margin_loss,
        [*in_all_reductions(A, CHANCES), *in_all_reductions(A, CHANCES, WEIGHT)]),
    Row("kl_div", F.kl_div, kl_div,
        [*in_all_reductions(LOGS, CHANCES), case(LOGS, CHANCES, reduction="batchmean"), *in_all_reductions(LOGS, np.log(CHANCES), log_target=True)],
        bad=[bad(ValueError, "^kl_div: expected reduction .*got 'average'", LOGS, CHANCES, reduction="average")]),
    Row("kl_div", F.kl_div, kl_div, in_all_reductions(LOGS, Fixed(np.eye(3, 4)))),
    Row("poisson_nll_loss", F.poisson_nll_loss, poisson_nll_loss,
        [*in_all_reductions(A, COUNTS), *in_all_reductions(A, COUNTS, full=True), *in_all_reductions(C, COUNTS, log_input=False)]),
    Row("gaussian_nll_loss", F.gaussian_nll_loss, gaussian_nll_loss, [
        case(A, B, C, waits="forward"), *looked_at(A, B, C, full=True), *looked_at(A, B, C[:, :1]), *looked_at(A, B, C[:, 0]), *looked_at(A, B, 0.5)],
        bad=[bad(ValueError, r"^gaussian_nll_loss: a var of shape \(4,\) does not fit input \(3, 4\)", A, B, C[0]),
             bad(ValueError, r"^gaussian_nll_loss: expected variances of 0 or more, got -.* \(shape \(3, 4\)\)", A, B, -C)]),
]
# fmt: on
