"""The places in memory that an index names, and sums at them."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch.ops.indices import FEW, add_at, places

ALL = slice(None)
I = np.array([0, 3, 1, 0])  # noqa: E741 (as in the formulas of indexing)
J = np.array([[2], [0]])

# Indices of a (4, 5, 6): integer arrays after whole slices.
NAMED = {
    "rows": (I,),
    "rows of 32 bits": (I.astype(np.int32),),
    "from the end": (np.array([-1, 0, -4]),),
    "the last alone": (np.array([-1, -1]),),
    "rows and what follows": (I, ...),
    "rows and whole slices": (I, ALL, ALL),
    "rows, slices and what follows": (I, ALL, ...),
    "two dimensions": (I, I),
    "the second dimension": (ALL, I),
    "the last dimension": (ALL, ALL, I),
    "a grid": (J, I),
    "a grid behind a slice": (ALL, J, I),
    "a grid from the end": (ALL, J - 1, I),
    "every dimension": (I, J, I),
    "no row": (np.zeros(0, np.int64),),
    "no row of a column": (ALL, np.zeros((0, 2), np.int64)),
}
OTHER = {
    "nothing": (),
    "slices": (ALL, ALL),
    "a part": (slice(1, 3), I),
    "a slice between": (I, ALL, I),
    "a new axis": (None, I),
    "an integer": (I, 2),
    "a mask": (np.array([True, False, True, True]),),
}


@pytest.mark.parametrize("name", NAMED)
def test_places_are_the_numbers_that_the_index_picks_from_those_of_all_elements(name):
    index = NAMED[name]
    reached = 1 + max(d for d, entry in enumerate(index) if isinstance(entry, np.ndarray))
    a = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    rows = a.reshape(*a.shape[:reached], -1) if reached < 3 else a  # the dimensions behind the index count as one
    np.testing.assert_array_equal(places(index, a.shape), rows[index[:reached]])


@pytest.mark.parametrize("name", OTHER)
def test_other_indices_have_no_places(name):
    assert places(OTHER[name], (4, 5, 6)) is None


@pytest.mark.parametrize("count", [3, FEW])
@pytest.mark.parametrize("index", [(I,), (ALL, J, I), (slice(1, 3),)], ids=["rows", "a grid", "a slice"])
def test_values_are_added_as_often_as_their_place_is_named(index, count):
    out, shape = np.zeros((4, 5, 6, count)), np.zeros((4, 5, 6, count))[index].shape
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    add_at(out, index, values)
    expected = np.zeros((4, 5, 6, count))
    np.add.at(expected, index, values)
    np.testing.assert_array_equal(out, expected)
