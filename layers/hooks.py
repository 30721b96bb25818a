"""Hooks on the gradients of a module's inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap


class Gate(Op):
    """The arrays.  Their gradients, all at once, are shown to `call`, which may give others."""

    def forward(ctx, *arrays, call):
        ctx.call = call
        return tuple(array.copy(order="K") for array in arrays)

    def backward(ctx, *grads):
        return ctx.call(grads)


class BackwardHooks:
    """One call of a module, whose hooks wait for its gradients: `hook(module, grad_input, grad_output)`."""

    def __init__(self, module: Any, hooks: list[Callable]) -> None:
        self.module, self.hooks = module, tuple(hooks)
        self.grad_output: tuple[Tensor | None, ...] = ()
        self.waiting = False  # whether gradients of inputs will come

    def around_inputs(self, args: tuple) -> tuple:
        """The positional arguments, those with a gradient through a gate."""
        self.places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        self.count = len(args)
        if not self.places:
            return args
        self.waiting = True
        through = iter(Gate.apply(*(args[i] for i in self.places), call=self._inputs))
        return tuple(next(through) if i in self.places else x for i, x in enumerate(args))

    def around_outputs(self, output: Any) -> Any:
        """The output, a tensor or a tuple of them, through a gate."""
        outputs = output if isinstance(output, tuple) else (output,)
        places = [i for i, x in enumerate(outputs) if isinstance(x, Tensor) and x.requires_grad]
        if not places:
            return output
        through = iter(Gate.apply(*(outputs[i] for i in places), call=lambda grads: self._outputs(grads, places, len(outputs))))
        outputs = tuple(next(through) if i in places else x for i, x in enumerate(outputs))
        return outputs if isinstance(output, tuple) else outputs[0]

    def _outputs(self, grads: tuple, places: list[int], count: int) -> tuple:
        found = dict(zip(places, grads))
        self.grad_output = tuple(_as_tensor(found.get(i)) for i in range(count))
        if not self.waiting:
            self._call((None,) * self.count)
        return grads

    def _inputs(self, grads: tuple) -> tuple:
        found = dict(zip(self.places, grads))
        answer = self._call(tuple(_as_tensor(found.get(i)) for i in range(self.count)))
        given = [answer[i] for i in self.places]
        return tuple(new if isinstance(old, Tensor) or new is None else new.array for new, old in zip(given, grads))

    def _call(self, grad_input: tuple) -> tuple:
        for hook in self.hooks:
            answer = hook(self.module, grad_input, self.grad_output)
            if answer is not None:
                grad_input = answer if isinstance(answer, tuple) else (answer,)
        return grad_input


def _as_tensor(grad: Any) -> Tensor | None:
    return grad if grad is None or isinstance(grad, Tensor) else wrap(grad)
