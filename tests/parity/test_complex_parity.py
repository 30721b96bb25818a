"""What the public functions make of complex tensors: PyTorch's values and dtypes, or an error."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import minitorch as mt  # noqa: E402  (after the skip)

pytestmark = pytest.mark.parity
# refused by PyTorch, right here: they add or scale numbers
RIGHT = {"abs_", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "deg2rad", "deg2rad_", "glu"}
RIGHT |= {"interpolate", "rad2deg", "rad2deg_"}
SHAPES = ((4,), (4, 4), (2, 4, 4), (2, 4, 4, 4))


def outcome(call: Any, values: tuple[Any, ...], library: Any, real: bool) -> Any:
    """The results of a call on tensors as arrays, or the error."""
    given = [library.tensor(v.real if real else v) if isinstance(v, np.ndarray) else v for v in values]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = call(*given)
        return [np.asarray(t.numpy()) if hasattr(t, "numpy") else t for t in (out if isinstance(out, (tuple, list)) else [out])]
    except Exception as error:
        return error


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_function_of_complex_tensors_agrees_with_pytorch_or_refuses_them(shape):
    rng = np.random.default_rng(0)
    z, w = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(2))
    wrong, compared = [], 0
    for mine, theirs in (
        (mt, torch),
        (mt.functional, torch.nn.functional),
        (mt.Tensor, torch.Tensor),
        (mt.linalg, torch.linalg),
    ):
        for name, values in itertools.product(sorted(set(dir(mine)) & set(dir(theirs))), ((z,), (z, 2), (z, w), (z, w, w))):
            ours, pytorchs = getattr(mine, name), getattr(theirs, name)
            if not str(getattr(ours, "__module__", "")).startswith("minitorch.ops") or name.startswith("dropout"):
                continue
            if isinstance(outcome(pytorchs, values, torch, True), Exception):
                continue  # no call at all
            expected, found = outcome(pytorchs, values, torch, False), outcome(ours, values, mt, False)
            if isinstance(found, Exception):
                continue
            if isinstance(expected, Exception):
                if name not in RIGHT:
                    wrong.append(f"{name} computes; PyTorch: {expected}")
                continue
            for a, b in zip(expected, found, strict=True):
                compared += 1
                if isinstance(a, np.ndarray):
                    same = a.dtype == b.dtype and a.shape == b.shape and np.allclose(a, b, 1e-9, 1e-12, equal_nan=True)
                    wrong += [] if same else [f"{name}: PyTorch {a.dtype} {a.ravel()[:3]}, here {b.dtype} {b.ravel()[:3]}"]
    assert not wrong, "\n".join(wrong)
    assert compared > 50
