"""Dropout with a fixed mask: each call draws it from a generator of the same seed."""

from __future__ import annotations

import minitorch as mt
import minitorch.functional as F
from tests.op_table.row import Row, bad, case, spread, via

IMAGES = spread(2, 3, 2, 2)


def seeded(dropout):
    return via(dropout, lambda x, p=0.5, training=True: dropout(x, p, training, generator=mt.Generator().manual_seed(5)))


def masking(dropout):
    """x times the factors that the same generator gives to ones."""

    def reference(x, p=0.5, training=True):
        return x * seeded(dropout)(mt.ones(x.shape, dtype=mt.float64), p, training).numpy()

    return reference


def refused(name):
    return [bad(ValueError, rf"^{name}: expected a probability p from 0 to 1, got {p}", IMAGES, p) for p in (-0.1, 1.5)]


# fmt: off
ROWS = [
    Row("dropout", seeded(F.dropout), masking(F.dropout), torch=None, bad=refused("dropout"),
        cases=[case(spread(3, 5), random=True), case(spread(3, 5), 0.2, random=True), case(spread(), random=True),
               case(spread(0, 2), random=True)]),
    Row("dropout", F.dropout, lambda x, p=0.5, training=True: x * (p < 1 or not training),
        [case(IMAGES, 0.5, False), case(IMAGES, 0.0), case(IMAGES, 1.0)]),
    Row("dropout2d", seeded(F.dropout2d), masking(F.dropout2d), torch=None,
        cases=[case(IMAGES, random=True), case(spread(4, 2, 2), 0.3, random=True), case(spread(3, 5), random=True),
               case(spread(0, 2, 2, 2), random=True)],
        bad=[*refused("dropout2d"), bad(ValueError, r"^dropout2d: expected images .*, got shape \(5,\)", spread(5))]),
    Row("dropout2d", F.dropout2d, lambda x, p=0.5, training=True: x * (p < 1 or not training),
        [case(IMAGES, 0.5, False), case(IMAGES, 0.0), case(IMAGES, 1.0)]),
]
# fmt: on
