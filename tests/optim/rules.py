"""Every optimizer with its options, and parameters to try it on."""

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim

MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.01),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "SGD nesterov": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "RAdam": lambda p: optim.RAdam(p, lr=0.1, betas=(0.9, 0.9), weight_decay=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1),
    "RMSprop centered": lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.9, weight_decay=0.01),
}
every_rule = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def leaf(values, dtype=np.float32):
    return mt.tensor(np.array(values, dtype), requires_grad=True)


def with_grad(values, grad, dtype=np.float32):
    p = leaf(values, dtype)
    p.grad = mt.tensor(np.array(grad, dtype))
    return p


def parameters(dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [leaf(rng.standard_normal(shape), dtype) for shape in [(4, 3), (3,), ()]]


def train(optimizer, params, steps):
    """Steps on a loss in which the gradients change from step to step."""
    for _ in range(steps):
        optimizer.zero_grad()
        w, b, s = params
        (((w * s + b) ** 2).sum() + (s - 2.0) ** 2).backward()
        optimizer.step()


def values(params):
    return [p.array.copy() for p in params]


def same(a, b):
    return len(a) == len(b) and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b))
