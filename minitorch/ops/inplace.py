"""Changes in place: the tensor's own memory is written, the tape records it, and a change of a saved array is detected."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import enable_grad, mode
from minitorch.autograd.hooks import retain_grad
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.views import check_apart, seen
from minitorch.backend import array_module, bool_, device_of, is_array, memory_of
from minitorch.ops import arithmetic
from minitorch.ops.choice import Where
from minitorch.ops.dims import shapes
from minitorch.ops.index import SetItem, Slice
from minitorch.ops.indices import integers_first, normalized_index
from minitorch.ops.promotion import held
from minitorch.ops.shape import clone

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")  # what a function takes after its tensor
OfTensor = Callable[Concatenate[Tensor, P], Tensor]

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
        places = ctx.xp.arange(math.prod(ctx.shape))
        inside = ctx.xp.zeros(places.size, bool_)  # which elements the view looks into
        inside[seen(ctx.steps, places.reshape(ctx.shape)).reshape(-1)] = True
        return Where.apply(inside.reshape(ctx.shape), 0.0, g), seen(ctx.steps, g)


def assign(tensor: Tensor, value: Tensor, by: str) -> Tensor:
    """Make `value` the content of `tensor`, in its own memory, and record where it came from; returns `tensor`.

    Through a view the content of its base changes, which other views see. Raises RuntimeError if the change would have to be
    recorded and cannot be, or would be seen elsewhere than in PyTorch; ValueError if the shapes differ or several elements of
    `tensor` share one place in memory, TypeError if the dtype cannot hold the values.
    """
    if value.shape != tensor.shape:
        raise ValueError(f"{by}: a result of shape {shapes(value)} does not fit in place into shape {shapes(tensor)}")
    if _WIDTH[value.dtype.kind] > _WIDTH[tensor.dtype.kind]:
        raise TypeError(f"{by}: a {value.dtype} result cannot be kept in place in a {tensor.dtype} tensor")
    check_writable(tensor, by)
    value = clone(value) if _overlaps(value.array, tensor.array) else value
    if mode.recording and (is_recorded(tensor, by) or value.requires_grad):
        _record(tensor, value, by)
    else:
        tensor.array[...] = value.array
    mark_changed(tensor.array, by)
    return tensor


def _overlaps(array: Any, target: Any) -> bool:
    """Whether `array` must be copied before it is put into `target`: CuPy may read there what it has just written."""
    return type(target) is not np.ndarray and array_module(target) is not np and memory_of(array) is memory_of(target)


def is_recorded(tensor: Tensor, by: str) -> bool:
    """Whether a change of `tensor` has to be recorded; raises RuntimeError if it must not be changed."""
    base = tensor if tensor._view is None else tensor._view.base
    leaf = next((each for each in (base, tensor) if each.requires_grad and each.is_leaf), None)
    if leaf is not None:
        what = f"{'a leaf' if leaf is tensor else 'a view of a leaf'} of shape {shapes(leaf)} that requires a gradient"
        raise RuntimeError(f"{by}: {what} cannot be changed in place while recording; use `with no_grad():`")
    return base.requires_grad or tensor.requires_grad


def _record(tensor: Tensor, value: Tensor, by: str) -> None:
    view = tensor._view
    if view is not None and (not view.recorded or view.base.array is not view.array):
        what = "a view that was made under no_grad(), or whose base has been replaced since"
        said = f"this tensor of shape {shapes(tensor)} is {what}; a change through it cannot be recorded"
        raise RuntimeError(f"{by}: {said}. Make a new view, or change a clone() of it")
    base = tensor if view is None else view.base
    before = base.grad_fn
    if view is None and value.requires_grad:
        base._node = InPlace.apply(value, memory=tensor.array)._node
    else:  # overwriting with a constant: the old content gets a zero gradient
        base._node = Overwrite.apply(base, value, place=tensor.array, steps=view and view.steps)._node
    if before is not None and before._keeper is not None:  # the gradient to keep is that of the new content
        before._keeper = None
        retain_grad(base)
    if view is not None and tensor._node is not None and tensor._node._keeper is not None:
        view.follow(tensor)


def check_writable(tensor: Tensor, by: str) -> None:
    """Raise if the memory of `tensor` cannot be changed, or must not be."""
    array = tensor.array
    check_apart(array, by)
    if array.size and 0 in array.strides and any(n > 1 and not step for n, step in zip(array.shape, array.strides)):
        said = f"in this tensor of shape {shapes(tensor)} several elements share one place in memory, as after expand()"
        raise ValueError(f"{by}: {said}; change a clone() of it")
    if not getattr(array.flags, "writeable", True):  # CuPy arrays are always writeable
        raise ValueError(f"{by}: the memory of this tensor of shape {shapes(tensor)} is read-only; change a clone() of it")


# ---- functions in place --------------------------------------------------------------------------------------------------


def in_place(name: str, function: OfTensor[P], saves_input: bool = True) -> OfTensor[P]:
    """The method `name`: the result of `function` in place of the tensor; `saves_input` if its rule reads the input."""

    @functools.wraps(function)
    def method(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = self
        if saves_input and mode.recording:
            operands = (self, *args, *kwargs.values())
            if any(isinstance(operand, Tensor) and operand.requires_grad for operand in operands):
                given = clone(self)  # what the rule will need must outlive the change
        result = function(given, *args, **kwargs)
        return self if result is given else assign(self, result, name)  # dropout in evaluation writes nothing

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place."
    return method


add_: Final = in_place("add_", arithmetic.add, saves_input=False)
sub_: Final = in_place("sub_", arithmetic.sub, saves_input=False)
mul_: Final = in_place("mul_", arithmetic.mul)
div_: Final = in_place("div_", arithmetic.div)
pow_: Final = in_place("pow_", arithmetic.pow)


def doable_in_place(function: F) -> F:
    """`function(input, ..., inplace)` which, where `inplace` is true, makes its result the new content of `input`."""
    position = list(inspect.signature(function).parameters).index("inplace") - 1
    written = in_place(function.__name__, function)

    @functools.wraps(function)
    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        asked = args[position] if len(args) > position else kwargs.get("inplace", False)
        return (written if asked else function)(input, *args, **kwargs)

    return call  # type: ignore[return-value]  # the same signature


def reshaped_in_place(name: str, function: OfTensor[P]) -> OfTensor[P]:
    """The method `name` that gives the tensor the view which `function` makes of it, in the same memory."""

    @functools.wraps(function)
    def method(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if self.requires_grad and self.is_leaf:
            if mode.recording:
                said = f"a leaf of shape {shapes(self)} that requires a gradient cannot be changed while recording"
                raise RuntimeError(f"{name}: {said}")
            self.array = function(wrap(self.array), *args, **kwargs).array
            if self._leaf is not None:
                self._leaf.look()
            return self
        whole = self if self._view is not None else wrap(self.array, self._node)  # the base that this tensor is a view of now
        with enable_grad():  # under no_grad() too the tensor keeps its history
            result = function(whole, *args, **kwargs)
        self.array, self._node, self._view = result.array, result._node, result._view
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}`, in place: the same memory, seen in another shape."
    return method


def fill_(tensor: Tensor, value: float | Tensor) -> Tensor:
    """Every element set to `value`, a number or a 0-d tensor, in place; gradients flow to `value`."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise ValueError(f"fill_: expected a number or a 0-d tensor as the value, got shape {shapes(value)}")
        return copied(tensor, value, "fill_")
    value = held("fill_", value, tensor.dtype)
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
    if not isinstance(value, (Tensor, list, tuple)) and not is_array(value):
        value = held("setitem", value, tensor.dtype)
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
            target[index] = array.copy() if _overlaps(array, target) else array
        except (ValueError, TypeError, IndexError) as reason:
            message = f"setitem: {reason} (tensor {shapes(tensor)}, value {getattr(array, 'shape', array)})"
            raise type(reason)(message) from None
        mark_changed(tensor.array, "setitem")
