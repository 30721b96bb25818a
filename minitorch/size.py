"""`Size`: the shape of a tensor, a tuple that prints as in PyTorch."""

from __future__ import annotations

import math
from typing import Any


class Size(tuple[int, ...]):
    """The lengths of the dimensions: a tuple that prints as `torch.Size([2, 3])` and has `numel()`."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __add__(self, other: tuple[Any, ...]) -> Size:  # a Size again, as in PyTorch
        return Size(tuple.__add__(self, other))
