"""`Variable`, which tensors were wrapped in before PyTorch 0.4."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.tensor import Tensor


class _IsTensor(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, Tensor)


class Variable(metaclass=_IsTensor):
    """`Variable(x)` is a leaf with the memory of the tensor `x`, and every tensor is a Variable."""

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: expected a Tensor, got {type(data).__name__}")
        leaf = data.detach()
        leaf.requires_grad = requires_grad and not volatile
        return leaf
