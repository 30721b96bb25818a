"""Gradients themselves: where they start, how two are added, how one is made to fit its input, and how a leaf keeps its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch import accumulate, backend
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import enable_grad, mode, watched
from minitorch.autograd.node import Leaf, Node
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.threads import copied


def starts(name: str, tensors: Any, grads: Any, create_graph: bool) -> list[tuple[Node, Any]]:
    """The node and the starting gradient of each output, 1 for a scalar; errors begin with `name`, the caller."""
    tensors = as_tensors(name, tensors)
    grads = [None] * len(tensors) if grads is None else _listed(grads)
    if len(tensors) != len(grads):
        raise RuntimeError(f"{name}: {len(grads)} gradients for {len(tensors)} tensors")
    pairs = []
    for tensor, given in zip(tensors, grads):
        node, array = tensor.node, tensor.array
        if node is None:
            said = f"the tensor of shape {tuple(tensor.shape)} does not require a gradient and has no history"
            why = "was it computed under no_grad(), detached, or made of tensors that do not require one?"
            raise RuntimeError(f"{name}: {said}; {why}")
        if given is None:
            if array.size != 1:
                said = f"a gradient starts from a scalar, this tensor has shape {tuple(tensor.shape)}"
                raise RuntimeError(f"{name}: {said}; reduce it with .sum() or .mean(), or give its gradient")
            given = wrap(array.copy())
            given.array.fill(1)  # with the copy 0.4 of the time of NumPy's ones(), which is written in Python
        elif not isinstance(given, Tensor) or given.shape != tensor.shape or given.device != tensor.device:
            got = f"shape {tuple(given.shape)} on {given.device}" if isinstance(given, Tensor) else type(given).__name__
            raise RuntimeError(f"{name}: expected a gradient of shape {tuple(tensor.shape)} on {tensor.device}, got {got}")
        elif given.dtype != tensor.dtype:
            if given.dtype.kind == "c" and tensor.dtype.kind != "c":
                raise RuntimeError(f"{name}: expected a real gradient, got {given.dtype}")
            given = given.type(tensor.dtype)
        if watched and mode.watch is not None:
            mode.watch.given(name, node, given)
        pairs.append((node, given if create_graph else given.array))
    return pairs


def as_tensors(name: str, values: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """One tensor, or several in any iterable (`net.parameters()`), as a list; raises TypeError for anything else."""
    tensors = _listed(values)
    for value in tensors:
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}: expected a Tensor or a sequence of them, got {type(value).__name__}")
    return tensors


def _listed(values: Any) -> list[Any]:
    return [values] if isinstance(values, Tensor) or not isinstance(values, Iterable) else list(values)


def added(a: Any, b: Any, alone: bool) -> Any:
    """The sum of two gradients of one node: by the chain rule, what the uses of a tensor contribute adds up.

    It is written over `a`, in 0.55 of the time for a million numbers, if that is `alone`: nothing else refers to it.
    """
    if alone and type(a) is np.ndarray and a.base is None:
        a += b
        return a
    total = a + b
    return np.asarray(total) if isinstance(total, np.generic) else total  # two 0-d arrays add up to a scalar in NumPy


def broadcast_dims(given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """The dimensions that broadcasting `wanted` to the shape `given` adds or stretches; None if it cannot be broadcast."""
    extra = len(given) - len(wanted)
    aligned = (1,) * extra + wanted
    if extra < 0 or any(want not in (1, got) for want, got in zip(aligned, given)):
        return None
    return tuple(i for i, want in enumerate(aligned) if i < extra or want != given[i])


def fitted(grad: Any, edge: Node, node: Any, position: int) -> Any:
    """`grad` in the shape and dtype of input `position` of `node`: summed over dimensions that were broadcast, and cast.

    Broadcasting uses one number many times, and the gradient of a number used many times is the sum over its uses.
    """
    if edge._outputs is not None:  # the gradients of several outputs, each of which fits
        return grad
    if isinstance(grad, (np.generic, float, int)):
        grad = np.asarray(grad)
    elif not isinstance(grad, Tensor) and not backend.is_array(grad):
        raise TypeError(f"{node.title}.backward: expected a gradient, got {type(grad).__name__}")
    if type(edge) is Leaf:
        edge.look()
    given, shape, dtype = grad, edge._shape, edge._dtype
    if grad.shape != shape:
        dims = broadcast_dims(grad.shape, shape)
        if dims is None:
            raise RuntimeError(f"{node.title}.backward: a gradient of shape {tuple(grad.shape)} for an input of shape {shape}")
        grad = (grad.sum(dims) if isinstance(grad, Tensor) else accumulate.total(grad, dims)).reshape(shape)
        grad = np.asarray(grad) if isinstance(grad, np.generic) else grad  # what NumPy makes of a 0-d sum
    if grad.dtype != dtype:
        if grad.dtype.kind == "c" and dtype.kind != "c":
            raise RuntimeError(f"{node.title}.backward: a complex gradient for a real input of shape {shape}")
        grad = grad.type(dtype) if isinstance(grad, Tensor) else grad.astype(dtype)
    if watched and mode.watch is not None:
        mode.watch.fitted(node, position, given, grad)
    return grad


_keeping = threading.Lock()  # two passes in two threads may add to one leaf; without it an addition could be lost


def keep(tensor: Tensor | None, grad: Any, owned: bool, watch: Any) -> None:
    """Add `grad` to `tensor.grad`; it is stored without a copy only if it is `owned`: nothing else refers to its memory.

    Each call of `backward` adds, so that a gradient may be collected over several losses or batches; `zero_grad` starts again.
    """
    if tensor is None or tensor._node is None:  # the leaf no longer exists, or has been frozen since
        return
    with _keeping:
        before = tensor._grad
        if isinstance(grad, Tensor):  # create_graph: the sum is recorded
            tensor._grad = grad.clone() if before is None else before + grad
        elif before is None:
            tensor._grad = wrap(grad if owned and backend.is_alone(grad, tensor.array) else copied(grad))
        elif before.node is not None:  # a gradient with a history is not changed, it may be used elsewhere
            with enable_grad():
                tensor._grad = before + wrap(grad)
        else:
            before.array += grad
            mark_changed(before.array, "backward(), which adds to .grad")
    if watch is not None:
        watch.kept(tensor, grad)
    node = tensor._node
    if node is not None and node._after is not None:
        for hook in tuple(node._after):
            hook(tensor)
