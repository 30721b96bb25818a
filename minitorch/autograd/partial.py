"""The gradients of some tensors only: `grad`, which returns them, and `backward(inputs=...)`, which adds them to `.grad`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import backend
from minitorch.autograd.backward import backward as backward_to_leaves
from minitorch.autograd.backward import run_pass
from minitorch.autograd.grad_mode import mode, set_grad_enabled
from minitorch.autograd.gradients import as_tensors, keep, starts
from minitorch.autograd.hooks import retain_grad
from minitorch.autograd.node import Node
from minitorch.autograd.tensor import Tensor, wrap


def backward(
    tensors: Tensor | Iterable[Tensor],
    grad_tensors: Tensor | Iterable[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Iterable[Tensor] | None = None,
) -> None:
    """Add the gradients of `tensors` to `.grad` of every leaf they were computed from, or of `inputs` alone.

    Those of `inputs` that are no leaves keep their gradients in later passes too, as after `retain_grad`.

    Raises RuntimeError for a tensor without history, a non-scalar without `grad_tensors`, a graph already freed, a saved array
    changed in place, and for an empty list of `inputs` or one that requires no gradient.
    """
    if inputs is None:
        return backward_to_leaves(tensors, grad_tensors, retain_graph, create_graph)
    wanted = list(dict.fromkeys(as_tensors("backward", inputs)))
    if not wanted:
        raise RuntimeError("backward: expected at least one tensor as inputs, got none")
    for tensor in wanted:
        if not tensor.is_leaf:
            retain_grad(tensor)
    found = _found("backward", tensors, wanted, grad_tensors, retain_graph, create_graph)
    for tensor in wanted:
        if tensor.is_leaf and found[tensor.node] is not None:
            keep(tensor, found[tensor.node], False, mode.watch)


def grad(
    outputs: Tensor | Iterable[Tensor],
    inputs: Tensor | Iterable[Tensor],
    grad_outputs: Tensor | Iterable[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | Any, ...]:  # `Any` stands for None, as with `Tensor.grad`
    """The gradients of `outputs` with respect to `inputs`, leaves or not; with `create_graph=True` they can be differentiated.

    Raises RuntimeError as `backward` does, and for an input that the outputs do not depend on, unless `allow_unused=True`,
    which gives None for it, or `materialize_grads=True`, which gives zeros; ValueError for batches of gradients.
    """
    if not only_inputs or is_grads_batched:
        raise ValueError("grad: only_inputs=False and is_grads_batched=True are not supported")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True gives zeros for unused inputs; allow_unused=False refuses them")
    inputs = as_tensors("grad", inputs)
    found = _found("grad", outputs, inputs, grad_outputs, retain_graph, create_graph)
    for i, tensor in enumerate(inputs):
        if found[tensor.node] is None and not (allow_unused or materialize_grads):
            said = f"the outputs do not depend on input {i}, of shape {tuple(tensor.shape)}"
            raise RuntimeError(f"grad: {said}; pass allow_unused=True to get None for it")
    with set_grad_enabled(create_graph):
        return tuple(_answer(tensor, found[tensor.node], materialize_grads) for tensor in inputs)


def _answer(tensor: Tensor, found: Any, materialize: bool) -> Tensor | None:
    if found is None:
        if not materialize:
            return None
        zeros = wrap(backend.array_module(tensor.array).zeros(tensor.shape, tensor.dtype))
        zeros.requires_grad = mode.recording  # as in PyTorch, so that these too can be differentiated
        return zeros
    return found.clone() if isinstance(found, Tensor) else wrap(found.copy())


def _found(
    name: str, outputs: Any, inputs: list[Tensor], grad_outputs: Any, retain_graph: bool | None, create_graph: bool
) -> dict[Node | None, Any]:
    """What has arrived at the node of each of `inputs`, None where nothing has."""
    for i, tensor in enumerate(inputs):
        if tensor.node is None:
            raise RuntimeError(f"{name}: input {i}, of shape {tuple(tensor.shape)}, does not require a gradient")
    roots = starts(name, outputs, grad_outputs, create_graph)
    found: dict[Any, Any] = dict.fromkeys(tensor.node for tensor in inputs)
    run_pass(roots, create_graph if retain_graph is None else retain_graph, create_graph, found)
    return found
