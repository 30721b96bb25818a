"""The linear layer, the table of vectors, and layers that only change the shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

from layers import init
from layers.calls import OfOne, Options
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter, add
from minitorch import flatten, functional
from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.tensor import Tensor


class Linear(Module):
    """x w^T + b: input (..., in_features) to (..., out_features), `weight` (out_features, in_features), `bias` (out_features).

    Both start uniform in ±1 / sqrt(in_features).
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: DeviceLike = None, dtype: DTypeLike = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        add(self, device, dtype, weight=(out_features, in_features), bias=(out_features,) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias again."""
        init.torch_default_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Options):
    """Looks up rows of `weight` (num_embeddings, embedding_dim): indices (...) of whole numbers to (..., embedding_dim).

    The rows start standard normal; row `padding_idx` starts at zero and gets no gradient. PyTorch's `max_norm`,
    `scale_grad_by_freq` and `sparse` are not supported. Raises ValueError for a `padding_idx` outside the table.
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None = None
    _: KW_ONLY
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None

    def _prepare(self, given: Any) -> None:
        rows = self.num_embeddings
        if self.padding_idx is not None:
            if not -rows <= self.padding_idx < rows:
                raise ValueError(f"Embedding: padding_idx {self.padding_idx} is outside a table of {rows} rows")
            self.padding_idx %= rows
        add(self, given.device, given.dtype, weight=(rows, self.embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table again."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(input, self.weight, self.padding_idx)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """A table that shares a matrix's memory, learned only if `freeze` is False; raises ValueError if it is no matrix."""
        if embeddings.ndim != 2:
            raise ValueError(f"Embedding.from_pretrained: expected a matrix, got shape {tuple(embeddings.shape)}")
        rows, columns = embeddings.shape
        table = cls(rows, columns, padding_idx, device=embeddings.device, dtype=embeddings.dtype)
        table.weight = Parameter(embeddings, requires_grad=not freeze)
        return table

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Identity(Module):
    """Returns its input; the constructor ignores all arguments."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(OfOne, calls=flatten):
    """Merges dimensions `start_dim` to `end_dim`: (N, C, H, W) becomes (N, C*H*W)."""

    start_dim: int = 1
    end_dim: int = -1


class Unflatten(Options):
    """Splits dimension `dim` into `unflattened_size`, where one entry may be -1; named dimensions are not supported."""

    dim: int
    unflattened_size: Sequence[int]

    def _prepare(self, given: Any) -> None:
        self.unflattened_size = tuple(self.unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)
