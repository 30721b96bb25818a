"""Writing into the memory of a tensor: what may be written where, and how the graph records it."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar

from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.hooks import retain_grad
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.autograd.views import check_apart, seen
from minitorch.backend import array_module, bool_
from minitorch.ops.choice import Where
from minitorch.ops.dims import shapes
from minitorch.ops.shape import clone

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # a wider kind does not fit into a narrower one


class InPlace(Op):
    """a, as the new content of a tensor changed in place.  da = g."""

    def forward(ctx, a: Any, memory: Any) -> Any:
        memory[...] = a
        return memory

    def backward(ctx, g: Any) -> Any:
        return g


class Overwrite(Op):
    """a, with b in the place that a view, or the whole, covers.  da = g elsewhere and 0 there, db = g there."""

    def forward(ctx, a: Any, b: Any, place: Any, steps: Any) -> Any:
        ctx.steps, ctx.shape, ctx.xp = steps, a.shape, array_module(a)
        place[...] = b
        return a

    def backward(ctx, g: Any) -> Any:
        if ctx.steps is None:
            return g * 0.0, g
        places = ctx.xp.arange(math.prod(ctx.shape))
        inside = ctx.xp.zeros(places.size, bool_)  # which elements the view looks into
        inside[seen(ctx.steps, places.reshape(ctx.shape)).reshape(-1)] = True
        return Where.apply(inside.reshape(ctx.shape), 0.0, g), seen(ctx.steps, g)


def assign(tensor: Tensor, value: Tensor, by: str) -> Tensor:
    """Make `value` the content of `tensor`, in its own memory, and record where it came from; returns `tensor`.

    Through a view the content of its base changes, which other views see. Raises RuntimeError for a leaf that requires a
    gradient, or a view of one, outside `no_grad`, for a view made under `no_grad` where the change has to be recorded, and for
    images with a view that is a copy in PyTorch, or the reverse; ValueError if the shapes differ or several elements of
    `tensor` share one place in memory, TypeError if the dtype cannot hold the values.
    """
    if value.shape != tensor.shape:
        raise ValueError(f"{by}: a result of shape {shapes(value)} does not fit in place into shape {shapes(tensor)}")
    if _WIDTH[value.dtype.kind] > _WIDTH[tensor.dtype.kind]:
        raise TypeError(f"{by}: a {value.dtype} result cannot be kept in place in a {tensor.dtype} tensor")
    check_writable(tensor, by)
    if mode.recording and (is_recorded(tensor, by) or value.requires_grad):
        _record(tensor, value, by)
    else:
        tensor.array[...] = value.array
    mark_changed(tensor.array, by)
    return tensor


def is_recorded(tensor: Tensor, by: str) -> bool:
    """Whether a change of `tensor` has to be recorded; raises RuntimeError if it must not be changed."""
    base = tensor if tensor._view is None else tensor._view.base
    if base.requires_grad and base.is_leaf:
        what = "a leaf" if base is tensor else "a view of a leaf"
        raise RuntimeError(
            f"{by}: {what} of shape {shapes(base)} that requires a gradient cannot be changed in place while recording; "
            "use `with no_grad():`"
        )
    return base.requires_grad or tensor.requires_grad


def _record(tensor: Tensor, value: Tensor, by: str) -> None:
    view = tensor._view
    if view is not None and (not view.recorded or view.base.array is not view.array):
        raise RuntimeError(
            f"{by}: this tensor of shape {shapes(tensor)} is a view that was made under no_grad(), or whose base has been "
            "replaced since; a change through it cannot be recorded. Make a new view, or change a clone() of it"
        )
    base = tensor if view is None else view.base
    before = base.grad_fn
    if view is None and value.requires_grad:
        base._node = InPlace.apply(value, memory=tensor.array)._node
    else:  # overwriting with a constant: the old content gets a zero gradient
        base._node = Overwrite.apply(base, value, place=tensor.array, steps=view and view.steps)._node
    if before is not None and before._keeper is not None:  # the gradient to keep is that of the new content
        before._keeper = None
        retain_grad(base)


def check_writable(tensor: Tensor, by: str) -> None:
    """Raise if the memory of `tensor` cannot be changed, or must not be."""
    array = tensor.array
    check_apart(array, by)
    if array.size and 0 in array.strides and any(n > 1 and not step for n, step in zip(array.shape, array.strides)):
        raise ValueError(
            f"{by}: in this tensor of shape {shapes(tensor)} several elements share one place in memory, as after "
            "expand(); change a clone() of it"
        )
    if not getattr(tensor.array.flags, "writeable", True):  # CuPy arrays are always writeable
        raise ValueError(f"{by}: the memory of this tensor of shape {shapes(tensor)} is read-only; change a clone() of it")


def doable_in_place(function: F) -> F:
    """`function(input, ..., inplace)` which, where `inplace` is true, makes its result the new content of `input`."""
    position = list(inspect.signature(function).parameters).index("inplace") - 1

    @functools.wraps(function)
    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not (args[position] if len(args) > position else kwargs.get("inplace", False)):
            return function(input, *args, **kwargs)
        given = clone(input) if mode.recording and input.requires_grad else input  # what the rule will need outlives the change
        result = function(given, *args, **kwargs)
        return input if result is given else assign(input, result, function.__name__)  # dropout in evaluation writes nothing

    return call  # type: ignore[return-value]  # the same signature
