"""Distances between rows."""

from __future__ import annotations

from layers.calls import Options, calls
from minitorch import functional
from minitorch.autograd.tensor import Tensor


class _OfRows(Options):
    shown = ()

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self._call(x1, x2)


@calls(functional.pairwise_distance)
class PairwiseDistance(_OfRows):
    """The p-norm of x1 - x2 + eps over the last dimension, for two tensors of one shape."""

    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False


@calls(functional.cosine_similarity)
class CosineSimilarity(_OfRows):
    """x1 . x2 / (|x1| |x2|) over `dim`, each norm at least `eps`, for two tensors of one shape."""

    dim: int = 1
    eps: float = 1e-8
