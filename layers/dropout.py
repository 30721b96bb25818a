"""Dropout."""

from __future__ import annotations

from layers.module import Module
from minitorch import functional
from minitorch.autograd.tensor import Tensor


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: expected a probability from 0 to 1, got {p}")
        super().__init__()
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training each element is 0 with probability `p`, and the others grow by 1 / (1 - p); in evaluation, its input.

    With `inplace` the result becomes the new content of the input. Raises ValueError for a `p` outside 0 to 1 (Srivastava et
    al. 2014).
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """As `Dropout`, but a whole channel of an image (N, C, H, W) at a time (Tompson et al. 2015)."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout2d(input, self.p, self.training, self.inplace)
