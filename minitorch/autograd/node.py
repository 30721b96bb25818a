"""`Node`: a point of the graph that gradients flow back through. An operation that was run is one (`Op`), a leaf is another.

Nodes are numbered as they are made. The inputs of an operation exist before its output does, so every edge leads from a higher
number to a lower one, so that in descending order no node comes before one that must still send it a gradient.

A node never refers to the tensor that it made, so there is no cycle, and dropping the last tensor of a computation frees its
whole graph at once, without the garbage collector.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from minitorch.autograd.description import Described

next_number: Callable[[], int] = itertools.count(1).__next__


class Node(Described):
    """A point of the graph: the nodes it was computed from, and what is known of the array whose gradient it receives."""

    __slots__ = ("__dict__", "__weakref__", "_array_id", "_dtype", "_number", "_shape", "edges", "saved")

    # edges: for each input the node it came from, or None for a constant; saved: what the backward rule will read
    _number: int  # in the order of creation
    _shape: Any  # that of the array that the node stands for; a list of them for several outputs, and so of
    _dtype: Any
    _array_id: Any  # its `id`
    _hooks: list[Callable[..., Any]] | None = None  # see hooks.py
    _after: list[Callable[..., Any]] | None = None  # for a leaf: called after its `.grad` has been added to, see hooks.py
    _outputs: list[Any] | None = None  # for an operation that has several, see outputs.py
    _constants: tuple[int, ...] = ()  # the ids of arrays that need no gradient: constant inputs, and what was declared constant
    _origin: Any = None  # where it was run, in anomaly mode
    _keeper: Any = None  # a weak reference to the tensor whose `.grad` is to keep the gradient that arrives here


class Leaf(Node):
    """Where gradients end: a tensor that no operation made, and that requires a gradient.

    The reference to its tensor is weak: a graph must not keep alive, in a circle, the tensor whose `.grad` may hold that graph.
    """

    def __init__(self, tensor: Any) -> None:
        self._number, self.edges, self.saved = 0, (), ()
        self._keeper = weakref.ref(tensor)
        self.look()

    def look(self) -> None:
        """Describe the array of the tensor as it is now: an assignment to `.data` may have replaced it."""
        tensor = self._keeper()
        if tensor is not None:
            self._shape, self._dtype, self._array_id = tensor.array.shape, tensor.array.dtype, id(tensor.array)

    @property
    def variable(self) -> Any:
        """The tensor, or None if it no longer exists."""
        return self._keeper()

    def name(self) -> str:
        """PyTorch's name of a node that accumulates gradients."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<leaf {self._shape}>"
