"""Activation functions made of pieces."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table.activation import ALONG, elu, logistic, softmax
from tests.op_table.row import Row, bad, case, singles, spread

WIDE = spread(3, 4, low=-6.0, high=7.0)
PAIRS = spread(2, 4, 3)


def hardsigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def hardtanh(x, min_val=-1.0, max_val=1.0):
    return np.clip(x, min_val, max_val)


def softshrink(x, lambd=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0)


def prelu(x, weight):
    w = weight.reshape([-1 if i == 1 else 1 for i in range(x.ndim)]) if weight.size > 1 else weight.reshape(())
    return np.where(x > 0, x, w * x)


def glu(x, dim=-1):
    a, b = np.split(x, 2, dim)
    return a * logistic(b) if b.size else a


def wide(**parameters):
    return [*singles(-1.9, 2.2), case(WIDE, **parameters)]


# fmt: off
ROWS = [
    Row("threshold", F.threshold, lambda x, threshold, value: np.where(x > threshold, x, value),
        [case(WIDE, threshold=0.5, value=-2.0), case(spread(0, 2), threshold=0.0, value=0.0)]),
    Row("hardtanh", F.hardtanh, hardtanh, wide(min_val=-2.0, max_val=3.0),
        bad=[bad(ValueError, "^hardtanh: expected -inf <= min_val <= max_val for .*, got 1.0 and 0.5", WIDE, 1.0, 0.5)]),
    Row("hardsigmoid", F.hardsigmoid, hardsigmoid, wide(), torch=None),  # PyTorch's gradient has 1/6 in single precision
    Row("hardswish", F.hardswish, lambda x: x * hardsigmoid(x), wide()),
    Row("hardshrink", F.hardshrink, lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0), wide(lambd=1.1)),
    Row("softshrink", F.softshrink, softshrink, wide(lambd=1.1),
        bad=[bad(ValueError, "^softshrink: expected a lambd of 0 or more, got -1", WIDE, -1)]),
    Row("tanhshrink", F.tanhshrink, lambda x: x - np.tanh(x), wide()),
    Row("softsign", F.softsign, lambda x: x / (1 + np.abs(x)), wide(), analytic=False),
    Row("softmin", F.softmin, lambda x, dim=-1: softmax(-x, dim), ALONG,
        bad=[bad(IndexError, r"^softmax: .* 2 is out of .*\(3, 4\)", WIDE, dim=2)]),
    Row("mish", F.mish, lambda x: x * np.tanh(np.logaddexp(0, x)), wide()),
    Row("celu", F.celu, lambda x, alpha=1.0: np.where(x > 0, x, alpha * elu(x / alpha)), wide(alpha=0.5),
        bad=[bad(ValueError, "^celu: expected an alpha above 0, got 0", WIDE, 0)]),
    Row("prelu", F.prelu, prelu, [
        case(WIDE, spread(1)), case(WIDE, spread(4, seed=1)), case(spread(2, 3, 2), spread(3, seed=1)), case(spread(4), spread(1, seed=1)),
        case(spread(0, 3), spread(3))],
        bad=[bad(ValueError, r"^prelu: expected one weight or 4 for input \(3, 4\), got shape \(3,\)", WIDE, spread(3)),
             bad(TypeError, "^prelu: input is float64, weight float32", WIDE, spread(4).astype("f"))]),
    Row("glu", F.glu, glu, [case(PAIRS, dim=1), case(spread(3, 2)), case(spread(0, 2)), case(spread(4))],
        bad=[bad(ValueError, r"^glu: expected an even length of dim 2, got shape \(2, 4, 3\)", PAIRS),
             bad(IndexError, r"^glu: dim 3 is out of range", PAIRS, dim=3)]),
]
# fmt: on
