"""Indexing, rows of a table."""

from __future__ import annotations

import numpy as np

import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from tests.op_table.row import Fixed, Row, bad, case, spread, via

GRID, CUBE = spread(3, 4), spread(2, 3, 2)
ROWS_TWICE = np.array([2, 0, 2])
MASK = np.array([[True, False, True, True], [False, False, True, False], [False] * 4])
TABLE = spread(4, 3)


def taken(x, *index):
    return x[index if len(index) != 1 else index[0]]


def integers_first(x, *index):
    """As PyTorch reads an index; NumPy moves what integers and arrays select to the front where a slice stands between them."""
    at = [i for i, entry in enumerate(index) if isinstance(entry, int) or (isinstance(entry, np.ndarray) and not entry.ndim)]
    whole = tuple(entry if i in at or entry is Ellipsis else slice(None) for i, entry in enumerate(index) if entry is not None)
    return x[whole][tuple(entry for i, entry in enumerate(index) if i not in at)]


def embedded(index, table, padding_idx=None):
    return table[index]


def selected(x, *index):
    """A case with basic indices, which need no look at the values of an index."""
    return case(x, *index)


def checked(x, *index):
    """A case whose index lies on the device: its range is checked before it is used."""
    return case(x, *index, waits="forward")


def masked(x, *index):
    """A case with a mask: how many elements it selects, only the device knows."""
    return case(x, *index, waits="forward backward")


