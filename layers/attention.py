"""Attention with several heads (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from dataclasses import InitVar
from typing import Any

from layers import init
from layers.calls import Options
from layers.linear import Linear
from layers.parameter import DeviceLike, DTypeLike, add
from minitorch import bool as boolean
from minitorch import cat, full, functional, where, zeros
from minitorch.autograd.tensor import Tensor
from minitorch.ops.attention import attention_weights
from minitorch.ops.dims import shapes


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch's attention prints for its last layer; as there, it is not called: no hooks run."""


class MultiheadAttention(Options, shown=()):
    """Attention with `num_heads` heads: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or all without N.

    Returns the output (L, N, embed_dim) and the weights: (N, L, S), the mean over the heads, or (N, num_heads, L, S) with
    `average_attn_weights=False`, or None with `need_weights=False`. `batch_first` exchanges the first two dimensions. True in
    a mask excludes a key: `key_padding_mask` (N, S), `attn_mask` (L, S) or (N num_heads, L, S); masks of floats are added to
    the scores. Raises ValueError for shapes that do not fit and if `num_heads` does not divide `embed_dim`.
    """

    embed_dim: int
    num_heads: int
    dropout: float = 0.0
    bias: InitVar[bool] = True
    add_bias_kv: InitVar[bool] = False
    add_zero_attn: bool = False
    kdim: int | None = None
    vdim: int | None = None
    batch_first: bool = False
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None

    def _prepare(self, given: Any) -> None:
        width = self.embed_dim
        if width < 1 or self.num_heads < 1 or width % self.num_heads:
            raise ValueError(f"MultiheadAttention: {self.num_heads} heads do not divide an embed_dim of {width}")
        self.head_dim = width // self.num_heads
        self.kdim, self.vdim = width if self.kdim is None else self.kdim, width if self.vdim is None else self.vdim
        self._qkv_same_embed_dim = same = self.kdim == self.vdim == width
        widths = {"q": width, "k": self.kdim, "v": self.vdim}
        apart = {f"{name}_proj_weight": None if same else (width, size) for name, size in widths.items()}
        joint = {"in_proj_weight": (3 * width, width) if same else None, "in_proj_bias": (3 * width,) if given.bias else None}
        add(self, given.device, given.dtype, **apart, **joint)
        self.out_proj = NonDynamicallyQuantizableLinear(width, width, given.bias, given.device, given.dtype)
        extra = (1, 1, width) if given.add_bias_kv else None
        add(self, given.device, given.dtype, bias_k=extra, bias_v=extra)
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

    def _mask(self, given: dict[str, Tensor | None], forms: dict[str, Any], extra: int, like: Tensor) -> Tensor | None:
        """All masks as one, added to the scores; `forms`: which shapes each may have, as (N or 1, heads or 1, L or 1, S)."""
        whole = None
        for name, mask in given.items():
            if mask is None:
                continue
            if (shape := forms[name].get(tuple(mask.shape))) is None:
                expected = " or ".join(map(str, forms[name]))
                raise ValueError(f"MultiheadAttention: expected {name} of shape {expected}, got {tuple(mask.shape)}")
            if mask.dtype == boolean:
                mask = where(mask, full((), -math.inf, dtype=like.dtype, device=like.device), 0.0)
            elif mask.dtype != like.dtype:
                raise TypeError(f"MultiheadAttention: expected {name} of bool or {like.dtype}, got {mask.dtype}")
            mask = functional.pad(mask, (0, extra)).reshape(*shape[:-1], shape[-1] + extra) if extra else mask.reshape(shape)
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
            raise ValueError(f"MultiheadAttention: expected query, key, value (L, N, E), E = {widths}, got {shapes(*given)}")
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention: is_causal is a hint about attn_mask, which must be given too")
        if alone:
            given = [x.unsqueeze(1) for x in given]
        elif self.batch_first:
            given = [x.transpose(0, 1) for x in given]
        if len({x.shape[1] for x in given}) > 1 or given[1].shape[0] != given[2].shape[0]:
            raise ValueError(f"MultiheadAttention: expected one N, and one S of key and value, got (L, N, E) {shapes(*given)}")
        projections: Any = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        if self._qkv_same_embed_dim:
            projections = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (functional.linear(x, w, b) for x, w, b in zip(given, projections, biases))
        (length, n), keys, extra = q.shape[:2], k.shape[0], (self.bias_k is not None) + self.add_zero_attn
        each = {(length, keys): (1, 1, length, keys), (n * self.num_heads, length, keys): (n, self.num_heads, length, keys)}
        forms = {"attn_mask": each, "key_padding_mask": {(keys,) if alone else (n, keys): (n, 1, 1, keys)}}
        if self.bias_k is not None:
            k, v = (cat([x, bias.expand(1, n, self.embed_dim)]) for x, bias in ((k, self.bias_k), (v, self.bias_v)))
        if self.add_zero_attn:
            nothing = zeros(1, n, self.embed_dim, dtype=k.dtype, device=k.device)
            k, v = cat([k, nothing]), cat([v, nothing])
        heads = self.num_heads, self.head_dim
        q, k, v = (x.reshape(x.shape[0], n, *heads).permute(1, 2, 0, 3) for x in (q, k, v))  # (N, heads, L, head_dim)
        mask = self._mask({"attn_mask": attn_mask, "key_padding_mask": key_padding_mask}, forms, extra, q)
        weights = functional.dropout(attention_weights(q, k, v, mask, False), self.dropout, self.training)
        output = functional.linear((weights @ v).permute(2, 0, 1, 3).flatten(2), self.out_proj.weight, self.out_proj.bias)
        found = None if not need_weights else weights.mean(1) if average_attn_weights else weights
        if alone:
            return output.squeeze(1), None if found is None else found.squeeze(0)
        return (output.transpose(0, 1) if self.batch_first else output), found
