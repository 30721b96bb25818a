"""Dropout."""

from __future__ import annotations

from layers.calls import OfOne, calls
from minitorch import functional
from minitorch.autograd.tensor import Tensor


@calls()
class _Dropout(OfOne):
    p: float = 0.5
    inplace: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"{type(self).__name__}: expected a probability from 0 to 1, got {self.p}")

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


@calls(functional.dropout)
class Dropout(_Dropout):
    """In training each element becomes 0 with probability `p` and the others are scaled by 1 / (1 - p); evaluation: identity.

    With `inplace` the result overwrites the input. Raises ValueError for a `p` outside 0 to 1 (Srivastava et al. 2014).
    """


@calls(functional.dropout2d)
class Dropout2d(_Dropout):
    """Like `Dropout`, for whole channels of images (N, C, H, W) (Tompson et al. 2015)."""
