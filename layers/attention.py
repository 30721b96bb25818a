"""Attention with several heads, and the transformer made of it (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from layers import init
from layers.container import ModuleList
from layers.dropout import Dropout
from layers.linear import Linear
from layers.module import Module
from layers.norm import LayerNorm
from layers.parameter import Parameter
from minitorch import bool as boolean
from minitorch import cat, empty, full, functional, where, zeros
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.ops.attention import attention_weights


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear`, by the name that PyTorch's attention prints for its last layer."""


class MultiheadAttention(Module):
    """`num_heads` attentions side by side: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or without N.

    Returns the output (L, N, embed_dim) and the weights (N, L, S), averaged over the heads unless `average_attn_weights` is
    False, None without `need_weights`. `batch_first` exchanges L and N. In boolean masks True says where not to look:
    `key_padding_mask` (N, S), `attn_mask` (L, S) or (N num_heads, L, S); masks of floats are added. Raises ValueError for
    shapes that do not fit and for heads that do not divide embed_dim.
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
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: {num_heads} heads do not divide an embed_dim of {embed_dim}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        shapes = {"in_proj_weight": (3 * embed_dim, embed_dim)}
        if not self._qkv_same_embed_dim:
            widths = {"q": embed_dim, "k": self.kdim, "v": self.vdim}
            shapes = {f"{name}_proj_weight": (embed_dim, width) for name, width in widths.items()}
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight"):
            self.register_parameter(name, Parameter(empty(shapes[name], **made)) if name in shapes else None)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **made)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, **made)) if add_bias_kv else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections anew (Glorot & Bengio 2010) and set their biases to zero."""
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
        """Both masks as one that is added to the scores (N or 1, heads or 1, L or 1, S)."""
        whole = None
        for mask in (attn_mask, padding):
            if mask is None:
                continue
            if mask is padding:
                mask = mask.reshape(n, 1, 1, mask.shape[-1])
            elif mask.ndim == 3:
                mask = mask.reshape(n, self.num_heads, *mask.shape[1:])
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
        given: tuple[Tensor, ...] = (query, key, value)
        alone = query.ndim == 2
        widths = (self.embed_dim, self.kdim, self.vdim)
        if any(x.ndim != query.ndim or x.ndim not in (2, 3) or x.shape[-1] != w for x, w in zip(given, widths)):
            shapes = ", ".join(str(tuple(x.shape)) for x in given)
            raise ValueError(f"MultiheadAttention: expected query, key, value (L, N, E) with E of {widths}, got {shapes}")
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention: is_causal is a hint about attn_mask, which must be given too")
        if alone:
            given = tuple(x.unsqueeze(1) for x in given)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            given = tuple(x.transpose(0, 1) for x in given)
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


class _Layer(Module):
    """What the layers of encoder and decoder share: the feed-forward net, the norms, and their arguments."""

    attentions: tuple[str, ...]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__()
        if isinstance(activation, str):
            if activation not in ("relu", "gelu"):
                raise ValueError(f"{type(self).__name__}: expected activation 'relu' or 'gelu', got {activation!r}")
            activation = getattr(functional, activation)
        elif not isinstance(activation, Module):  # tried here, so that a wrong one is told before a forward pass
            try:
                activation(zeros(1))
            except TypeError as reason:
                raise TypeError(
                    f"{type(self).__name__}: only an activation of minitorch's tensors is supported, got {activation!r}"
                ) from reason
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        for name in self.attentions:
            self.add_module(name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **made))
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.activation: Any = activation
        numbers = range(1, len(self.attentions) + 2)
        for number in numbers:
            self.add_module(f"norm{number}", LayerNorm(d_model, layer_norm_eps, **made))
        for number in numbers:
            self.add_module(f"dropout{number}", Dropout(dropout))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _through(self, x: Tensor, blocks: list[Callable[[Tensor], Tensor]]) -> Tensor:
        """x + dropout(block(x)) for each block, normalised before the block or after the sum."""
        for number, block in enumerate(blocks, 1):
            norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
            x = x + dropout(block(norm(x))) if self.norm_first else norm(x + dropout(block(x)))
        return x


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a net of two linear layers, each added to its input and normalised; (S, N, d_model) to the same.

    Arguments as in PyTorch; masks as in `MultiheadAttention`.
    """

    attentions = ("self_attn",)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, True, is_causal)[0]

        return self._through(src, [attend, self._feed_forward])


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to `memory`, then a net of two linear layers, each added to its input and normalised."""

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal)[0]

        def look(x: Tensor) -> Tensor:
            given = memory_key_padding_mask, False, memory_mask, True, memory_is_causal
            return self.multihead_attn(x, memory, memory, *given)[0]

        return self._through(tgt, [attend, look, self._feed_forward])


def _copies(name: str, layer: Any, count: int) -> ModuleList:
    if not isinstance(layer, Module):
        raise TypeError(
            f"{name}: only a module of `layers` is supported, got {type(layer).__module__}.{type(layer).__qualname__}"
        )
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """`num_layers` copies of a layer one after another, then `norm`; they start with equal weights, as in PyTorch."""

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies("TransformerEncoder", encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of a layer one after another, then `norm`; they start with equal weights, as in PyTorch."""

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies("TransformerDecoder", decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder: src (S, N, d_model) and tgt (T, N, d_model) to (T, N, d_model); arguments as in PyTorch.

    Raises ValueError for sizes that do not fit.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = functional.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        of = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        norms = [LayerNorm(d_model, layer_norm_eps, **made) for _ in range(2)]
        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*of, **made), num_encoder_layers, norms[0])
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*of, **made), num_decoder_layers, norms[1])
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model or src.ndim != tgt.ndim:
            raise ValueError(
                f"Transformer: expected src and tgt (..., {self.d_model}), got {tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        n = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[n] != tgt.shape[n]:
            raise ValueError(f"Transformer: expected src and tgt of one batch, got {tuple(src.shape)} and {tuple(tgt.shape)}")
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Device | str | None = None, dtype: np.dtype | None = None) -> Tensor:
        """A mask (sz, sz) to be added: -inf where a query would look ahead, else 0."""
        ones = full((sz, sz), 1.0, device=device, dtype=dtype)
        ahead = ones.cumsum(1) > ones.cumsum(0)
        return where(ahead, full((), -math.inf, device=device, dtype=dtype), 0.0)
