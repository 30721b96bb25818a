"""Only the matrix products of a step, in NumPy: with the same BLAS library and products, no framework can be faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.timing import Work

PRODUCTS = "matrix products"  # their name in tables

Product = tuple[int, int, int]
"""The number of rows, the size of the dimension that is summed over, the number of columns."""


def linear(rows: int, inputs: int, outputs: int, to_input: bool = True) -> tuple[list[Product], list[Product]]:
    """The products of a linear layer, forward and backward; `to_input` says whether its input needs a gradient."""
    backward = [(inputs, rows, outputs)] + [(rows, outputs, inputs)] * to_input
    return [(rows, inputs, outputs)], backward


def convolution(
    places: int, channels: int, filters: int, kernel: int, groups: int = 1, to_input: bool = True
) -> tuple[list[Product], list[Product]]:
    """The products of a convolution with `places` output pixels: every group is a linear layer on unfolded images."""
    forward, backward = linear(places, channels // groups * kernel * kernel, filters // groups, to_input)
    return forward * groups, backward * groups


def by_operation(model: Any, run: Any) -> list[tuple[str, list[Product]]]:
    """The products of each convolution and linear layer that `run()` calls in a minitorch net, forward and backward."""
    import layers as nn  # not above: the processes that measure others import this file, too
    from minitorch.ops.conv import Conv2d
    from minitorch.ops.linear import Linear

    found = []

    def note(module: Any, inputs: tuple, output: Any) -> None:
        to_input = inputs[0].requires_grad
        if isinstance(module, nn.Conv2d):
            kind, places = Conv2d, output.numel() // output.shape[1]
            both = convolution(places, module.in_channels, module.out_channels, module.kernel_size[0], module.groups, to_input)
        else:
            kind, both = Linear, linear(output.numel() // output.shape[-1], module.in_features, module.out_features, to_input)
        found.extend((described(kind, tuple(output.shape), way), some) for way, some in zip(("forward", "backward"), both))

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    run()
    for hook in hooks:
        hook.remove()
    return found


def described(kind: type, shape: Any, way: str) -> str:
    """How a table names an operation: its name, the shape of its output, forward or backward."""
    return f"{object.__new__(kind).title} to {shape}, {way}"


def operations(products: Sequence[Product]) -> int:
    """The number of multiplications, each with an addition."""
    return sum(m * k * n for m, k, n in products)


def replay(products: Sequence[Product]) -> Any:
    """A function that computes the products, each from separate arrays into an array that already exists."""
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
    found = [product for _, some in by_operation(model, lambda: model(inputs)) for product in some]
    return Work(replay(found), {"operations": operations(found)})
