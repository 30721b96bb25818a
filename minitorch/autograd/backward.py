"""The backward pass: gradients travel back along the tape, from outputs to leaves.

Reverse creation order is a topological order, so a heap of node numbers is all the scheduling there is: no recursion, and
time that grows with the graph and no faster.
"""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import accumulate, backend
from minitorch.autograd import anomaly
from minitorch.autograd.grad_mode import mode, set_grad_enabled
from minitorch.autograd.op import Op, Output, check_unchanged, mark_changed, on_the_tape
from minitorch.autograd.tensor import Tensor, wrap

_ndarray = np.ndarray
_FREED = ("freed",)  # what a node holds in place of `saved` once a backward pass has used it


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of `tensors` to `.grad` of every leaf they were computed from.

    Raises RuntimeError for a tensor without history, a non-scalar without `grad_tensors`, a graph already freed by an
    earlier call (unless that had `retain_graph=True`), or a saved array changed in place since the forward pass.
    """
    roots = _roots("backward", tensors, grad_tensors, create_graph)
    with set_grad_enabled(create_graph), anomaly.quiet():
        _Pass(create_graph if retain_graph is None else retain_graph, create_graph).run(roots)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, leaves or not; `.grad` is touched by `retain_grad` only.

    With `create_graph=True` they can be differentiated again. Raises RuntimeError as `backward` does, and for an input that
    the outputs do not depend on (unless `allow_unused=True`, which gives None for it).
    """
    inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    _check_tensors("grad", inputs)
    for i, tensor in enumerate(inputs):
        if not tensor._requires_grad:
            raise RuntimeError(f"grad: input {i}, of shape {tensor.shape}, does not require a gradient")
    roots = _roots("grad", outputs, grad_outputs, create_graph)
    targets = [tensor.grad_fn or tensor for tensor in inputs]
    with set_grad_enabled(create_graph), anomaly.quiet():
        found = _Pass(create_graph if retain_graph is None else retain_graph, create_graph, targets).run(roots)
        grads = [None if found[t] is None else found[t].clone() if create_graph else wrap(found[t].copy()) for t in targets]
    for i, target in enumerate(targets):
        if found[target] is None and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {i}, of shape {inputs[i].shape}; pass allow_unused=True to get "
                "None for it"
            )
    return tuple(grads)


