"""The matrix products of a piece of work and nothing else, in NumPy: what no framework on this BLAS can go below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.timing import Work

PRODUCTS = "matrix products"  # their name in tables

Product = tuple[int, int, int]
"""Rows, the dimension summed over, columns."""


def linear(rows: int, inputs: int, outputs: int, to_input: bool = True) -> tuple[list[Product], list[Product]]:
    """The products of a linear layer, forward and backward; `to_input`: a gradient is wanted of what it was given."""
    backward = [(inputs, rows, outputs)] + [(rows, outputs, inputs)] * to_input
    return [(rows, inputs, outputs)], backward


def convolution(
    places: int, channels: int, filters: int, kernel: int, groups: int = 1, to_input: bool = True
) -> tuple[list[Product], list[Product]]:
    """As `linear`, of a convolution with so many `places` put out: every group is a linear layer of unfolded images."""
    forward, backward = linear(places, channels // groups * kernel * kernel, filters // groups, to_input)
    return forward * groups, backward * groups


def of_model(model: Any, run: Any) -> tuple[list[Product], list[Product]]:
    """The products of all layers of a minitorch net that `run()` passes, forward and backward."""
    import layers as nn  # not above: the processes that measure others import this file, too

    products: tuple[list[Product], list[Product]] = [], []

    def note(module: Any, inputs: tuple, output: Any) -> None:
        to_input = inputs[0].requires_grad
        if isinstance(module, nn.Conv2d):
            places = output.numel() // output.shape[1]
            found = convolution(places, module.in_channels, module.out_channels, module.kernel_size[0], module.groups, to_input)
        else:
            found = linear(output.numel() // output.shape[-1], module.in_features, module.out_features, to_input)
        for known, new in zip(products, found):
            known.extend(new)

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    run()
    for hook in hooks:
        hook.remove()
    return products


def operations(products: Sequence[Product]) -> int:
    """Multiplications with an addition each."""
    return sum(m * k * n for m, k, n in products)


def replay(products: Sequence[Product]) -> Any:
    """A function that computes the products, each of arrays of its own into an array that is there."""
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.standard_normal((rows, columns), np.float32)

    arrays = [(matrix(m, k), matrix(k, n), np.empty((m, n), np.float32)) for m, k, n in products]

    def call() -> None:
        for left, right, out in arrays:
            np.matmul(left, right, out=out)

    return call


def of_net(net: str, data: str) -> Work:
    """The products of a training step of a report's net."""
    import minitorch
    from benchmarks.minitorch_nets import training
    from benchmarks.nets import batches

    model, _, _ = training(net, "cpu")
    inputs = minitorch.from_numpy(batches(net, data)[0][0])
    forward, backward = of_model(model, lambda: model(inputs))
    return Work(replay(forward + backward), {"operations": operations(forward + backward)})
