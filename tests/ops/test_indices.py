"""The places in memory that an index names, and sums at them."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops import indices
from minitorch.ops.indices import FEW, add_at, places, rows

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


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.int8])
@pytest.mark.parametrize(
    "named",
    [lambda rng: rng.integers(0, 100, (40, 20)), lambda rng: np.zeros((40, 20), np.int64), lambda rng: rng.permutation(100)],
    ids=["some rows several times", "one row always", "each row once"],
)
def test_rows_get_their_values_in_the_order_of_the_index(named, dtype, monkeypatch):
    rng, turns = np.random.default_rng(0), []
    at = named(rng).astype(dtype)
    if np.issubdtype(dtype, np.signedinteger):
        at.reshape(-1)[::3] -= 100  # the same rows, counted from the end
    values = rng.standard_normal((*at.shape, 8, 64)).astype(np.float32)
    out, expected = np.zeros((2, 100, 8, 64), np.float32)
    np.add.at(expected, at.astype(np.int64), values)
    added = indices._add_rows
    monkeypatch.setattr(indices, "_add_rows", lambda *given: turns.append(added(*given)) or turns[-1])
    add_at(out, (at,), values)
    np.testing.assert_array_equal(out, expected)
    used = np.bincount(at.astype(np.int64).reshape(-1) % 100).max()
    assert (len(turns[0]) < at.size) == (used < 40)  # one row always: nothing to be gained
    assert np.array_equal(rows(expected, at), expected[at.astype(np.int64)])
    assert np.array_equal(rows(expected.T, at % 8), expected.T[at.astype(np.int64) % 8])


@pytest.mark.parametrize(
    "table, named, width, pays",
    [(30, 30, 1000, False), (31, 31, 1000, True), (19, 19, 1579, True), (31, 30, 1000, True), (31, 29, 1000, False)],
    ids=[
        "a table of as many numbers as it costs",
        "a table of a row more",
        "a table of a number more",
        "as many named, of a larger table",
        "too few named, of a larger table",
    ],
)
def test_rows_are_added_at_once_only_where_that_pays(table, named, width, pays):
    at, out = np.arange(1000) % named, np.zeros((table, width), np.float32)
    left = indices._add_rows(out, at, np.ones((1000, width), np.float32))
    assert (len(left) < 1000) == out[:named].all() == pays


def test_numbers_in_lists_of_an_index_are_not_cut_to_whole_ones():
    x = mt.arange(4)
    assert x[([0, mt.tensor(1)],)].tolist() == [0, 1]
    with pytest.raises(TypeError, match=r"^getitem: expected integer or boolean indices, got float"):
        x[([0, mt.tensor(1.7)],)]
