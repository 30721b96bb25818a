"""Every row of the table beside PyTorch: values, gradients, second derivatives; ties, nan and infinities; dtypes of mixtures."""

from __future__ import annotations

import contextlib
import math
import operator

import numpy as np
import pytest
from op_table import ROWS, every_case_of
from op_table.checks import assert_close, gradients, host, weights
from op_table.row import Fixed, outputs

import minitorch as mt
import minitorch.functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:(var|std)\\(\\). degrees of freedom", "ignore:Using padding='same' with even kernel"),
]

DTYPES = {name: (getattr(mt, name), getattr(torch, name)) for name in (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")}  # fmt: skip
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """PyTorch's threads wait for each other on a busy machine; tensors this small need none."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def in_torch(row):
    """The row's call in PyTorch."""
    if callable(row.torch):
        return lambda *inputs, **parameters: row.torch(torch, *inputs, **parameters)
    name = row.torch or row.name
    return next(getattr(home, name) for home in (torch.nn.functional, torch, torch.Tensor) if hasattr(home, name))


def as_torch(value, dtype):
    if isinstance(value, Fixed):
        return torch.tensor(value.values, dtype=dtype)
    if not isinstance(value, np.ndarray):
        return value
    return torch.tensor(value, dtype=dtype, requires_grad=True) if value.dtype.kind == "f" else torch.tensor(value)


def pulled(tensors, inputs, seed, create_graph=False):
    """As `checks.pulled`, with the same weights."""
    tensors = [tensor for tensor in tensors if tensor is not None and tensor.requires_grad]
    if not tensors:
        return ()
    numbers = weights([mt.zeros(tuple(t.shape), dtype=mt.float64, requires_grad=True) for t in tensors], seed)
    given = [torch.tensor(number.numpy(), dtype=t.dtype) for number, t in zip(numbers, tensors)]
    return torch.autograd.grad(tensors, inputs, given, create_graph=create_graph, retain_graph=True, allow_unused=True)


def assert_like(ours, theirs, tolerance, least=0.0):
    """Equal where both have a gradient; where one has none, the other's is zero."""
    assert len(ours) == len(theirs) or not len(ours) or not len(theirs)
    for mine, torchs in zip(ours, theirs):
        if mine is None or torchs is None:
            assert all(not grad.abs().sum().item() for grad in (mine, torchs) if grad is not None)
        else:
            assert_close(host(mine), torchs.numpy(force=True), tolerance, least)


@contextlib.contextmanager
def if_implemented():
    """Up to the derivative that PyTorch does not have."""
    try:
        yield
    except RuntimeError as reason:
        if "derivative for" not in str(reason) or "not implemented" not in str(reason):
            raise


@every_case_of([row for row in ROWS if row.torch is not None])
def test_values_gradients_and_second_derivatives_are_pytorchs(row, case):
    for name, tolerance in TOLERANCE.items():
        dtype, torch_dtype = DTYPES[name]
        inputs, theirs = row.inputs(case, dtype), [as_torch(value, torch_dtype) for value in case.inputs]
        expected = outputs(in_torch(row)(*theirs, **case.parameters))
        assert_like(row(case, inputs), expected, tolerance)
        given = [value for value in theirs if isinstance(value, torch.Tensor) and value.requires_grad]
        # inputs and weights are of the order of 1, so a small gradient is a difference of numbers of that order
        with if_implemented():
            first = pulled(expected, given, 8, create_graph=True)
            assert_like(gradients(row, case, inputs), first, tolerance, least=1.0)
            if name == "float64":
                second = pulled(first, given, 9)
                assert_like(gradients(row, case, inputs, 2), second, tolerance, least=1.0)
