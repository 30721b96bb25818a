"""Recurrent cells and whole sequences, against the formulas in NumPy, step by step."""

from __future__ import annotations

import numpy as np

import minitorch as mt
from minitorch.ops import recurrent
from tests.op_table.row import Row, bad, case, spread, via


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def affine(x, w, b):
    return x @ w.T + (0 if b is None else b)


def rnn_cell(f):
    return lambda x, h, w_ih, w_hh, b_ih=None, b_hh=None: f(affine(x, w_ih, b_ih) + affine(h, w_hh, b_hh))


def lstm_cell(x, h, c, w_ih, w_hh, b_ih=None, b_hh=None):
    i, f, g, o = np.split(affine(x, w_ih, b_ih) + affine(h, w_hh, b_hh), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_cell(x, h, w_ih, w_hh, b_ih=None, b_hh=None):
    (xr, xz, xn), (hr, hz, hn) = np.split(affine(x, w_ih, b_ih), 3, -1), np.split(affine(h, w_hh, b_hh), 3, -1)
    z = sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h


def relu(x):
    return np.where(x > 0, x, 0)


def whole(cell, stack):
    """The cell applied step by step; `stack` joins the results."""

    def run(x, h, *weights, relu=None):
        kind = cell if relu is None else cell[relu]
        states = []
        for step in x:
            h = kind(step, h, *weights)
            states.append(h)
        return stack(states)

    return run


def whole_lstm(cell, stack):
    def run(x, h, c, *weights):
        states = []
        for step in x:
            h, c = cell(step, h, c, *weights)
            states.append((h, c))
        return tuple(stack(kind) for kind in zip(*states))

    return run


def of(gates, steps=None, states=1, biased=True, n=2, inputs=2, hidden=2):
    """Numbers for a cell, or for `steps` steps: input, states, weights, biases."""
    shapes = [(n, inputs) if steps is None else (steps, n, inputs), *[(n, hidden)] * states]
    shapes += [(gates * hidden, inputs), (gates * hidden, hidden)] + [(gates * hidden,)] * 2 * biased
    return [spread(*shape, low=-1.0, high=1.1, seed=seed) for seed, shape in enumerate(shapes)]


def cases(gates, states=1, **parameters):
    return [
        case(*of(gates, 2, states), **parameters),
        case(*of(gates, 3, states, biased=False, inputs=1), **parameters),
        case(*of(gates, 1, states, n=1), **parameters),
        case(*of(gates, 2, states, n=0), **parameters),
    ]


def unfit(name, gates, states=1):
    rest = of(gates, states=states)[1:]
    return [bad(ValueError, r"^linear: expected input .* got input \(2, 3\), weight \(\d+, 2\)", spread(2, 3), *rest)]


def lstm_in_torch(torch, x, h, c, *weights):
    return torch.lstm_cell(x, (h, c), *weights)


# fmt: off
ROWS = [
    Row("rnn_tanh_cell", mt.rnn_tanh_cell, rnn_cell(np.tanh), [case(*of(1)), case(*of(1, biased=False))], bad=unfit("rnn_tanh_cell", 1)),
    Row("rnn_relu_cell", mt.rnn_relu_cell, rnn_cell(relu), [case(*of(1)), case(*of(1, biased=False))], bad=unfit("rnn_relu_cell", 1)),
    Row("lstm_cell", via(mt.lstm_cell, lambda x, h, c, *w: mt.lstm_cell(x, (h, c), *w)), lstm_cell,
        [case(*of(4, states=2)), case(*of(4, states=2, biased=False))], torch=lstm_in_torch, bad=unfit("lstm_cell", 4, 2)),
    Row("gru_cell", mt.gru_cell, gru_cell, [case(*of(3)), case(*of(3, biased=False))], bad=unfit("gru_cell", 3)),
    Row("rnn", recurrent.rnn, whole([rnn_cell(np.tanh), rnn_cell(relu)], np.stack), [*cases(1, relu=False), *cases(1, relu=True)],
        torch=lambda torch, *inputs, relu: whole([torch.rnn_tanh_cell, torch.rnn_relu_cell], torch.stack)(*inputs, relu=relu)),
    Row("lstm", recurrent.lstm, whole_lstm(lstm_cell, np.stack), cases(4, 2),
        torch=lambda torch, *inputs: whole_lstm(lambda *given: lstm_in_torch(torch, *given), torch.stack)(*inputs)),
    Row("gru", recurrent.gru, whole(gru_cell, np.stack), cases(3),
        torch=lambda torch, *inputs: whole(torch.gru_cell, torch.stack)(*inputs)),
]
# fmt: on
