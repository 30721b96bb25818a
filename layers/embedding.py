"""A table of vectors, looked up by index."""

from __future__ import annotations

from layers import init
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter
from minitorch import empty, functional
from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.tensor import Tensor


class Embedding(Module):
    """Looks up rows of `weight` (num_embeddings, embedding_dim): indices (...) of whole numbers to (..., embedding_dim).

    The rows start standard normal; row `padding_idx` starts at zero and gets no gradient. PyTorch's `max_norm`,
    `scale_grad_by_freq` and `sparse` are not supported. Raises ValueError for a `padding_idx` outside the table.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx {padding_idx} is outside a table of {num_embeddings} rows")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
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
