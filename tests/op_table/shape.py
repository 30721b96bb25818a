"""Operations that move elements and compute nothing."""

from __future__ import annotations

import numpy as np

import minitorch as mt
from minitorch import Tensor
from tests.op_table.row import Fixed, Row, bad, case, spread, via

CUBE, MATRIX, SCALAR = spread(2, 3, 2), spread(2, 3), spread()


def joined(function):
    return via(function, lambda *tensors, dim=0: function(tensors, dim))


def joined_in_torch(name):
    return lambda torch, *tensors, dim=0: getattr(torch, name)(tensors, dim)


def stacked(*arrays, dim=0):
    return np.stack(arrays, dim)


def split(x, size, dim=0):
    at = range(size, x.shape[dim], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return np.split(x, list(at), dim)


def chunk(x, chunks, dim=0):
    return split(x, max(-(-x.shape[dim] // chunks), 1), dim)


def unbound(x, dim=0):
    return [x.take(i, dim) for i in range(x.shape[dim])]


def squeezed(x, dim=None):
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in {d % x.ndim for d in dims}])


def beyond(name, *arguments):
    return bad(IndexError, rf"^{name}: dim 5 is out of range .*\(2, 3, 2\)", CUBE, *arguments)


SWAPS = [case(CUBE, 0, 2), case(CUBE, -1, 1), case(MATRIX, 0, 0), case(SCALAR, 0, -1), case(spread(0, 2), 0, 1)]
JOINS = [case(MATRIX, spread(2, 3, seed=1)), case(MATRIX, spread(2, 3, seed=1), spread(2, 3, seed=2), dim=1), case(MATRIX)]

# fmt: off
ROWS = [
    Row("reshape", mt.reshape, lambda x, *shape: x.reshape(*shape), also=[Tensor.view], cases=[
        case(CUBE, (3, 4)), case(CUBE, 3, -1), case(CUBE, (-1,)), case(SCALAR, (1, 1)), case(spread(0, 2), (2, 0)),
        case(spread(1), ())],
        torch=lambda torch, x, *shape: x.reshape(*shape),
        bad=[bad(ValueError, r"^reshape: shape \(2, 3, 2\), of 12 elements, cannot become \(5, 3\)", CUBE, (5, 3)),
             bad(ValueError, r"^reshape: shape \(2, 3, 2\), of 12 elements, cannot become \(5, -1\)", CUBE, 5, -1)]),
    Row("flatten", mt.flatten, lambda x, start_dim=0, end_dim=-1: x.reshape(
        *x.shape[:start_dim], -1, *(x.shape[end_dim % x.ndim + 1 :] if x.ndim else ())),
        [case(CUBE), case(CUBE, 1), case(spread(2, 2, 1, 2), start_dim=1, end_dim=2), case(SCALAR)],
        bad=[beyond("flatten", 5), beyond("flatten", 0, 5),
             bad(ValueError, r"^flatten: start_dim 2 comes after end_dim 1 .*\(2, 3, 2\)", CUBE, 2, 1)]),
    Row("unflatten", Tensor.unflatten, lambda x, dim, sizes: x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :]),
        [case(spread(2, 6), 1, (2, 3)), case(spread(4, 3), 0, (-1, 2))],
        bad=[beyond("unflatten", 5, (1, 2)), bad(ValueError, r"^unflatten: dim 1 of shape \(2, 6\) cannot be split into \(4, 2\)", spread(2, 6), 1, (4, 2))]),
    Row("transpose", mt.transpose, np.swapaxes, SWAPS[:3], also=[Tensor.swapaxes, Tensor.swapdims],
        bad=[beyond("transpose", 0, 5), beyond("transpose", 5, 0)]),
    Row("transpose", mt.transpose, lambda x, *dims: x.T, SWAPS[3:]),
    Row("permute", mt.permute, np.transpose, [case(CUBE, (2, 0, 1)), case(CUBE, (-1, 0, 1)), case(SCALAR, ())],
        bad=[bad(ValueError, r"^permute: expected each of 3 dimensions once, got \(0, 1\) .*\(2, 3, 2\)", CUBE, (0, 1)),
             bad(ValueError, r"^permute: .*\(0, 0, 1\)", CUBE, (0, 0, 1)), beyond("permute", (0, 1, 5))]),
    Row("t", mt.t, np.transpose, [case(MATRIX), case(spread(3)), case(SCALAR)], also=[via(Tensor.T, lambda x: x.T)],
        bad=[bad(ValueError, r"^t: expected at most 2 dimensions, got shape \(2, 3, 2\)", CUBE)]),
    Row("mT", via(Tensor.mT, lambda x: x.mT), lambda x: x.swapaxes(-1, -2), [case(MATRIX), case(CUBE)],
        torch=lambda torch, x: x.mT),
    Row("squeeze", mt.squeeze, squeezed, [case(spread(1, 3, 1)), case(spread(1, 3, 1), 0), case(spread(1, 3, 1), -2),
        case(spread(1, 3, 1), (0, 2)), case(SCALAR)], bad=[beyond("squeeze", 5)]),
    Row("unsqueeze", mt.unsqueeze, np.expand_dims, [case(MATRIX, 0), case(MATRIX, -1), case(MATRIX, 1), case(SCALAR, 0)],
        bad=[beyond("unsqueeze", 5)]),
    Row("expand", Tensor.expand, lambda x, *sizes: np.broadcast_to(x, [n if size == -1 else size for n, size in
        zip((1,) * (len(sizes) - x.ndim) + x.shape, sizes)]),
        [case(spread(3, 1), 3, 2), case(spread(3, 1), -1, 4), case(spread(3, 1), 2, 3, 2), case(SCALAR, 2, 2), case(MATRIX, 2, 3),
         case(spread(1, 2), 0, 2)],
        bad=[bad(ValueError, r"^expand: shape \(2, 3\) cannot be expanded to \(2, 4\)", MATRIX, 2, 4),
             bad(ValueError, r"^expand: shape \(2, 3\) cannot be expanded to \(3,\)", MATRIX, 3),
             bad(ValueError, r"^expand: .*\(2, 3\).*-1", MATRIX, -1, 2, 3)]),
    Row("expand_as", Tensor.expand_as, lambda x, other: np.broadcast_to(x, other.shape), [case(spread(3, 1), Fixed(spread(2, 3, 2)))]),
    Row("repeat", Tensor.repeat, lambda x, *counts: np.tile(x, counts),
        [case(MATRIX, 1, 2), case(MATRIX, 2, 1, 2), case(SCALAR, 3), case(MATRIX, 0, 1)],
        bad=[bad(ValueError, r"^repeat: expected at least 2 counts of 0 or more for shape \(2, 3\), got \(2,\)", MATRIX, 2)]),
    Row("flip", mt.flip, np.flip, [case(CUBE, (0, 2)), case(CUBE, (-1,)), case(spread(0, 2), (0,))], bad=[beyond("flip", (5,)), bad(TypeError, "^flip: expected the dims to reverse, got none", MATRIX)]),
    Row("cat", joined(mt.cat), lambda *arrays, dim=0: np.concatenate(arrays, dim), torch=joined_in_torch("cat"), cases=[
        *JOINS, case(MATRIX, spread(1, 3, seed=1), spread(0, 3)), case(MATRIX, spread(2, 1, seed=1), dim=-1)],
        bad=[bad(ValueError, "^cat: expected at least one tensor"),
             bad(ValueError, r"^cat: shapes must agree except in dim 0, got \(2, 3\), \(2, 2\)", MATRIX, spread(2, 2)),
             bad(ValueError, r"^cat: shapes must agree except in dim 1, got \(2, 3\), \(3, 3\)", MATRIX, spread(3, 3), dim=1),
             bad(TypeError, "^cat: expected tensors, got float", MATRIX, 1.0),
             bad(IndexError, r"^cat: dim 2 is out of range .*\(2, 3\)", MATRIX, dim=2)]),
    Row("stack", joined(mt.stack), stacked, torch=joined_in_torch("stack"), cases=[
        *JOINS, case(MATRIX, spread(2, 3, seed=1), dim=-1), case(SCALAR, SCALAR)],
        bad=[bad(ValueError, "^stack: expected at least one tensor"),
             bad(ValueError, r"^stack: expected equal shapes, got \(2, 3\), \(3,\)", MATRIX, spread(3)),
             bad(TypeError, "^stack: expected tensors, got float", MATRIX, 1.0),
             bad(IndexError, r"^stack: dim 3 is out of range .*\(2, 3\)", MATRIX, dim=3)]),
    Row("split", mt.split, split, torch="split", cases=[
        case(spread(5, 2), 2), case(spread(2, 5), 2, dim=1), case(spread(5), [1, 4]), case(spread(2, 4), [1, 0, 3], dim=-1)],
        bad=[beyond("split", 1, 5), bad(ValueError, "^split: expected a positive size, got 0", MATRIX, 0),
             bad(ValueError, r"^split: sizes \[1, 2\] do not add up to 2, dim 0 of shape \(2, 3\)", MATRIX, [1, 2])]),
    Row("chunk", mt.chunk, chunk, [case(spread(5, 2), 2), case(spread(2, 5), 3, dim=1), case(spread(2), 4)],
        bad=[beyond("chunk", 2, 5), bad(ValueError, "^chunk: expected at least 1 chunk, got 0", MATRIX, 0)]),
    Row("unbind", mt.unbind, unbound, [case(MATRIX), case(CUBE, dim=1), case(CUBE, dim=-1)],
        also=[via(Tensor.__iter__, lambda x: tuple(x))], bad=[beyond("unbind", 5)]),
    Row("clone", mt.clone, np.copy, [case(MATRIX), case(SCALAR), case(spread(0, 2))],
        also=[via(Tensor.to, lambda x: x.to(x.dtype, copy=True))]),
    Row("contiguous", via(Tensor.contiguous, lambda x: x.transpose(0, -1).contiguous()), lambda x: x.swapaxes(0, -1),
        [case(MATRIX), case(CUBE)], torch=lambda torch, x: x.transpose(0, -1).contiguous()),
]
# fmt: on
