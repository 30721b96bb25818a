"""`create_graph=True`: the rules run on tensors, tied to the graph, so that what they compute is differentiable in turn.

Inputs and outputs that an operation kept are tied to their nodes. Whole numbers and booleans are constants, and so is what
`ctx.mark_constant` declares, such as the mask of a dropout. How any other array depends on the inputs is unknown: a
second derivative through it would be silently wrong, so it raises RuntimeError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.node import Leaf, Node, next_number
from minitorch.autograd.outputs import output_of
from minitorch.autograd.tensor import Tensor, wrap


class Unknown(Node):
    """An array that `node` kept and that is neither an input nor an output: how it depends on the inputs is unknown."""

    def __init__(self, node: Any, array: Any) -> None:
        self.edges, self.saved, self._number = node.edges, (), next_number()
        self._shape, self._dtype, self._array_id = array.shape, array.dtype, id(array)
        self.operation: Any = node.title

    def backward(self, grad: Any) -> Any:
        """Raise RuntimeError: a gradient has to flow through it."""
        kept = f"an array of shape {self._shape} which forward kept for backward, and which is neither an input nor an output"
        mend = "Let backward compute it from inputs and outputs; if it does not depend on the inputs, declare it in forward by"
        raise RuntimeError(f"{self.operation}: this derivative depends on that of {kept}. {mend} ctx.mark_constant(array)")


def on_the_tape(node: Any) -> Any:
    """A twin of `node` whose arrays are tensors, tied to the graph where they were its inputs or its outputs."""
    twin: Any = object.__new__(type(node))
    for name, value in vars(node).items():
        twin.__dict__[name] = value if name.startswith("_") else _attribute(node, value)
    twin.edges, twin._number, twin._shape, twin._dtype = node.edges, node._number, node._shape, node._dtype
    twin.saved = tuple(_tied(node, entry) if _is_array(entry) else entry for entry in node.saved)
    return twin


def _is_array(value: Any) -> bool:
    """Whether `value` is an array, or a number that NumPy computed."""
    return isinstance(value, np.generic) or backend.is_array(value)


def _attribute(node: Any, value: Any) -> Any:
    """What the rule reads in an attribute: a tensor for an array of floats, or a tensor that is not recorded; also nested."""
    if isinstance(value, Tensor):  # kept by a user's function
        return _tied(node, value.array) if value.node is None else value
    if type(value) in (list, tuple):
        return type(value)(_attribute(node, entry) for entry in value)
    if type(value) is dict:
        return {key: _attribute(node, entry) for key, entry in value.items()}
    return _tied(node, value) if _is_array(value) and value.dtype.kind in "fc" else value


def _tied(node: Any, array: Any) -> Tensor:
    """A tensor around an array that `node` keeps, with the node that it belongs to."""
    known = source_of(node, array)
    constant = known is None and (array.dtype.kind not in "fc" or id(array) in node._constants)
    array = np.asarray(array) if isinstance(array, np.generic) else array
    return wrap(array, None if constant else known or Unknown(node, array))


def source_of(node: Any, array: Any) -> Node | None:
    """The node of an array that was an output or an input of `node`, if it has one; None for any other."""
    if node._array_id == id(array):
        return node
    if node._outputs is not None and id(array) in node.output_ids:
        return output_of(node, array)
    for edge in node.edges:
        if type(edge) is Leaf:
            edge.look()
        if getattr(edge, "_array_id", None) == id(array):  # where a rule is tried alone, its edges are tensors
            return edge
    return None
