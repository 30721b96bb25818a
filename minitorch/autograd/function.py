"""`Function`: an operation written by a user, on tensors, in PyTorch's form.

The operations of minitorch itself (`minitorch.autograd.op.Op`) have the same two methods, on arrays, which is faster.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from minitorch import backend
from minitorch.autograd.anomaly import arrays_in
from minitorch.autograd.changes import check_unchanged, mark_changed
from minitorch.autograd.grad_mode import mode, no_grad
from minitorch.autograd.op import Op
from minitorch.autograd.recorded import source_of
from minitorch.autograd.tensor import Tensor, wrap


class FunctionNode(Op):
    """The node of a user's `Function`, which gets it as `ctx` and keeps there what `backward` will need."""

    function: type[Function]
    constant_ids: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()  # the positions of inputs that are not tensors
    _kept: tuple[Any, ...] = ()  # the arrays in attributes, which must not change either
    materialize_grads: bool = True  # whether an output that was not used gets zeros as its gradient
    dirty: tuple[Tensor, ...] = ()  # inputs that forward changes in place
    needs_input_grad: tuple[bool, ...] = ()  # for each input of forward, whether it requires a gradient
    layout: tuple[bool, ...] = ()  # for each result of forward, whether it is a tensor

    def save_for_backward(ctx, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs of `forward` for `backward`; anything else may be an attribute of `ctx`."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                said = f"expected tensors or None, got {type(tensor).__name__}; keep it as an attribute of ctx"
                raise TypeError(f"{ctx.title}: save_for_backward: {said}")
        ctx.saved = tuple(tensor if tensor is None else tensor.array for tensor in tensors)

    @property
    def saved_tensors(ctx) -> tuple[Tensor, ...]:
        """What `save_for_backward` kept; inputs and outputs require a gradient where they did."""
        return tuple(wrap(entry, source_of(ctx, entry)) if backend.is_array(entry) else entry for entry in ctx.saved)

    def mark_non_differentiable(ctx, *outputs: Tensor) -> None:
        """Declare that these outputs have no gradient."""
        ctx.constant_ids = tuple(id(output.array) for output in outputs)

    def mark_dirty(ctx, *tensors: Tensor) -> None:
        """Declare that forward changes these inputs in place; it must return them, and `apply` returns the same tensors."""
        ctx.dirty = tensors

    def set_materialize_grads(ctx, value: bool) -> None:
        """Whether `backward` gets zeros (True, the default) or None for outputs that were not used."""
        ctx.materialize_grads = value

    def forward(ctx, *arrays: Any, inputs: tuple[Any, ...], report: Any = None) -> Any:
        ctx._array_id = None  # its output does not exist yet
        wanted = ctx.edges or [value if isinstance(value, Tensor) and value.requires_grad else None for value in inputs]
        ctx.needs_input_grad = tuple(edge is not None for edge in wanted)
        ctx.numbers = tuple(i for i, value in enumerate(inputs) if not isinstance(value, Tensor))
        with no_grad():
            if ctx.function.setup_context is None:
                result = ctx.function.forward(ctx, *inputs)
            else:
                result = ctx.function.forward(*inputs)
                ctx.function.setup_context(ctx, inputs, result)
        ctx._kept = tuple(arrays_in(vars(ctx))) if ctx.edges else ()
        memories = [backend.memory_of(array) for array in arrays]
        for tensor in ctx.dirty:
            mark_changed(tensor.array, ctx.title)
        results = result if isinstance(result, tuple) else (result,)
        ctx.layout = tuple(isinstance(output, Tensor) for output in results)
        if results and not any(ctx.layout):
            raise TypeError(f"{ctx.title}: forward must return a Tensor or a tuple of them, got {type(results[0]).__name__}")
        if report is not None:  # for `apply`, which does not see the node
            report.results, report.dirty = results, ctx.dirty
        made = []
        for output in (output for output in results if isinstance(output, Tensor)):
            # a returned input, or a view of one, becomes a new tensor: else its gradient would count as the input's own
            is_dirty, memory = any(output is tensor for tensor in ctx.dirty), backend.memory_of(output.array)
            made.append(output.array if is_dirty or all(memory is not other for other in memories) else output.array.copy())
            if id(output.array) in ctx.constant_ids:  # the copy of one is no more differentiable
                ctx.constant_ids += (id(made[-1]),)
        ctx.dirty = ()  # a node must not refer to the tensor that it made
        return tuple(made) if isinstance(result, tuple) else made[0]

    def name(ctx) -> str:
        """The node's name in PyTorch's form: ExpBackward."""
        return f"{ctx.title}Backward"

    def backward(ctx, *grads: Any) -> Any:
        check_unchanged(ctx, ctx._kept)
        recorded = any(isinstance(grad, Tensor) for grad in grads)
        given = [grad if grad is None or recorded else wrap(grad) for grad in grads]
        if not all(ctx.layout):  # outputs that are not tensors have no gradient
            arrived = iter(given)
            given = [next(arrived) if is_tensor else None for is_tensor in ctx.layout]
        answers = ctx.function.backward(ctx, *given)
        answers = answers if isinstance(answers, tuple) else (answers,)
        while len(answers) > len(ctx.edges) and answers[-1] is None:
            answers = answers[:-1]  # optional inputs that were not given, as in PyTorch
        for i, answer in enumerate(answers):
            if answer is not None and not isinstance(answer, Tensor):
                raise TypeError(f"{ctx.title}.backward: expected a Tensor or None, got {type(answer).__name__}")
            if answer is not None and i in ctx.numbers:
                raise RuntimeError(f"{ctx.title}.backward: a gradient for input {i}, which is not a tensor; return None for it")
        # copies: what the user returns may be kept elsewhere too
        return answers if recorded else tuple(answer if answer is None else answer.array.copy() for answer in answers)


class Function:
    """Base class of a user's operation: write `forward` and `backward` as static methods, call `apply`.

    `forward(ctx, *inputs)`, or `forward(*inputs)` with a `setup_context(ctx, inputs, output)`, takes and returns tensors and is
    not recorded; `backward(ctx, *grad_outputs)` returns one gradient (or None) per input. To be differentiable twice it must
    compute in tensor operations from `ctx.saved_tensors` and its gradients.
    """

    setup_context: Any = None
    _node: type[FunctionNode]

    def __init_subclass__(cls) -> None:
        cls._node = type(cls.__name__, (FunctionNode,), {"function": cls, "title": cls.__name__})

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs."""
        raise NotImplementedError("Function: forward is not written")

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """Compute the gradients of the inputs from those of the outputs."""
        raise NotImplementedError("Function: backward is not written")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Run the operation and record it."""
        report: Any = SimpleNamespace()  # no dict: anomaly mode would take what is in it for inputs
        outputs = cls._node.apply(*inputs, inputs=inputs, report=report)
        arrived = iter(outputs if isinstance(outputs, tuple) else (outputs,))
        made = []
        for result in report.results:
            if not isinstance(result, Tensor):
                made.append(result)
                continue
            output = next(arrived)
            output = output if isinstance(output, Tensor) else wrap(output)  # an array if no input is a tensor
            is_dirty = any(result is tensor for tensor in report.dirty)
            made.append(_in_its_place(cls, result, output) if is_dirty else output)
        if isinstance(outputs, tuple):
            return tuple(made)
        return made[0].detach() if id(made[0].array) in getattr(made[0].grad_fn, "constant_ids", ()) else made[0]


def _in_its_place(cls: type[Function], tensor: Tensor, output: Tensor) -> Tensor:
    """An input that forward has changed in place, given the history of the output."""
    if output.node is not None:
        if (tensor.node is not None and tensor.is_leaf) or tensor._view is not None:
            kind = "view" if tensor._view is not None else "leaf that requires a gradient"
            raise RuntimeError(f"{cls.__name__}: mark_dirty: a {kind}, of shape {tuple(tensor.shape)}; mark a clone()")
        tensor._node = output._node
    return tensor


class NotTwice(Op):
    """a.  It has no derivative: the rule that made it was marked with once_differentiable."""

    def forward(ctx, a: Any, *given: Any) -> Any:
        return a.copy()

    def backward(ctx, g: Any) -> Any:
        raise RuntimeError("once_differentiable: this backward was declared to be differentiable once, not twice")


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for `backward`: it is run unrecorded, and a second derivative raises RuntimeError."""

    @functools.wraps(function)
    def wrapped(ctx: FunctionNode, *grads: Tensor) -> Any:
        with no_grad():
            answers = function(ctx, *grads)
        if not mode.recording:
            return answers
        many = answers if isinstance(answers, tuple) else (answers,)
        # computed from what the rule was given, so that a second backward reaches it
        given = [value for value in (*grads, *ctx.saved_tensors) if isinstance(value, Tensor)]
        marked = tuple(answer if answer is None else NotTwice.apply(answer, *given) for answer in many)
        return marked if isinstance(answers, tuple) else marked[0]

    return wrapped
