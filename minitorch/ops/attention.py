"""Attention: for each query, the mean of the values weighted by how well their keys match it."""

from __future__ import annotations

import math

from minitorch.accumulate import in_float32
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, bool_
from minitorch.ops.choice import where
from minitorch.ops.dims import shapes
from minitorch.ops.dropout import dropout
from minitorch.ops.softmax import softmax


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q k^T scale + mask) v, for q (..., L, E), k (..., S, E), v (..., S, Ev); scale is 1 / sqrt(E) unless given.

    A boolean mask (..., L, S) is True where a query may attend, a float mask is added; `is_causal` allows query i the keys 0
    to i. A query without keys gets zeros. `enable_gqa` repeats the heads of k and v, dim -3, to as many as q has. Raises
    ValueError for shapes that do not fit and a mask together with `is_causal` (Vaswani et al. 2017, section 3.2.1).
    """
    if enable_gqa:
        heads, *others = (part.shape[-3] if part.ndim > 2 else 0 for part in (query, key, value))
        if any(other < 1 or heads % other for other in others):
            expected = "enable_gqa expects heads of query, dim -3, that are a multiple of those of key and of value"
            raise ValueError(f"scaled_dot_product_attention: {expected}, got {shapes(query, key, value)}")
        key, value = (part.repeat_interleave(heads // part.shape[-3], -3) for part in (key, value))
    return dropout(attention_weights(query, key, value, attn_mask, is_causal, scale), dropout_p) @ value


@in_float32
def attention_weights(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool, scale: float | None = None
) -> Tensor:
    """softmax(q k^T scale + mask), of shape (..., L, S)."""
    name = "scaled_dot_product_attention"
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        given = shapes(query, key, value)
        raise ValueError(f"{name}: expected query (..., L, E), key (..., S, E) and value (..., S, Ev), got {given}")
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name}: is_causal is a mask of its own; give no attn_mask with it")
    scores = query * (1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale) @ key.swapaxes(-1, -2)
    if is_causal:
        xp = array_module(query.array)
        ahead = wrap(xp.arange(scores.shape[-1]) > xp.arange(scores.shape[-2])[:, None])
        return softmax(where(ahead, -math.inf, scores), -1)
    if attn_mask is None:
        return softmax(scores, -1)
    if attn_mask.dtype not in (bool_, query.dtype):
        raise TypeError(f"{name}: expected attn_mask of bool or {query.dtype}, got {attn_mask.dtype}")
    if attn_mask.dtype != bool_:
        scores = scores + attn_mask
        allowed = scores != -math.inf
    else:
        allowed = attn_mask
        scores = where(allowed, scores, -math.inf)
    blind = wrap(~allowed.array.any(-1, keepdims=True))  # queries without keys
    if not bool(blind.array.any()):
        return softmax(scores, -1)
    return where(blind, 0.0, softmax(where(blind, 0.0, scores), -1))
