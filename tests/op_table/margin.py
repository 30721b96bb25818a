"""Losses with a margin, and those that are the logarithm of a probability."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table.activation import log_softmax
from tests.op_table.loss import in_all_reductions, reduced
from tests.op_table.row import Fixed, Row, bad, case, spread

A, B = spread(3, 4, high=2.3), spread(3, 4, low=-1.5, high=1.0, seed=1)
SIGNS = np.array([1, -1, 1])
ALL_SIGNS = np.sign(spread(3, 4, seed=3)).astype(int)
LOGS, CHANCES = log_softmax(A, 1), np.exp(log_softmax(B, 1))


def margin_ranking_loss(x, y, t, margin=0.0, reduction="mean"):
    return reduced(np.maximum(-t * (x - y) + margin, 0), reduction)


def cosine_embedding_loss(x, y, t, margin=0.0, reduction="mean"):
    cosine = (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))
    return reduced(np.where(t == 1, 1 - cosine, np.maximum(cosine - margin, 0)), reduction)


def kl_div(x, t, reduction="mean", log_target=False):
    logs, chances = (t, np.exp(t)) if log_target else (np.log(np.where(t > 0, t, 1)), t)
    losses = chances * logs - chances * x
    return losses.sum() / len(x) if reduction == "batchmean" else reduced(losses, reduction)


# fmt: off
ROWS = [
    Row("margin_ranking_loss", F.margin_ranking_loss, margin_ranking_loss, in_all_reductions(A, B, ALL_SIGNS, margin=0.3),
        torch=lambda torch, *given, **rest: torch.nn.functional.margin_ranking_loss(*given, **rest),
        bad=[bad(ValueError, r"^margin_ranking_loss: .* \(3, 4\), \(3, 4\) and \(3,\)", A, B, SIGNS)]),
    Row("cosine_embedding_loss", F.cosine_embedding_loss, cosine_embedding_loss,
        [*in_all_reductions(A, Fixed(B), SIGNS, margin=-0.9), *in_all_reductions(Fixed(A), B, SIGNS), case(A[0], Fixed(B[0]), np.array(1))],
        bad=[bad(ValueError, r"^cosine_embedding_loss: .* got \(3, 4\), \(3, 4\) and \(4,\)", A, B, np.ones(4, int))]),
    Row("kl_div", F.kl_div, kl_div,
        [*in_all_reductions(LOGS, CHANCES), case(LOGS, CHANCES, reduction="batchmean"), *in_all_reductions(LOGS, np.log(CHANCES), log_target=True)],
        bad=[bad(ValueError, "^kl_div: expected reduction .*got 'average'", LOGS, CHANCES, reduction="average")]),
    Row("kl_div", F.kl_div, kl_div, in_all_reductions(LOGS, Fixed(np.eye(3, 4)))),
]
# fmt: on
