"""`gradcheck`: compares gradients with what the function itself does when its inputs move a little.

`differences.py` says how they are moved: by central differences, or by the complex step. Where a gradient is wrong and the
function is a single operation, the message also says what is wrong with its rule (`explain.py`).
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.differences import EPSILON, Slope, central, complex_step, jacobian
from minitorch.autograd.explain import QUESTIONS, first_mistake
from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.grad_mode import mode as switches
from minitorch.autograd.partial import grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.trial import Trial, at, quiet
from minitorch.autograd.watch import Watch
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
    `func` returns a tensor or a tuple of them. Each output is multiplied by random weights from `seed`: a plain sum would
    hide a wrong softmax. `mode` is "central" (tolerances atol 1e-7, rtol 1e-6) or "complex" (1e-12 both), which needs every
    operation in `func` to be analytic. Each element must agree to atol + rtol times its own derivative, plus the error of
    rounding. A second backward must give the same, a gradient of zero must give zero, and neither the inputs nor the
    gradient passed in may be changed.

    Raises GradcheckError where one of these fails (or returns False), TypeError if an input that requires a gradient is not
    float64, ValueError if no input requires one.
    """
    if mode not in ("central", "complex"):
        raise ValueError(f"gradcheck: expected mode 'central' or 'complex', got {mode!r}")
    exact = mode == "complex"
    usual = (1e-12, 1e-12) if exact else (1e-7, 1e-6)
    atol, rtol = (default if given is None else given for given, default in zip((atol, rtol), usual))
    inputs, checked = _own(inputs)
    fault = next(_Check(func, inputs, checked, seed).faults(exact, eps, atol, rtol), None)
    if fault and raise_exception:
        small = sum(value.numel() for value in inputs if isinstance(value, Tensor)) <= 200
        calls = _calls(func, inputs) if small else []
        why = first_mistake(calls[0], QUESTIONS) if len(calls) == 1 else None  # the function is a single operation
        raise GradcheckError(f"gradcheck: {fault}" + (f"\n{why}" if why else ""))
    return not fault


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
        # a complex or shifted copy requires no gradient, and without one `grad` has no graph
        tensors = [wrap(v.array).requires_grad_() if i in checked and not v.requires_grad else v for i, v in enumerate(point)]
        outputs = _outputs(func, tensors)
        grads = grad([outputs[j] for j in places], [tensors[i] for i in checked], given, create_graph=True, allow_unused=True)
        return tuple(g if g is not None else tensors[i] * 0 for i, g in zip(checked, grads))

    return gradcheck(first, (*inputs, *weights), **options)


