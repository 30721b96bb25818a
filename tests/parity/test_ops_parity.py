"""Every row of the table beside PyTorch: values, gradients, second derivatives; ties, nan and infinities; dtypes of mixtures."""

from __future__ import annotations

import contextlib
import math
import operator

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from tests.op_table import ROWS, every_case_of
from tests.op_table.checks import assert_close, gradients, host, weights
from tests.op_table.row import Fixed, outputs

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:(var|std)\\(\\). degrees of freedom", "ignore:Using padding='same' with even kernel"),
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both the batch size"),
]

DTYPES = {
    name: (getattr(mt, name), getattr(torch, name))
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
}
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


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


# ---- ties, nan and infinities --------------------------------------------------------------------------------------------

NAN, INF = math.nan, math.inf
GRIDS = {
    "ties": [[2.0, 2.0, 1.0, 0.0], [0.0, 2.0, 1.0, 1.0], [3.0, 0.0, 3.0, 0.0], [3.0, 3.0, 3.0, 3.0]],
    "equal": [[0.0] * 4] * 4,
    "negative": [[-1.0, -2.0, -3.0, -4.0]] * 4,
    "infinities": [[INF, -INF, 1.0, INF], [-INF, -INF, INF, 2.0], [-INF] * 4, [-INF, 0.0, -INF, -INF]],
    "nan": [[1.0, NAN, 3.0, 0.0], [NAN, NAN, 2.0, INF], [0.0, 1.0, 2.0, 3.0], [-INF, NAN, -INF, 0.0]],
}
# functions of (library, its functional, a grid) that choose among elements
# fmt: off
CHOICES = {
    "max": lambda lib, F, x: lib.max(x), "min": lambda lib, F, x: lib.min(x),
    "max dim 0": lambda lib, F, x: tuple(lib.max(x, 0)), "max dim 1": lambda lib, F, x: tuple(lib.max(x, 1)),
    "min dim 1": lambda lib, F, x: tuple(lib.min(x, 1)), "amax": lambda lib, F, x: lib.amax(x, 1),
    "amin": lambda lib, F, x: lib.amin(x, (0, 1)), "argmax": lambda lib, F, x: lib.argmax(x),
    "argmax dim": lambda lib, F, x: lib.argmax(x, 1), "argmin": lambda lib, F, x: lib.argmin(x),
    "argmin dim": lambda lib, F, x: lib.argmin(x, 0), "maximum": lambda lib, F, x: lib.maximum(x, x.T),
    "minimum": lambda lib, F, x: lib.minimum(x, x.T), "relu": lambda lib, F, x: lib.relu(x), "relu6": lambda lib, F, x: F.relu6(x),
    "leaky_relu": lambda lib, F, x: F.leaky_relu(x), "elu": lambda lib, F, x: F.elu(x),
    "clamp": lambda lib, F, x: lib.clamp(x, -1.0, 2.0), "clamp above": lambda lib, F, x: lib.clamp(x, max=2.0),
    "clamp by tensors": lambda lib, F, x: lib.clamp(x, x.T, x.T + 1), "clamp by crossed tensors": lambda lib, F, x: lib.clamp(x, x.T, x.T - 1),
    "abs": lambda lib, F, x: lib.abs(x), "where": lambda lib, F, x: lib.where(x > 1, x, 0.0),
    "norm": lambda lib, F, x: lib.norm(x, 2, 1), "softmax": lambda lib, F, x: F.softmax(x, 1), "sum": lambda lib, F, x: lib.sum(x, 1),
    "prod": lambda lib, F, x: lib.prod(x, 1),
}
# fmt: on
# fmt: off
POOLS = {
    "2": {"kernel_size": 2}, "3 by 1": {"kernel_size": 3, "stride": 1}, "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
    "ceil": {"kernel_size": 3, "stride": 2, "ceil_mode": True}, "dilated": {"kernel_size": 2, "stride": 1, "dilation": 2},
    "dilated and padded": {"kernel_size": (2, 3), "stride": 1, "dilation": (3, 1), "padding": 1},
}
# fmt: on


