"""Changes in place: the tensor's own memory is written, the tape records it, and a change of a saved array is detected."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec

from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, device_of, is_array
from minitorch.ops import arithmetic
from minitorch.ops.assign import assign, check_writable, is_recorded
from minitorch.ops.dims import shapes
from minitorch.ops.index import SetItem, Slice
from minitorch.ops.indices import integers_first, normalized_index
from minitorch.ops.shape import clone

P = ParamSpec("P")  # what a function takes after its tensor


def in_place(
    name: str, function: Callable[Concatenate[Tensor, P], Tensor], saves_input: bool = True
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """The method `name`: the result of `function` in place of the tensor; `saves_input` if its rule reads the input."""

    @functools.wraps(function)
    def method(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = self
        if saves_input and mode.recording:
            operands = (self, *args, *kwargs.values())
            if any(isinstance(operand, Tensor) and operand.requires_grad for operand in operands):
                given = clone(self)  # what the rule will need must outlive the change
        return assign(self, function(given, *args, **kwargs), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place."
    return method


add_: Final = in_place("add_", arithmetic.add, saves_input=False)
sub_: Final = in_place("sub_", arithmetic.sub, saves_input=False)
mul_: Final = in_place("mul_", arithmetic.mul)
div_: Final = in_place("div_", arithmetic.div)
pow_: Final = in_place("pow_", arithmetic.pow)


def reshaped_in_place(
    name: str, function: Callable[Concatenate[Tensor, P], Tensor]
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """The method `name` that gives the tensor the view which `function` makes of it, in the same memory."""

    @functools.wraps(function)
    def method(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if mode.recording and self.requires_grad and self.is_leaf:
            raise RuntimeError(
                f"{name}: a leaf of shape {shapes(self)} that requires a gradient cannot be changed while recording"
            )
        whole = self if self._view is not None else wrap(self.array, self._node)  # the base that this tensor is a view of now
        result = function(whole, *args, **kwargs)
        self.array, self._node, self._view = result.array, result._node, result._view
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place: the same memory, seen in another shape."
    return method


def fill_(tensor: Tensor, value: float | Tensor) -> Tensor:
    """Every element set to `value`, a number or a 0-d tensor, in place; gradients flow to `value`."""
    if isinstance(value, Tensor):
        return copied(tensor, value, "fill_")
    return assign(tensor, wrap(array_module(tensor.array).full(tensor.shape, value, tensor.dtype)), "fill_")


def zero_(tensor: Tensor) -> Tensor:
    """Every element set to zero, in place."""
    return assign(tensor, wrap(array_module(tensor.array).zeros(tensor.shape, tensor.dtype)), "zero_")


def copy_(tensor: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The values of `src`, broadcast and cast, in place; gradients flow to `src`."""
    return copied(tensor, src, "copy_")


def copied(tensor: Tensor, src: Tensor, by: str) -> Tensor:
    """`copy_`, under the name of the method that draws or loads the values."""
    moved = src.to(device=tensor.device, dtype=tensor.dtype)
    return assign(tensor, moved if moved.shape == tensor.shape else moved.expand(tensor.shape), by)


def setitem(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, in place; gradients flow to `value` and to the rest of the tensor."""
    index = normalized_index("setitem", tensor.array, index)
    steps = integers_first(index)
    if mode.recording and (is_recorded(tensor, "setitem") or (isinstance(value, Tensor) and value.requires_grad)):
        if steps is not None:
            index, value = steps[0], SetItem.apply(Slice.apply(clone(tensor), index=steps[0]), value, index=steps[1])
        assign(tensor, SetItem.apply(tensor, value, index=index), "setitem")
    else:
        array = value.array if isinstance(value, Tensor) else value
        if is_array(array) and device_of(array) != tensor.device:
            devices = f"{tensor.device} and {device_of(array)}"
            raise RuntimeError(f"setitem: expected all tensors on one device, got {devices}; move them with .to()")
        check_writable(tensor, "setitem")
        try:
            target, index = (tensor.array, index) if steps is None else (tensor.array[steps[0]], steps[1])
            target[index] = array
        except (ValueError, TypeError, IndexError) as reason:
            message = f"setitem: {reason} (tensor {shapes(tensor)}, value {getattr(array, 'shape', array)})"
            raise type(reason)(message) from None
        mark_changed(tensor.array, "setitem")
