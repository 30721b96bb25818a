"""Trigonometric and hyperbolic functions, logarithms and powers to other bases, and what is made of them."""

from __future__ import annotations

import math

import numpy as np

import minitorch as mt
from tests.op_table.row import Row, bad, case, singles, spread

MATRIX, AWAY = spread(2, 3), (0.4, 3.0)
INSIDE = singles(-0.9, 0.9)[:2]


def not_a_tensor(name):
    return [bad(TypeError, f"^{name}: expected a tensor for input, got int", 2, np.ones(3))]


# fmt: off
ROWS = [
    Row("tan", mt.tan, np.tan, singles(-1.2, 1.2)),
    Row("asin", mt.asin, np.arcsin, INSIDE),
    Row("acos", mt.acos, np.arccos, INSIDE),
    Row("atan", mt.atan, np.arctan, singles()[:2]),
    Row("sinh", mt.sinh, np.sinh, singles()[:2]),
    Row("cosh", mt.cosh, np.cosh, singles()[:2]),
    Row("expm1", mt.expm1, np.expm1, [*singles()[:2], case(np.array([1e-9, -1e-9, 1e-4]))]),
    Row("log2", mt.log2, np.log2, singles(0.2, 5.0)[:2]),
    Row("log10", mt.log10, np.log10, singles(0.2, 5.0)[:2]),
    Row("deg2rad", mt.deg2rad, np.deg2rad, singles()[:1]),
    Row("rad2deg", mt.rad2deg, np.rad2deg, singles()[:1]),
    # ---- further functions of each element
    Row("sgn", mt.sgn, np.sign, singles()[:1], analytic=False),
    Row("clamp_min", mt.clamp_min, np.maximum, [case(MATRIX, 0.1), case(MATRIX, spread(3, seed=1))], analytic=False, bad=not_a_tensor("clamp_min")),
    Row("clamp_max", mt.clamp_max, np.minimum, [case(MATRIX, 0.1), case(MATRIX, spread(3, seed=1))], analytic=False, bad=not_a_tensor("clamp_max")),
    Row("lerp", mt.lerp, lambda a, b, w: a + w * (b - a), [case(MATRIX, spread(3, seed=1), 0.3), case(MATRIX, spread(2, 3, seed=1), spread(3, seed=2))],
        bad=[bad(TypeError, "^lerp: expected one floating dtype, got float64, int64", MATRIX, np.ones(3, int), 0.5)]),
    Row("addcmul", mt.addcmul, lambda x, a, b, value=1: x + value * a * b, [case(MATRIX, spread(3, seed=1), spread(2, 1, seed=2)),
        case(MATRIX, spread(3, seed=1), spread(2, 3, seed=2), value=-0.5)]),
    Row("addcdiv", mt.addcdiv, lambda x, a, b, value=1: x + value * a / b, [case(MATRIX, spread(3, seed=1), spread(2, 1, low=0.5, seed=2)),
        case(MATRIX, spread(3, seed=1), spread(2, 3, low=0.5, seed=2), value=-0.5)],
        bad=[bad(TypeError, "^addcdiv: expected floating-point tensors, got int64 and int64", MATRIX, np.ones(3, int), np.ones(3, int))]),
    Row("erfc", mt.erfc, lambda x: np.vectorize(math.erfc, otypes=[float])(x), [*singles(-1.0, 1.0), case(spread(4, 4, low=-7.0, high=7.0))],
        torch="erfc", analytic=False),
]
# fmt: on
