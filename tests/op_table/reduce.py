"""Reductions, and picking along a dimension."""

from __future__ import annotations

import math

import numpy as np

import minitorch as mt
from tests.op_table.row import Row, bad, case, spread

CUBE = spread(2, 3, 2)
SCALAR, EMPTY = spread(), spread(0, 3)
ONE_ZERO = np.array([[1.5, 0.0, -2.0], [0.5, 3.0, 2.0]])
TWO_ZEROS = np.array([[0.0, 0.0, -2.0], [0.5, 0.0, 2.0]])


def over(*dims, empty=None):
    """Cases over everything and over each of `dims`, kept and not, 0-d, and an empty tensor over the dim `empty`."""
    cases = [case(CUBE), case(SCALAR)]
    cases += [case(CUBE, dim=dim, keepdim=keepdim) for dim in dims for keepdim in (False, True)]
    return cases + ([case(EMPTY, dim=empty)] if empty is not None else [])


def beyond(name):
    return bad(IndexError, rf"^{name}: dim 3 is out of range .*3", CUBE, dim=3)


def twice(name):
    return bad(ValueError, rf"^{name}: .*twice.*\(0, -3\)", CUBE, dim=(0, -3))


def nothing(name, **parameters):
    return bad(ValueError, rf"^{name}: .*\(0, 3\)", EMPTY, **parameters)


def of(function):
    """The NumPy function with PyTorch's names for its arguments."""
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


def with_index(values, index):
    def reference(x, dim=None, keepdim=False):
        if dim is None:
            return values(x)
        return values(x, axis=dim, keepdims=keepdim), index(x, axis=dim, keepdims=keepdim)

    return reference


def variance(x, dim=None, unbiased=None, keepdim=False, correction=1):
    return np.var(x, dim, ddof=correction if unbiased is None else int(unbiased), keepdims=keepdim)


def deviation(x, *args, **parameters):
    return np.sqrt(variance(x, *args, **parameters))


def norm(x, p=2, dim=None, keepdim=False):
    if p == 0:
        return np.asarray(np.count_nonzero(x, axis=dim, keepdims=keepdim), float)  # NumPy 2.2 gives an int
    if abs(p) == math.inf:
        return (np.max if p > 0 else np.min)(np.abs(x), axis=dim, keepdims=keepdim)
    return (np.abs(x) ** p).sum(dim, keepdims=keepdim) ** (1 / p)


SPREADS = [
    case(CUBE),
    case(CUBE, dim=1),
    case(CUBE, dim=(0, 2), keepdim=True),
    case(CUBE, unbiased=False),
    case(CUBE, dim=-1, correction=0),
    case(CUBE, dim=1, correction=2),
    case(EMPTY, dim=1),
]

