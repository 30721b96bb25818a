"""What tests save and load."""

import math

import numpy as np
import pytest

import minitorch as mt
from minitorch.files.serialization import CheckpointError


def state():
    return {
        "conv.weight": mt.tensor(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "conv.bias": mt.tensor([0.5, -0.5]),
        "count": mt.tensor(7),
    }


def checkpoint():
    return {
        "model": state(),
        "optimizer": {"state": {0: {"step": mt.tensor(3.0)}, 1: {}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999)}]},
        "epoch": 3,
        "history": [0.25, math.inf, None, True, 'text, "quoted" \u20ac'],
    }


def same(a, b):
    """Equal in structure, types, values and dtypes."""
    if isinstance(a, mt.Tensor):
        return type(b) is mt.Tensor and a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a.array, b.array)
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        mt.load(path)
    return str(caught.value)
