"""The transformer: layers of attention and a small net, stacked into an encoder and a decoder (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from layers import init
from layers.activation import Dropout
from layers.attention import MultiheadAttention
from layers.container import ModuleList
from layers.linear import Linear
from layers.module import Module
from layers.norm import LayerNorm
from layers.parameter import DeviceLike, DTypeLike
from minitorch import full, functional, triu, zeros
from minitorch.autograd.tensor import Tensor
from minitorch.ops.dims import whole

_Mask: TypeAlias = Tensor | None


def _activation(name: str, given: Any) -> Any:
    """The activation function that `given` is, or names; raises now, not in a later forward pass."""
    if isinstance(given, str):
        if given not in ("relu", "gelu"):
            raise ValueError(f"{name}: expected activation 'relu' or 'gelu', got {given!r}")
        return getattr(functional, given)
    if not isinstance(given, Module):
        try:
            given(zeros(1))
        except (IndexError, ValueError):  # it takes tensors, of other shapes
            pass
        except TypeError as reason:
            message = f"{name}: only an activation that takes minitorch tensors is supported, got {given!r}"
            raise TypeError(message) from reason
    return given


class _Layer(Module):
    """Base class of encoder and decoder layers: the feed-forward net, the norms, and their arguments."""

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
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        for name in self.attentions:
            self.add_module(name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **made))
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        numbers = range(1, len(self.attentions) + 2)
        for number in numbers:
            self.add_module(f"norm{number}", LayerNorm(d_model, layer_norm_eps, **made))
        for number in numbers:
            self.add_module(f"dropout{number}", Dropout(dropout))
        self.activation = _activation(type(self).__name__, activation)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _through(self, x: Tensor, *attend: Callable[[Tensor], Tensor]) -> Tensor:
        """x + dropout(block(x)) for each attention and then the net, normalised before the block or after the sum."""
        for number, block in enumerate((*attend, self._feed_forward), 1):
            norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
            x = x + dropout(block(norm(x))) if self.norm_first else norm(x + dropout(block(x)))
        return x


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a net of two linear layers, each added to its input and normalised; shape (S, N, d_model).

    Arguments as in PyTorch; masks as in `MultiheadAttention`.
    """

    attentions = ("self_attn",)

    def forward(
        self, src: Tensor, src_mask: _Mask = None, src_key_padding_mask: _Mask = None, is_causal: bool = False
    ) -> Tensor:
        given = src_key_padding_mask, False, src_mask, True, is_causal
        return self._through(src, lambda x: self.self_attn(x, x, x, *given)[0])


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to `memory`, then a net of two linear layers, each added to its input and normalised."""

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: _Mask = None,
        memory_mask: _Mask = None,
        tgt_key_padding_mask: _Mask = None,
        memory_key_padding_mask: _Mask = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        own = tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal
        other = memory_key_padding_mask, False, memory_mask, True, memory_is_causal
        look = self.self_attn, self.multihead_attn
        return self._through(tgt, lambda x: look[0](x, x, x, *own)[0], lambda x: look[1](x, memory, memory, *other)[0])


class _Stack(Module):
    """`num_layers` copies of a layer in sequence, then `norm`."""

    def __init__(self, layer: Any, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        if not isinstance(layer, Module):
            kind = f"{type(layer).__module__}.{type(layer).__qualname__}"
            raise TypeError(f"{type(self).__name__}: only a module of `layers` is supported, got {kind}")
        if whole(type(self).__name__, "num_layers", num_layers) < 1:
            raise ValueError(f"{type(self).__name__}: expected num_layers of 1 or more, got {num_layers}")
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def _through(self, x: Tensor, *given: Any) -> Tensor:
        for layer in self.layers:
            x = layer(x, *given)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of a layer in sequence, then `norm`; the copies start with equal weights, as in PyTorch."""

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Tensor, mask: _Mask = None, src_key_padding_mask: _Mask = None, is_causal: bool | None = None
    ) -> Tensor:
        return self._through(src, mask, src_key_padding_mask, bool(is_causal))


class TransformerDecoder(_Stack):
    """Like `TransformerEncoder`, with layers that also attend to `memory`."""

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: _Mask = None,
        memory_mask: _Mask = None,
        tgt_key_padding_mask: _Mask = None,
        memory_key_padding_mask: _Mask = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self._through(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)


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
        device: DeviceLike = None,
        dtype: DTypeLike = None,
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
        src_mask: _Mask = None,
        tgt_mask: _Mask = None,
        memory_mask: _Mask = None,
        src_key_padding_mask: _Mask = None,
        tgt_key_padding_mask: _Mask = None,
        memory_key_padding_mask: _Mask = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        shapes = f"got {tuple(src.shape)} and {tuple(tgt.shape)}"
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model or src.ndim != tgt.ndim:
            raise ValueError(f"Transformer: expected src and tgt (..., {self.d_model}), {shapes}")
        n = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[n] != tgt.shape[n]:
            raise ValueError(f"Transformer: expected src and tgt of one batch size, {shapes}")
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: DeviceLike = None, dtype: DTypeLike = None) -> Tensor:
        """A mask (sz, sz) to add to the scores: -inf where a query would see a later key, else 0."""
        return triu(full((sz, sz), -math.inf, device=device, dtype=dtype), 1)
