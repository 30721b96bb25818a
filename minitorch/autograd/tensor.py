"""`Tensor`: an array, the node it came from, and its gradient. This file knows nothing of operations.

`minitorch.methods` adds its operators and methods, `minitorch.conversion` the ways from and to numbers, lists and NumPy.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.autograd.grad_mode import mode
from minitorch.autograd.node import Leaf, Node
from minitorch.autograd.views import View
from minitorch.backend import Device, device_of
from minitorch.conversion import NO_GRAD_KEPT, Conversion, Size, array_of_sizes_or_values

if TYPE_CHECKING:
    from minitorch.methods import Methods as Base  # what type checkers and editors see; Python puts it on `Tensor` later
else:
    Base = Conversion


class Tensor(Base):
    """An n-dimensional array that remembers how it was computed.

    Users make one with `minitorch.tensor(data)`. `Tensor(2, 3)` holds zeros of that shape, and `Tensor([2, 3])` these values,
    both in the default dtype; TypeError for one number that is not a length. `t.array` is the NumPy or CuPy array, not copied.
    """

    __slots__ = ("__weakref__", "_grad", "_leaf", "_node", "_view", "array")

    array: Any  # the numbers, a NumPy or CuPy array
    _node: Node | None  # where its gradient goes: a `Leaf`, or the `Op` that made the tensor; None if it needs none
    _grad: Tensor | None  # the gradient of a leaf
    _leaf: Leaf | None  # kept while it is frozen
    _view: View | None  # how it shares another tensor's memory

    # NumPy and CuPy arrays must leave `array + tensor` to `Tensor.__radd__`; without this CuPy raises instead.
    __array_ufunc__ = None

    def __init__(self, *data: Any, device: Device | str | None = None) -> None:
        fill(self, array_of_sizes_or_values(data, device), None)

    @property
    def node(self) -> Node | None:
        """The node of this tensor in the graph; that of a view follows the changes of its base."""
        if self._view is not None:
            self._view.follow(self)
        return self._node

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and self.array.dtype.kind != "f" and not (mode.complex_step and self.array.dtype.kind == "c"):
            raise TypeError(f"requires_grad: only floating-point tensors have gradients, this one is {self.dtype}")
        if wanted and self.node is None:
            self._leaf = self._node = self._leaf or Leaf(self)
        elif not wanted:
            if not self.is_leaf:
                raise RuntimeError("requires_grad: only a leaf can stop requiring a gradient; use detach()")
            self._node = None

    @property
    def grad(self) -> Tensor | Any:  # `Any` stands for None: users know whether backward has run, and need not say so
        """The gradient that `backward` has added up, of this tensor's shape and dtype; None before it."""
        if self._grad is None and self.grad_fn is not None and self.grad_fn._keeper is None:
            warnings.warn(NO_GRAD_KEPT, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is self or not isinstance(value, (Tensor, type(None))):
            got = "the tensor itself" if value is self else type(value).__name__
            raise TypeError(f"grad: expected a Tensor or None, got {got}")
        if value is not None and (value.shape != self.shape or value.dtype != self.dtype or value.device != self.device):
            wanted, got = (f"shape {tuple(each.shape)}, {each.dtype} on {each.device}" for each in (self, value))
            raise ValueError(f"grad: expected {wanted}; got {got}")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Node | None:
        """The operation that made this tensor, as it stands in the graph; None for a leaf."""
        node = self.node
        return None if type(node) is Leaf else node

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made this tensor."""
        return self.grad_fn is None

    def detach(self) -> Tensor:
        """The same memory as a tensor without history."""
        return wrap(self.array.view())  # a new array object, by which the tape tells it from this tensor

    # ---- what the array is -----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The length of each dimension."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> np.dtype:
        """The element type."""
        return self.array.dtype

    @property
    def device(self) -> Device:
        """Where the memory lies: cpu, or cuda:0."""
        return device_of(self.array)


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A tensor around `array`, no copy; with the `node` that made it, one that requires a gradient."""
    tensor = object.__new__(Tensor)  # as in `fill`; calling that would double the cost
    tensor.array, tensor._node = array, node
    tensor._grad = tensor._leaf = tensor._view = None
    return tensor


def fill(tensor: Tensor, array: Any, node: Node | None) -> Tensor:
    """Give a new `tensor` its fields."""
    tensor.array, tensor._node = array, node
    tensor._grad = tensor._leaf = tensor._view = None
    return tensor
