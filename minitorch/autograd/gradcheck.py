"""`gradcheck`: compares gradients with what the function itself does when its inputs move a little.

Two ways to move them. Central differences, (f(x + h) - f(x - h)) / 2h, work for every function and lose half of the digits.
The complex step, Im f(x + ih) / h (Squire & Trapp 1998), subtracts nothing and is exact to rounding, for functions built of
analytic operations only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.backward import grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.random import Generator

_STEP = 1e-30  # of the complex step: its square vanishes beside any number, so there is no error of truncation


class GradcheckError(AssertionError):
    """A gradient is not what the function's values say; the message names the input, the index and both values."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float | None = None,
    rtol: float | None = None,
    mode: str = "central",
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """Check the gradient of `func` with respect to every element of every input that requires one; True if all agree.

    `inputs` are float64 tensors (others are passed on as they are), `func` returns a tensor or a tuple of them. Each output
    is weighed with random numbers from `seed`: sums alone could not see a wrong softmax. `mode` is "central" (tolerances
    atol 1e-7, rtol 1e-6) or "complex" (1e-12 both), which needs every operation in `func` to be analytic. Stricter than
    PyTorch's, which allows 1e-5 and 1e-3. Raises GradcheckError where the gradients differ (or returns False), TypeError if an
    input that requires a gradient is not float64, ValueError if no input requires one.
    """
    if mode not in ("central", "complex"):
        raise ValueError(f"gradcheck: expected mode 'central' or 'complex', got {mode!r}")
    exact = mode == "complex"
    atol = atol if atol is not None else 1e-12 if exact else 1e-7
    rtol = rtol if rtol is not None else 1e-12 if exact else 1e-6
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in checked:
        if inputs[i].dtype != backend.float64:
            raise TypeError(f"gradcheck: input {i} is {inputs[i].dtype}; float64 is needed to see an error of 1e-7")
    generator = Generator().manual_seed(seed)
    outputs = [output for output in _outputs(func, inputs) if output.requires_grad]
    if not outputs:
        raise GradcheckError("gradcheck: no output depends on the inputs that require a gradient")
    weights = [_weights(output, generator) for output in outputs]
    tensors = [inputs[i] for i in checked]
    found = grad(outputs, tensors, weights, allow_unused=True)
    places = [j for j, output in enumerate(_outputs(func, inputs)) if output.requires_grad]
    try:
        for i, tensor, got in zip(checked, tensors, found):
            got = np.zeros(tensor.shape) if got is None else backend.to_array(got.array, None, backend.CPU)
            expected = _numerical(func, inputs, i, places, weights, eps, exact)
            _compare(got, expected, atol, rtol, i, tensor.shape)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float | None = None,
    rtol: float | None = None,
    mode: str = "central",
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """Check second derivatives: `gradcheck` of the function's own gradient, with random weights as further inputs.

    Arguments and errors are those of `gradcheck`.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    generator = Generator().manual_seed(seed + 1)
    places = [j for j, output in enumerate(_outputs(func, inputs)) if output.requires_grad]
    outputs = _outputs(func, inputs)
    weights = [_weights(outputs[j], generator).requires_grad_() for j in places]

    def first(*values: Any) -> tuple[Tensor, ...]:
        point, given = values[: len(inputs)], values[len(inputs) :]
        tensors = [_leaf(value) if i in checked else value for i, value in enumerate(point)]
        outputs = _outputs(func, tensors)
        grads = grad([outputs[j] for j in places], [tensors[i] for i in checked], given, create_graph=True, allow_unused=True)
        return tuple(g if g is not None else tensors[i] * 0 for i, g in zip(checked, grads))

    return gradcheck(
        first, (*inputs, *weights), eps=eps, atol=atol, rtol=rtol, mode=mode, raise_exception=raise_exception, seed=seed
    )


def _leaf(value: Tensor) -> Tensor:
    """The tensor itself; under the complex step or a shifted copy, one that requires a gradient so that `grad` has a graph."""
    return value if value.requires_grad else wrap(value.array).requires_grad_()


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    result = func(*inputs)
    outputs = [result] if isinstance(result, Tensor) else list(result)
    if not all(isinstance(output, Tensor) for output in outputs):
        raise TypeError(f"gradcheck: expected a tensor or a tuple of tensors, got {type(result).__name__}")
    return outputs


def _weights(output: Tensor, generator: Generator) -> Tensor:
    numbers = generator.numpy.uniform(0.5, 1.5, output.shape) * generator.numpy.choice([-1.0, 1.0], output.shape)
    return Tensor(numbers, device=output.device)


def _numerical(
    func: Callable, inputs: tuple, place: int, outputs: list[int], weights: list[Tensor], eps: float, exact: bool
) -> np.ndarray:
    """The derivative of the weighed sum of the outputs by each element of input `place`, from values of `func` alone."""
    origin = backend.to_array(inputs[place].array, None, backend.CPU)
    derivative = np.zeros(origin.shape)

    def weighed(index: tuple, shift: complex) -> complex:
        moved = origin.astype(np.complex128) if exact else origin.copy()
        moved[index] += shift
        values = [
            Tensor(moved, device=value.device)
            if i == place
            else value.type(backend.complex128)
            if exact and isinstance(value, Tensor) and value.requires_grad
            else value
            for i, value in enumerate(inputs)
        ]
        results = _outputs(func, values)
        return sum((results[j].detach() * weight).sum().item() for j, weight in zip(outputs, weights))

    for index in np.ndindex(origin.shape):
        if exact:
            derivative[index] = complex(weighed(index, 1j * _STEP)).imag / _STEP
        else:
            derivative[index] = (weighed(index, eps) - weighed(index, -eps)) / (2 * eps)
    return derivative


def _compare(got: np.ndarray, expected: np.ndarray, atol: float, rtol: float, place: int, shape: tuple) -> None:
    error = np.abs(got - expected)
    # relative to the largest derivative of this input: a small one beside large ones carries their rounding
    scale = np.abs(expected).max(initial=0.0)
    wrong = ~(error <= atol + rtol * scale)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        index = tuple(int(i) for i in worst)
        raise GradcheckError(
            f"gradcheck: input {place} of shape {shape}, index {index}: backward gives {got[index]!r}, "
            f"the function's values say {expected[index]!r} ({int(wrong.sum())} of {wrong.size} elements differ by more than "
            f"{atol} + {rtol} x {scale:.3g})"
        )