def both(grid):
    return (mt.tensor(grid, dtype=mt.float64, requires_grad=True), torch.tensor(grid, dtype=torch.float64, requires_grad=True))


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("choice", CHOICES)
def test_ties_nan_and_infinities_are_treated_as_in_pytorch(choice, grid):
    ours, theirs = both(GRIDS[grid])
    found = outputs(CHOICES[choice](mt, F, ours))
    expected = outputs(CHOICES[choice](torch, torch.nn.functional, theirs))
    for mine, torchs in zip(found, expected):
        np.testing.assert_allclose(host(mine), torchs.numpy(force=True), rtol=1e-15)
    if grid in ("ties", "equal", "negative") and found[0].requires_grad:
        assert_like(pulled_as(ours, found), pulled(expected, [theirs], 8), 1e-14)


def pulled_as(x, tensors):
    tensors = [tensor for tensor in tensors if tensor.requires_grad]
    return mt.autograd.grad(tensors, x, weights(tensors, 8))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("pool", POOLS)
def test_max_pooling_chooses_as_in_pytorch(pool, grid):
    ours, theirs = (x.reshape(1, 1, 4, 4) for x in both(GRIDS[grid]))
    found = F.max_pool2d(ours, **POOLS[pool], return_indices=True)
    expected = torch.nn.functional.max_pool2d(theirs, **POOLS[pool], return_indices=True)
    np.testing.assert_array_equal(host(found[0]), expected[0].numpy(force=True))
    if grid != "nan":  # of several nan PyTorch names the last, we the first element of the window
        np.testing.assert_array_equal(host(found[1]), expected[1].numpy())
        assert_like(pulled_as(ours, found), pulled(expected, [theirs], 8), 1e-14)


# ---- dtypes of mixtures --------------------------------------------------------------------------------------------------

# fmt: off
MIXERS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "pow": operator.pow,
    "mod": operator.mod, "floordiv": operator.floordiv, "gt": operator.gt, "eq": operator.eq,
}
# fmt: on
OPERANDS = {  # (what stands beside a vector of a dtype, made of the value 2)
    "a vector": lambda lib, dtype: lib.tensor([2, 2], dtype=dtype),
    "a 0-d tensor": lambda lib, dtype: lib.tensor(2, dtype=dtype),
}


def outcome(compute):
    """(dtype, values), or None where it is refused."""
    try:
        result = compute()
    except (RuntimeError, TypeError, NotImplementedError):
        return None
    return str(result.dtype).removeprefix("torch."), result.tolist()


# PyTorch refuses to subtract, divide or round booleans, where NumPy computes: only what it does compute is compared


@pytest.mark.parametrize("operand", OPERANDS)
@pytest.mark.parametrize("mixer", MIXERS)
def test_two_tensors_mix_to_pytorchs_dtype(mixer, operand):
    mix, make = MIXERS[mixer], OPERANDS[operand]
    differing = {}
    for first, (ours, theirs) in DTYPES.items():
        for second, (our_second, their_second) in DTYPES.items():
            for flipped in (False, True):
                pairs = [
                    (mt.tensor([1, 3], dtype=ours), make(mt, our_second)),
                    (torch.tensor([1, 3], dtype=theirs), make(torch, their_second)),
                ]
                mine, expected = (outcome(lambda pair=pair[:: -1 if flipped else 1]: mix(*pair)) for pair in pairs)
                if expected and mine != expected:
                    differing[first, second, flipped] = mine, expected
    assert not differing