def _own(inputs: Tensor | Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The inputs, with a new leaf in place of each that requires a gradient, and the positions of these."""
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient")
    for i in checked:
        if inputs[i].dtype != backend.float64:
            raise TypeError(f"gradcheck: input {i} is {inputs[i].dtype}; float64 is needed to see an error of 1e-7")
        inputs[i] = inputs[i].detach().clone().requires_grad_()
    return inputs, checked


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    result = func(*inputs)
    outputs = [result] if isinstance(result, Tensor) else list(result)
    if not all(isinstance(output, Tensor) for output in outputs):
        raise TypeError(f"gradcheck: expected a tensor or a tuple of tensors, got {type(result).__name__}")
    return outputs


def _weights(output: Tensor, generator: Generator) -> Tensor:
    numbers = generator.numpy.uniform(0.5, 1.5, output.shape) * generator.numpy.choice([-1.0, 1.0], output.shape)
    return wrap(backend.to_array(numbers, None, output.device))


class _Check:
    """A function at a point, with random weights for those of its outputs that are differentiated."""

    def __init__(self, func: Callable[..., Any], inputs: list[Any], checked: list[int], seed: int) -> None:
        self.func, self.inputs, self.checked, generator = func, inputs, checked, Generator().manual_seed(seed)
        outputs = _outputs(func, inputs)
        self.places = [j for j, output in enumerate(outputs) if output.requires_grad]
        self.outputs = [outputs[j] for j in self.places]
        self.weights = [_weights(output, generator) for output in self.outputs]

    def faults(self, exact: bool, eps: float, atol: float, rtol: float) -> Iterator[str]:
        """The checks of `gradcheck` that fail; only the first is reported, so that later ones may rely on it."""
        if not self.places:
            yield "no output depends on the inputs that require a gradient"
        given, weights = [_host(self.inputs[i]) for i in self.checked], _flat(self.weights)
        found = self.gradients(self.weights)
        for i, before in zip(self.checked, given):
            if not np.array_equal(_host(self.inputs[i]), before, equal_nan=True):
                yield f"input {i} of shape {before.shape} was changed by the function or its backward"
        if not np.array_equal(_flat(self.weights), weights):
            yield "backward changes the gradient that it is given, in place"
        again, nothing = self.gradients(self.weights), self.gradients([weight * 0 for weight in self.weights])
        for i, got, second, zero in zip(self.checked, found, again, nothing):
            if got is not None and not np.allclose(got, second, rtol=rtol, atol=atol, equal_nan=True):
                yield f"input {i}: a second backward gives another gradient{_most(got, second)}"
            if got is not None and (np.abs(zero) > atol).any():
                says = f"input {i}: with a gradient of zero passed in, backward still gives{_most(zero, 0 * zero)}"
                yield f"{says}: it does not multiply by what it is given"
        if not np.allclose(self.values(self.inputs), _flat(self.outputs), rtol=rtol, atol=atol, equal_nan=True):
            yield "the function gives other values when it is called again: is it random?"
        for i, got in zip(self.checked, found):
            try:
                wrong = _difference(i, got, *self.slope(i, weights, exact, eps), atol, rtol)
            except (TypeError, ValueError) as reason:
                if not exact:
                    raise
                why = f"not analytic, complex numbers have no such operation; use mode='central' ({reason})"
                yield f"{_culprits(self.func, self.inputs)}: {why}"
                return
            doubtful = wrong and exact and got is not None
            if doubtful and not _difference(i, got, *self.slope(i, weights, False, 1e-6), 1e-7, 1e-6):
                why = "so the complex step cannot check it: central differences agree with the gradient of"
                wrong = f"{_culprits(self.func, self.inputs)} is not analytic, {why} input {i}; use mode='central'"
            if wrong:
                yield wrong

    def gradients(self, weights: list[Tensor]) -> list[Any]:
        """The gradient of each checked input; None where nothing arrives."""
        found = grad(self.outputs, [self.inputs[i] for i in self.checked], weights, retain_graph=True, allow_unused=True)
        return [None if g is None else _host(g) for g in found]

    def values(self, inputs: list[Any]) -> np.ndarray:
        """The values of the differentiated outputs, in one row."""
        outputs = _outputs(self.func, inputs)
        return _flat([outputs[j] for j in self.places])

    def slope(self, place: int, weights: np.ndarray, exact: bool, eps: float) -> Slope:
        """The derivative of the weighted sum of the outputs by each element of an input, from values alone, and its error."""
        inputs = list(self.inputs)
        if exact:
            inputs = [v.detach().type(backend.complex128) if isinstance(v, Tensor) and v.requires_grad else v for v in inputs]

        def function(moved: np.ndarray) -> np.ndarray:
            inputs[place] = wrap(backend.to_array(moved, None, self.inputs[place].device))
            return self.values(inputs)

        origin = _host(self.inputs[place])
        if not origin.size:
            return origin, origin
        slope, error = jacobian(function, origin, complex_step if exact else functools.partial(central, h=eps))
        return (weights @ slope).reshape(origin.shape), (np.abs(weights) @ error).reshape(origin.shape)


def _difference(at: int, found: np.ndarray | None, expected: np.ndarray, rounding: np.ndarray, atol: float, rtol: float) -> str:
    """A message on where a gradient is not what the values say; "" if each element agrees within its own tolerance."""
    got = np.zeros(expected.shape) if found is None else found
    # a sum of large numbers carries their rounding even if it is small itself
    allowed = atol + rtol * np.abs(expected) + 8 * rounding + 16 * EPSILON * np.abs(expected).max(initial=0.0)
    excess = np.nan_to_num(np.abs(got - expected) / allowed, nan=np.inf)
    if not (excess > 1).any():
        return ""
    index = tuple(int(k) for k in np.unravel_index(np.argmax(excess), got.shape))
    says = "no gradient arrived (a backward returned None)" if found is None else f"backward gives {float(got[index])!r}"
    values = f"the function's values say {float(expected[index])!r}"
    others = f"{(excess > 1).sum()} of {got.size} elements differ by more than {atol} + {rtol} times their derivative"
    return f"input {at} of shape {got.shape}, index {index}: {says}, {values} ({others})"


def _host(tensor: Tensor) -> np.ndarray:
    """A copy of the numbers of a tensor."""
    return np.array(backend.to_array(tensor.array, None, backend.CPU))


def _flat(tensors: list[Tensor]) -> np.ndarray:
    return np.concatenate([_host(tensor).ravel() for tensor in tensors])


def _most(got: np.ndarray, expected: np.ndarray) -> str:
    """Where two arrays differ most, for a message."""
    k = np.argmax(np.abs(got - expected))
    return f" ({got.flat[k]:.6g} and {expected.flat[k]:.6g}{at(k, got.shape, ' at index ')})"


class _Calls(Watch):
    """Remembers the operations that are run, each as a trial."""

    name = "gradcheck"

    def __init__(self) -> None:
        self.found: list[Trial] = []

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run it, and remember it unless a rule or a user's `Function` runs it."""
        if not raw and switches.recording:
            edges, function = node.edges or [None] * len(inputs), getattr(node, "function", None)
            leaves = [a if edge is None else wrap(a).requires_grad_() for a, edge in zip(inputs, edges)]
            self.found.append(Trial(function or type(node), tuple(leaves), {} if function else parameters))
        return node.forward(*inputs, **parameters)


def _calls(func: Callable[..., Any], inputs: list[Any]) -> list[Trial]:
    """The operations that `func` runs on these inputs; none in a thread that is watched already."""
    watch = _Calls()
    if switches.watch is None:
        with Switch(watch, "watch"):
            func(*inputs)
    return watch.found


def _culprits(func: Callable[..., Any], inputs: list[Any]) -> str:
    """The operations that are not analytic, where complex steps and real ones disagree, as the subject of a sentence."""
    names = set()
    for t in _calls(func, inputs):
        alike = False
        with quiet(), contextlib.suppress(Exception):  # an operation that takes no complex numbers
            both = [[t.slopes(i, way=way)[0] for way in (complex_step, central)] for i in t.places]
            alike = all(np.allclose(exact, real, rtol=1e-4, atol=1e-4, equal_nan=True) for exact, real in both)
        names |= set() if alike else {t.op().title}
    return " and ".join(sorted(names)) or "the function"
