"""Recurrent nets: one step of each as its formula, and whole sequences as one operation each.

The cells are the textbook's. `rnn`, `lstm` and `gru` compute what a cell gives step after step, with all products by the input
in one; each is one node on the tape, whose backward is backpropagation through time. Sequences are (time, n, features).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.accumulate import total
from minitorch.autograd.backward import sweep
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.activation import logistic, relu, sigmoid
from minitorch.ops.elementwise import tanh
from minitorch.ops.joining import chunk
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
    input: Tensor, hx: tuple[Tensor, Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """(h', c') of a long short-term memory: c' = f c + i g and h' = o tanh c' (Hochreiter & Schmidhuber 1997, Gers 2000).

    The gates i, f and o are sigmoids, g a tanh, of the four stretches of W_ih x + b_ih + W_hh h + b_hh.
    """
    h, c = hx
    return _lstm(linear(input, w_ih, b_ih) + linear(h, w_hh, b_hh), c)


def _lstm(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = chunk(z, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """h' = (1 - z) n + z h, with gates r and z and n = tanh(x_n + r h_n), as in PyTorch (Cho et al. 2014).

    x and h are the three stretches of W_ih x + b_ih and of W_hh h + b_hh; r and z are sigmoids of x_r + h_r and x_z + h_z.
    """
    return _gru(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), hx)


def _gru(x: Tensor, y: Tensor, h: Tensor) -> Tensor:
    (x_r, x_z, x_n), (h_r, h_z, h_n) = chunk(x, 3, -1), chunk(y, 3, -1)
    z = sigmoid(x_z + h_z)
    return (1 - z) * tanh(x_n + sigmoid(x_r + h_r) * h_n) + z * h


# ---- whole sequences -----------------------------------------------------------------------------------------------------


class Rnn(Op):
    """h[t] = f(x[t] + w h[t-1]), f being tanh or relu.  Backwards in time: dx[t] = f' (g[t] + w^T dx[t+1]).

    dh = w^T dx[0], dw = sum dx[t] h[t-1]^T.
    """

    def forward(ctx, x: Any, h: Any, w: Any, relu: Any) -> Any:
        xp = array_module(x)
        out, ctx.relu = xp.empty(x.shape, x.dtype), relu
        ctx.saved = x, h, w, out
        for t, row in enumerate(out):
            xp.matmul(h, w.T, out=row)
            row += x[t]
            h = xp.maximum(row, 0, out=row) if relu else xp.tanh(row, out=row)
        return out

    def backward(ctx, g: Any) -> Any:
        x, h, w, out = ctx.saved
        if isinstance(g, Tensor):
            bend = relu if ctx.relu else tanh
            return _recorded(lambda x, h, w: (bend(x + h @ w.T),), 1, (x, h, w), (g,))
        xp, dh = array_module(x), array_module(x).zeros(h.shape, x.dtype)
        dx = (out > 0).astype(x.dtype) if ctx.relu else 1 - out * out  # the slopes, each soon multiplied by its gradient
        for step, grad in zip(dx[::-1], g[::-1]):
            dh += grad
            step *= dh
            xp.matmul(step, w, out=dh)
        return dx, dh, _weight(dx, h, out)


class Lstm(Op):
    """The h[t] and c[t] of `lstm_cell` from z[t] = x[t] + w h[t-1].  Backwards in time, with g, g_c the gradients of both:

    dh = g[t] + w^T dz[t+1], dc = g_c[t] + f[t+1] dc[t+1] + dh o (1 - tanh^2 c); dz has dc n i (1 - i), dc c[t-1] f (1 - f),
    dc i (1 - n^2), dh tanh(c) o (1 - o) for the gates i, f, n, o; dx = dz, dw = sum dz[t] h[t-1]^T.
    """

    materialize_grads = False  # often nothing uses the cells

    def forward(ctx, x: Any, h: Any, c: Any, w: Any) -> Any:
        xp, (steps, n, _), width = array_module(x), x.shape, h.shape[-1]
        out, cells = (xp.empty((steps, n, width), x.dtype) for _ in range(2))
        # each gate lies in one piece, o before n: forward and backward then take 0.75 of the time
        gates, turned = xp.empty((steps, 4, n, width), x.dtype), xp.empty((4, width, width), x.dtype)
        for k, place in enumerate((0, 1, 3, 2)):
            part = slice(place * width, (place + 1) * width)
            gates[:, k], turned[k] = x[:, :, part], w[part].T
        scratch = xp.empty((4, n, width), x.dtype)
        ctx.saved = x, h, c, w, out, cells, gates
        for gate, cell, row in zip(gates, cells, out):
            gate += xp.matmul(h, turned, out=scratch)
            logistic(sigmoids := gate[:3], sigmoids)  # one view: CuPy copies what only overlaps its result
            xp.tanh(gate[3], out=gate[3])
            i, f, o, new = gate
            xp.multiply(f, c, out=cell)
            cell += xp.multiply(i, new, out=scratch[0])
            xp.tanh(cell, out=row)
            row *= o
            h, c = row, cell
        return out, cells

    def backward(ctx, g: Any, g_cells: Any) -> Any:
        x, h, c, w, out, cells, gates = ctx.saved
        if isinstance(x, Tensor):
            return _recorded(lambda x, h, c, w: _lstm(x + h @ w.T, c), 2, (x, h, c, w), (g, g_cells))
        xp, (steps, n, width) = array_module(x), out.shape
        i, f, o, new = gates.swapaxes(0, 1)
        dz, turned = xp.empty(x.shape, x.dtype), xp.tanh(cells)
        slopes = dz.reshape(steps, n, 4, width)  # each soon multiplied by its gradient
        slopes[:, :, 0] = new * i * (1 - i)
        slopes[:, :, 1] = _before(c, cells) * f * (1 - f)
        slopes[:, :, 2] = i * (1 - new * new)
        slopes[:, :, 3] = turned * o * (1 - o)
        to_cell = o * (1 - turned * turned)
        dh, dc, scratch = (xp.zeros(h.shape, x.dtype) for _ in range(3))
        for t in reversed(range(steps)):
            if g is not None:
                dh += g[t]
            if g_cells is not None:
                dc += g_cells[t]
            dc += xp.multiply(dh, to_cell[t], out=scratch)
            slopes[t, :, :3] *= dc[:, None]
            slopes[t, :, 3] *= dh
            xp.matmul(dz[t], w, out=dh)
            dc *= f[t]
        return dz, dh, dc, _weight(dz, h, out)


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
            logistic(rz, rz)
            n += rz[:, :width] * y[:, 2 * width :]
            xp.tanh(n, out=n)
            h = xp.subtract(h, n, out=out[t])
            h *= rz[:, width:]
            h += n
        return out

    def backward(ctx, g: Any) -> Any:
        x, h, w, b, out, gates, hidden = ctx.saved
        if isinstance(g, Tensor):
            return _recorded(lambda x, h, w, b: (_gru(x, linear(h, w, b), h),), 1, (x, h, w, b), (g,))
        xp, (steps, n, width) = array_module(x), out.shape
        r, z, new = (gates[:, :, k * width : (k + 1) * width] for k in range(3))
        dn, dy = (1 - z) * (1 - new * new), xp.empty(x.shape, x.dtype)  # the slopes, each soon multiplied by its gradient
        slopes = dy.reshape(steps, n, 3, width)
        slopes[:, :, 0] = dn * hidden[:, :, 2 * width :] * r * (1 - r)
        slopes[:, :, 1] = (_before(h, out) - new) * z * (1 - z)
        slopes[:, :, 2] = dn * r
        dh = xp.zeros(h.shape, x.dtype)
        for t in reversed(range(steps)):
            dh += g[t]
            dn[t] *= dh
            slopes[t] *= dh[:, None]
            dh *= z[t]
            dh += dy[t] @ w
        dx = dy.copy()
        dx[:, :, 2 * width :] = dn
        return dx, dh, _weight(dy, h, out), None if b is None else total(dy, (0, 1))


def _recorded(cell: Callable[..., Any], states: int, inputs: tuple[Any, ...], grads: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients of x, its states and the weights, recorded: the rules of its cells, one after another."""
    own: list[Any] = [None if a is None else a.clone() for a in inputs]  # whatever of them was computed from another
    x, state, weights = own[0], own[1 : 1 + states], own[1 + states :]
    roots = []
    for t in range(len(x)):
        state = cell(x[t], *state, *weights)
        roots += [(each.node, g[t]) for each, g in zip(state, grads) if g is not None]
    found = dict.fromkeys(a.node for a in own if a is not None and a.node is not None)
    sweep(roots, True, True, found, None)
    return tuple(None if a is None else found.get(a.node) for a in own)


def _before(first: Any, states: Any) -> Any:
    """The state before each step: `first` (n, hidden), and all of `states` (time, n, hidden) except the last."""
    return array_module(first).concatenate([first[None], states[:-1]])


def _weight(dz: Any, first: Any, states: Any) -> Any:
    """The sum over time and n of dz (time, n, out) times the state before: (out, in)."""
    rows = dz.shape[0] * dz.shape[1]
    return dz.reshape(rows, dz.shape[2]).T @ _before(first, states).reshape(rows, first.shape[1])


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