@pytest.mark.parametrize("number", [True, 2, 2.5], ids=repr)
@pytest.mark.parametrize("shape", [(2,), ()], ids=["a vector", "a 0-d tensor"])
@pytest.mark.parametrize("mixer", MIXERS)
def test_a_tensor_and_a_number_mix_to_pytorchs_dtype(mixer, shape, number):
    mix, differing = MIXERS[mixer], {}
    for name, (ours, theirs) in DTYPES.items():
        for flipped in (False, True):
            pairs = [(lib.ones(shape, dtype=dtype), number) for lib, dtype in ((mt, ours), (torch, theirs))]
            mine, expected = (outcome(lambda pair=pair[:: -1 if flipped else 1]: mix(*pair)) for pair in pairs)
            if expected and mine != expected and (mixer, name, number) != ("pow", "bool", True):  # int8 in NumPy
                differing[name, flipped] = mine, expected
    assert not differing


# fmt: off
FUNCTIONS = {
    "sum": lambda lib, F, x: lib.sum(x), "prod": lambda lib, F, x: lib.prod(x), "cumsum": lambda lib, F, x: lib.cumsum(x, 0),
    "mean": lambda lib, F, x: lib.mean(x), "max": lambda lib, F, x: lib.max(x), "exp": lambda lib, F, x: lib.exp(x),
    "sqrt": lambda lib, F, x: lib.sqrt(x), "sin": lambda lib, F, x: lib.sin(x), "sigmoid": lambda lib, F, x: lib.sigmoid(x),
    "tanh": lambda lib, F, x: lib.tanh(x), "abs": lambda lib, F, x: lib.abs(x), "sign": lambda lib, F, x: lib.sign(x),
    "neg": lambda lib, F, x: -x, "floor": lambda lib, F, x: lib.floor(x), "square": lambda lib, F, x: lib.square(x),
    "reciprocal": lambda lib, F, x: lib.reciprocal(x), "log1p": lambda lib, F, x: lib.log1p(x), "erf": lambda lib, F, x: lib.erf(x),
    "clamp by whole numbers": lambda lib, F, x: lib.clamp(x, 0, 1), "clamp by floats": lambda lib, F, x: lib.clamp(x, 0.5, 1.5),
    "where and a number": lambda lib, F, x: lib.where(x > 1, x, 2), "where and a float": lambda lib, F, x: lib.where(x > 1, x, 2.5),
    "where of numbers": lambda lib, F, x: lib.where(x > 1, 1, 2), "where of floats": lambda lib, F, x: lib.where(x > 1, 1.0, 2),
    "where of truths": lambda lib, F, x: lib.where(x > 1, True, False), "argmax": lambda lib, F, x: lib.argmax(x),
    "masked_fill": lambda lib, F, x: lib.masked_fill(x, x > 1, 0), "cat": lambda lib, F, x: lib.cat([x, lib.ones(1)]),
    "relu": lambda lib, F, x: lib.relu(x), "var": lambda lib, F, x: lib.var(x), "round": lambda lib, F, x: lib.round(x),
}
# fmt: on


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_any_dtype_gives_pytorchs_dtype(name):
    differing = {}
    for dtype, (ours, theirs) in DTYPES.items():
        mine = outcome(lambda ours=ours: FUNCTIONS[name](mt, F, mt.tensor([1, 2, 1], dtype=ours)))
        expected = outcome(
            lambda theirs=theirs: FUNCTIONS[name](torch, torch.nn.functional, torch.tensor([1, 2, 1], dtype=theirs))
        )
        if expected and (mine is None or mine[0] != expected[0]) and (name, dtype) != ("sign", "bool"):  # refused by NumPy
            differing[dtype] = mine, expected
    assert not differing


@pytest.mark.filterwarnings("ignore:Implicit dimension choice", "ignore:.*no dim was given")
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 2, 2), (2, 1, 3, 2, 2)])
def test_without_a_dim_softmax_takes_that_of_pytorch(name, shape):
    x = np.random.default_rng(0).normal(size=shape)
    theirs = getattr(torch.nn.functional, name)(torch.tensor(x)).numpy()
    assert_close(getattr(F, name)(mt.tensor(x)).numpy(), theirs, 1e-12)
