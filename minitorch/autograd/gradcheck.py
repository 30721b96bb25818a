"""`gradcheck`: compares gradients with what the function itself does when its inputs move a little.

`differences.py` says how they are moved: by central differences, or by the complex step. Where a gradient is wrong and the
function is a single operation, the message also says what is wrong with its rule (`explain.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.differences import EPSILON, Slope, central, complex_step
from minitorch.autograd.explain import calls, explain, is_analytic
from minitorch.autograd.op import Op
from minitorch.autograd.partial import grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.random import Generator


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

    `inputs` are float64 tensors (others are passed on as they are); each is copied, so that one given twice counts as two.
    `func` returns a tensor or a tuple of them. Each output is weighed with random numbers from `seed`: sums alone could not
    see a wrong softmax. `mode` is "central" (tolerances atol 1e-7, rtol 1e-6) or "complex" (1e-12 both), which needs every
    operation in `func` to be analytic. Each element must agree to atol + rtol times its own derivative, plus what rounding
    explains. A second backward must give the same, a gradient of zero must give zero, and neither the inputs nor the
    gradient passed in may be changed.

    Raises GradcheckError where one of these fails (or returns False), TypeError if an input that requires a gradient is not
    float64, ValueError if no input requires one.
    """
    if mode not in ("central", "complex"):
        raise ValueError(f"gradcheck: expected mode 'central' or 'complex', got {mode!r}")
    exact = mode == "complex"
    atol = atol if atol is not None else 1e-12 if exact else 1e-7
    rtol = rtol if rtol is not None else 1e-12 if exact else 1e-6
    inputs, checked = _own(inputs)
    try:
        _check(func, inputs, checked, Generator().manual_seed(seed), eps, atol, rtol, exact)
    except GradcheckError as reason:
        if raise_exception:
            raise _explained(reason, func, inputs) from None
        return False
    return True


def gradgradcheck(func: Callable[..., Any], inputs: Tensor | Sequence[Any], **options: Any) -> bool:
    """Check second derivatives: `gradcheck` of the function's own gradient, with random weights as further inputs.

    Options and errors are those of `gradcheck`.
    """
    inputs, checked = _own(inputs)
    generator = Generator().manual_seed(options.get("seed", 0) + 1)
    outputs = _outputs(func, inputs)
    places = [j for j, output in enumerate(outputs) if output.requires_grad]
    weights = [_weights(outputs[j], generator).requires_grad_() for j in places]

    def first(*values: Any) -> tuple[Tensor, ...]:
        point, given = values[: len(inputs)], values[len(inputs) :]
        tensors = [_leaf(value) if i in checked else value for i, value in enumerate(point)]
        outputs = _outputs(func, tensors)
        grads = grad([outputs[j] for j in places], [tensors[i] for i in checked], given, create_graph=True, allow_unused=True)
        return tuple(g if g is not None else tensors[i] * 0 for i, g in zip(checked, grads))

    return gradcheck(first, (*inputs, *weights), **options)


