"""Attention with several heads (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

from layers import init
from layers.linear import Linear
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter
from minitorch import bool as boolean
from minitorch import cat, empty, full, functional, where, zeros
from minitorch.autograd.tensor import Tensor
from minitorch.ops.attention import attention_weights


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch's attention prints for its last layer."""


class MultiheadAttention(Module):
    """Attention with `num_heads` heads: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or all without N.

    Returns the output (L, N, embed_dim) and the weights: (N, L, S), the mean over the heads, or (N, num_heads, L, S) with
    `average_attn_weights=False`, or None with `need_weights=False`. `batch_first` exchanges the first two dimensions. True in
    a mask excludes a key: `key_padding_mask` (N, S), `attn_mask` (L, S) or (N num_heads, L, S); masks of floats are added to
    the scores. Raises ValueError for shapes that do not fit and if `num_heads` does not divide `embed_dim`.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: {num_heads} heads do not divide an embed_dim of {embed_dim}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = same = self.kdim == self.vdim == embed_dim

        def add(name: str, wanted: bool, *shape: int) -> None:
            self.register_parameter(name, Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None)

        for name, width in {"q": embed_dim, "k": self.kdim, "v": self.vdim}.items():
            add(f"{name}_proj_weight", not same, embed_dim, width)
        add("in_proj_weight", same, 3 * embed_dim, embed_dim)
        add("in_proj_bias", bias, 3 * embed_dim)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        add("bias_k", add_bias_kv, 1, 1, embed_dim)
        add("bias_v", add_bias_kv, 1, 1, embed_dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections again (Glorot & Bengio 2010) and set their biases to zero."""
        for name, parameter in self._parameters.items():
            if parameter is not None and name.endswith("proj_weight"):
                init.xavier_uniform_(parameter)
            elif parameter is not None and name in ("bias_k", "bias_v"):
                init.xavier_normal_(parameter)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        return [functional.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]

    def _in_heads(self, x: Tensor) -> Tensor:
        """(L, N, embed_dim) as (N, heads, L, head_dim)."""
        return x.reshape(x.shape[0], x.shape[1], self.num_heads, self.head_dim).permute(1, 2, 0, 3)

    def _mask(self, attn_mask: Tensor | None, padding: Tensor | None, n: int, extra: int, like: Tensor) -> Tensor | None:
        """Both masks as one (N or 1, heads or 1, L or 1, S), which is added to the scores."""
        if attn_mask is not None and attn_mask.ndim == 3:
            attn_mask = attn_mask.reshape(n, self.num_heads, *attn_mask.shape[1:])
        if padding is not None:
            padding = padding.reshape(n, 1, 1, padding.shape[-1])
        whole = None
        for mask in (attn_mask, padding):
            if mask is not None:
                if mask.dtype == boolean:
                    mask = where(mask, full((), -math.inf, dtype=like.dtype, device=like.device), 0.0)
                mask = functional.pad(mask, (0, extra)) if extra else mask
                whole = mask if whole is None else whole + mask
        return whole

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        given: Any = (query, key, value)
        alone = query.ndim == 2
        widths = (self.embed_dim, self.kdim, self.vdim)
        if any(x.ndim != query.ndim or x.ndim not in (2, 3) or x.shape[-1] != w for x, w in zip(given, widths)):
            shapes = ", ".join(str(tuple(x.shape)) for x in given)
            raise ValueError(f"MultiheadAttention: expected query, key, value (L, N, E) with E = {widths}, got {shapes}")
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention: is_causal is a hint about attn_mask, which must be given too")
        if alone:
            given = [x.unsqueeze(1) for x in given]
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            given = [x.transpose(0, 1) for x in given]
        q, k, v = self._projected(*given)
        n, extra = q.shape[1], (self.bias_k is not None) + self.add_zero_attn
        if self.bias_k is not None:
            k, v = (cat([x, bias.expand(1, n, self.embed_dim)]) for x, bias in ((k, self.bias_k), (v, self.bias_v)))
        if self.add_zero_attn:
            nothing = zeros(1, n, self.embed_dim, dtype=k.dtype, device=k.device)
            k, v = cat([k, nothing]), cat([v, nothing])
        q, k, v = map(self._in_heads, (q, k, v))
        mask = self._mask(attn_mask, key_padding_mask, n, extra, q)
        weights = functional.dropout(attention_weights(q, k, v, mask, False), self.dropout, self.training)
        output = self.out_proj((weights @ v).permute(2, 0, 1, 3).reshape(q.shape[2], n, self.embed_dim))
        found = None if not need_weights else weights.mean(1) if average_attn_weights else weights
        if alone:
            return output.squeeze(1), None if found is None else found.squeeze(0)
        return (output.transpose(0, 1) if self.batch_first else output), found
