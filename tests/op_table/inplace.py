"""Changes in place, of a clone: the result is the function's, and so are the gradients."""

from __future__ import annotations

import operator

import numpy as np

from minitorch import Tensor
from tests.op_table.index import GRID, MASK, ROWS_TWICE
from tests.op_table.row import Row, bad, case, spread, via

MATRIX, OTHER = spread(2, 3), spread(2, 3, seed=1)
POSITIVE, AWAY = spread(2, 3, low=0.3, high=3.0), spread(3, low=0.4, high=3.0, seed=1)
OPERANDS = [
    case(MATRIX, OTHER),
    case(MATRIX, spread(3, seed=1)),
    case(MATRIX, spread(seed=1)),
    case(MATRIX, 2.5),
    case(spread(), 2.0),
]
DIVISORS = [case(MATRIX, POSITIVE), case(MATRIX, AWAY), case(MATRIX, 2.5)]
POWERS = [case(POSITIVE, OTHER), case(POSITIVE, AWAY), case(MATRIX, 2), case(POSITIVE, 0.5)]


def on_a_clone(method):
    """The new content of a clone that the method has changed."""

    def call(x, *arguments, **parameters):
        clone = x.clone()
        method(clone, *arguments, **parameters)
        return clone

    return via(method, call)


def changed(name, method, reference, cases, **more):
    def in_torch(torch, x, *arguments, **parameters):
        clone = x.clone()
        getattr(torch.Tensor, name)(clone, *arguments, **parameters)
        return clone

    return Row(name, on_a_clone(method), reference, cases, **{"torch": in_torch, **more})


def too_large(name):
    return [
        bad(
            ValueError,
            rf"^{name}: a result of shape \(2, 3\) does not fit in place into shape \(3,\)",
            spread(3, low=0.5),
            MATRIX,
        )
    ]


def with_item(x, *rest):
    *index, value = rest
    out = x.copy()
    out[tuple(index) if len(index) != 1 else index[0]] = value
    return out


def with_item_integers_first(x, integer, *rest):
    return np.stack([with_item(part, *rest) if i == integer else part for i, part in enumerate(x)])


def set_item(x, *rest):
    *index, value = rest
    x[tuple(index) if len(index) != 1 else index[0]] = value


def item_in_torch(x, *rest):
    set_item(x, *rest)
    return x


def clamped(x, min=None, max=None):
    return np.clip(x, min, max)


# fmt: off
ROWS = [
    changed("add_", Tensor.add_, lambda a, b, alpha=1: a + alpha * b, [*OPERANDS, case(MATRIX, OTHER, alpha=-2)], bad=too_large("add_")),
    changed("sub_", Tensor.sub_, lambda a, b, alpha=1: a - alpha * b, [*OPERANDS, case(MATRIX, OTHER, alpha=-2)], bad=too_large("sub_")),
    changed("mul_", Tensor.mul_, np.multiply, OPERANDS, bad=too_large("mul_")),
    changed("div_", Tensor.div_, np.divide, DIVISORS, bad=too_large("div_")),
    changed("pow_", Tensor.pow_, np.power, POWERS, bad=too_large("pow_")),
    changed("__iadd__", Tensor.__iadd__, operator.add, OPERANDS),
    changed("__isub__", Tensor.__isub__, operator.sub, OPERANDS),
    changed("__imul__", Tensor.__imul__, operator.mul, OPERANDS),
    changed("__itruediv__", Tensor.__itruediv__, operator.truediv, DIVISORS),
    changed("__ipow__", Tensor.__ipow__, operator.pow, POWERS),
    changed("__ifloordiv__", Tensor.__ifloordiv__, operator.floordiv, DIVISORS, analytic=False),
    changed("__imod__", Tensor.__imod__, operator.mod, DIVISORS, analytic=False),
    changed("neg_", Tensor.neg_, np.negative, [case(MATRIX)]),
    changed("exp_", Tensor.exp_, np.exp, [case(MATRIX)]),
    changed("sqrt_", Tensor.sqrt_, np.sqrt, [case(POSITIVE)]),
    changed("relu_", Tensor.relu_, lambda x: np.maximum(x, 0), [case(MATRIX)]),
    changed("clamp_", Tensor.clamp_, clamped, [case(MATRIX, -0.9, 1.1), case(MATRIX, min=0.1), case(MATRIX, max=0.1)]),
    changed("fill_", Tensor.fill_, np.full_like, [case(MATRIX, 2.5), case(spread(), -1)]),
    changed("zero_", Tensor.zero_, np.zeros_like, [case(MATRIX), case(spread())]),
    changed("copy_", Tensor.copy_, lambda x, y: np.broadcast_to(y, x.shape),
            [case(MATRIX, OTHER), case(MATRIX, spread(3, seed=1)), case(MATRIX, spread(seed=1))],
            bad=[bad(ValueError, r"^(copy_|expand): .*\(2,\).*\(2, 3\)", MATRIX, spread(2))]),
    changed("__setitem__", via(Tensor.__setitem__, set_item), with_item, [
        case(GRID, 1, spread(4, seed=1)), case(GRID, 1, 0.5), case(GRID, slice(None), slice(1, 3), spread(3, 1, seed=1)),
        case(GRID, Ellipsis, 0, spread(seed=1)), case(GRID, 2, 3, spread(seed=1)), case(GRID, ROWS_TWICE[:2], spread(2, 4, seed=1), waits="forward"),
        case(GRID, np.array([0, 1]), np.array([3, 0]), spread(2, seed=1), waits="forward"),
        case(GRID, slice(None), np.array([2, 0]), spread(3, 1, seed=1), waits="forward"),
        case(GRID, MASK, spread(4, seed=1), waits="forward backward"), case(GRID, MASK, 0.0, waits="forward backward")],
        torch=lambda torch, x, *rest: item_in_torch(x.clone(), *rest),
        bad=[bad(ValueError, r"^(setitem|set_item): .*3.*4", GRID, 1, spread(3)),
             bad(IndexError, r"^(setitem|set_item): .*3", GRID, 3, 0.0)]),
    Row("__setitem__", on_a_clone(via(Tensor.__setitem__, set_item)), with_item_integers_first, [
        case(spread(2, 3, 3), 0, slice(None), np.array([2, 0]), spread(3, 2, seed=1), waits="forward"),
        case(spread(2, 3, 3), 1, slice(1, 3), np.array([2, 0]), spread(2, 2, seed=1), waits="forward")],
        torch=lambda torch, x, *rest: item_in_torch(x.clone(), *rest)),
]
# fmt: on
