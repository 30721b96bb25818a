"""nan, infinities and kinks: a gradient goes to the nan that won, 0 is exactly 0, and a straight piece has a second derivative of 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F

NAN, INF = float("nan"), float("inf")
X = [NAN, 1.0, -1.0, 0.0, INF, -INF]

# Of each function the gradient at X for an incoming 2, as PyTorch 2.13 gives it.
AT_NAN: dict[str, tuple[Callable[[mt.Tensor], mt.Tensor], list[float]]] = {
    "relu": (F.relu, [2, 2, 0, 0, 2, 0]),
    "relu6": (F.relu6, [2, 2, 0, 0, 0, 0]),
    "leaky_relu": (F.leaky_relu, [0.02, 2, 0.02, 0.02, 2, 0.02]),
    "elu": (F.elu, [2, 2, 0.7357589, 2, 2, 0]),
    "selu": (F.selu, [2.101402, 2.101402, 1.2935373, 3.5161986, 2.101402, 0]),
    "abs": (mt.abs, [0, 2, -2, 0, 2, -2]),
    "sign": (mt.sign, [0, 0, 0, 0, 0, 0]),
    "floor": (mt.floor, [0, 0, 0, 0, 0, 0]),
    "max": (lambda x: x.max(), [2, 0, 0, 0, 0, 0]),
    "min": (lambda x: x.min(), [2, 0, 0, 0, 0, 0]),
    "amax": (lambda x: x.amax(0), [2, 0, 0, 0, 0, 0]),
    "amin": (lambda x: x.amin(0), [2, 0, 0, 0, 0, 0]),
    "max along": (lambda x: x.max(0).values, [2, 0, 0, 0, 0, 0]),
    "softplus": (F.softplus, [NAN, 1.4621172, 0.53788286, 1, 2, 0]),
    "sigmoid": (mt.sigmoid, [NAN, 0.39322385, 0.39322385, 0.5, 0, 0]),
    "tanh": (mt.tanh, [NAN, 0.8399486, 0.8399486, 2, 0, 0]),
}


def gradient(function: Callable[[mt.Tensor], mt.Tensor], x: list[float], g: float = 2.0) -> np.ndarray:
    x = mt.tensor(x, requires_grad=True)
    y = function(x)
    y.backward(mt.full(y.shape, g))
    return x.grad.numpy()


@pytest.mark.parametrize("name", AT_NAN)
def test_the_gradient_at_nan_and_at_infinities_is_pytorchs(name):
    function, right = AT_NAN[name]
    np.testing.assert_allclose(gradient(function, X), right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", AT_NAN)
def test_a_recorded_gradient_at_nan_at_infinities_and_at_0_is_that_of_an_ordinary_pass(name):
    function, right = AT_NAN[name]
    x = mt.tensor(X, requires_grad=True)
    y = function(x)
    (found,) = mt.autograd.grad(y, x, mt.full(y.shape, 2.0), create_graph=True)
    np.testing.assert_allclose(found.detach().numpy(), right, rtol=1e-6, atol=1e-6)


def test_two_nans_share_the_gradient_of_the_largest():
    assert gradient(lambda x: x.amax(0), [NAN, 3.0, NAN]).tolist() == [1, 0, 1]


def test_the_sign_of_nan_is_0():
    assert mt.sign(mt.tensor([NAN, -2.0, 0.0, 5.0])).tolist() == [0, -1, 0, 1]
    assert mt.sign(mt.tensor([True, False])).tolist() == [True, False]


@pytest.mark.parametrize("function", [F.relu, F.relu6, mt.sign, mt.floor, lambda x: x.clamp(0, 3)])
def test_an_infinite_gradient_is_exactly_0_where_the_slope_is(function):
    assert gradient(function, [-1.0, -2.0], INF).tolist() == [0, 0]


# Those whose gradients depend on x in PyTorch too.
STRAIGHT: dict[str, Callable[[mt.Tensor], mt.Tensor]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "abs": mt.abs,
    "norm 1": lambda x: mt.norm(x, 1),
    "norm inf": lambda x: mt.norm(x, INF),
    "l1_loss": lambda x: F.l1_loss(x, mt.zeros(1, 1, 2, 2)),
    "nll_loss": lambda x: F.nll_loss(x.reshape(2, 2), mt.tensor([0, 1])),
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 1),
    "relu of relu": lambda x: F.relu(F.relu(x * 2)),
}


@pytest.mark.parametrize("name", STRAIGHT)
def test_a_straight_piece_has_a_second_derivative_of_0(name):
    x = mt.tensor([[[[1.0, -2.0], [3.0, -4.0]]]], requires_grad=True)
    (g,) = mt.autograd.grad(STRAIGHT[name](x).sum(), x, create_graph=True)
    (second,) = mt.autograd.grad(g.sum(), x)
    assert second.tolist() == mt.zeros(1, 1, 2, 2).tolist()


CONSTANT: dict[str, Callable[[mt.Tensor], mt.Tensor]] = {
    "sum": mt.sum,
    "clamp": lambda x: x.clamp(-1, 1),
    "maximum": lambda x: mt.maximum(x, mt.zeros_like(x)),
    "where": lambda x: mt.where(x > 0, x, 0.0),
    "cumsum": lambda x: x.cumsum(0),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_a_gradient_that_pytorch_takes_for_a_constant_is_one(name):
    x = mt.tensor([[1.0, -2.0], [3.0, -4.0]], requires_grad=True)
    (g,) = mt.autograd.grad(CONSTANT[name](x).sum(), x, create_graph=True)
    assert not g.requires_grad


def test_logsumexp_of_nothing_has_second_derivatives():
    x, g = mt.zeros(0, requires_grad=True), mt.ones((), requires_grad=True)
    y = mt.logsumexp(x, 0)
    (grad,) = mt.autograd.grad(y, x, g, create_graph=True)
    assert y.item() == -np.inf and mt.autograd.grad(grad.sum(), g)[0].item() == 0