class _Pass:
    """One backward pass. With `targets`, nodes and leaves, it gathers their gradients and touches no leaf's `.grad`."""

    def __init__(self, retain_graph: bool, create_graph: bool, targets: Sequence[Any] | None = None) -> None:
        self.retain_graph = retain_graph
        self.create_graph = create_graph
        self.found = None if targets is None else dict.fromkeys(targets)
        self.pending: dict[int, Any] = {}  # by node number, the gradient that has arrived so far
        self.nodes: dict[int, Op] = {}
        self.heap: list[int] = []
        self.hooked: dict[Tensor, Any] = {}  # leaves with hooks, which see the whole gradient, once

    def run(self, roots: Sequence[tuple[Any, Any]]) -> dict[Any, Any] | None:
        found, heap, pending = self.found, self.heap, self.pending
        leading = None if found is None else _leading_to(found, [edge for edge, _ in roots])
        useful = None if found is None else leading.union(found)
        for edge, start in roots:
            self.arrive(edge, start, (start,), start)
        while heap:
            number = -heapq.heappop(heap)
            node, incoming = self.nodes.pop(number), pending.pop(number)
            if node.hooks is not None or node.retained is not None:
                incoming = self.observe(node, incoming)
            if found is not None and node in found:
                found[node] = incoming
            if leading is not None and node not in leading:
                continue
            if type(node) is Output:
                self.gather(node, incoming)
                continue
            grads = self.apply_rule(node, incoming)
            for edge, result in zip(node.edges, grads):
                if edge is None or result is None or (useful is not None and edge not in useful):
                    continue
                if isinstance(edge, Tensor):
                    shape, dtype = edge.array.shape, edge.array.dtype
                else:
                    shape, dtype = edge.shape, edge.dtype
                if type(result) is not _ndarray or result.shape != shape or result.dtype != dtype:
                    result = _fitted(result, shape, dtype, node)
                self.arrive(edge, result, grads, incoming)
        for leaf, total in self.hooked.items():
            for hook in tuple(leaf._hooks):  # one may remove itself
                total = _hooked(hook, total)
            if found is None:
                _accumulate(leaf, total, owned=False)
            else:
                found[leaf] = total
        return found

    def arrive(self, edge: Any, grad: Any, siblings: tuple, incoming: Any) -> None:
        """Add `grad` to what has arrived at `edge`; it is one of the `siblings` that a rule made of `incoming`."""
        if not isinstance(edge, Tensor):
            number = edge.number
            if number in self.pending:
                self.pending[number] = _sum(self.pending[number], grad, edge)
            else:
                self.pending[number] = grad
                self.nodes[number] = edge
                heapq.heappush(self.heap, -number)
        elif self.found is not None and edge not in self.found:
            pass  # a leaf among the outputs, which nobody asked for
        elif edge._hooks:
            self.hooked[edge] = _sum(self.hooked[edge], grad, edge) if edge in self.hooked else grad
        elif self.found is not None:
            self.found[edge] = grad if self.found[edge] is None else _sum(self.found[edge], grad, edge)
        else:
            _accumulate(edge, grad, edge._grad is None and _is_alone(grad, siblings, incoming))

    def observe(self, node: Op, grad: Any) -> Any:
        """Show the finished gradient of an interior tensor to its hooks, and keep it if `retain_grad` asked for it."""
        for hook in tuple(node.hooks or ()):  # one may remove itself
            grad = _hooked(hook, grad)
        kept = node.retained and node.retained()
        if kept is not None:
            _accumulate(kept, grad, owned=False)
        return grad

    def gather(self, output: Output, grad: Any) -> None:
        """Lay the gradient of one output beside those of the operation's other outputs."""
        node = output.edges[0]
        if node.number not in self.pending:
            self.pending[node.number] = [None] * node.outputs
            self.nodes[node.number] = node
            heapq.heappush(self.heap, -node.number)
        there = self.pending[node.number]
        so_far = there[output.position]
        there[output.position] = grad if so_far is None else _sum(so_far, grad, output)

    def apply_rule(self, node: Op, grad: Any) -> tuple:
        """The gradients of the inputs of `node`, by its own `backward`."""
        if node.saved is _FREED:
            raise RuntimeError(
                f"{node.name}: an earlier backward went through this graph and freed it. Add the losses and call backward "
                "once, or pass retain_graph=True the first time."
            )
        if node.saved:
            check_unchanged(node, node.saved)
        rule = on_the_tape(node) if self.create_graph else node
        several = type(grad) is list
        if several:
            grad = [self.zeros(node, i, grad) if g is None else g for i, g in enumerate(grad)]
        if mode.anomaly is None:
            grads = rule.backward(*grad) if several else rule.backward(grad)
        else:
            grads = anomaly.run_rule(node, rule, grad if several else [grad])
        if node.saved and not self.retain_graph:
            node.saved = _FREED
        if type(grads) is not tuple:
            grads = (grads,)
        if len(grads) != len(node.edges):
            raise RuntimeError(f"{node.name}.backward: {len(grads)} gradients for {len(node.edges)} inputs")
        return grads

    def zeros(self, node: Op, position: int, grads: list) -> Any:
        """The gradient of an output that nothing was computed from."""
        like = next(g for g in grads if g is not None)
        module = backend.array_module(like.array if isinstance(like, Tensor) else like)
        zeros = module.zeros(node.shape[position], like.dtype)
        return wrap(zeros) if self.create_graph else zeros


