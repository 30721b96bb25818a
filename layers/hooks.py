"""Hooks of a module: functions called before and after its forward pass, and when the gradients of its inputs are known."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from minitorch.autograd.hooks import RemovableHandle
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap


class Hooked:
    """Keeps a module's hooks and calls `forward` with them."""

    _forward_pre_hooks: list[list[Any]]  # each [hook, with_kwargs]
    _forward_hooks: list[list[Any]]
    _backward_hooks: list[Callable[..., Any]]
    forward: Any

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; a result other than None replaces the arguments.

        With `with_kwargs` the call is `hook(module, args, kwargs)`, and it returns None or `(args, kwargs)`.
        """
        return _added(self._forward_pre_hooks, [hook, with_kwargs], prepend)

    def register_forward_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; a result other than None replaces the output.

        With `with_kwargs` the call is `hook(module, args, kwargs, output)`.
        """
        return _added(self._forward_hooks, [hook, with_kwargs], prepend)

    def register_full_backward_hook(self, hook: Callable[[Any, Any, Any], Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` with tuples of gradients when those of the inputs are complete.

        A result other than None replaces grad_input. Inputs without a gradient have None there. For an output that is neither
        a tensor nor a tuple the hook is not called, with a warning.
        """
        return _added(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> RemovableHandle:
        """PyTorch's older name for `register_full_backward_hook`."""
        return self.register_full_backward_hook(hook)

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        for hook, with_kwargs in tuple(self._forward_pre_hooks):  # a hook may remove itself
            if with_kwargs:
                args, kwargs = hook(self, args, kwargs) or (args, kwargs)
            else:
                answer = hook(self, args)
                args = args if answer is None else answer if isinstance(answer, tuple) else (answer,)
        given, around = _watched(self, tuple(self._backward_hooks), args) if self._backward_hooks else (args, None)
        output = self.forward(*given, **kwargs)
        for hook, with_kwargs in tuple(self._forward_hooks):
            answer = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
            output = output if answer is None else answer
        return output if around is None else around(output)


def _added(hooks: list[Any], hook: Any, prepend: bool) -> RemovableHandle:
    hooks.insert(0 if prepend else len(hooks), hook)
    return RemovableHandle(hooks, hook)


class _Gate(Op):
    """The arrays, copied.  `call` gets all their gradients at once, None for unused arrays, and may return others."""

    materialize_grads = False

    def forward(ctx, *arrays, call):
        ctx.call = call
        return tuple(array.copy(order="K") for array in arrays)

    def backward(ctx, *grads):
        return ctx.call(grads)


def _through_gate(values: tuple, see: Callable[[tuple], tuple]) -> tuple[tuple, bool]:
    """The values, with tensors that need a gradient behind a gate that calls `see(gradients)`, and whether there are any."""
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        return values, False

    def call(grads: tuple) -> tuple:
        found = dict(zip(places, grads))
        tensors = (found.get(i) for i in range(len(values)))
        seen = see(tuple(grad if grad is None or isinstance(grad, Tensor) else wrap(grad) for grad in tensors))
        answers = ((seen[i], old) for i, old in found.items())
        return tuple(new if new is None or isinstance(old, Tensor) else new.array for new, old in answers)

    passed = dict(zip(places, _Gate.apply(*(values[i] for i in places), call=call)))
    return tuple(passed.get(i, x) for i, x in enumerate(values)), True


def _watched(module: Any, hooks: tuple[Callable, ...], args: tuple) -> tuple[tuple, Callable[[Any], Any]]:
    """`args` behind a gate, and a function that puts the output behind another; between them they call the backward hooks."""
    grad_output: tuple[Tensor | None, ...] = ()  # empty unless the pass under way has come through the output

    def of_inputs(grad_input: tuple) -> tuple:
        nonlocal grad_output
        for hook in hooks if grad_output else ():
            answer = hook(module, grad_input, grad_output)
            if answer is not None:
                grad_input = answer if isinstance(answer, tuple) else (answer,)
        grad_output = ()
        return grad_input

    def of_outputs(grads: tuple) -> tuple:
        nonlocal grad_output
        grad_output = grads
        if not waiting:  # no gradient of an input will come
            of_inputs((None,) * len(args))
        return grads

    def around(output: Any) -> Any:
        if not isinstance(output, (Tensor, tuple)):
            said = f"expected a Tensor or a tuple of them as its output, got {type(output).__name__}"
            warnings.warn(f"{type(module).__name__}: its backward hooks are not called; {said}", stacklevel=4)
        passed, _ = _through_gate(output if isinstance(output, tuple) else (output,), of_outputs)
        return passed if isinstance(output, tuple) else passed[0]

    passed, waiting = _through_gate(args, of_inputs)
    return passed, around
