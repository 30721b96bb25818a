"""Operations with several outputs, such as the values and indices of a maximum; and what NumPy returns in place of arrays.

Each output is a node of its own, whose only edge leads to the operation. Its rule puts its gradient in its place among those
of all outputs (`Parts`), which are added up like every gradient.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.gradients import added
from minitorch.autograd.node import Node, next_number
from minitorch.autograd.tensor import Tensor, wrap


class Parts:
    """The gradients of all outputs of an operation, each None until one has arrived."""

    def __init__(self, grads: list[Any]) -> None:
        self.grads = grads

    def __add__(self, other: Parts) -> Parts:
        return Parts([b if a is None else a if b is None else added(a, b, False) for a, b in zip(self.grads, other.grads)])


class Output(Node):
    """One output of an operation that has several."""

    def __init__(self, node: Any, position: int, array: Any) -> None:
        self.edges, self.saved, self._number = (node,), (), next_number()
        self.position = position
        self._shape, self._dtype, self._array_id = array.shape, array.dtype, id(array)

    def backward(self, grad: Any) -> Parts:
        """The gradient in its place among those of all outputs."""
        grads: list[Any] = [None] * len(self.edges[0]._outputs)
        grads[self.position] = grad
        return Parts(grads)

    def as_source(self) -> tuple[Node, int]:
        """The operation, and which of its outputs this is."""
        return self.edges[0], self.position

    @property
    def title(self) -> str:
        """The name of the operation whose output it is."""
        return self.edges[0].title

    def name(self) -> str:
        """The name of the operation's node."""
        return self.edges[0].name()

    @property
    def _origin(self) -> Any:
        return self.edges[0]._origin

    def __repr__(self) -> str:
        return f"<output {self.position} of {self.edges[0]!r}>"


def arrays_of(node: Any, out: Any) -> Any:
    """The result of `forward` as an array or a tuple of them, where NumPy returns scalars for 0-d results; else TypeError."""
    if type(out) is tuple:
        return tuple(arrays_of(node, one) for one in out)
    if backend.is_array(out):
        return out
    if not isinstance(out, np.generic):
        raise TypeError(f"{node.title}: forward must return an array, got {type(out).__name__}")
    array = np.asarray(out)
    node.saved = tuple(array if entry is out else entry for entry in node.saved)
    return array


def several(node: Any, arrays: tuple[Any, ...], raw: bool) -> tuple[Any, ...]:
    """The outputs of an operation that has several: integer ones, and those it lists as constant, have no gradient."""
    if raw:
        return arrays
    if not node.edges:
        return tuple(wrap(array) for array in arrays)
    node._number, node._array_id = next_number(), None
    node._shape, node._dtype = [array.shape for array in arrays], [array.dtype for array in arrays]
    node.output_ids = [id(array) for array in arrays]
    constant = getattr(node, "constant_ids", ())
    floats = [array.dtype.kind in "fc" and id(array) not in constant for array in arrays]
    made = [Output(node, i, array) if is_float else None for i, (array, is_float) in enumerate(zip(arrays, floats))]
    node._outputs = [output and weakref.ref(output) for output in made]
    return tuple(wrap(array, output) for array, output in zip(arrays, made))


def completed(node: Any, parts: Parts) -> list[Any]:
    """The gradients of all outputs of `node`, zeros for unused ones (None under `set_materialize_grads(False)`)."""
    if not getattr(node, "materialize_grads", True):
        return parts.grads
    like = next(grad for grad in parts.grads if grad is not None)
    module = backend.array_module(like.array if isinstance(like, Tensor) else like)
    every = zip(parts.grads, node._shape, node._dtype)
    made = [module.zeros(shape, dtype) if grad is None else grad for grad, shape, dtype in every]
    return [wrap(one) if isinstance(like, Tensor) and not isinstance(one, Tensor) else one for one in made]


def output_of(node: Any, array: Any) -> Node | None:
    """The node of the output of `node` whose array is `array`."""
    position = node.output_ids.index(id(array))
    reference = node._outputs[position]
    return reference and (reference() or Output(node, position, array))
