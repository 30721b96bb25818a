"""Activation functions, softmax and its logarithm."""

from __future__ import annotations

import math

import numpy as np

import minitorch as mt
import minitorch.functional as F
from tests.op_table.row import Row, bad, case, singles, spread

WIDE = spread(3, 4, low=-6.0, high=7.0)  # far enough for every branch
EXTREME = np.array([-1e4, -745.0, -36.7, -21.0, 21.0, 36.7, 745.0, 1e4])
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

logistic = np.vectorize(lambda x: 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x)), otypes=[float])
erf = np.vectorize(math.erf, otypes=[float])


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def gelu(x, approximate="none"):
    if approximate == "none":
        return x * 0.5 * (1 + erf(x / math.sqrt(2)))
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def log_softmax(x, dim=-1):
    return x - np.logaddexp.reduce(x, dim, keepdims=True)


def softmax(x, dim=-1):
    return np.exp(log_softmax(x, dim))


ALONG = [
    case(WIDE, dim=1),
    case(WIDE, dim=0),
    case(spread(2, 3, 2), dim=-2),
    case(spread(4), dim=0),
    case(np.array(0.7), dim=0),
    case(spread(0, 3), dim=1),
    case(spread(3, 0), dim=1),
    case(np.array([[1e4, 1.0, -1e4], [2.0, 3.0, 4.0]]), dim=1),
]
SIGMOID = [*singles(-6.0, 6.0), case(EXTREME)]

# fmt: off
ROWS = [
    Row("tanh", mt.tanh, np.tanh, [*singles(), case(EXTREME)]),
    Row("sigmoid", mt.sigmoid, logistic, SIGMOID),
    Row("logsigmoid", F.logsigmoid, lambda x: -np.logaddexp(0, -x), SIGMOID),
    Row("relu", mt.relu, lambda x: np.maximum(x, 0), [*singles(), case(WIDE)]),
    Row("relu6", F.relu6, lambda x: np.clip(x, 0, 6), [*singles(), case(WIDE)]),
    Row("leaky_relu", F.leaky_relu, lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        [*singles(), case(WIDE, negative_slope=0.3)]),
    Row("elu", F.elu, elu, [*singles(), case(WIDE, alpha=0.7), case(EXTREME)]),
    Row("selu", F.selu, lambda x: SELU_SCALE * elu(x, SELU_ALPHA), [*singles(), case(WIDE)]),
    Row("silu", F.silu, lambda x: x * logistic(x), [*singles(), case(WIDE), case(EXTREME)]),
    Row("gelu", F.gelu, gelu, [*singles(), case(WIDE), case(EXTREME)], analytic=False,
        bad=[bad(ValueError, "^gelu: expected approximate 'none' or 'tanh', got 'fast'", WIDE, approximate="fast")]),
    Row("gelu", F.gelu, gelu, [case(WIDE, approximate="tanh"), case(EXTREME, approximate="tanh")]),
    Row("erf", mt.erf, erf, [*singles(-1.0, 1.0), case(spread(4, 4, low=-7.0, high=7.0))], torch="erf", analytic=False),
    Row("softplus", F.softplus, softplus, [*singles(), case(WIDE, beta=2.0, threshold=3.0), case(EXTREME)]),
    Row("softmax", mt.softmax, softmax, ALONG,
        bad=[bad(IndexError, r"^softmax: .* 2 is out of .*\(3, 4\)", WIDE, dim=2)]),
    Row("log_softmax", mt.log_softmax, log_softmax, ALONG,
        bad=[bad(IndexError, r"^log_softmax: .* 2 is out of .*\(3, 4\)", WIDE, dim=2)]),
]
# fmt: on
