"""Recurrent nets: one step of each as its formula, and whole sequences as one operation each.

The cells are the textbook's. `rnn`, `lstm` and `gru` compute what a cell gives step after step, with all products by the input
in one; each is one node on the tape, whose backward is backpropagation through time. Sequences are (time, n, features).
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.activation import relu, sigmoid
from minitorch.ops.choice import where
from minitorch.ops.elementwise import tanh
from minitorch.ops.joining import Cat, chunk
from minitorch.ops.linear import linear

# ---- one step ------------------------------------------------------------------------------------------------------------


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), for x (n, in) and h (n, hidden) (Elman 1990)."""
    return tanh(linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh))


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """h' = relu(W_ih x + b_ih + W_hh h + b_hh), for x (n, in) and h (n, hidden)."""
    return relu(linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh))


def lstm_cell(
    input: Tensor,
    hx: tuple[Tensor, Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """(h', c') of a long short-term memory: c' = f c + i g and h' = o tanh c' (Hochreiter & Schmidhuber 1997, Gers 2000).

    The gates i, f and o are sigmoids, g a tanh, of the four stretches of W_ih x + b_ih + W_hh h + b_hh.
    """
    h, c = hx
    i, f, g, o = chunk(linear(input, w_ih, b_ih) + linear(h, w_hh, b_hh), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """h' = (1 - z) n + z h, with gates r and z and n = tanh(x_n + r h_n), as in PyTorch (Cho et al. 2014).

    x and h are the three stretches of W_ih x + b_ih and of W_hh h + b_hh; r and z are sigmoids of x_r + h_r and x_z + h_z.
    """
    x_r, x_z, x_n = chunk(linear(input, w_ih, b_ih), 3, -1)
    h_r, h_z, h_n = chunk(linear(hx, w_hh, b_hh), 3, -1)
    z = sigmoid(x_z + h_z)
    return (1 - z) * tanh(x_n + sigmoid(x_r + h_r) * h_n) + z * hx


# ---- whole sequences -----------------------------------------------------------------------------------------------------


class Rnn(Op):
    """h[t] = f(x[t] + w h[t-1]), f being tanh or relu.  Backwards in time: dx[t] = f' (g[t] + w^T dx[t+1]).

    dh = w^T dx[0], dw = sum dx[t] h[t-1]^T.
    """

    def forward(ctx, x: Any, h: Any, w: Any, relu: Any) -> Any:
        xp = array_module(x)
        out, ctx.relu = xp.empty(x.shape, x.dtype), relu
        ctx.saved = h, w, out
        for t, row in enumerate(out):
            xp.matmul(h, w.T, out=row)
            row += x[t]
            h = xp.maximum(row, 0, out=row) if relu else xp.tanh(row, out=row)
        return out

    def backward(ctx, g: Any) -> Any:
        h, w, out = ctx.saved
        slope = where(out > 0, 1.0, out * 0) if ctx.relu else 1 - out * out
        dx, dh = [], 0.0
        for t in reversed(range(len(out))):
            dx.append(slope[t] * (g[t] + dh))
            dh = dx[-1] @ w
        dx = _in_order(dx)
        return dx, dh, _weight(dx, _before(h, out))


class Lstm(Op):
    """The h[t] and c[t] of `lstm_cell` from z[t] = x[t] + w h[t-1].  Backwards in time, with g, g_c the gradients of both:

    dh = g[t] + w^T dz[t+1], dc = g_c[t] + f[t+1] dc[t+1] + dh o (1 - tanh^2 c); dz has dc n i (1 - i), dc c[t-1] f (1 - f),
    dc i (1 - n^2), dh tanh(c) o (1 - o) for the gates i, f, n, o; dx = dz, dw = sum dz[t] h[t-1]^T.
    """

    def forward(ctx, x: Any, h: Any, c: Any, w: Any) -> Any:
        xp, width = array_module(x), h.shape[-1]
        out, cells = (xp.empty((*x.shape[:2], width), x.dtype) for _ in range(2))
        # sigmoid z = (1 + tanh(z / 2)) / 2, so that one tanh serves all gates: the forward pass takes 0.8 of the time
        half = xp.full(4 * width, 0.5, x.dtype)
        half[2 * width : 3 * width] = 1
        gates, turned = x * half, xp.ascontiguousarray((w * half[:, None]).T)
        rest = 1 - half
        ctx.saved = x, h, c, w, out, cells, gates
        for t, z in enumerate(gates):
            z += h @ turned
            xp.tanh(z, out=z)
            z *= half
            z += rest
            i, f, n, o = (z[:, k * width : (k + 1) * width] for k in range(4))
            c = xp.multiply(f, c, out=cells[t])
            c += i * n
            h = xp.tanh(c, out=out[t])
            h *= o
        return out, cells

    def backward(ctx, g: Any, g_cells: Any) -> Any:
        x, h, c, w, out, cells, gates = ctx.saved
        before = _before(h, out)
        if isinstance(g, Tensor):  # recorded: the gates depend on the inputs too
            i, f, n, o = _quarters(x + before @ w.T)
            i, f, n, o = sigmoid(i), sigmoid(f), tanh(n), sigmoid(o)
        else:
            i, f, n, o = _quarters(gates)
        turned = tanh(cells)
        to_cell = o * (1 - turned * turned)
        slopes = Cat.apply(n * i * (1 - i), _before(c, cells) * f * (1 - f), i * (1 - n * n), turned * o * (1 - o), dim=2)
        dz, dh, dc = [], 0.0, 0.0
        for t in reversed(range(len(out))):
            dh = g[t] + dh
            dc = g_cells[t] + dc + dh * to_cell[t]
            dz.append(Cat.apply(dc, dc, dc, dh, dim=1) * slopes[t])
            dh, dc = dz[-1] @ w, dc * f[t]
        dz = _in_order(dz)
        return dz, dh, dc, _weight(dz, before)


class Gru(Op):
    """The h[t] of `gru_cell` from x[t] and y[t] = w h[t-1] + b.  Backwards in time, with dh = g[t] + z dh[t+1] + w^T dy[t+1]:

    dx has dn y_n r (1 - r), dh (h[t-1] - n) z (1 - z) and dn = dh (1 - z) (1 - n^2) for r, z and n; dy has the same for r
    and z, and dn r for n; dw = sum dy[t] h[t-1]^T, db = sum dy[t].
    """

    def forward(ctx, x: Any, h: Any, w: Any, b: Any) -> Any:
        xp, width = array_module(x), h.shape[-1]
        out, gates = xp.empty((*x.shape[:2], width), x.dtype), x.copy()
        hidden, turned = xp.empty(x.shape, x.dtype), xp.ascontiguousarray(w.T)
        ctx.saved = x, h, w, b, out, gates, hidden
        for t, a in enumerate(gates):
            y = xp.matmul(h, turned, out=hidden[t])
            if b is not None:
                y += b
            rz, n = a[:, : 2 * width], a[:, 2 * width :]
            rz += y[:, : 2 * width]
            rz *= 0.5  # a sigmoid by tanh, in place
            xp.tanh(rz, out=rz)
            rz *= 0.5
            rz += 0.5
            n += rz[:, :width] * y[:, 2 * width :]
            xp.tanh(n, out=n)
            h = xp.subtract(h, n, out=out[t])
            h *= rz[:, width:]
            h += n
        return out

    def backward(ctx, g: Any) -> Any:
        x, h, w, b, out, gates, hidden = ctx.saved
        before = _before(h, out)
        if isinstance(g, Tensor):  # recorded: the gates depend on the inputs too
            hidden = before @ w.T if b is None else before @ w.T + b
            (x_r, x_z, x_n), (y_r, y_z, y_n) = _thirds(x), _thirds(hidden)
            r, z = sigmoid(x_r + y_r), sigmoid(x_z + y_z)
            n = tanh(x_n + r * y_n)
        else:
            (r, z, n), (_, _, y_n) = _thirds(gates), _thirds(hidden)
        to_n = (1 - z) * (1 - n * n)
        to_r, to_z, to_y = to_n * y_n * r * (1 - r), (before - n) * z * (1 - z), to_n * r
        to_hidden = Cat.apply(to_r, to_z, to_y, dim=2)
        dh, all_dh, dy = 0.0, [], []
        for t in reversed(range(len(out))):
            dh = g[t] + dh
            all_dh.append(dh)
            dy.append(Cat.apply(dh, dh, dh, dim=1) * to_hidden[t])
            dh = dh * z[t] + dy[-1] @ w
        dy, all_dh = _in_order(dy), _in_order(all_dh)
        r_and_z = 2 * h.shape[-1]
        dx = Cat.apply(dy[..., :r_and_z], all_dh * to_n, dim=2)
        return dx, dh, _weight(dy, before), None if b is None else dy.sum((0, 1))


def _quarters(a: Any) -> tuple[Any, ...]:
    return _stretches(a, 4)


def _thirds(a: Any) -> tuple[Any, ...]:
    return _stretches(a, 3)


def _stretches(a: Any, count: int) -> tuple[Any, ...]:
    """The `count` stretches of the last dimension, of an array or a tensor (time, n, features)."""
    width = a.shape[-1] // count
    return tuple(a[:, :, k * width : (k + 1) * width] for k in range(count))


def _before(first: Any, states: Any) -> Any:
    """The state before each step: `first` (n, hidden), and all of `states` (time, n, hidden) except the last."""
    return Cat.apply(first[None], states[:-1], dim=0)


def _in_order(steps: list[Any]) -> Any:
    """The results of all steps, given last step first, as (time, n, features)."""
    return Cat.apply(*(step[None] for step in reversed(steps)), dim=0)


def _weight(dz: Any, before: Any) -> Any:
    """The sum over time and n of dz (..., out) times the state before (..., in): (out, in)."""
    rows = dz.shape[0] * dz.shape[1]
    return dz.reshape(rows, dz.shape[2]).T @ before.reshape(rows, before.shape[2])


def rnn(
    input: Tensor,
    h: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """The states after each step of `rnn_tanh_cell`, or `rnn_relu_cell`: input (time, n, in), h (n, hidden)."""
    return Rnn.apply(linear(input, w_ih, b_ih if b_ih is None or b_hh is None else b_ih + b_hh), h, w_hh, relu=relu)


def lstm(
    input: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The states and the cells after each step of `lstm_cell`: input (time, n, in), h and c (n, hidden)."""
    return Lstm.apply(linear(input, w_ih, b_ih if b_ih is None or b_hh is None else b_ih + b_hh), h, c, w_hh)


def gru(input: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None) -> Tensor:
    """The states after each step of `gru_cell`: input (time, n, in), h (n, hidden)."""
    return Gru.apply(linear(input, w_ih, b_ih), h, w_hh, b_hh)
