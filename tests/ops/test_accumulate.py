"""Sums keep their bound: 2e-6 of the sum of magnitudes, along any axis, in any layout, forward and inside backward rules."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch as mt
import minitorch.functional as F
from minitorch.accumulate import running_total, total

BOUND = 2e-6
COUNT = 100_000
rng = np.random.default_rng(0)
ROWS = np.full((COUNT, 3), 0.1, np.float32)  # NumPy's own mean of these over axis 0 is 0.1003


def off(got: object, right: object, magnitudes: object = None) -> float:
    """The largest error of `got`, relative to the sums of magnitudes (those of `right` where all terms have one sign)."""
    got = np.asarray(got.detach().array if isinstance(got, mt.Tensor) else got, np.float64)
    right = np.asarray(right, np.float64)
    assert got.shape == right.shape
    return float((np.abs(got - right) / np.abs(right if magnitudes is None else magnitudes)).max())


# ---- the policy itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(10_000_000,), (5_000_000, 2), (2, 5_000_000), (2_500_000, 2, 2), (10_000, 1000)], ids=str)
def test_ten_million_tenths_add_up_along_every_axis(shape):
    a = np.full(shape, 0.1, np.float32)
    for axis in range(a.ndim):
        assert off(total(a, (axis,)), np.full(a.sum(axis).shape, shape[axis] * float(a.flat[0]))) < BOUND
    assert off(total(a, tuple(range(a.ndim))), a.size * float(a.flat[0])) < BOUND


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rows": lambda a: a,
    "columns": lambda a: np.ascontiguousarray(a.T).T,
    "every second row": lambda a: a[::2],
    "two of three columns": lambda a: a[:, :2],
    "backwards": lambda a: a[::-1, ::-1],
    "images, channels last": lambda a: a.reshape(10, -1, 10, 3).transpose(0, 3, 1, 2),
    "a column for all": lambda a: np.broadcast_to(a[:, :1], (len(a), 4)),
    "a row for all": lambda a: np.broadcast_to(a[:1], (len(a), 3)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_adds_up(layout):
    a = LAYOUTS[layout](ROWS)
    for dims in [(0,), (1,), tuple(range(a.ndim)), (0, *range(2, a.ndim))]:
        count = math.prod(a.shape[d] for d in dims)
        for keepdims in (False, True):
            right = a.sum(dims, dtype=np.float64, keepdims=keepdims)
            assert off(total(a, dims, keepdims), right) < BOUND, (dims, count)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_policy_sums_what_numpy_sums(data):
    shape = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 40, 129, 300]), min_size=1, max_size=4))
    while math.prod(shape) > 100_000:
        shape[shape.index(max(shape))] = 2
    a = np.arange(math.prod(shape), dtype=np.float32).reshape(shape) % 7 + 1
    a = a.transpose(data.draw(st.permutations(range(a.ndim))))
    a = a[tuple(slice(None, None, data.draw(st.sampled_from([1, 1, 2, -1]))) for _ in shape)]
    if a.size < 500 and 1 in a.shape and data.draw(st.booleans()):
        one = a.shape.index(1)
        a = np.broadcast_to(a, (*a.shape[:one], 200, *a.shape[one + 1 :]))
    dims = tuple(data.draw(st.lists(st.sampled_from(range(a.ndim)), unique=True)))
    for keepdims in (False, True):
        got, right = total(a, dims, keepdims), a.sum(dims, keepdims=keepdims, dtype=np.float64)
        assert got.dtype == np.float32
        assert np.shape(got) == right.shape
        np.testing.assert_array_equal(got, right)  # small whole numbers: every order of adding is exact


def test_integers_and_booleans_are_added_as_int64():
    assert total(np.full((300, 2), 200, np.uint8), (0,)).tolist() == [60_000, 60_000]
    assert total(np.ones((300, 2), bool), (0,)).dtype == np.int64
    assert running_total(np.full((300, 2), 200, np.uint8), 0)[-1].tolist() == [60_000, 60_000]


# ---- kept by every operation ---------------------------------------------------------------------------------------------

tenth = float(np.float32(0.1))
uneven = np.where(np.arange(COUNT) % 4 == 0, 3.1, 0.1).astype(np.float32)[:, None] * np.ones(3, np.float32)
MEAN = uneven.astype(np.float64).mean(0)
VAR = uneven.astype(np.float64).var(0)

FORWARD: dict[str, tuple[Callable[[], mt.Tensor], np.ndarray]] = {
    "sum": (lambda: mt.tensor(ROWS).sum(0), np.full(3, tenth * COUNT)),
    "mean": (lambda: mt.tensor(ROWS).mean(0), np.full(3, tenth)),
    "var": (lambda: mt.tensor(uneven).var(0, correction=0), VAR),
    "std": (lambda: mt.tensor(uneven).std(0, correction=0), np.sqrt(VAR)),
    "norm": (lambda: mt.norm(mt.tensor(ROWS), 2, 0), np.full(3, tenth * math.sqrt(COUNT))),
    "norm 1": (lambda: mt.norm(mt.tensor(ROWS), 1, 0), np.full(3, tenth * COUNT)),
    "norm 3": (lambda: mt.norm(mt.tensor(ROWS), 3, 0), np.full(3, tenth * COUNT ** (1 / 3))),
    "cumsum": (lambda: mt.tensor(ROWS).cumsum(0), tenth * np.arange(1, COUNT + 1)[:, None] * np.ones(3)),
    "logsumexp": (lambda: mt.tensor(ROWS).logsumexp(0), np.full(3, tenth + math.log(COUNT))),
    "softmax": (lambda: F.softmax(mt.tensor(ROWS), 0), np.full((COUNT, 3), 1 / COUNT)),
    "log_softmax": (lambda: F.log_softmax(mt.tensor(ROWS), 0), np.full((COUNT, 3), -math.log(COUNT))),
    "mse_loss": (lambda: F.mse_loss(mt.tensor(ROWS.T).T, mt.zeros(COUNT, 3)), np.asarray(tenth**2)),
    "cross_entropy": (
        lambda: F.cross_entropy(mt.tensor(ROWS), mt.zeros(COUNT, dtype=mt.int64), reduction="sum"),
        np.asarray(COUNT * math.log(3)),
    ),
    "cross_entropy, weighted": (
        lambda: F.cross_entropy(mt.tensor(ROWS), mt.zeros(COUNT, dtype=mt.int64), mt.tensor([0.1, 1.0, 1.0])),
        np.asarray(math.log(3)),
    ),
    "nll_loss": (lambda: F.nll_loss(mt.tensor(-ROWS), mt.zeros(COUNT, dtype=mt.int64)), np.asarray(tenth)),
    "batch_norm's mean": (lambda: running(0), 0.1 * MEAN),
    "batch_norm's variance": (lambda: running(1), 0.9 + 0.1 * VAR * COUNT / (COUNT - 1)),
    "clip_grad_norm_": (
        lambda: mt.optim.clip.clip_grad_norm_(with_gradient(ROWS), 1.0),
        np.asarray(tenth * math.sqrt(3 * COUNT)),
    ),
}


def running(which: int) -> mt.Tensor:
    statistics = mt.zeros(3), mt.ones(3)
    F.batch_norm(mt.tensor(uneven), *statistics, training=True)
    return statistics[which]


def with_gradient(array: np.ndarray) -> mt.Tensor:
    p = mt.zeros(*array.shape, requires_grad=True)
    p.grad = mt.tensor(array)
    return p


@pytest.mark.parametrize("name", FORWARD)
def test_a_reduction_keeps_the_bound(name):
    call, right = FORWARD[name]
    assert off(call(), right) < BOUND


def gradient(compute: Callable[[mt.Tensor], mt.Tensor], *shape: int) -> mt.Tensor:
    x = mt.zeros(*shape, requires_grad=True)
    y = compute(x)
    y.backward(mt.full(y.shape, 0.1))
    return x.grad


BACKWARD: dict[str, tuple[Callable[[mt.Tensor], mt.Tensor], tuple[int, ...]]] = {
    "a broadcast row": (lambda b: mt.zeros(COUNT, 3) + b, (3,)),
    "a broadcast number": (lambda b: mt.zeros(COUNT, 3) + b, ()),
    "expand": (lambda b: b.expand(COUNT, 3), (3,)),
    "linear's bias": (lambda b: F.linear(mt.zeros(COUNT, 2), mt.zeros(3, 2), b), (3,)),
    "conv2d's bias": (lambda b: F.conv2d(mt.zeros(10, 1, 100, 100), mt.zeros(3, 1, 1, 1), b), (3,)),
    "batch_norm's bias": (lambda b: F.batch_norm(mt.tensor(ROWS), None, None, mt.ones(3), b, training=True), (3,)),
    "layer_norm's bias": (lambda b: F.layer_norm(mt.tensor(ROWS), (3,), mt.ones(3), b), (3,)),
}


@pytest.mark.parametrize("name", BACKWARD)
def test_a_sum_inside_a_backward_rule_keeps_the_bound(name):
    compute, shape = BACKWARD[name]
    out = compute(mt.zeros(*shape))
    count = out.numel() / math.prod(shape)
    assert off(gradient(compute, *shape), np.full(shape, count * tenth)) < BOUND


def test_the_gradient_of_cumsum_keeps_the_bound():
    right = tenth * np.arange(COUNT, 0, -1)[:, None] * np.ones(3)
    assert off(gradient(lambda x: x.cumsum(0), COUNT, 3), right) < BOUND


def test_sums_keep_the_bound_on_a_gpu_too(cupy):
    a = mt.tensor(ROWS, device="cuda")
    assert off(a.sum(0).cpu(), np.full(3, tenth * COUNT)) < BOUND
    assert off(a.cumsum(0)[-1].cpu(), np.full(3, tenth * COUNT)) < BOUND
