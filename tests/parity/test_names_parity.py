"""What the table of operations does not try, beside PyTorch: ties, nan, integers, counts, keywords, draws' shapes and dtypes."""

from __future__ import annotations

import math

import pytest

import minitorch as mt
from tests.op_table.row import outputs

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.parity]

NAN, INF = math.nan, math.inf
GRIDS = {
    "ties": [[2.0, 2.0, 1.0, 0.0], [0.0, 2.0, 1.0, 1.0], [3.0, 0.0, 3.0, 0.0]],
    "nan": [[1.0, NAN, 3.0, 0.0], [NAN, NAN, 2.0, INF], [-INF, NAN, -INF, 0.0]],
    "whole": [[3, 1, 2, 1], [0, -4, 4, 0], [7, 7, 7, 6]],
}
# fmt: off
VALUES = {
    "sort": lambda lib, x: lib.sort(x, 1).values, "sort descending": lambda lib, x: lib.sort(x, 0, descending=True).values,
    "stable": lambda lib, x: lib.sort(x, dim=1, stable=True), "stable descending": lambda lib, x: x.sort(stable=True, dim=1, descending=True),
    "topk": lambda lib, x: x.topk(2).values, "smallest": lambda lib, x: lib.topk(x, 3, 0, largest=False).values,
    "median": lambda lib, x: lib.median(x), "median dim": lambda lib, x: x.median(1).values,
    "mode": lambda lib, x: lib.mode(x).values,
    "cumprod": lambda lib, x: x.cumprod(1), "count_nonzero": lambda lib, x: x.count_nonzero(0),
    "isclose": lambda lib, x: lib.isclose(x, x + (x == 2), atol=0.5, equal_nan=x.dtype.is_floating_point if lib is torch else x.dtype.kind == "f"),
    "unique": lambda lib, x: lib.unique(x[x == x], return_inverse=True, return_counts=True), "unique dim": lambda lib, x: lib.unique(x[:1, :1].expand(3, 2), dim=1),
    "argwhere": lambda lib, x: lib.argwhere(x),
    "tril": lambda lib, x: x.tril(),
    "sum by NumPy's names": lambda lib, x: x.sum(axis=1, keepdims=True), "cat": lambda lib, x: lib.cat([x, x], axis=1),
}
WHOLE = {
    "bincount": lambda lib, x: lib.bincount(x, minlength=9), "bincount weights": lambda lib, x: lib.bincount(x, x.float()),
    "log2": lambda lib, x: lib.log2(x),
    "repeat_interleave": lambda lib, x: lib.repeat_interleave(x),
    "tril_indices": lambda lib, x: lib.tril_indices(3, 4, 1),
    "histc": lambda lib, x: lib.histc(x.float(), bins=3),
    "histogram": lambda lib, x: lib.histogram(x.float(), 5, density=True), "histogram of few": lambda lib, x: tuple(x.double().histogram(3, range=(1.0, 5.0), weight=x.double())),
    "histogram between edges": lambda lib, x: lib.histogram(x.float(), lib.tensor([0.5, 1.0, 4.0])).hist, "histogram of one": lambda lib, x: lib.histogram(lib.ones(3), 4),
    "scatter of ones": lambda lib, x: lib.zeros(5, 8).scatter_(1, x.view(-1, 1), 1), "scatter add": lambda lib, x: lib.zeros(8).scatter_add_(0, x, lib.ones(5)),
    "scatter multiply": lambda lib, x: lib.full((8,), 2.0).scatter_(0, x, 3.0, reduce="multiply"), "logspace": lambda lib, x: lib.logspace(0, 2, 3),
    "range": lambda lib, x: lib.range(0, 4), "zeros by size": lambda lib, x: lib.zeros(size=(2, 3)), "out": lambda lib, x: lib.add(x, 1, out=lib.zeros(0, dtype=x.dtype)),
    "out of two": lambda lib, x: lib.sort(x, out=(lib.zeros(5, dtype=x.dtype), lib.zeros(5, dtype=x.dtype))).values,
}
# fmt: on


def same(ours, theirs):
    for mine, torchs in zip(outputs(ours), outputs(theirs), strict=True):
        assert str(mine.dtype) == str(torchs.dtype).removeprefix("torch.")
        torch.testing.assert_close(torch.tensor(mine.numpy()), torchs, equal_nan=True, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", VALUES)
def test_ties_nan_and_whole_numbers_are_treated_as_in_pytorch(name, grid):
    same(*(VALUES[name](lib, lib.tensor(GRIDS[grid])) for lib in (mt, torch)))


@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter")
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_are_counted_and_placed_as_in_pytorch(name):
    same(*(WHOLE[name](lib, lib.tensor([3, 0, 4, 3, 1])) for lib in (mt, torch)))


def test_equal_elements_share_the_gradient_of_the_median():
    for lib in (mt, torch):
        x = lib.tensor([1.0, 2.0, 2.0, 5.0], requires_grad=True)
        x.median().backward()
        assert x.grad.tolist() == [0.0, 0.5, 0.5, 0.0]