def _roots(name: str, tensors: Any, grads: Any, create_graph: bool) -> list[tuple[Any, Any]]:
    """(node or leaf, gradient) for each output; a scalar's gradient is one where none is given."""
    tensors = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    grads = list(grads) if isinstance(grads, (list, tuple)) else [grads] * len(tensors)
    if len(tensors) != len(grads):
        raise RuntimeError(f"{name}: {len(grads)} gradients for {len(tensors)} tensors")
    _check_tensors(name, tensors)
    pairs = []
    for tensor, given in zip(tensors, grads):
        if not tensor._requires_grad:
            raise RuntimeError(
                f"{name}: the tensor of shape {tensor.shape} does not require a gradient and has no history; was it computed "
                "under no_grad(), detached, or made of tensors that do not require one?"
            )
        if given is None:
            if tensor.array.size != 1:
                raise RuntimeError(
                    f"{name}: a gradient starts from a scalar, this tensor has shape {tensor.shape}; reduce it with .sum() or "
                    ".mean(), or give its gradient"
                )
            given = wrap(backend.array_module(tensor.array).ones(tensor.array.shape, tensor.array.dtype))
        elif not isinstance(given, Tensor) or given.shape != tensor.shape or given.device != tensor.device:
            got = f"shape {given.shape} on {given.device}" if isinstance(given, Tensor) else type(given).__name__
            raise RuntimeError(f"{name}: expected a gradient of shape {tensor.shape} on {tensor.device}, got {got}")
        elif given.dtype != tensor.dtype:
            given = given.type(tensor.dtype)
        if mode.anomaly is not None:
            anomaly.check_gradient(given, f"{name}: the gradient given")
        pairs.append((tensor.grad_fn or tensor, given if create_graph else given.array))
    return pairs


def _check_tensors(name: str, values: list) -> None:
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}: expected a Tensor or a sequence of them, got {type(value).__name__}")


def _leading_to(targets: dict[Any, Any], roots: list[Any]) -> set[Any]:
    """The nodes under `roots` whose rule brings a gradient nearer to one of `targets`."""
    below: dict[int, Op] = {}
    stack = [edge for edge in roots if isinstance(edge, Op)]
    while stack:
        node = stack.pop()
        if node.number not in below:
            below[node.number] = node
            stack.extend(edge for edge in node.edges if isinstance(edge, Op))
    leading: set[Op] = set()
    for number in sorted(below):  # an operation comes after those that made its inputs
        if any(edge is not None and (edge in leading or edge in targets) for edge in below[number].edges):
            leading.add(below[number])
    return leading


def _sum(a: Any, b: Any, edge: Op | Tensor) -> Any:
    """Two gradients of `edge` added up."""
    total = a + b
    if mode.anomaly is not None:
        anomaly.check_sum(total, edge)
    return np.asarray(total) if isinstance(total, np.generic) else total  # two 0-d arrays add up to a scalar in NumPy


def _fitted(grad: Any, shape: tuple[int, ...], dtype: np.dtype, node: Op) -> Any:
    """`grad` with the shape and dtype of the input it belongs to: summed over dimensions that were broadcast, and cast."""
    if not isinstance(grad, Tensor) and not backend.is_array(grad):
        if not isinstance(grad, (np.generic, float, int)):
            raise TypeError(f"{node.name}.backward: expected a gradient, got {type(grad).__name__}")
        grad = np.asarray(grad)
    if grad.shape != shape:
        extra = len(grad.shape) - len(shape)
        aligned = (1,) * extra + shape
        if extra < 0 or any(want not in (1, got) for want, got in zip(aligned, grad.shape)):
            raise RuntimeError(f"{node.name}.backward: a gradient of shape {tuple(grad.shape)} for an input of shape {shape}")
        dims = tuple(i for i, want in enumerate(aligned) if i < extra or want != grad.shape[i])
        grad = (grad.sum(dims) if isinstance(grad, Tensor) else accumulate.total(grad, dims)).reshape(shape)
        grad = np.asarray(grad) if isinstance(grad, np.generic) else grad  # what NumPy makes of a 0-d sum
    if grad.dtype != dtype:
        if grad.dtype.kind == "c" and dtype.kind != "c":
            raise RuntimeError(f"{node.name}.backward: a complex gradient for a real input of shape {shape}")
        grad = grad.type(dtype) if isinstance(grad, Tensor) else grad.astype(dtype)
    if mode.anomaly is not None:
        anomaly.check_gradient(grad, f"{node.name}.backward: a gradient summed or cast to fit its input", node)
    return grad


