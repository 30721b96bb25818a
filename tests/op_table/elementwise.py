"""Arithmetic, powers, exponentials, steps and choices."""

from __future__ import annotations

import math
import operator

import numpy as np

import minitorch as mt
from minitorch import Tensor
from tests.op_table.row import Fixed, Row, bad, case, pairs, singles, spread, via

MATRIX = spread(2, 3)
POSITIVE = spread(2, 3, low=0.2, high=3.0)
AWAY = (0.4, 3.0)  # a range without 0, to divide by
MASK = np.array([[True, False, True], [False, True, False]])


def reflected(method, sign):
    """`b.__rsub__(a)` and its like, which compute a - b; a number has no such method, and `sign` finds the tensor's."""
    return via(method, lambda a, b: method(b, a) if isinstance(b, Tensor) else sign(a, b))


def in_torch(sign):
    return lambda torch, a, b: sign(a, b)


def numbers(low=-2.0, high=2.0, number=2.5):
    """A tensor with a Python number on either side."""
    values = spread(2, 3, low=low, high=high)
    return [case(values, number), case(number, values)]


DO_NOT_FIT = (np.ones((2, 3)), np.ones((3, 2)))


def arithmetic(name, method, reflected_method, sign, function, cases, **more):
    return Row(
        name,
        via(method, sign),
        sign,
        cases,
        torch=in_torch(sign),
        also=[function, reflected(reflected_method, sign)],
        bad=[
            bad(ValueError, rf"^{name}: .*\(2, 3\).*\(3, 2\)", *DO_NOT_FIT),
            bad(TypeError, rf"^{name}: expected a tensor or a number, got str .*\(2, 3\)", MATRIX, "2"),
        ],
        **more,
    )


def remainder_by(a, b):
    return a - np.floor(a / b) * b


def clamped(x, min=None, max=None):
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    return np.minimum(np.maximum(x, low), high)


