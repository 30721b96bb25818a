"""Views: tensors that share the memory of another, their base, and follow its changes in place.

A recorded change in place gives the base a new node, even if it was made through a view. A view stores the operations
that lead from its base to it; when the base has got a new node, they are recorded again.

Images lie channels-last in memory here and in C order in PyTorch, so some tensors are copies here and views there, or the other
way round. Where such a pair exists, a later change in place of either is refused.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.node import Leaf


class View:
    """How a tensor shares the memory of `base`: the operations that lead to it, and the base's node at their start."""

    __slots__ = ("array", "base", "node", "recorded", "steps")

    def __init__(self, base: Any, steps: tuple[Any, ...], recorded: bool) -> None:
        self.base: Any = base
        self.steps: tuple[Any, ...] = steps
        self.recorded: bool = recorded
        self.array: Any = base.array
        self.node: Any = base._node

    def follow(self, tensor: Any) -> None:
        """Give `tensor`, described by this view, a node that starts from the base's present node."""
        node = self.base._node
        if node is self.node or node is None or not node.edges or self.base.array is not self.array:
            return
        before, mode.recording = mode.recording, True
        try:
            fresh = seen(self.steps, self.base)._node
        finally:
            mode.recording = before
        fresh._array_id = id(tensor.array)
        if tensor._node is not None and tensor._node._keeper is not None and tensor._node.edges:
            fresh._keeper, fresh._hooks, tensor._node._keeper = tensor._node._keeper, [], None
        tensor._node, self.node = fresh, node


def seen(steps: tuple[Any, ...] | None, whole: Any) -> Any:
    """The view of an array or tensor of the base's shape: the result of its operations, one after another."""
    path = []
    while steps is not None:
        steps, *step = steps
        path.append(step)
    for op, parameters in reversed(path):
        whole = op.apply(whole, **parameters)
    return whole


def note(result: Any, source: Any, op: Any, parameters: dict[Any, Any]) -> None:
    """Remember that `result`, made by a view operation, shares the memory of `source`, or is a copy where PyTorch views."""
    shares = owner_of(result.array) is owner_of(source.array)
    view = None if type(source._node) is Leaf else source._view  # a leaf is the base of its own views
    base = source if view is None else view.base
    if is_channels_last(base.array) and shares is not is_logical_view(source, op, parameters):
        keep_apart(base.array, result.array, shares)
    elif shares:
        steps = None if view is None else view.steps
        result._view = View(base, (steps, op, parameters), mode.recording and (view is None or view.recorded))


def is_logical_view(source: Any, op: Any, parameters: dict[Any, Any]) -> bool:
    """Whether the operation gives a view in PyTorch's layout, where images lie in C order as all else does."""
    logical = logical_layout(source)
    return owner_of(op.apply(logical, **parameters)) is owner_of(logical)


def logical_layout(tensor: Any) -> Any:
    """An empty array with the strides that `tensor` would have if images lay in C order."""
    base = tensor if tensor._view is None else tensor._view.base
    if not is_channels_last(base.array):
        return tensor.array
    whole = backend.array_module(base.array).zeros(base.array.shape, np.bool_)
    return whole if tensor._view is None else seen(tensor._view.steps, whole)


# Pairs of arrays, as weak references, by the id of the array that owns the memory; a pair goes with either of the two.
_apart: dict[int, list[tuple[weakref.ref, weakref.ref]]] = {}


def keep_apart(source: Any, result: Any, shares: bool) -> None:
    """From now on, refuse changes in place of either array for as long as both exist."""
    pair = (source, result) if shares else (owner_of(source), owner_of(result))
    keys = {id(owner_of(source)), id(owner_of(result))}

    def forget(gone: weakref.ref) -> None:
        for key in keys:
            _apart[key] = [each for each in _apart.get(key, ()) if gone not in each]
            if not _apart[key]:
                del _apart[key]

    entry: Any = tuple(weakref.ref(array, forget) for array in pair)
    for key in keys:
        _apart.setdefault(key, []).append(entry)


def check_apart(array: Any, by: str) -> None:
    """Raise RuntimeError if a change of `array` in place would be seen elsewhere in PyTorch only, or here only."""
    if _apart and id(owner_of(array)) in _apart:
        which = f"this tensor of shape {array.shape} is a channels-last image or made of one by view() or reshape()"
        why = "In PyTorch a change in place of one would be seen in both, or in one only, unlike here"
        raise RuntimeError(f"{by}: {which}, and the other still exists. {why}; change a clone() of it")


def owner_of(array: Any) -> Any:
    """The array whose memory `array`, of either library, looks into: itself, if that is its own."""
    while backend.is_array(getattr(array, "base", None)):
        array = array.base
    return array


def is_channels_last(array: Any) -> bool:
    """Whether images (n, c, h, w) lie in memory as (n, h, w, c)."""
    return array.ndim == 4 and array.strides[1] < array.strides[3] and not array.flags.c_contiguous
