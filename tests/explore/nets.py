"""Small computations to look at: each is run within or without an `explore` block and returns everything that it made."""

from __future__ import annotations

from typing import Any

from weight_sharing import WeightSharing

import layers as nn
import minitorch as torch
from minitorch.functional import cross_entropy


def mlp(block: Any, dtype: Any = torch.float64) -> dict:
    """A net of two layers."""
    net = seeded(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), dtype)
    x, t = torch.randn(6, 4, dtype=dtype), torch.randint(0, 3, (6,))
    with block:
        loss = cross_entropy(net(x), t)
        loss.backward()
    return everything(net, loss)


def siamese(block: Any, dtype: Any = torch.float64) -> dict:
    """Report 001's net with auxiliary losses: one convnet for two digits, 24 leaves of which 14 are used twice."""
    net = seeded(WeightSharing, dtype)
    pairs = torch.randn(8, 2, 14, 14, dtype=dtype)
    targets, classes = torch.randint(0, 2, (8,)), torch.randint(0, 10, (8, 2))
    terms = getattr(block, "terms", {})
    with block:
        comparison, first, second = net(pairs)
        terms["comparison"] = cross_entropy(comparison, targets)
        terms["first digit"] = cross_entropy(first, classes[:, 0])
        terms["second digit"] = cross_entropy(second, classes[:, 1])
        loss = terms["comparison"] + 0.75 * (terms["first digit"] + terms["second digit"])
        loss.backward()
    return everything(net, loss)


def diamond(block: Any) -> dict:
    """One tensor used on two ways that meet again."""
    a, b = leaf([2.0, -1.0]), leaf([1.0, 3.0])
    with block:
        loss = ((a * b + a) ** 2).sum()
        loss.backward()
    return {"loss": loss, "a": a.grad, "b": b.grad}


def several_outputs(block: Any) -> dict:
    """An operation that returns two arrays, one of them without a gradient."""
    a = leaf([[1.0, 3.0, 2.0], [5.0, -1.0, 0.5]])
    with block:
        largest, _ = a.max(dim=1)
        loss = (largest * largest).sum()
        loss.backward()
    return {"loss": loss, "a": a.grad}


def create_graph(block: Any) -> dict:
    """A penalty on a gradient: the second pass goes through what the rules of the first recorded."""
    x = leaf([1.0, 2.0, 3.0])
    with block:
        (g,) = torch.autograd.grad((x.tanh() * x).sum(), x, create_graph=True)
        loss = (g * g).sum()
        loss.backward()
    return {"loss": loss, "g": g, "x": x.grad}


def two_passes(block: Any) -> dict:
    """Two backward passes and no zero_grad."""
    net = seeded(lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    with block:
        for _ in range(2):
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
    return everything(net, loss)


def broadcast(block: Any) -> dict:
    """A row added to every row of a matrix."""
    x = torch.tensor([[1.0, -2, 1], [2, -1, -1], [0, 2, 1], [-1, 1, 1]], dtype=torch.float64)
    w, b = leaf([2.0, 1, -1]), leaf([1.0, 0, 2])
    with block:
        loss = (x * w + b).relu().sum()
        loss.backward()
    return {"loss": loss, "w": w.grad, "b": b.grad}


def not_a_number(block: Any) -> dict:
    """The logarithm of something below zero."""
    net, x = seeded(lambda: nn.Linear(3, 2)), torch.randn(4, 3, dtype=torch.float64)
    with block:
        loss = net(x).log().mean()
        loss.backward()
    return everything(net, loss)


def recurrent(block: Any) -> dict:
    """Weights used six times."""
    torch.manual_seed(0)
    w, u = leaf(torch.randn(4, 4).tolist()), leaf(torch.randn(3, 4).tolist())
    with block:
        state = torch.zeros(2, 4, dtype=torch.float64)
        for _ in range(6):
            state = (state @ w + torch.randn(2, 3, dtype=torch.float64) @ u).tanh()
        loss = state.square().mean()
        loss.backward()
    return {"loss": loss, "w": w.grad, "u": u.grad}


def no_backward(block: Any) -> dict:
    """A forward pass alone."""
    net = seeded(lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)))
    with block:
        loss = net(torch.randn(2, 4, dtype=torch.float64)).sum()
    return everything(net, loss)


def leaf(values: list) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def seeded(make: Any, dtype: Any = torch.float64) -> nn.Module:
    torch.manual_seed(0)
    return make().to(dtype)


def everything(net: nn.Module, loss: torch.Tensor) -> dict:
    """What a training step may depend on: loss, gradients, parameters, running statistics and the state of the generator."""
    found = {"loss": loss, "generator": torch.get_rng_state(), **net.state_dict()}
    return found | {f"{name}.grad": parameter.grad for name, parameter in net.named_parameters()}


NETS = [mlp, siamese, diamond, several_outputs, create_graph, two_passes, broadcast, not_a_number, recurrent, no_backward]
