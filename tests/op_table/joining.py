"""Rows and columns beside each other, copies, turns, windows, views in another form."""

from __future__ import annotations

import numpy as np

import minitorch as mt
from minitorch import Tensor
from tests.op_table.row import Fixed, Row, bad, case, spread, via

CUBE, MATRIX, VECTOR, SCALAR = spread(2, 3, 2), spread(2, 3), spread(3), spread()
TWO = [case(MATRIX, spread(2, 3, seed=1)), case(VECTOR, spread(3, seed=1))]


def joined(function):
    return via(function, lambda *tensors: function(list(tensors)))


def side_by_side(name, reference, cases=TWO, **more):
    return Row(
        name,
        joined(getattr(mt, name)),
        lambda *arrays: reference(arrays),
        cases,
        torch=lambda torch, *tensors: getattr(torch, name)(tensors),
        **more,
    )


def windows(x, dimension, size, step):
    found = np.lib.stride_tricks.sliding_window_view(x, size, dimension)
    return found[(*(slice(None),) * dimension, slice(None, None, step))]


# fmt: off
ROWS = [
    Row("atleast_1d", mt.atleast_1d, np.atleast_1d, [case(SCALAR), case(VECTOR)]),
    Row("atleast_2d", mt.atleast_2d, np.atleast_2d, [case(SCALAR), case(VECTOR)]),
    side_by_side("hstack", np.hstack),
    side_by_side("vstack", np.vstack, bad=[bad(ValueError, r"^cat: shapes must agree", MATRIX, spread(2))]),
    Row("meshgrid", mt.meshgrid, lambda *x, indexing="ij": np.meshgrid(*x, indexing=indexing),
        [case(spread(2), spread(3, seed=1)), case(spread(2), spread(3, seed=1), indexing="xy")],
        torch=lambda torch, *x, indexing="ij": torch.meshgrid(*x, indexing=indexing),
        bad=[bad(ValueError, "^meshgrid: expected indexing 'ij' or 'xy', got 'ab'", VECTOR, indexing="ab"),
             bad(ValueError, r"^meshgrid: expected vectors of one dtype, got \[.*\(2, 3\)", MATRIX)]),
    Row("broadcast_to", mt.broadcast_to, np.broadcast_to, [case(spread(3, 1), (2, 3, 2))],
        bad=[bad(ValueError, r"^expand: shape \(2, 3\)", MATRIX, (2, 2))]),
    Row("broadcast_tensors", mt.broadcast_tensors, np.broadcast_arrays, [case(spread(3, 1), spread(2, seed=1))],
        bad=[bad(ValueError, r"^broadcast_shapes: \(2, 3\), \(2,\) do not fit", MATRIX, spread(2))]),
    Row("tile", mt.tile, lambda x, *dims: np.tile(x, dims), [case(MATRIX, 2), case(MATRIX, 2, 1, 2), case(MATRIX, 1)],
        torch=lambda torch, x, *dims: torch.tile(x, dims)),
    Row("repeat_interleave", mt.repeat_interleave, lambda x, n, dim=None: np.repeat(x, n, dim),
        [case(MATRIX, 2), case(MATRIX, 2, dim=1), case(MATRIX, np.array([2, 0, 1]), dim=1, waits="forward")],
        bad=[bad(ValueError, "^repeat_interleave: expected counts of 0 or more, got -1", MATRIX, -1),
             bad(ValueError, r"^repeat_interleave: expected 3 counts .*\(2,\)", VECTOR, np.array([1, 2]))]),
    Row("roll", mt.roll, np.roll, [case(CUBE, 5), case(CUBE, (1, -1), (0, 1)), case(MATRIX, 1, 1)],
        bad=[bad(ValueError, r"^roll: expected a shift for each dim, got shifts \(1, 2\)", MATRIX, (1, 2), 0)]),
    Row("ravel", mt.ravel, np.ravel, [case(CUBE), case(SCALAR)]),
    Row("view_as", Tensor.view_as, lambda x, other: x.reshape(other.shape), [case(spread(6), Fixed(spread(3, 2)))], also=[Tensor.reshape_as]),
    Row("movedim", mt.movedim, np.moveaxis, [case(CUBE, 0, 2), case(CUBE, (0, 1), (2, 0))],
        bad=[bad(ValueError, "^movedim: expected as many places as dims", CUBE, (0, 1), 1)]),
    Row("unfold", Tensor.unfold, windows, [case(spread(5), 0, 2, 1), case(spread(2, 5), 1, 3, 2)], torch=lambda torch, x, *a: x.unfold(*a),
        bad=[bad(ValueError, r"^unfold: no windows of 4, 1 apart, fit into dim 1 of shape \(2, 3\)", MATRIX, 1, 4, 1)]),
]
# fmt: on
