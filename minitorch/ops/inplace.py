"""Changes in place: the tensor's own memory is written, the tape knows, and a saved array that changed is caught."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.hooks import retain_grad
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, device_of, is_array
from minitorch.ops import arithmetic, choice, elementwise
from minitorch.ops.activation import relu
from minitorch.ops.index import SetItem, Slice
from minitorch.ops.indices import integers_first, normalized_index
from minitorch.ops.shape import clone

_WIDTH = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # a wider kind does not fit into a narrower one


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
    tensors look into, whose history could not follow; ValueError if the shapes differ or several elements of `tensor` share
    one place in memory, TypeError if the dtype cannot hold the values.
    """
    if value.shape != tensor.shape:
        raise ValueError(f"{by}: a result of shape {tuple(value.shape)} does not fit in place into shape {tuple(tensor.shape)}")
    if _WIDTH[value.dtype.kind] > _WIDTH[tensor.dtype.kind]:
        raise TypeError(f"{by}: a {value.dtype} result cannot be kept in place in a {tensor.dtype} tensor")
    check_writable(tensor, by)
    if mode.recording and tensor.requires_grad and tensor.is_leaf:
        raise RuntimeError(
            f"{by}: a leaf of shape {tuple(tensor.shape)} that requires a gradient cannot be changed in place while recording; "
            "use `with no_grad():`"
        )
    if mode.recording and (value.requires_grad or tensor.requires_grad):
        if tensor._viewed:
            raise RuntimeError(
                f"{by}: this tensor of shape {tuple(tensor.shape)} shares its memory with a view, whose history a recorded "
                "change in place cannot follow; write `x = x.op(...)` or work on a clone()"
            )
        if not value.requires_grad:  # a constant in the place of what has a history: its gradient is zero
            value = SetItem.apply(tensor, value, index=(Ellipsis,))
        before = tensor.grad_fn
        tensor.node = InPlace.apply(value, memory=tensor.array).node
        if before is not None and before._keeper is not None:  # the gradient to keep is that of the new content
            before._keeper = None
            retain_grad(tensor)
        mark_changed(tensor.array, by)
    else:
        tensor.array[...] = value.array
        mark_changed(tensor.array, by)
    return tensor


def check_writable(tensor: Tensor, by: str) -> None:
    array = tensor.array
    if array.size and 0 in array.strides and any(n > 1 and not step for n, step in zip(array.shape, array.strides)):
        raise ValueError(
            f"{by}: in this tensor of shape {tuple(tensor.shape)} several elements share one place in memory, as after "
            "expand(); change a clone() of it"
        )
    if not getattr(tensor.array.flags, "writeable", True):  # CuPy locks no array
        raise ValueError(f"{by}: the memory of this tensor of shape {tuple(tensor.shape)} is read-only; change a clone() of it")


def in_place(name: str, function: Callable, saves_input: bool = True) -> Callable:
    """The method `name`: the result of `function` in place of the tensor; `saves_input` if its rule reads the input."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        given = self
        if saves_input and mode.recording:
            operands = (self, *args, *kwargs.values())
            if any(isinstance(operand, Tensor) and operand.requires_grad for operand in operands):
                given = clone(self)  # what the rule will need must outlive the change
        return assign(self, function(given, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place."
    return method


add_ = in_place("add_", arithmetic.add, saves_input=False)
sub_ = in_place("sub_", arithmetic.sub, saves_input=False)
mul_ = in_place("mul_", arithmetic.mul)
div_ = in_place("div_", arithmetic.div)
pow_ = in_place("pow_", arithmetic.pow)
neg_ = in_place("neg_", arithmetic.neg, saves_input=False)
exp_ = in_place("exp_", elementwise.exp, saves_input=False)
sqrt_ = in_place("sqrt_", elementwise.sqrt, saves_input=False)
clamp_ = in_place("clamp_", choice.clamp)
relu_ = in_place("relu_", relu, saves_input=False)


def reshaped_in_place(name: str, function: Callable) -> Callable:
    """The method `name` that gives the tensor the view which `function` makes of it, in the same memory."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if mode.recording and self.requires_grad and self.is_leaf:
            raise RuntimeError(
                f"{name}: a leaf of shape {tuple(self.shape)} that requires a gradient cannot be changed while recording"
            )
        viewed = self._viewed
        result = function(self, *args, **kwargs)
        self.array, self.node, self._viewed = result.array, result.node, viewed  # the view takes the place of the tensor
        return self

    method.__name__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place: the same memory, seen in another shape."
    return method


def fill_(tensor: Tensor, value: float | Tensor) -> Tensor:
    """Every element set to `value`, a number or a 0-d tensor, in place; gradients flow to `value`."""
    return copied(tensor, value, "fill_") if isinstance(value, Tensor) else _filled(tensor, value, "fill_")


def zero_(tensor: Tensor) -> Tensor:
    """Every element set to zero, in place."""
    return _filled(tensor, 0, "zero_")


def _filled(tensor: Tensor, number: float, by: str) -> Tensor:
    return assign(tensor, wrap(array_module(tensor.array).full(tensor.shape, number, tensor.dtype)), by)


def copy_(tensor: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The values of `src`, broadcast and cast, in place; gradients flow to `src`."""
    return copied(tensor, src, "copy_")


def copied(tensor: Tensor, src: Tensor, by: str) -> Tensor:
    """`copy_`, under the name of the method that draws or loads the values."""
    moved = src.to(device=tensor.device, dtype=tensor.dtype)
    return assign(tensor, moved if moved.shape == tensor.shape else moved.expand(tensor.shape), by)


def setitem(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, in place; gradients flow to `value` and to what is left of the tensor."""
    index = normalized_index("setitem", tensor.array, index)
    steps = integers_first(index)
    recorded = mode.recording and (tensor.requires_grad or (isinstance(value, Tensor) and value.requires_grad))
    if recorded:
        if steps is not None:  # of a clone, since a view of the tensor itself would forbid the change
            index, value = steps[0], SetItem.apply(Slice.apply(clone(tensor), index=steps[0]), value, index=steps[1])
        assign(tensor, SetItem.apply(tensor, value, index=index), "setitem")
    else:
        array = value.array if isinstance(value, Tensor) else value
        if is_array(array) and device_of(array) != tensor.device:
            raise RuntimeError(
                f"setitem: expected all tensors on one device, got {tensor.device} and {device_of(array)}; move them with .to()"
            )
        check_writable(tensor, "setitem")
        try:
            target, index = (tensor.array, index) if steps is None else (tensor.array[steps[0]], steps[1])
            target[index] = array
        except (ValueError, TypeError, IndexError) as reason:
            message = f"setitem: {reason} (tensor {tuple(tensor.shape)}, value {getattr(array, 'shape', array)})"
            raise type(reason)(message) from None
        mark_changed(tensor.array, "setitem")