# fmt: off
ROWS = [
    Row("sum", mt.sum, of(np.sum), over(1, -1, (0, 2), empty=0), bad=[beyond("sum"), twice("sum")]),
    Row("mean", mt.mean, of(np.mean), over(1, -1, (0, 2), empty=1),
        bad=[beyond("mean"), twice("mean"),
             bad(TypeError, "^mean: expected a floating-point tensor, got int64; convert it with .float", np.arange(3))]),
    Row("prod", mt.prod, of(np.prod), [*[case(x, waits="backward" if x.size else "", **c.parameters) for c in over(1, -1, empty=0) for x in c.inputs],
        case(ONE_ZERO, waits="backward"), case(ONE_ZERO, dim=1, waits="backward"), case(TWO_ZEROS, dim=1, waits="backward"),
        case(TWO_ZEROS, dim=0, keepdim=True, waits="backward")], bad=[beyond("prod")]),
    Row("cumsum", mt.cumsum, lambda x, dim: np.cumsum(x, dim).reshape(x.shape),
        [case(CUBE, dim=1), case(CUBE, dim=-1), case(EMPTY, dim=1), case(SCALAR, dim=0)], bad=[beyond("cumsum")]),
    Row("logsumexp", mt.logsumexp, of(np.logaddexp.reduce),
        [case(CUBE, 1), case(CUBE, dim=-1, keepdim=True), case(EMPTY, dim=1), case(np.array([[1e4, -1e4], [-1e4, -1e4]]), dim=1)],
        bad=[beyond("logsumexp")]),
    Row("logsumexp", mt.logsumexp, lambda x, dim, keepdim=False: np.log(np.exp(x).sum(dim, keepdims=keepdim)),
        [case(CUBE, dim=(0, 2)), case(CUBE, dim=(1, 2), keepdim=True), case(SCALAR, dim=())]),
    Row("var", mt.var, variance, SPREADS,
        bad=[beyond("var"), bad(TypeError, "^var: expected a floating-point tensor, got int64", np.arange(3))]),
    Row("std", mt.std, deviation, SPREADS,
        bad=[beyond("std"), bad(TypeError, "^std: expected a floating-point tensor, got int64", np.arange(3))]),
    Row("max", mt.max, with_index(np.max, np.argmax), [*over(1, -1, empty=1), case(SCALAR, dim=0)],
        bad=[beyond("max"), nothing("max"), nothing("max", dim=0)]),
    Row("min", mt.min, with_index(np.min, np.argmin), [*over(1, -1, empty=1), case(SCALAR, dim=0)],
        bad=[beyond("min"), nothing("min"), nothing("min", dim=0)]),
    Row("amax", mt.amax, of(np.max), over(1, -1, (0, 2), empty=1), bad=[beyond("amax"), twice("amax"), nothing("amax", dim=0)]),
    Row("amin", mt.amin, of(np.min), over(1, -1, (0, 2), empty=1), bad=[beyond("amin"), twice("amin"), nothing("amin", dim=0)]),
    Row("norm", mt.norm, norm, [*over(1, (0, 2), empty=1), case(CUBE, 2.0, -1)], bad=[beyond("norm")]),
    Row("norm", mt.norm, norm, [case(CUBE, p, dim) for p in (0, 1, 3, 2.5, math.inf, -math.inf) for dim in (None, 1, (0, 2))],
        analytic=False, bad=[bad(TypeError, "^norm: .*'nuc'", CUBE, "nuc")]),
    Row("gather", mt.gather, lambda x, dim, index: np.take_along_axis(x[tuple(slice(None if i == dim else n)
        for i, n in enumerate(index.shape))], index, dim),
        [case(spread(2, 3), 1, np.array([[0, 0, 2, 1], [1, 1, 1, 0]]), waits="forward"),
         case(spread(3, 2), 0, np.array([[2, 0], [1, 0], [2, 2]]), waits="forward"),
         case(spread(3, 3), 0, np.array([[2, 1]]), waits="forward"),
         case(spread(2, 3), 1, np.array([[0, 0], [2, 1]]), waits="forward"),
         case(CUBE, 1, np.array([[[2]], [[0]]]), waits="forward"), case(spread(2, 3), 1, np.zeros((2, 0), int))],
        bad=[bad(IndexError, r"^gather: .*dim 1 of length 3 .*\(2, 3\)", spread(2, 3), 1, np.array([[3]])),
             bad(IndexError, r"^gather: .*dim 1 of length 3 .*\(2, 3\)", spread(2, 3), 1, np.array([[-1]])),
             bad(IndexError, r"^gather: dim 2 is out of range", spread(2, 3), 2, np.array([[0]])),
             bad(ValueError, r"^gather: .*2 dimensions, got int64 of shape \(1,\)", spread(2, 3), 1, np.array([0])),
             bad(ValueError, r"^gather: .*got float64 of shape \(1, 1\)", spread(2, 3), 1, np.array([[0.0]])),
             bad(ValueError, r"^gather: .*\(2, 3\).*\(1, 3\)", spread(1, 3), 1, np.zeros((2, 3), int))]),
]
# fmt: on
