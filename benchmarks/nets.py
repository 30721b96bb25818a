"""The nets of the five reports, their batch sizes, and the data and weights that every framework gets."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Setting(NamedTuple):
    """The batch size of a net, and whether its inputs are single digits or pairs."""

    batch: int
    digits: bool = False


# the number of the report and the name that its example gives the net
NETS = {
    "000 Fully connected": Setting(50),
    "000 Shared": Setting(50),
    "000 Shared + auxiliary loss": Setting(50),
    "000 LeNet5 + auxiliary loss": Setting(50),
    "000 LeNet5, argmax": Setting(50),
    "001 ConvNet": Setting(100),
    "001 Weight sharing": Setting(100),
    "001 Weight sharing + auxiliary loss": Setting(100),
    "002 Linear": Setting(50, digits=True),
    "002 Linear + dropout": Setting(50, digits=True),
    "002 LeNet": Setting(25, digits=True),
    "002 LeNet + auxiliary loss": Setting(25, digits=True),
    "002 ResNet": Setting(10, digits=True),
    "002 AlexNet": Setting(10, digits=True),
    "003 Baseline": Setting(100),
    "003 Non-siamese": Setting(100),
    "003 Siamese": Setting(100),
    "003 Siamese as drawn": Setting(100),
    "004 simple net": Setting(50, digits=True),
    "004 naive": Setting(50),
    "004 model 1": Setting(50),
    "004 model 2": Setting(50),
    "004 model 3": Setting(50),
    "004 model 4": Setting(50),
}
MAIN_NET = "001 Weight sharing + auxiliary loss"


def save_pairs(folder: Path) -> Path:
    """Write 1,000 normalised training pairs of the digits that come with minitorch, which `batches` reads; return the path."""
    from minitorch.data import load_digits, normalise, pair_sets  # only in the caller's process

    pairs, _ = normalise(*pair_sets(load_digits("digits"), 1000, rng=np.random.default_rng(0)))
    path = folder / "pairs.npz"
    np.savez(path, inputs=pairs.inputs, targets=pairs.targets, classes=pairs.classes)
    return path


def batches(net: str, path: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """An epoch of batches (inputs, targets, classes) for a net; the targets of single digits are their classes."""
    setting = NETS[net]
    with np.load(path) as file:
        inputs, targets, classes = file["inputs"], file["targets"], file["classes"]
    if setting.digits:
        inputs, targets, classes = inputs.reshape(-1, 1, 14, 14), classes.reshape(-1), classes.reshape(-1, 1)
    cuts = range(0, len(inputs), setting.batch)
    return [tuple(array[cut : cut + setting.batch] for array in (inputs, targets, classes)) for cut in cuts]


def shared_weights(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> Mapping[str, np.ndarray]:
    """The same weights for the same names in every process: biases are 0, matrices and filters normal (He et al. 2015).

    Batch norm's scales and statistics are not returned; all frameworks initialise them with the same values.
    """
    weights = {}
    for name, shape in shapes:
        if name.endswith("bias"):
            weights[name] = np.zeros(shape, np.float32)
        elif len(shape) > 1:
            draws = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32)
            weights[name] = draws * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return weights


def load_shared_weights(model: Any, engine: Any) -> None:
    """Give a net of the `engine`, minitorch or PyTorch, the weights that all frameworks get."""
    state = model.state_dict()
    weights = shared_weights((name, tuple(tensor.shape)) for name, tensor in state.items())
    first: dict[int, str] = {}  # the first name of a tensor, which has two where layers share it
    for name, tensor in state.items():
        if (one := first.setdefault(tensor.data_ptr(), name)) in weights:
            state[name] = engine.from_numpy(weights[one]).to(tensor.device)
    model.load_state_dict(state)