def _own(inputs: Tensor | Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The inputs, with a leaf of its own for each that requires a gradient; and the positions of these."""
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in checked:
        if inputs[i].dtype != backend.float64:
            raise TypeError(f"gradcheck: input {i} is {inputs[i].dtype}; float64 is needed to see an error of 1e-7")
        inputs[i] = inputs[i].detach().clone().requires_grad_()
    return inputs, checked


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
    return wrap(backend.to_array(numbers, None, output.device))


def _check(
    func: Callable[..., Any],
    inputs: list[Any],
    checked: list[int],
    generator: Generator,
    eps: float,
    atol: float,
    rtol: float,
    exact: bool,
) -> None:
    """Everything that `gradcheck` promises, the earliest fault first; raises GradcheckError."""
    outputs, tensors = _outputs(func, inputs), [inputs[i] for i in checked]
    places = [j for j, output in enumerate(outputs) if output.requires_grad]
    if not places:
        raise GradcheckError("gradcheck: no output depends on the inputs that require a gradient")
    weights = [_weights(outputs[j], generator) for j in places]
    given = [*map(_host, tensors)]
    signs = [*map(_host, weights)]

    def pulled(by: list[Tensor]) -> list[Any]:
        found = grad([outputs[j] for j in places], tensors, by, retain_graph=True, allow_unused=True)
        return [None if g is None else _host(g) for g in found]

    found = pulled(weights)
    for i, tensor, before in zip(checked, tensors, given):
        if not np.array_equal(_host(tensor), before, equal_nan=True):
            raise GradcheckError(
                f"gradcheck: input {i} of shape {tuple(tensor.shape)} was changed by the function or its backward"
            )
    if not all(np.array_equal(_host(weight), sign) for weight, sign in zip(weights, signs)):
        raise GradcheckError("gradcheck: backward changes the gradient that it is given, in place")
    again, nothing = pulled(weights), pulled([weight * 0 for weight in weights])
    for i, got, second, zero in zip(checked, found, again, nothing):
        if got is None:
            continue
        if not np.allclose(got, second, rtol=rtol, atol=atol, equal_nan=True):
            raise GradcheckError(f"gradcheck: input {i}: a second backward gives another gradient{_first(got, second)}")
        if (np.abs(zero) > atol).any():
            raise GradcheckError(
                f"gradcheck: input {i}: with a gradient of zero passed in, backward still gives{_first(zero, 0 * zero)}: it "
                "does not multiply by what it is given"
            )
    values = [_host(output) for output in _outputs(func, inputs)]
    if not all(np.allclose(values[j], _host(outputs[j]), rtol=rtol, atol=atol, equal_nan=True) for j in places):
        raise GradcheckError("gradcheck: the function gives other values when it is called again: is it random?")
    for i, tensor, got in zip(checked, tensors, found):
        try:
            slope = _numerical(func, inputs, i, places, signs, eps, exact)
        except (TypeError, ValueError) as reason:
            if not exact:
                raise
            raise GradcheckError(
                f"gradcheck: {_culprits(func, inputs)}: not analytic, complex numbers have no such operation; use "
                f"mode='central' ({reason})"
            ) from reason
        try:
            _compare(got if got is not None else np.zeros(tensor.shape), *slope, atol, rtol, i, got is None)
        except GradcheckError:
            if exact and got is not None:
                _check_analytic(func, inputs, i, places, signs, got)
            raise


def _host(tensor: Tensor) -> np.ndarray:
    """A copy of the numbers of a tensor."""
    return np.array(backend.to_array(tensor.array, None, backend.CPU))


def _first(got: np.ndarray, expected: np.ndarray) -> str:
    """Where two arrays differ most, for a message."""
    index = np.unravel_index(np.argmax(np.abs(got - expected)), got.shape)
    return f" ({got[index]:.6g} and {expected[index]:.6g} at index {tuple(map(int, index))})"


def _numerical(
    func: Callable[..., Any],
    inputs: list[Any],
    place: int,
    outputs: list[int],
    weights: list[np.ndarray],
    eps: float,
    exact: bool,
) -> Slope:
    """The derivative of the weighed sum of the outputs by each element of input `place`, from values of `func` alone."""
    origin = _host(inputs[place])
    flat = np.concatenate([weight.ravel() for weight in weights])

    def function(moved: np.ndarray) -> np.ndarray:
        values = [
            wrap(backend.to_array(moved, None, value.device))
            if i == place
            else value.type(backend.complex128)
            if exact and isinstance(value, Tensor) and value.requires_grad
            else value
            for i, value in enumerate(inputs)
        ]
        results = _outputs(func, values)
        return np.concatenate([_host(results[j]).ravel() for j in outputs])

    slope, error = np.zeros(origin.shape), np.zeros(origin.shape)
    for index in np.ndindex(origin.shape):
        each, rounding = complex_step(function, origin, index) if exact else central(function, origin, index, eps)
        slope[index], error[index] = each @ flat, rounding @ np.abs(flat)
    return slope, error


def _compare(
    got: np.ndarray, expected: np.ndarray, rounding: np.ndarray, atol: float, rtol: float, place: int, missing: bool
) -> None:
    """Raise GradcheckError unless each element agrees within its own tolerance."""
    error = np.abs(got - expected)
    # a sum of large numbers carries their rounding even if it is small itself
    allowed = atol + rtol * np.abs(expected) + 8 * rounding + 16 * EPSILON * np.abs(expected).max(initial=0.0)
    wrong = ~(error <= allowed)
    if wrong.any():
        excess = np.where(np.isnan(error), np.inf, error / allowed)
        index = tuple(int(i) for i in np.unravel_index(np.argmax(excess), error.shape))
        raise GradcheckError(
            f"gradcheck: input {place} of shape {tuple(got.shape)}, index {index}: "
            f"{'no gradient arrived (a backward returned None)' if missing else f'backward gives {float(got[index])!r}'}, the "
            f"function's values say {float(expected[index])!r} ({int(wrong.sum())} of {wrong.size} elements differ by more "
            f"than {atol} + {rtol} times their derivative)"
        )


def _check_analytic(
    func: Callable[..., Any], inputs: list[Any], place: int, places: list[int], weights: list[Any], got: np.ndarray
) -> None:
    """Raise GradcheckError if real steps agree with the gradient that the complex step calls wrong."""
    try:
        _compare(got, *_numerical(func, inputs, place, places, weights, 1e-6, exact=False), 1e-7, 1e-6, place, False)
    except GradcheckError:
        return
    raise GradcheckError(
        f"gradcheck: {_culprits(func, inputs)} is not analytic, so the complex step cannot check it: central differences agree "
        f"with the gradient of input {place}; use mode='central'"
    )


def _culprits(func: Callable[..., Any], inputs: list[Any]) -> str:
    """The operations that are not analytic, in a sentence of which they are the subject."""
    found = sorted(
        {op().title if issubclass(op, Op) else op.__name__ for op, *call in calls(func, inputs) if not is_analytic(op, *call)}
    )
    return " and ".join(found) or "the function"


def _explained(reason: GradcheckError, func: Callable[..., Any], inputs: list[Any]) -> GradcheckError:
    """The same error; if `func` is a single small operation, with what is wrong with its rule."""
    found = calls(func, inputs)
    if (
        "analytic" in str(reason)
        or len(found) != 1
        or sum(value.numel() for value in inputs if isinstance(value, Tensor)) > 200
    ):
        return reason
    op, arrays, parameters = found[0]
    words = explain(op, *arrays, **parameters)
    return GradcheckError(f"{reason}\n{words}") if words else reason
