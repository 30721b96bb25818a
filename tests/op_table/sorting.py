"""Order, the largest few, the middle; and values put at, added to and taken from places that an index names."""

from __future__ import annotations

import numpy as np

import minitorch as mt
from tests.op_table.row import Fixed, Row, bad, case, spread

MATRIX, CUBE, LONG = spread(2, 3), spread(2, 3, 2), spread(2, 120)
GRID, PLACES = spread(3, 4), np.array([[2, 0, 1, 0], [0, 2, 1, 1]])
INDEX = np.array([2, 0])
MASK = np.array([[True, False, True, True], [False, False, True, False], [False] * 4])


def ranked(x, dim=-1, descending=False):
    order = np.argsort(-x if descending else x, dim, kind="stable")
    return np.take_along_axis(x, order, dim), order


def top(x, k, dim=-1, largest=True):
    values, order = ranked(x, dim, largest)
    return values.take(range(k), dim), order.take(range(k), dim)


def at_rank(rank, x, dim, keepdim=False):
    values, order = (part.take([rank(x.shape[dim])], dim) for part in ranked(x, dim))
    return (values, order) if keepdim else (values.squeeze(dim), order.squeeze(dim))


def scattered(combine, x, dim, index, src):
    out = x.copy()
    for place in np.ndindex(*index.shape):
        target = (*place[:dim], index[place], *place[dim + 1 :])
        out[target] = combine(out[target], src[place] if np.ndim(src) else src)
    return out


def with_slices(combine, x, dim, index, source, alpha=1):
    out = np.moveaxis(x.copy(), dim, 0)
    slices = np.moveaxis(source, dim, 0) if np.ndim(source) else [source] * len(index)
    for i, part in zip(index, slices):
        out[i] = combine(out[i], alpha * part)
    return np.moveaxis(out, 0, dim)


def new(old, value):
    return value


def from_list(x, mask, source):
    out = x.copy()
    out[mask] = source.ravel()[: mask.sum()]
    return out


def out_of_range(name, *more):
    return bad(IndexError, rf"^{name}: an index outside .* for dim 0 of length 3", GRID, 0, *more)


# fmt: off
ROWS = [
    Row("sort", mt.sort, ranked, [case(CUBE), case(CUBE, 1, True), case(MATRIX, 0)], analytic=False,
        bad=[bad(IndexError, "^sort: dim 3 is out of range", CUBE, 3)]),
    Row("topk", mt.topk, top, [case(MATRIX, 2), case(CUBE, 1, 0), case(MATRIX, 2, -1, False), case(LONG, 2), case(LONG, 2, 1, False)], analytic=False,
        bad=[bad(ValueError, r"^topk: expected k from 0 to 3, the length of dim 1 of shape \(2, 3\), got 4", MATRIX, 4)]),
    Row("median", mt.median, lambda x: np.sort(x, None)[(x.size - 1) // 2], [case(MATRIX), case(spread())], analytic=False),
    Row("median", mt.median, lambda x, dim, keepdim=False: at_rank(lambda n: (n - 1) // 2, x, dim, keepdim), [case(MATRIX, 1), case(CUBE, 0, True)], analytic=False,
        bad=[bad(ValueError, r"^median: there is no element along dim 0 of shape \(0, 2\)", spread(0, 2), 0)]),
    Row("mode", mt.mode, lambda x, dim=-1: (x.min(dim), x.argmin(dim)), [case(MATRIX), case(CUBE, 1)], analytic=False),
    Row("quantile", mt.quantile, lambda x, q, dim=None, keepdim=False, interpolation="linear": np.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation),
        [case(MATRIX, 0.3, waits="forward"), case(MATRIX, Fixed(np.array([0.1, 0.8])), dim=1, waits="forward"), case(MATRIX, 0.6, dim=0, keepdim=True, interpolation="lower", waits="forward"),
         case(MATRIX, 0.6, interpolation="midpoint", waits="forward")], analytic=False,
        bad=[bad(ValueError, "^quantile: expected q from 0 to 1", MATRIX, 1.5), bad(TypeError, "^quantile: expected input and q of one", np.array([1]), 0.5),
             bad(ValueError, "^quantile: no interpolation 'cubic'", MATRIX, 0.5, interpolation="cubic")]),
    # ---- at places
    Row("scatter", mt.scatter, lambda x, dim, index, src: scattered(new, x, dim, index, src), [
        case(GRID, 0, PLACES[:, :2], spread(2, 2, seed=1), waits="forward"), case(GRID, 1, np.array([[3, 0], [1, 2]]), 1.5, waits="forward")],
        bad=[out_of_range("scatter", np.array([[3]]), 1.0),
             bad(ValueError, r"^scatter: an index of shape \(1, 5\) does not fit an input of shape \(3, 4\)", GRID, 0, np.zeros((1, 5), int), 1.0),
             bad(TypeError, "^scatter: expected one dtype, got float64 and int64", GRID, 0, PLACES, PLACES)]),
    Row("scatter_add", mt.scatter_add, lambda x, dim, index, src: scattered(np.add, x, dim, index, src),
        [case(GRID, 0, PLACES, spread(2, 4, seed=1), waits="forward")], bad=[out_of_range("scatter_add", np.array([[3]]), spread(1, 1))]),
    Row("index_add", mt.index_add, lambda *given, **more: with_slices(np.add, *given, **more), [
        case(GRID, 0, np.array([2, 0, 2]), spread(3, 4, seed=1), waits="forward"), case(GRID, -1, INDEX, spread(3, 2, seed=1), alpha=-0.5, waits="forward")],
        bad=[out_of_range("index_add", np.array([3]), spread(1, 4)), bad(ValueError, r"^index_add: .*\(2,\) and \(3, 4\)", GRID, 0, INDEX, GRID)]),
    Row("index_copy", mt.index_copy, lambda *given: with_slices(new, *given), [case(GRID, 1, INDEX, spread(3, 2, seed=1), waits="forward")],
        bad=[out_of_range("index_copy", np.array([3]), spread(1, 4)), bad(TypeError, "^index_copy: expected an int32 or int64 index", GRID, 0, spread(2), GRID)]),
    Row("index_fill", mt.index_fill, lambda *given: with_slices(new, *given), [case(GRID, 1, INDEX, 0.5, waits="forward"), case(GRID, 0, INDEX, spread(seed=1), waits="forward")],
        bad=[out_of_range("index_fill", np.array([3]), 0.0), bad(ValueError, "^index_fill: expected a number or a 0-d tensor", GRID, 0, INDEX, spread(2))]),
    Row("masked_select", mt.masked_select, lambda x, mask: np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))],
        [case(GRID, MASK, waits="forward backward"), case(GRID[0], MASK, waits="forward backward"), case(GRID, MASK[0], waits="forward backward")],
        bad=[bad(TypeError, "^masked_select: expected a boolean mask", GRID, MASK.astype(int))]),
    Row("narrow", mt.narrow, lambda x, dim, start, length: x.take(range(start, start + length), dim), [case(GRID, 1, 1, 2), case(GRID, 0, 0, 3)],
        bad=[bad(IndexError, r"^narrow: no 3 slices from 1 on in dim 0 of length 3 \(shape \(3, 4\)\)", GRID, 0, 1, 3)]),
]
# fmt: on
