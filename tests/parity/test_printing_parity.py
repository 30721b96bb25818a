"""The text of random tensors beside PyTorch's: padding, decimals, scientific form, summaries, long rows, what is not finite."""

import numpy as np
import pytest

import minitorch as mt
from minitorch import printing

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool", "complex64", "complex128")


def drawn(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(0, (12, 5, 5, 5)[: rng.integers(0, 5)])) if rng.random() < 0.8 else (rng.integers(1, 3000),)
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-6, 9)
    if rng.random() < 0.3:
        values = np.round(values)
    if rng.random() < 0.2:
        values = values * 10.0 ** rng.integers(-3, 3, size=shape)
    dtype = DTYPES[seed % len(DTYPES)]
    if dtype.startswith("float"):
        for special in (np.nan, np.inf, -np.inf, 0.0, -0.0):
            values = np.where(rng.random(shape) < 0.05, special, values)
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(np.asarray(values).astype(dtype)).reshape(shape)


@pytest.mark.parametrize("start", range(0, 450, 50))
def test_tensors_print_as_in_pytorch(start):
    for seed in range(start, start + 50):
        array = drawn(seed)
        assert printing.text_of(array, [], [], np.dtype("float32")) == repr(torch.from_numpy(array)), seed


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2},
        {"sci_mode": True},
        {"sci_mode": False},
        {"threshold": 5, "edgeitems": 1},
        {"linewidth": 40},
        {"profile": "short"},
    ],
)
def test_print_options_do_what_pytorchs_do(options):
    array = np.linspace(-1e3, 1e3, 40, dtype=np.float32).reshape(4, 10)
    try:
        torch.set_printoptions(**options)
        printing.set_printoptions(**options)
        assert printing.text_of(array, [], ["requires_grad=True"], np.dtype("float32")) == repr(
            torch.from_numpy(array.copy()).requires_grad_()
        )
    finally:
        torch.set_printoptions(profile="default")
        printing.set_printoptions(profile="default")


@pytest.mark.parametrize("name", ["max", "min", "sort", "median", "mode"])
def test_pairs_print_under_the_name_of_their_function(name):
    array = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    assert repr(getattr(mt.from_numpy(array), name)(1)) == repr(getattr(torch.from_numpy(array), name)(1))
    assert repr(getattr(mt, name)(mt.from_numpy(array), 1)) == repr(getattr(torch, name)(torch.from_numpy(array), 1))


def test_named_results_print_as_in_pytorch():
    array = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    theirs = torch.svd(torch.from_numpy(array))
    assert repr(type(mt.svd(mt.from_numpy(array)))(*(mt.from_numpy(part.numpy()) for part in theirs))) == repr(theirs)
    theirs = torch.linalg.svd(torch.from_numpy(array))
    ours = mt.linalg.svd(mt.from_numpy(array))
    assert repr(type(ours)(*(mt.from_numpy(part.numpy()) for part in theirs))) == repr(theirs)
    assert repr(mt.histogram(mt.tensor([0.0, 1.0]), 2)) == repr(torch.histogram(torch.tensor([0.0, 1.0]), 2))
    assert repr(mt.broadcast_shapes((2, 1), (3,))) == repr(torch.broadcast_shapes((2, 1), (3,)))
