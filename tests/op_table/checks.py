"""What the tests of the table compare: values, gradients, second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import Tensor
from tests.op_table.row import Case, Row, is_differentiated, spread

Tensors = Sequence[Tensor | None]


def host(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def assert_close(got: np.ndarray, expected: Any, tolerance: float = 1e-12, least: float = 0.0) -> None:
    """Equal up to `tolerance` times the largest expected number, or `least`; nan and infinities in the same places."""
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * largest(expected, least))


def largest(array: np.ndarray, least: float = 0.0) -> float:
    """The largest magnitude of the finite numbers of an array, or `least`."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=least))


def assert_all_close(got: Tensors, expected: Tensors, tolerance: float = 1e-12, least: float = 0.0) -> None:
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert_close(host(ours), host(theirs), tolerance, least)


def moving(inputs: Sequence[Any]) -> list[Tensor]:
    """The inputs to be differentiated."""
    return [value for value in inputs if is_differentiated(value)]


def recorded(tensors: Tensors) -> list[Tensor]:
    """Those that have a gradient."""
    return [tensor for tensor in tensors if tensor is not None and tensor.requires_grad]


def weights(tensors: Tensors, seed: int) -> list[Tensor]:
    """A weight for every element of those that have a gradient, so that no gradient is one of a plain sum."""
    return [mt.tensor(spread(*t.shape, seed=seed), dtype=t.dtype, device=t.device) for t in recorded(tensors)]


def pulled(tensors: Tensors, inputs: list[Tensor], seed: int, create_graph: bool = False) -> Tensors:
    """The gradients of the weighed `tensors` for each of `inputs`."""
    if not recorded(tensors):
        return ()
    given = weights(tensors, seed)
    return mt.autograd.grad(recorded(tensors), inputs, given, create_graph=create_graph, retain_graph=True, allow_unused=True)


def gradients(row: Row, case: Case, inputs: Sequence[Any], order: int = 1) -> Tensors:
    """The gradients of the weighed outputs; at order 2, those of the weighed gradients."""
    first = pulled(row(case, inputs), moving(inputs), 8, create_graph=order == 2)
    return first if order == 1 else pulled(first, moving(inputs), 9)


def derivative(function: Callable[..., Tensors], count: int) -> Callable[..., Tensors]:
    """The gradients of `function` of `count` inputs, as a function of these and of a weight for every output."""

    def gradient(*values: Tensor) -> Tensors:
        inputs, given = values[:count], values[count:]
        inputs = [value if value.requires_grad else value.detach().requires_grad_() for value in inputs]
        outputs = recorded(function(*inputs))
        found = mt.autograd.grad(outputs, inputs, given, create_graph=True, allow_unused=True)
        return tuple(value * 0 if grad is None else grad for value, grad in zip(inputs, found))

    return gradient
