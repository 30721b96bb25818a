"""Hessian-vector products of random nets: symmetric, and those that the complex step finds."""

from __future__ import annotations

from typing import Any

import numpy as np

import layers
import minitorch as mt
from minitorch.autograd import grad
from minitorch.autograd.differences import STEP
from minitorch.autograd.grad_mode import Switch
from tests.figures.figure import Figure, at_most
from tests.figures.nets import RandomNet, random_nets

BOUND = 1e-10
Vector = list[np.ndarray]  # an array for each parameter


class Point:
    """A random net with its parameters and a batch, in float64."""

    def __init__(self, net: RandomNet, rng: np.random.Generator) -> None:
        self.model, self.loss = net.build(layers).double(), getattr(layers, net.loss)()
        self.parameters = list(self.model.parameters())
        for parameter in self.parameters:
            parameter.array[...] = rng.standard_normal(parameter.shape) / 2
        self.origin = [parameter.array for parameter in self.parameters]
        self.x, self.targets = map(mt.tensor, net.batch(rng))

    def direction(self, rng: np.random.Generator) -> Vector:
        return [rng.standard_normal(parameter.shape) for parameter in self.parameters]

    def gradient(self, **options: Any) -> tuple[mt.Tensor, ...]:
        return grad(self.loss(self.model(self.x), self.targets), self.parameters, **options)

    def product(self, v: Vector) -> Vector:
        """H v, as the gradient of the gradient's product with v."""
        first = self.gradient(create_graph=True)
        slope = sum((one * mt.tensor(part)).sum() for one, part in zip(first, v))
        return [one.array for one in grad(slope, self.parameters)]

    def product_by_complex_step(self, v: Vector) -> Vector:
        """H v, as Im g(theta + i h v) / h with g the gradient: the first derivatives' rules alone, on complex numbers."""
        self._set([array + 1j * STEP * part for array, part in zip(self.origin, v)], mt.complex128)
        try:
            with Switch(True, "complex_step"):
                return [one.array.imag / STEP for one in self.gradient()]
        finally:
            self._set(self.origin, mt.float64)

    def _set(self, arrays: Vector, dtype: np.dtype) -> None:
        for parameter, array in zip(self.parameters, arrays):
            parameter.array = array
        for tensor in (self.x, self.targets, *self.model.buffers()):  # what is computed with the parameters has their dtype
            if tensor.array.dtype.kind in "fc":
                tensor.array = tensor.array.real.astype(dtype)


def dot(u: Vector, v: Vector) -> float:
    return sum(float((a * b).sum()) for a, b in zip(u, v))


def errors(point: Point, rng: np.random.Generator) -> tuple[float, float]:
    """How far u'Hv is from v'Hu, and H v from the complex step's, relative to 1 + the largest number compared."""
    u, v = point.direction(rng), point.direction(rng)
    hu, hv, exact = point.product(u), point.product(v), point.product_by_complex_step(v)
    largest = max(float(np.abs(part).max()) for part in exact)
    assert largest > 0, "a Hessian of zeros shows nothing"
    distance = max(float(np.abs(a - b).max()) for a, b in zip(hv, exact))
    return abs(dot(u, hv) - dot(v, hu)) / (1 + abs(dot(u, hv))), distance / (1 + largest)


def figures(count: int, seed: int = 0) -> list[Figure]:
    """Of `count` random nets, each at a random point and in random directions."""
    rng = np.random.default_rng(seed)
    found = [errors(Point(net, rng), rng) for net in random_nets(count, seed)]
    symmetric, exact = (max(column, key=lambda error: (error != error, error)) for column in zip(*found))
    return [
        at_most("Hessian-vector products: u'Hv against v'Hu", BOUND, symmetric, f"{count} random nets", seed),
        at_most("Hessian-vector products against the complex step", BOUND, exact, f"{count} random nets", seed),
    ]
