"""Methods of `Tensor` that are no functions of minitorch, such as `x.backward()`, `x.cpu()`, `x.new_zeros(2)`, `x.float()`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd import partial
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.creation import options_like
from minitorch.ops import choice, shape


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Iterable[Tensor] | None = None,
) -> None:
    """Add the gradient of this tensor to `.grad` of every leaf it was computed from; see `minitorch.autograd.backward`."""
    partial.backward(self, gradient, retain_graph, create_graph, inputs)


def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Set whether the tensor requires a gradient; returns the tensor."""
    self.requires_grad = requires_grad
    return self


def detach_(self: Tensor) -> Tensor:
    """Remove the tensor's history, in place."""
    self._node = self._view = None
    return self


def set_data(self: Tensor, value: Tensor) -> None:
    """Replace the memory of a leaf with that of `value`."""
    if not isinstance(value, Tensor):
        raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
    if not self.is_leaf:
        raise RuntimeError("data: only the memory of a leaf can be replaced; use copy_() under no_grad()")
    if self.requires_grad and value.dtype.kind != "f":
        raise TypeError(f"data: expected floats for a tensor that requires a gradient, got {value.dtype}")
    mark_changed(self.array, "an assignment to .data")  # an operation that saved the old memory must not differentiate with it
    self.array = value.detach().array
    if self._leaf is not None:
        self._leaf.look()


def where(self: Tensor, condition: Tensor, other: Tensor | float) -> Tensor:
    """This tensor where `condition` holds, else `other`."""
    return choice.where(condition, self, other)


def cpu(self: Tensor) -> Tensor:
    """The tensor on the host; itself if it is there already."""
    return shape.to(self, device=backend.CPU)


def cuda(self: Tensor, device: Device | str | int | None = None, non_blocking: bool = False) -> Tensor:
    """The tensor on the GPU; itself if it is there already. Raises RuntimeError with the reason if there is no usable GPU."""
    return shape.to(self, device=f"cuda:{device}" if isinstance(device, int) else device or backend.CUDA)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    return shape.to(self, dtype=other.dtype)


def cast(name: str, dtype: np.dtype) -> Callable[[Tensor], Tensor]:
    """The method `name`, which returns the tensor in `dtype`."""

    def method(self: Tensor) -> Tensor:
        return shape.to(self, dtype=dtype)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor in {dtype}; itself if it has that dtype already."
    return method


def new(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method that calls a factory with the dtype and device of the tensor where they are not given."""

    def method(self: Tensor, *size: Any, **options: Any) -> Tensor:
        return make(*size, **options_like(self, options))

    method.__name__ = method.__qualname__ = f"new_{make.__name__}"
    method.__doc__ = f"`{make.__name__}`, with the dtype and device of this tensor where they are not given."
    return method
