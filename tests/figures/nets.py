"""Small random nets of any layers, as a list of names and arguments that `layers` and `torch.nn` build alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import layers
import minitorch as mt

Layer = tuple[str, tuple]
ACTIVATIONS = ["ReLU", "Tanh", "Sigmoid", "Softplus", "SiLU", "LeakyReLU", "ELU", "LogSigmoid", "SELU"]
LOSSES = ["CrossEntropyLoss", "MSELoss", "BCEWithLogitsLoss"]
CLASSES = 3


@dataclass(frozen=True)
class RandomNet:
    """The layers, the shape of the batch, and the loss."""

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    loss: str

    def build(self, nn: Any) -> Any:
        """The net, of `layers` or of `torch.nn`."""
        return nn.Sequential(*(getattr(nn, name)(*arguments) for name, arguments in self.layers))

    def batch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Inputs, and targets fit for the loss."""
        x, n = rng.standard_normal(self.shape), self.shape[0]
        if self.loss == "CrossEntropyLoss":
            return x, rng.integers(0, CLASSES, n)
        return x, rng.uniform(0, 1, (n, CLASSES))


def random_nets(count: int, seed: int) -> Iterator[RandomNet]:
    """Every other one has convolutions and pooling, and all begin with a linear layer or a convolution."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        shape = (5, int(rng.integers(1, 3)), 8, 8) if i % 2 else (6, int(rng.integers(3, 7)))
        hidden = list(convolutional(rng, shape[1]) if i % 2 else dense(rng, shape[1]))
        features = layers.Sequential(*(getattr(layers, name)(*arguments) for name, arguments in hidden))
        width = features(mt.randn(*shape, generator=mt.Generator().manual_seed(0))).shape[1]
        yield RandomNet((*hidden, ("Linear", (width, CLASSES))), shape, str(rng.choice(LOSSES)))


def dense(rng: np.random.Generator, width: int) -> Iterator[Layer]:
    """One to three hidden layers, most of them normalised."""
    for _ in range(rng.integers(1, 4)):
        out = int(rng.integers(3, 8))
        yield "Linear", (width, out)
        yield from some(rng, ("BatchNorm1d", (out,)), ("LayerNorm", (out,)))
        yield str(rng.choice(ACTIVATIONS)), ()
        width = out


def convolutional(rng: np.random.Generator, channels: int) -> Iterator[Layer]:
    """Two convolutions with pooling between them, and what comes out flattened."""
    for pool in (("MaxPool2d", (2,)), ("AvgPool2d", (2,))), (("AdaptiveAvgPool2d", (1,)),):
        out = 2 * int(rng.integers(1, 3))
        yield "Conv2d", (channels, out, int(rng.integers(2, 4)), 1, int(rng.integers(0, 2)))
        yield from some(rng, ("BatchNorm2d", (out,)), ("GroupNorm", (2, out)))
        yield str(rng.choice(ACTIVATIONS)), ()
        yield from some(rng, *pool)
        channels = out
    yield "Flatten", ()


def some(rng: np.random.Generator, *choices: Layer) -> list[Layer]:
    """One of the choices, or none."""
    number = int(rng.integers(len(choices) + 1))
    return list(choices[number : number + 1])