# fmt: off
ROWS = [
    arithmetic("add", Tensor.__add__, Tensor.__radd__, operator.add, mt.add, pairs() + numbers()),
    arithmetic("sub", Tensor.__sub__, Tensor.__rsub__, operator.sub, mt.sub, pairs() + numbers()),
    arithmetic("mul", Tensor.__mul__, Tensor.__rmul__, operator.mul, mt.mul, pairs() + numbers()),
    arithmetic("div", Tensor.__truediv__, Tensor.__rtruediv__, operator.truediv, mt.div,
               pairs(second=AWAY) + numbers(*AWAY)),
    arithmetic("pow", Tensor.__pow__, Tensor.__rpow__, operator.pow, mt.pow,
               [*pairs(AWAY, (-2.0, 2.5)), *numbers(*AWAY), *(case(MATRIX, n) for n in (0, 1, 2, 3, -2, 2.0, 3.0)),
                case(1.5, MATRIX), case(np.float32(0.5), MATRIX)]),
    arithmetic("remainder", Tensor.__mod__, Tensor.__rmod__, operator.mod, mt.remainder,
               pairs((-5.0, 5.1), AWAY) + pairs((-5.0, 5.1), (-3.0, -0.4)) + [case(MATRIX, 0.75), case(5.0, POSITIVE)],
               analytic=False),
    arithmetic("floor_divide", Tensor.__floordiv__, Tensor.__rfloordiv__, operator.floordiv, mt.floor_divide,
               [*pairs((-5.0, 5.1), AWAY), case(MATRIX, 0.75), case(5.0, POSITIVE)], analytic=False),
    Row("add", mt.add, lambda a, b, alpha: a + alpha * b, [case(MATRIX, spread(3, seed=1), alpha=-0.5), case(MATRIX, 2.0, alpha=3)]),
    Row("sub", mt.sub, lambda a, b, alpha: a - alpha * b, [case(MATRIX, spread(3, seed=1), alpha=-0.5), case(MATRIX, 2.0, alpha=3)]),
    Row("div", mt.div, lambda a, b, rounding_mode: np.trunc(a / b),
        [case(spread(2, 3, low=-9.0, high=9.0), spread(3, low=0.4, high=3.0), rounding_mode="trunc")], analytic=False,
        bad=[bad(ValueError, "^div: expected rounding_mode None, 'floor' or 'trunc', got 'round'", MATRIX, 2.0,
                 rounding_mode="round")]),
    Row("neg", mt.neg, np.negative, singles(), also=[Tensor.__neg__]),
    Row("__pos__", Tensor.__pos__, np.positive, singles()),
    Row("square", mt.square, np.square, singles()),
    Row("reciprocal", mt.reciprocal, np.reciprocal, singles(*AWAY) + singles(-3.0, -0.4)),
    # ---- exponentials, roots, trigonometry
    Row("exp", mt.exp, np.exp, singles(-3.0, 3.0)),
    Row("log", mt.log, np.log, singles(0.2, 5.0)),
    Row("log1p", mt.log1p, np.log1p, [*singles(-0.8, 5.0), case(np.array([1e-9, -1e-9, 1e-4]))]),
    Row("sqrt", mt.sqrt, np.sqrt, singles(0.2, 5.0)),
    Row("rsqrt", mt.rsqrt, lambda x: 1 / np.sqrt(x), singles(0.2, 5.0)),
    Row("sin", mt.sin, np.sin, singles(-4.0, 4.0)),
    Row("cos", mt.cos, np.cos, singles(-4.0, 4.0)),
    Row("abs", mt.abs, np.abs, singles(), also=[Tensor.__abs__], analytic=False),
    # ---- steps
    Row("sign", mt.sign, np.sign, singles(), analytic=False),
    Row("floor", mt.floor, np.floor, singles(-3.0, 3.0), analytic=False),
    Row("ceil", mt.ceil, np.ceil, singles(-3.0, 3.0), analytic=False),
    Row("trunc", mt.trunc, np.trunc, singles(-3.0, 3.0), analytic=False),
    Row("round", mt.round, lambda x, decimals=0: np.round(x, decimals), [*singles(-3.0, 3.0), case(MATRIX, decimals=1)],
        analytic=False),
    # ---- choice
    Row("maximum", mt.maximum, np.maximum, pairs(), also=[mt.max], bad=[bad(ValueError, r"^maximum: .*\(2, 3\).*\(3, 2\)", *DO_NOT_FIT)]),
    Row("minimum", mt.minimum, np.minimum, pairs(), also=[mt.min], bad=[bad(ValueError, r"^minimum: .*\(2, 3\).*\(3, 2\)", *DO_NOT_FIT)]),
    Row("clamp", mt.clamp, clamped,
        [case(MATRIX, min=-0.9, max=1.1), case(MATRIX, min=0.1), case(MATRIX, max=0), case(MATRIX, -1, 1), case(spread(), -1, 1),
         case(spread(0, 2), 0.5), case(MATRIX, spread(3, low=-1.5, high=-0.5, seed=1), spread(2, 1, low=0.5, high=1.5, seed=2)),
         case(MATRIX, Fixed(spread(3, low=-1.5, high=-0.5, seed=1))), case(MATRIX, None, spread(3, seed=1))],
        bad=[bad(ValueError, "^clamp: expected min, max or both", MATRIX)]),
    Row("where", mt.where, np.where,
        [case(MASK, MATRIX, spread(2, 3, seed=1)), case(MASK, MATRIX, spread(3, seed=1)), case(MASK[0], MATRIX, spread(2, 1, seed=1)),
         case(MASK, spread(), spread(3, seed=1)), case(MASK, MATRIX, 0.5), case(MASK, -1, MATRIX), case(np.array(True), MATRIX, 0.5),
         case(MASK[:0], spread(0, 3), 0.5)],
        also=[via(Tensor.where, lambda mask, a, b: a.where(mask, b) if isinstance(a, Tensor) else mt.where(mask, a, b))],
        bad=[bad(TypeError, "^where: expected a boolean condition, got int64", MASK.astype(int), MATRIX, 0.5),
             bad(ValueError, r"^where: .*\(2, 3\).*\(3, 2\)", MASK, *DO_NOT_FIT)]),
]
# fmt: on
