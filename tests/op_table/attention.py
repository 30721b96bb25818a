"""Attention, query by query."""

from __future__ import annotations

import math

import numpy as np

import minitorch.functional as F
from tests.op_table.row import Fixed, Row, bad, case, spread

Q, K, V = spread(2, 3, 4), spread(2, 5, 4, seed=1), spread(2, 5, 2, seed=2)
SEEN = np.array([[True, False, True, True, False], [False] * 5, [True] * 5])


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(q.shape[:-1]):
        scores = k[at[:-1]] @ q[at] * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
        if is_causal:
            scores[at[-1] + 1 :] = -math.inf
        if attn_mask is not None:
            mask = np.broadcast_to(attn_mask, (*q.shape[:-1], k.shape[-2]))[at]
            scores = np.where(mask, scores, -math.inf) if mask.dtype == bool else scores + mask
        if np.isfinite(scores).any():
            weights = np.exp(scores - scores.max())
            out[at] = weights / weights.sum() @ v[at[:-1]]
    return out


# fmt: off
ROWS = [
    Row("scaled_dot_product_attention", F.scaled_dot_product_attention, attention, [
        case(Q, K, V), case(Q, K, V, is_causal=True), case(Q, K, V, scale=0.3), case(spread(1, 2, 2, 3), spread(1, 2, 2, 3, seed=1), spread(1, 2, 2, 3, seed=2))],
        bad=[bad(ValueError, r"^scaled_dot_product_attention: expected query .*, got \(2, 3, 4\), \(2, 5, 3\) and \(2, 5, 2\)", Q, K[..., :3], V),
             bad(ValueError, r"^scaled_dot_product_attention: enable_gqa expects .*, got \(1, 3, 4\), \(2, 5, 4\) and \(2, 5, 2\)", Q[:1], K, V, enable_gqa=True),
             bad(ValueError, "^scaled_dot_product_attention: is_causal is a mask of its own", Q, K, V, SEEN, is_causal=True),
             bad(TypeError, "^scaled_dot_product_attention: expected attn_mask of bool or float64, got int64", Q, K, V, SEEN.astype(int))]),
    Row("scaled_dot_product_attention", F.scaled_dot_product_attention, attention, [
        case(Q, K, V, SEEN, waits="forward"), case(Q, K, V, Fixed(spread(3, 5, seed=4)), waits="forward")]),
]
# fmt: on