def _is_alone(grad: Any, siblings: tuple, incoming: Any) -> bool:
    """Whether no other gradient has a part in the memory of `grad`, so that a leaf may keep it without a copy."""
    if grad is incoming or type(incoming) is list or len(siblings) > 8:
        return False  # for many inputs a copy costs less than to look at them all for each
    times = 0
    for other in siblings:
        if other is grad:
            times += 1
        elif other is not None and getattr(other, "base", None) is grad:
            return False
    return times <= 1


def _accumulate(leaf: Tensor, grad: Any, owned: bool) -> None:
    """Add `grad` to `leaf.grad`, which owns its memory: no two tensors share one, none is a read-only view."""
    if isinstance(grad, Tensor):  # create_graph: the sum is recorded
        leaf._grad = grad.clone() if leaf._grad is None else leaf._grad + grad
    elif leaf._grad is None:
        leaf._grad = wrap(grad if owned and grad.base is None else grad.copy())
    elif leaf._grad.grad_fn is not None:
        leaf._grad = wrap(_sum(leaf._grad.array, grad, leaf))
    else:
        leaf._grad.array += grad
        mark_changed(leaf._grad.array, "backward(), which adds to .grad")
        if mode.anomaly is not None:
            anomaly.check_sum(leaf._grad, leaf)


def _hooked(hook: Callable[[Tensor], Tensor | None], grad: Any) -> Any:
    """`grad` as the user's hook leaves it; hooks see tensors."""
    given = grad if isinstance(grad, Tensor) else wrap(grad.copy())
    answer = hook(given)
    if answer is None:
        return grad
    if not isinstance(answer, Tensor) or answer.shape != given.shape or answer.device != given.device:
        got = f"one of shape {answer.shape} on {answer.device}" if isinstance(answer, Tensor) else type(answer).__name__
        raise RuntimeError(f"hook: expected None or a Tensor of shape {given.shape} on {given.device}, got {got}")
    if mode.anomaly is not None:
        anomaly.check_gradient(answer, f"hook {getattr(hook, '__qualname__', hook)}: the gradient it returned")
    return answer if isinstance(grad, Tensor) else answer.array.astype(grad.dtype, copy=False)


class RemovableHandle:
    """What `register_hook` returns; `remove()` takes the hook away."""

    def __init__(self, hooks: list[Callable], hook: Callable) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)
        self._hooks = []


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(gradient)` when the gradient of `tensor` is complete; what it returns, if not None, takes its place.

    Raises RuntimeError if the tensor does not require a gradient.
    """
    if not tensor._requires_grad:
        raise RuntimeError(f"register_hook: the tensor of shape {tensor.shape} does not require a gradient")
    if tensor.grad_fn is None:
        hooks = tensor._hooks = tensor._hooks or []
    else:
        hooks = tensor.grad_fn.hooks = tensor.grad_fn.hooks or []
    hooks.append(hook)
    return RemovableHandle(hooks, hook)


def retain_grad(tensor: Tensor) -> None:
    """Keep the gradient of a tensor that is not a leaf in its `.grad`; raises RuntimeError if it requires none."""
    if not tensor._requires_grad:
        raise RuntimeError(f"retain_grad: the tensor of shape {tensor.shape} does not require a gradient")
    if tensor.grad_fn is not None:
        tensor.grad_fn.retained = weakref.ref(tensor)
