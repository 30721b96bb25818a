"""Matrix products."""

from __future__ import annotations

import operator

import numpy as np

import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from tests.op_table.row import Row, bad, case, spread, via


def products(*shapes):
    return [case(spread(*a), spread(*b, seed=1)) for a, b in shapes]


def unfit(name, *shapes):
    return [
        bad(
            ValueError,
            rf"^{name}: .*{list(a)!r}.*{list(b)!r}".replace("[", r"\(").replace("]", r",?\)"),
            np.ones(a),
            np.ones(b),
        )
        for a, b in shapes
    ]


MATRICES = products(((2, 3), (3, 2)), ((2, 3), (3, 1)), ((2, 0), (0, 3)), ((0, 2), (2, 3)))
STACKS = products(((2, 2, 3), (2, 3, 2)), ((2, 1, 3), (2, 3, 1)), ((0, 2, 3), (0, 3, 2)))

# fmt: off
ROWS = [
    Row("matmul", mt.matmul, np.matmul, [
        *MATRICES, *STACKS,
        *products(((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((2, 2, 3), (3, 2)),
                  ((2, 3), (2, 3, 2)), ((1, 2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 3, 0), (0, 2)), ((2, 0, 3), (3, 2)))],
        also=[via(Tensor.__matmul__, operator.matmul), via(Tensor.__rmatmul__, lambda a, b: Tensor.__rmatmul__(b, a))],
        bad=[*unfit("matmul", ((2, 3), (2, 3)), ((2,), (3,)), ((), (3,)), ((2, 2, 3), (2,))),
             bad(ValueError, r"^matmul: .*\(2, 2, 3\).*\(3, 3, 2\)", np.ones((2, 2, 3)), np.ones((3, 3, 2))),
             bad(TypeError, "^matmul: expected a tensor for other, got float", spread(2, 3), 2.0)]),
    Row("mm", mt.mm, np.matmul, MATRICES, bad=unfit("mm", ((2, 3), (2, 3)), ((2, 2, 3), (3, 2)), ((3,), (3, 2)))),
    Row("bmm", mt.bmm, np.matmul, STACKS, bad=unfit("bmm", ((2, 2, 3), (3, 3, 2)), ((2, 3), (3, 2)), ((2, 2, 3), (2, 2, 3)))),
    Row("linear", F.linear, lambda x, w, b=None: x @ w.T + (0 if b is None else b), [
        case(spread(2, 3), spread(4, 3, seed=1), spread(4, seed=2)), case(spread(2, 3), spread(4, 3, seed=1)),
        case(spread(3), spread(2, 3, seed=1), spread(2, seed=2)), case(spread(2, 2, 3), spread(2, 3, seed=1), spread(2, seed=2)),
        case(spread(0, 3), spread(2, 3, seed=1), spread(2, seed=2)), case(spread(2, 2, 0), spread(2, 0), spread(2, seed=2))],
        bad=[bad(ValueError, r"^linear: .*input \(2, 3\), weight \(4, 2\), bias None", spread(2, 3), spread(4, 2)),
             bad(ValueError, r"^linear: .*bias \(3,\)", spread(2, 3), spread(4, 3), spread(3)),
             bad(ValueError, r"^linear: .*weight \(3,\)", spread(2, 3), spread(3)),
             bad(TypeError, "^linear: expected one dtype, got input float32, weight float64", spread(2, 3).astype("f"), spread(4, 3)),
             bad(TypeError, "^linear: .*bias float32", spread(2, 3), spread(4, 3), spread(4).astype("f"))]),
]
# fmt: on