# fmt: off
ROWS = [
    Row("getitem", via(Tensor.__getitem__, taken), taken, torch=lambda torch, x, *index: taken(x, *index), cases=[
        selected(GRID, 1), selected(GRID, -1, 2), selected(GRID, slice(1, None)), selected(GRID, slice(None), slice(None, None, 2)),
        selected(GRID, None, 0), selected(GRID, Ellipsis, -2), selected(CUBE, 0, Ellipsis, 1), selected(CUBE, slice(5, 9)),
        selected(spread(), Ellipsis), selected(spread(), None),
        checked(GRID, ROWS_TWICE), checked(GRID, np.array([[0, 1], [2, 2]])), checked(GRID, slice(None), ROWS_TWICE),
        checked(GRID, ROWS_TWICE, np.array([3, 0, 3])), checked(GRID, ROWS_TWICE[:, None], np.array([1, 0])),
        checked(GRID, ROWS_TWICE, 1), checked(GRID, np.array(1)),
        checked(CUBE, np.array([1, 0]), slice(1, None), np.array([0, 0])), checked(GRID, np.array([-1, 2])),
        selected(GRID, np.zeros(0, int)), masked(GRID, MASK), masked(GRID, MASK[:, 0]), masked(GRID, slice(None), MASK[0]),
        masked(GRID, MASK & False), masked(GRID, np.array([True, False, True]), np.array([0, 3])),
        case(GRID, [2, 0, 2], waits="forward", uploads=1), case(GRID, (slice(None), [1, 1]), waits="forward", uploads=1)],
        bad=[bad(IndexError, r"^(getitem|slice): .*3.*\(3, 4\)", GRID, 3),
             bad(IndexError, r"^(getitem|take): .*4.*\(3, 4\)", GRID, slice(None), np.array([0, 4])),
             bad(IndexError, r"^(getitem|take): .*4.*\(3, 4\)", GRID, Ellipsis, np.array([0, 4])),
             bad(IndexError, r"^(getitem|take): .*-4.*\(3, 4\)", GRID, np.array([0, -4])),
             bad(IndexError, r"^(getitem|slice): .*\(3, 4\)", GRID, 0, 0, 0),
             bad(IndexError, r"^(getitem|take): .*\(3, 4\)", GRID, np.array([True, False])),
             bad(TypeError, "^getitem: expected integer or boolean indices, got float64", GRID, np.array([0.0])),
             bad(TypeError, "^getitem: expected integers, slices, tensors, None or ..., got 1.5", GRID, 1.5),
             bad(TypeError, "^getitem: expected integer or boolean indices, got float64", GRID, np.zeros(0)),
             bad(TypeError, "^getitem: expected a slice's bound to be a whole number, got 1.5", GRID, slice(1.5, 2)),
             bad(TypeError, "^getitem: expected a slice's bound to be a whole number, got '1'", GRID, slice("1")),
             bad(ValueError, "^getitem: a negative step is not supported, as in PyTorch; use flip", GRID, slice(None, None, -1))]),
    Row("getitem", via(Tensor.__getitem__, taken), integers_first, torch=lambda torch, x, *index: taken(x, *index), cases=[
        checked(CUBE, 0, slice(None), np.array([1, 1, 0])), checked(CUBE, 0, None, np.array([1, 0])), checked(CUBE, 0, Ellipsis, np.array([1, 0])),
        checked(CUBE, np.array(1), slice(None), np.array([1, 1, 0])), checked(CUBE, 0, slice(1, None), np.array([[1], [0]])),
        checked(spread(2, 3, 2, 2), 1, slice(None), np.array([1, 0]), 0), checked(spread(2, 3, 2, 2), slice(None), np.array([2, 0]), slice(1), -1),
        masked(CUBE, -1, slice(None), np.array([True, False])), masked(spread(2, 3, 2), 1, slice(2), np.array([False, True]))]),
    Row("index_select", mt.index_select, lambda x, dim, index: x.take(np.atleast_1d(index), dim), cases=[
        case(GRID, 0, ROWS_TWICE, waits="forward"), case(GRID, -1, np.array([3, 3, 0]), waits="forward"),
        case(CUBE, 1, np.array(2), waits="forward"), case(GRID, 1, np.zeros(0, int))],
        bad=[bad(ValueError, r"^index_select: expected a 1-d index .*got index \(1, 1\)", GRID, 0, np.array([[0]])),
             bad(IndexError, r"^index_select: dim 2 is out of range for a tensor of shape \(3, 4\)", GRID, 2, ROWS_TWICE),
             bad(IndexError, r"^index_select: an index outside 0..2 for dim 0 of length 3 \(input \(3, 4\)\)", GRID, 0, np.array([3])),
             bad(IndexError, r"^index_select: an index outside 0..2 for dim 0 of length 3 ", GRID, 0, np.array([-1])),
             bad(TypeError, "^index_select: expected an integer index, got bool", GRID, 0, np.array([True, False, True]))]),
    Row("masked_fill", mt.masked_fill, lambda x, mask, value: np.where(mask, value, x),
        [case(GRID, MASK, 0.5), case(GRID, MASK[0], -1e4), case(GRID, MASK, spread(seed=1)), case(spread(), np.array(True), 1)],
        bad=[bad(TypeError, "^masked_fill: expected a boolean mask, got int64", GRID, MASK.astype(int), 0.5),
             bad(TypeError, "^masked_fill: a tensor of int64 cannot hold 0.5", GRID.astype(int), MASK, 0.5)]),
    Row("embedding", F.embedding, embedded, [
        case(ROWS_TWICE, TABLE, waits="forward"), case(np.array([[0, 3], [3, 3]]), TABLE, waits="forward"),
        case(np.array(1), TABLE, waits="forward"), case(np.zeros((2, 0), int), TABLE)],
        bad=[bad(IndexError, r"^embedding: an index outside 0..3 \(input \(1,\), weight \(4, 3\)\)", np.array([4]), TABLE),
             bad(IndexError, r"^embedding: an index outside 0..3 ", np.array([-1]), TABLE),
             bad(TypeError, "^embedding: expected an integer tensor, got float64", np.array([1.0]), TABLE),
             bad(ValueError, r"^embedding: expected a table \(count, width\), got shape \(3,\)", ROWS_TWICE, spread(3)),
             bad(ValueError, r"^embedding: .*padding_idx.* 4 .*\(4, 3\)", ROWS_TWICE, TABLE, padding_idx=4)]),
    # the row of padding_idx gets no gradient, so it is a constant here, as its gradient says
    Row("embedding", via(F.embedding, lambda index, table, rest, padding_idx: F.embedding(
        index, mt.cat([table[:2], rest, table[2:]]), padding_idx)),
        lambda index, table, rest, padding_idx: np.concatenate([table[:2], rest, table[2:]])[index],
        [case(np.array([[2, 0], [2, 3]]), TABLE, Fixed(spread(1, 3, seed=1)), padding_idx=at, waits="forward") for at in (2, -3)],
        torch=lambda torch, index, table, rest, padding_idx: torch.nn.functional.embedding(
            index, torch.cat([table[:2], rest, table[2:]]), padding_idx)),
]
# fmt: on
