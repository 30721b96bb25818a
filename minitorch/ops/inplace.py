"""Changes in place: the tensor's own memory is written, the tape knows, and a saved array that changed is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.backend import array_module
from minitorch.grad_mode import mode
from minitorch.op import Op, mark_changed
from minitorch.ops import elementwise
from minitorch.ops.activation import relu
from minitorch.ops.index import SetItem, normalized_index
from minitorch.tensor import Tensor, wrap


class InPlace(Op):
    """a, as the new content of a tensor changed in place.  da = g."""

    def forward(ctx, a, memory):
        memory[...] = a
        return memory

    def backward(ctx, g):
        return g


def assign(tensor: Tensor, value: Tensor, by: str) -> Tensor:
    """Make `value` the content of `tensor`, in its own memory, and record where it came from; returns `tensor`.

    Raises RuntimeError for a leaf that requires a gradient outside `no_grad`, and for a recorded change of memory that other
    tensors look into, whose history could not follow; ValueError if the shapes differ, TypeError if the dtype cannot hold it.
    """
    if value.shape != tensor.shape:
        raise ValueError(f"{by}: a result of shape {value.shape} does not fit in place into shape {tensor.shape}")
    if value.dtype.kind in "fc" and tensor.dtype.kind in "biu":
        raise TypeError(f"{by}: a {value.dtype} result cannot be kept in place in a {tensor.dtype} tensor")
    if mode.recording and tensor._requires_grad and tensor.grad_fn is None:
        raise RuntimeError(
            f"{by}: a leaf of shape {tensor.shape} that requires a gradient cannot be changed in place while recording; "
            "use `with no_grad():`"
        )
    if mode.recording and value._requires_grad:
        if tensor._viewed:
            raise RuntimeError(
                f"{by}: this tensor of shape {tensor.shape} shares its memory with a view, whose history a recorded change in "
                "place cannot follow; write `x = x.op(...)` or work on a clone()"
            )
        changed = InPlace.apply(value, memory=tensor.array)
        tensor.grad_fn, tensor._requires_grad = changed.grad_fn, True
        mark_changed(tensor.array, by)
    else:
        tensor.array[...] = value.array
        mark_changed(tensor.array, by)
    return tensor


def _in_place(name: str, function: Callable) -> Callable:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return assign(self, function(self, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place."
    return method


add_ = _in_place("add_", elementwise.add)
sub_ = _in_place("sub_", elementwise.sub)
mul_ = _in_place("mul_", elementwise.mul)
div_ = _in_place("div_", elementwise.div)
pow_ = _in_place("pow_", elementwise.pow)
neg_ = _in_place("neg_", elementwise.neg)
exp_ = _in_place("exp_", elementwise.exp)
sqrt_ = _in_place("sqrt_", elementwise.sqrt)
clamp_ = _in_place("clamp_", elementwise.clamp)
relu_ = _in_place("relu_", relu)


def fill_(tensor: Tensor, value: float | Tensor) -> Tensor:
    """Every element set to `value`, in place."""
    number = value.item() if isinstance(value, Tensor) else value
    return assign(tensor, wrap(array_module(tensor.array).full(tensor.shape, number, tensor.dtype)), "fill_")


def zero_(tensor: Tensor) -> Tensor:
    """Every element set to zero, in place."""
    return fill_(tensor, 0)


def copy_(tensor: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The values of `src`, broadcast and cast, in place; gradients flow to `src`."""
    moved = src.to(device=tensor.device, dtype=tensor.dtype)
    return assign(tensor, moved if moved.shape == tensor.shape else moved.expand(tensor.shape), "copy_")


def setitem(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, in place; gradients flow to `value` and to what is left of the tensor."""
    index = normalized_index("setitem", tensor.array, index)
    recorded = mode.recording and (tensor._requires_grad or (isinstance(value, Tensor) and value._requires_grad))
    if recorded:
        assign(tensor, SetItem.apply(tensor, value, index=index), "setitem")
    else:
        array = value.array if isinstance(value, Tensor) else value
        try:
            tensor.array[index] = array
        except ValueError as reason:
            raise ValueError(f"setitem: {reason} (tensor {tensor.shape}, value {getattr(array, 'shape', array)})") from None
        mark_changed(tensor.array, "setitem")
