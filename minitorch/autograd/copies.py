"""Copying tensors: `pickle`, `copy.copy`, `copy.deepcopy`, and what is built on them, such as joblib and Ray.

A leaf is copied with its values, its gradient (a Parameter's stays behind, as in PyTorch: the copy of a net starts without
gradients) and whether it requires one; hooks stay behind. A tensor with a history is refused: detached silently it would lose
its gradient. Tensors that share memory and are copied together share memory again. Read-only memory, such as that of large
arrays from other processes, is copied so that it can be trained.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor, fill
from minitorch.autograd.views import owner_of


class _Memory:
    """The memory that several tensors share, as one object, so that it is copied once."""

    def __init__(self, flat: Any) -> None:
        self.flat = flat

    def __reduce__(self) -> Any:
        return _memory, (self.flat,)


# by the id of the owner, while it is copied
_memories: weakref.WeakValueDictionary[int, _Memory] = weakref.WeakValueDictionary()


def _memory(flat: Any) -> _Memory:
    """New memory that can be written to."""
    if not isinstance(flat, np.ndarray):
        return _Memory(flat)
    return _Memory(flat.view(np.ndarray) if flat.flags.writeable else np.array(flat))


def _memory_behind(array: np.ndarray) -> _Memory:
    """The whole memory behind `array`: the same object for as long as a copy is being made."""
    owner = owner_of(array)
    memory = _memories.get(id(owner))
    if memory is None or memory.flat.base is not owner:
        flat = owner.view(np.ndarray).ravel(order="K")  # a view of the owner, unless it has gaps
        memory = _Memory(flat if flat.base is owner else array.ravel(order="K"))
        if flat.base is owner:
            _memories[id(owner)] = memory
    return memory


def reduce_ex(tensor: Tensor, protocol: int) -> Any:
    """How a tensor is taken apart to be copied; raises RuntimeError for one with a history."""
    if not tensor.is_leaf:
        said = f"this tensor of shape {tuple(tensor.shape)} was computed ({tensor.grad_fn!r})"
        mend = "only leaves can be copied: copy its detach(), or detach().clone()"
        raise RuntimeError(f"copy, deepcopy, pickle: {said}, and its graph is not copied with it; {mend}")
    array = tensor.array
    if isinstance(array, np.ndarray):
        memory = _memory_behind(array)
        offset = array.ctypes.data - memory.flat.ctypes.data if array.size else 0
        place: tuple[Any, ...] = memory, offset, array.shape, array.strides, array.dtype
    else:
        place = (_Memory(array),)
    grad = tensor.grad.detach() if type(tensor) is Tensor and tensor.grad is not None else None
    return _rebuilt, (type(tensor), place, tensor.requires_grad, grad), getattr(tensor, "__dict__", None) or None


def _rebuilt(kind: type, place: tuple[Any, ...], requires_grad: bool, grad: Tensor | None) -> Tensor:
    memory, *description = place
    array = memory.flat
    if description:  # not on a GPU
        offset, shape, strides, dtype = description
        array = np.ndarray(shape, dtype, array if array.size else None, offset, strides)
    tensor = fill(object.__new__(kind), array, None)
    tensor.requires_grad, tensor.grad = requires_grad, grad
    return tensor
