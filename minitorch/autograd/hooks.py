"""Hooks, called once a pass with the complete gradient of a tensor, which they may replace; and `retain_grad`."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from minitorch.autograd.grad_mode import mode
from minitorch.autograd.gradients import keep
from minitorch.autograd.node import Node
from minitorch.autograd.tensor import Tensor, wrap


class RemovableHandle:
    """What `register_hook` returns; `remove()`, or the end of a `with` block on it, takes the hook away."""

    def __init__(self, hooks: list[Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        for place, hook in enumerate(self._hooks):
            if hook is self._hook:  # the same object, not an equal one
                del self._hooks[place]
                break
        self._hooks = []

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *reason: object) -> None:
        self.remove()


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(gradient)` when the gradient of `tensor` is complete; what it returns, if not None, replaces the gradient.

    Raises RuntimeError if the tensor does not require a gradient.
    """
    node = tensor.node
    if node is None:
        raise RuntimeError(f"register_hook: the tensor of shape {tuple(tensor.shape)} does not require a gradient")
    node._hooks = node._hooks or []
    node._hooks.append(hook)
    return RemovableHandle(node._hooks, hook)


def register_post_accumulate_grad_hook(tensor: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Call `hook(tensor)` each time a backward pass has added to the `.grad` of a leaf, for instance to step an optimizer.

    Raises RuntimeError for a tensor that is not a leaf or does not require a gradient.
    """
    if tensor.node is None or not tensor.is_leaf:
        said = f"expected a leaf that requires a gradient, got a tensor of shape {tuple(tensor.shape)}"
        raise RuntimeError(f"register_post_accumulate_grad_hook: {said}")
    tensor.node._after = tensor.node._after or []
    tensor.node._after.append(hook)
    return RemovableHandle(tensor.node._after, hook)


def retain_grad(tensor: Tensor) -> None:
    """Keep the gradient of a tensor that is not a leaf in its `.grad`; raises RuntimeError if it requires none."""
    if tensor.node is None:
        raise RuntimeError(f"retain_grad: the tensor of shape {tuple(tensor.shape)} does not require a gradient")
    if not tensor.is_leaf:
        tensor.node._keeper = weakref.ref(tensor)
        tensor.node._hooks = tensor.node._hooks or []  # `observe` is called only where there is a list of hooks


def observe(node: Node, grad: Any) -> Any:
    """The complete gradient of an operation's output after its hooks; also stored in `.grad` after `retain_grad`."""
    grad = run_hooks(node, grad)
    if node._keeper is not None:
        keep(node._keeper(), grad, False, mode.watch)
    return grad


def run_hooks(node: Node, grad: Any) -> Any:
    """The complete gradient of `node` after its hooks, which run in the order they were registered."""
    for hook in tuple(node._hooks or ()):  # one may remove itself
        given = grad if isinstance(grad, Tensor) else wrap(grad.copy())  # hooks see tensors
        answer = hook(given)
        answer = given if answer is None else answer  # what the hook has written into it counts, as in PyTorch
        is_tensor = isinstance(answer, Tensor)
        if not is_tensor or answer.shape != given.shape or answer.device != given.device:
            got = f"one of shape {tuple(answer.shape)} on {answer.device}" if is_tensor else type(answer).__name__
            raise RuntimeError(f"hook: expected None or a Tensor of shape {tuple(given.shape)} on {given.device}, got {got}")
        grad = answer if isinstance(grad, Tensor) else answer.array.astype(grad.dtype, copy=False)
        if mode.watch is not None:
            mode.watch.hooked(node, hook, grad)
    return grad
