"""`create_graph=True`: the rules run on tensors, tied to the graph, so that what they compute is differentiable in turn."""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.autograd.node import Leaf
from minitorch.autograd.outputs import output_of
from minitorch.autograd.tensor import Tensor, wrap


def on_the_tape(node: Any) -> Any:
    """A twin of `node` whose saved arrays are tensors, tied to the graph where they were its inputs or its outputs."""
    twin = type(node).__new__(type(node))
    for name, value in vars(node).items():
        constant = isinstance(value, Tensor) and value.node is None  # an array that a user's function kept so
        twin.__dict__[name] = _tied(node, value.array) if constant else value
    twin.edges, twin._number, twin._shape, twin._dtype = node.edges, node._number, node._shape, node._dtype
    twin.saved = tuple(_tied(node, entry) for entry in node.saved)
    return twin


def _tied(node: Any, array: Any) -> Any:
    """A tensor around an array that `node` keeps, with the node that the array belongs to, if it is an input or output."""
    if not backend.is_array(array):
        return array
    if node._array_id == id(array):
        return wrap(array, node)
    if node._outputs is not None and id(array) in node.output_ids:
        return wrap(array, output_of(node, array))
    for edge in node.edges:
        if type(edge) is Leaf:
            edge.look()
        if edge is not None and edge._array_id == id(array):
            return wrap(array, edge)
    return wrap(array)
