"""Rules as students write them, each with the kinds of mistake that it may be called.

`RULES` holds rows of kind, operation, backward and options: `strict`, `inputs` in place of the operation's own, or `forward`.
Several kinds, separated by |, are alternatives that say the same of this rule.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch as torch
from minitorch.autograd.op import Op
from minitorch.check import exercises
from minitorch.check.exercises import spread as evenly
from minitorch.ops.elementwise import cos, exp
from minitorch.ops.reduce import Mean, Sum

spread = functools.partial(evenly, high=1.7)


def op(name: str, compute: Callable, *inputs: np.ndarray, saves: str = "inputs", size: bool = False) -> type[Op]:
    """An operation with that forward, which saves its "inputs", its "out", both, or "nothing"; and, if `size`, a's shape."""

    @functools.wraps(compute)  # by which `explain` knows what the inputs are called
    def forward(ctx, *given):
        out = compute(ctx, *given)
        ctx.saved = {"inputs": given, "out": (out,), "both": (*given, out), "nothing": ()}[saves]
        if size:
            ctx.size = given[0].shape
        return out

    return type(name, (Op,), {"forward": forward, "inputs": inputs})


SIGNED = np.array([[0.5, -1.0, 2.0], [-0.25, 1.5, -0.7]])
MATRIX, OTHER, PAIR = spread(2, 3), spread(2, 3, seed=1), (spread(2, 3), spread(2, 3, low=2.0, high=3.0, seed=1))
TALL, SQUARE = spread(4, 3), (spread(3, 3), spread(3, 3, seed=1))


def softmax(a):
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


Tanh = op("Tanh", lambda ctx, a: np.tanh(a), spread(2, 3, low=-1.0), saves="out")
Sigmoid = op("Sigmoid", lambda ctx, a: 1 / (1 + np.exp(-a)), MATRIX, saves="both")
Exp = op("Exp", lambda ctx, a: np.exp(a), MATRIX, saves="both")
Log = op("Log", lambda ctx, a: np.log(a), MATRIX)
Sin = op("Sin", lambda ctx, a: np.sin(a), MATRIX)
Square = op("Square", lambda ctx, a: a * a, MATRIX)
Cube = op("Cube", lambda ctx, a: a**3, MATRIX)
Sqrt = op("Sqrt", lambda ctx, a: np.sqrt(a), MATRIX, saves="both")
Reciprocal = op("Reciprocal", lambda ctx, a: 1 / a, MATRIX)
Relu = op("Relu", lambda ctx, a: np.maximum(a, 0), SIGNED)
Abs = op("Abs", lambda ctx, a: np.abs(a), SIGNED)
AddRow = op("AddRow", lambda ctx, x, b: x + b, TALL, spread(3, seed=1), saves="nothing")
ScaleRows = op("ScaleRows", lambda ctx, x, s: x * s, TALL, spread(4, 1, seed=1))
Mul = op("Mul", lambda ctx, a, b: a * b, *PAIR)
Sub = op("Sub", lambda ctx, a, b: a - b, *PAIR)
Div = op("Div", lambda ctx, a, b: a / b, *PAIR)
Matmul = op("Matmul", lambda ctx, a, b: a @ b, MATRIX, spread(3, 4, seed=1))
Linear = op("Linear", lambda ctx, x, w, b: x @ w.T + b, MATRIX, spread(4, 3, seed=1), spread(4, seed=2))
Softmax = op("Softmax", lambda ctx, a: softmax(a), MATRIX, saves="out")
LogSoftmax = op("LogSoftmax", lambda ctx, a: a - np.log(np.exp(a).sum(-1, keepdims=True)), MATRIX, saves="out")
MeanRows = op("MeanRows", lambda ctx, a: a.mean(0), TALL, size=True)
SumRows = op("SumRows", lambda ctx, a: a.sum(0), TALL, size=True)
SumAll = op("SumAll", lambda ctx, a: np.asarray(a.sum()), MATRIX, size=True)
MeanAll = op("MeanAll", lambda ctx, a: np.asarray(a.mean()), MATRIX, size=True)
MaxAll = op("MaxAll", lambda ctx, a: np.asarray(a.max()), MATRIX)
MaxRows = op("MaxRows", lambda ctx, a: a.max(-1), MATRIX)
Norm = op("Norm", lambda ctx, a: np.asarray(np.sqrt((a * a).sum())), MATRIX, saves="both")
Variance = op("Variance", lambda ctx, a: a.var(0), np.linspace(0.0, 1.0, 10).reshape(5, 2))
Transpose = op("Transpose", lambda ctx, a: a.T.copy(), MATRIX, saves="nothing")
Cumsum = op("Cumsum", lambda ctx, a: a.cumsum(-1), spread(2, 4), saves="nothing")
Flip = op("Flip", lambda ctx, a: a[:, ::-1].copy(), MATRIX, saves="nothing")
Roll = op("Roll", lambda ctx, a: np.roll(a, 1, -1), MATRIX, saves="nothing")
Reshaped = op("Reshaped", lambda ctx, a: a.reshape(6).copy(), spread(3, 2), saves="nothing")
Cat = op("Cat", lambda ctx, a, b: np.concatenate([a, b]), spread(3, 2), spread(2, 2, seed=1), saves="nothing")
Take = op("Take", lambda ctx, a, index: a[index], spread(4, 2), np.array([0, 2, 2]), size=True)
Where = op("Where", lambda ctx, mask, a, b: np.where(mask, a, b), SIGNED > 0, MATRIX, OTHER)
Maximum = op("Maximum", lambda ctx, a, b: np.maximum(a, b), np.array([1.0, 2.0, 0.3, 4.0]), np.array([2.0, 1.0, 0.7, 3.0]))
SquaredError = op("SquaredError", lambda ctx, y, t: np.asarray(((y - t) ** 2).mean()), MATRIX, OTHER)


class Normalize(Op):
    """Of each column of x."""

    inputs = (np.array([[0.3, 2.0], [1.1, -0.4], [-0.9, 0.8], [0.2, 0.1], [2.1, 1.3]]),)

    def forward(ctx, x):
        inverse = 1 / np.sqrt(x.var(0) + 1e-5)
        out = (x - x.mean(0)) * inverse
        ctx.saved = out, inverse
        return out


def correlate(x, w):
    rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    return np.array([[(x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum() for j in range(columns)] for i in range(rows)])


class Correlate(Op):
    """Of a fixed image with w."""

    inputs = (MATRIX,)

    def forward(ctx, w):
        ctx.saved = (spread(4, 5, seed=3),)
        return correlate(ctx.saved[0], w)


class CrossEntropy(exercises.CrossEntropy):
    inputs = (TALL, np.array([2, 0, 1, 1]))


class GivenNormalize(exercises.Normalize):
    inputs = next(row.cases[0] for row in exercises.EXERCISES if row.op is exercises.Normalize)


class Scaled(Op):
    """Each row of fixed numbers, scaled by a."""

    inputs = (spread(3),)

    def forward(ctx, a):
        ctx.saved = (np.arange(1.0, 10.0).reshape(3, 3),)
        return ctx.saved[0] * a


class ThirdOfCube(Op):
    inputs = (MATRIX,)

    def forward(ctx, a):
        ctx.saved = a * a, 1 / a
        return a * a * a / 3


# ---- rules that need more than one line ----------------------------------------------------------------------------------


def changes_g(ctx, g):
    (out,) = ctx.saved
    g *= 1 - out * out
    return g


def changes_saved(ctx, g):
    (out,) = ctx.saved
    out *= out
    return g * (1 - out)


def no_return(ctx, g):
    (out,) = ctx.saved
    g * (1 - out * out)


def numpy_in_backward(ctx, g):
    (out,) = ctx.saved
    return g * (1 - np.square(out))


def detached(ctx, g):
    (out,) = ctx.saved
    return g * (1 - (out * out).detach() if isinstance(out, torch.Tensor) else 1 - out * out)


def half_detached(ctx, g):
    (a,) = ctx.saved
    return 3 * a * (a.detach() if isinstance(a, torch.Tensor) else a) * g


def random_rule(ctx, g):
    return g * 2 * ctx.saved[0] * np.random.default_rng().uniform(0.5, 1.5)


def counting(ctx, g):
    ctx.calls = getattr(ctx, "calls", 0) + 1
    return g * 2 * ctx.saved[0] * ctx.calls


def remembers(ctx, a):
    Square.last = a
    ctx.saved = (a,)
    return a * a


def scatter_once(ctx, g):
    index = ctx.saved[1]
    out = np.zeros(ctx.size)
    out[index] = g
    return out, None


def random_forward(ctx, a):
    out = np.tanh(a) * np.random.default_rng().uniform()
    ctx.saved = (out,)
    return out


def in_float64(ctx, a):
    out = np.tanh(a.astype(np.float64)) if a.dtype.kind == "f" else np.tanh(a)
    ctx.saved = (out,)
    return out


def changes_input(ctx, g):
    (a,) = ctx.saved
    a *= 2
    return g * a


def saves_a_list(ctx, a):
    out = np.tanh(a)
    ctx.saved = [out]
    return out


def saves_a_copy(ctx, a):
    out = np.tanh(a)
    ctx.saved = (out.copy(),)
    return out


def takes_swapped(ctx, g):
    b, a = ctx.saved
    return g / b, -g * a / (b * b)


def sorts_in_place(ctx, g):
    (a,) = ctx.saved
    right = g * 2 * a
    a.sort()
    return right


def unpacks_one(ctx, g):
    (out,) = ctx.saved
    return g * out


def twice_saved(ctx, a):
    a *= 2
    ctx.saved = (a,)
    return a * a


def not_a_tuple(ctx, a):
    out = np.tanh(a)
    ctx.saved = out
    return out


def saves_nothing(ctx, a):
    return np.tanh(a)


def saves_for_backward(ctx, a):
    out = np.tanh(a)
    ctx.save_for_backward(out)
    return out


def keeps_attribute(ctx, a):
    ctx.a = a * 1.0
    return a**3


def of_tanh(ctx, g):
    (out,) = ctx.saved
    return g * (1 - out * out)


def not_divided(ctx, g):
    (x,) = ctx.saved
    out = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    return g - g.mean(0) - out * (g * out).mean(0)


def row(kind: str, op: type[Op], backward: Any, **options: Any) -> tuple:
    return kind, op, backward, options


# fmt: off
RULES: list[tuple] = [
    # ---- what is returned
    row("returned None", Tanh, no_return),
    row("returned None for one", Mul, lambda ctx, g: (g * ctx.saved[1], None)),
    row("count", Mul, lambda ctx, g: g * ctx.saved[1]),
    row("count", Tanh, lambda ctx, g: (g * (1 - ctx.saved[0] ** 2), g)),
    row("count", Linear, lambda ctx, g: (g @ ctx.saved[1], g.T @ ctx.saved[0])),
    row("list", Mul, lambda ctx, g: [g * ctx.saved[1], g * ctx.saved[0]]),
    row("no array", Tanh, lambda ctx, g: "g"),
    row("dtype|ignores g", Relu, lambda ctx, g: ctx.saved[0] > 0),
    row("unwritten", Square, Op.backward, forward=lambda ctx, a: a * 1.0),
    # ---- what is saved
    row("nothing saved", Tanh, of_tanh, forward=saves_nothing),
    row("saved count", Exp, unpacks_one),
    row("saved is no tuple", Tanh, of_tanh, forward=not_a_tuple),
    row("save_for_backward", Tanh, of_tanh, forward=saves_for_backward),
    row("save_for_backward", Tanh, lambda ctx, g: g * (1 - ctx.saved_tensors[0] ** 2)),
    row("no attribute", Tanh, lambda ctx, g: g * (1 - ctx.out**2)),
    # ---- g, saved arrays, inputs
    row("changes g", Tanh, changes_g),
    row("changes saved", Tanh, changes_saved),
    row("forward changes input", Square, lambda ctx, g: g * ctx.saved[0] * 2, forward=twice_saved),
    row("not repeatable", Square, random_rule),
    row("not repeatable", Square, counting),
    row("outside ctx", Square, lambda ctx, g: g * 2 * Square.last, forward=remembers),
    # ---- g
    row("ignores g", Tanh, lambda ctx, g: 1 - ctx.saved[0] ** 2),
    row("ignores g", Square, lambda ctx, g: 2 * ctx.saved[0]),
    row("ignores g", Mul, lambda ctx, g: (ctx.saved[1], ctx.saved[0])),
    row("ignores g", SumAll, lambda ctx, g: np.ones(ctx.size)),
    row("ignores g", Relu, lambda ctx, g: 1.0 * (ctx.saved[0] > 0)),
    row("adds to g", Tanh, lambda ctx, g: g + (1 - ctx.saved[0] ** 2)),
    row("g squared", Square, lambda ctx, g: g * g * 2 * ctx.saved[0]),
    row("g squared", Mul, lambda ctx, g: (g * g * ctx.saved[1], g * g * ctx.saved[0])),
    row("sign of g", Relu, lambda ctx, g: g * (g > 0)),
    row("not linear|sign of g", Square, lambda ctx, g: abs(g) * 2 * ctx.saved[0]),
    row("not linear", Square, lambda ctx, g: np.sign(g) * 2 * ctx.saved[0]),
    # ---- constants
    row("factor", Square, lambda ctx, g: g * ctx.saved[0]),
    row("factor", Square, lambda ctx, g: g * ctx.saved[0] * 4),
    row("factor", Cube, lambda ctx, g: g * ctx.saved[0] ** 2),
    row("factor", Sqrt, lambda ctx, g: g / ctx.saved[1]),
    row("factor", Sqrt, lambda ctx, g: g * 2 / ctx.saved[1]),
    row("factor", MeanRows, lambda ctx, g: g + np.zeros(ctx.size)),
    row("factor", MeanAll, lambda ctx, g: g + np.zeros(ctx.size)),
    row("factor", SumRows, lambda ctx, g: (g + np.zeros(ctx.size)) / 4),
    row("factor", SumAll, lambda ctx, g: (g + np.zeros(ctx.size)) / 6),
    row("factor", SquaredError, lambda ctx, g: (g * 2 * (ctx.saved[0] - ctx.saved[1]), -g * 2 * (ctx.saved[0] - ctx.saved[1]))),
    row("sign", Sub, lambda ctx, g: (g, g)),
    row("sign", Reciprocal, lambda ctx, g: g / (ctx.saved[0] * ctx.saved[0])),
    row("sign", Tanh, lambda ctx, g: g * (ctx.saved[0] * ctx.saved[0] - 1)),
    row("sign", Div, lambda ctx, g: (g / ctx.saved[1], g * ctx.saved[0] / ctx.saved[1] ** 2)),
    row("swapped or sign", SquaredError, lambda ctx, g: (-g * 2 * (ctx.saved[0] - ctx.saved[1]) / 6, g * 2 * (ctx.saved[0] - ctx.saved[1]) / 6)),
    # ---- which input
    row("swapped", Mul, lambda ctx, g: (g * ctx.saved[0], g * ctx.saved[1])),
    row("swapped or sign", Sub, lambda ctx, g: (-g, g)),
    row("swapped", Div, lambda ctx, g: (-g * ctx.saved[0] / ctx.saved[1] ** 2, g / ctx.saved[1])),
    row("of another", Mul, lambda ctx, g: (g * ctx.saved[0], g * ctx.saved[0])),
    row("shapes swapped", Matmul, lambda ctx, g: (ctx.saved[0].T @ g, g @ ctx.saved[1].T)),
    row("shapes swapped", Linear, lambda ctx, g: (g.T @ ctx.saved[0], g @ ctx.saved[1], g.sum(0))),
    row("swapped", Maximum, lambda ctx, g: (g * (ctx.saved[0] < ctx.saved[1]), g * (ctx.saved[0] > ctx.saved[1]))),
    row("swapped|wrong place", Where, lambda ctx, g: (None, g * ~ctx.saved[0], g * ctx.saved[0])),
    # ---- broadcasting
    row("not summed", AddRow, lambda ctx, g: (g, g), strict=True),
    row("kept axis", AddRow, lambda ctx, g: (g, g.sum(0, keepdims=True)), strict=True),
    row("summed wrongly", AddRow, lambda ctx, g: (g, g.sum(1))),
    row("summed wrongly", AddRow, lambda ctx, g: (g, g.sum())),
    row("factor", AddRow, lambda ctx, g: (g, g.mean(0))),
    row("shape|summed wrongly", Linear, lambda ctx, g: (g @ ctx.saved[1], g.T @ ctx.saved[0], g.sum(1))),
    row("not summed", Linear, lambda ctx, g: (g @ ctx.saved[1], g.T @ ctx.saved[0], g), strict=True),
    row("wrong place|missing place", AddRow, lambda ctx, g: (g, g[0])),
    row("summed wrongly", MeanRows, lambda ctx, g: g.sum() / 4),
    # ---- matrices
    row("product does not fit", Matmul, lambda ctx, g: (g @ ctx.saved[1], ctx.saved[0] @ g)),
    row("product does not fit", Matmul, lambda ctx, g: (ctx.saved[1].T @ g, g @ ctx.saved[0].T)),
    row("factor transposed", Matmul, lambda ctx, g: (g @ ctx.saved[1], ctx.saved[0] @ g), inputs=SQUARE),
    row("factor transposed", Matmul, lambda ctx, g: (g @ ctx.saved[1].T, ctx.saved[0] @ g), inputs=SQUARE),
    row("wrong order", Matmul, lambda ctx, g: (ctx.saved[1].T @ g, g @ ctx.saved[0].T), inputs=SQUARE),
    row("wrong factor", Matmul, lambda ctx, g: (g @ ctx.saved[0].T, ctx.saved[0].T @ g), inputs=SQUARE),
    row("transposed|factor transposed|wrong order", Matmul, lambda ctx, g: ((g @ ctx.saved[1].T).T, ctx.saved[0].T @ g), inputs=SQUARE),
    row("shape transposed", Linear, lambda ctx, g: (g @ ctx.saved[1], ctx.saved[0].T @ g, g.sum(0))),
    row("product does not fit", Linear, lambda ctx, g: (g @ ctx.saved[1].T, g.T @ ctx.saved[0], g.sum(0))),
    row("shape transposed", Transpose, lambda ctx, g: g),
    row("transposed|g transposed", Transpose, lambda ctx, g: g, inputs=(spread(3, 3),)),
    row("mirrored", Flip, lambda ctx, g: g),
    row("shifted", Roll, lambda ctx, g: np.roll(g, 1, -1)),
    # ---- which places
    row("diagonal only", Softmax, lambda ctx, g: g * ctx.saved[0] * (1 - ctx.saved[0])),
    row("diagonal only", Softmax, lambda ctx, g: g * ctx.saved[0]),
    row("diagonal only", LogSoftmax, lambda ctx, g: g - exp(ctx.saved[0]) * g),
    row("diagonal only", Cumsum, lambda ctx, g: g),
    row("wrong place|mirrored|transposed|wrong axis", Cumsum, lambda ctx, g: g.cumsum(-1)),
    row("wrong axis", Softmax, lambda ctx, g: ctx.saved[0] * (g - (g * ctx.saved[0]).sum(0, keepdims=True))),
    row("wrong axis|wrong place", Softmax, lambda ctx, g: ctx.saved[0] * (g - (g * ctx.saved[0]).sum(keepdims=True))),
    row("shapes do not fit", Softmax, lambda ctx, g: ctx.saved[0] * (g - (g * ctx.saved[0]).sum(-1))),
    row("path by the sum|local derivative", Softmax, lambda ctx, g: ctx.saved[0] * (g - ctx.saved[0] * g.sum(-1).reshape(-1, 1))),
    row("path by the sum", Normalize, lambda ctx, g: ctx.saved[1] * (g - ctx.saved[0] * (g * ctx.saved[0]).mean(0))),
    row("path by the variance", Normalize, lambda ctx, g: ctx.saved[1] * (g - g.mean(0))),
    row("diagonal only", Normalize, lambda ctx, g: ctx.saved[1] * g),
    row("wrong place", Relu, lambda ctx, g: g),
    row("wrong place|swapped|missing place", Relu, lambda ctx, g: g * (ctx.saved[0] < 0)),
    row("wrong place", MaxAll, lambda ctx, g: g + np.zeros(ctx.saved[0].shape)),
    row("wrong place", MaxRows, lambda ctx, g: g.reshape(-1, 1) * np.ones((1, 3))),
    row("wrong place|missing place", MaxRows, lambda ctx, g: g.reshape(-1, 1) * (ctx.saved[0] == ctx.saved[0].max())),
    row("missing place", Take, scatter_once),
    row("wrong place", Where, lambda ctx, g: (None, g, g)),
    row("wrong place", Maximum, lambda ctx, g: (g, g)),
    row("zero", Abs, lambda ctx, g: g * 0.0),
    row("zero", Where, lambda ctx, g: (None, g * ctx.saved[0], g * 0.0)),
    # ---- local derivatives
    row("wrong array|power", Exp, lambda ctx, g: g * ctx.saved[0]),
    row("wrong array|power", Sigmoid, lambda ctx, g: g * ctx.saved[0] * (1 - ctx.saved[0])),
    row("wrong array|power", Log, lambda ctx, g: g * ctx.saved[0]),
    row("power", Div, lambda ctx, g: (g / ctx.saved[1], -g * ctx.saved[0] / ctx.saved[1])),
    row("power", Div, lambda ctx, g: (g * ctx.saved[1], -g * ctx.saved[0] / ctx.saved[1] ** 2)),
    row("power", Cube, lambda ctx, g: g * 3 * ctx.saved[0]),
    row("power", Cube, lambda ctx, g: g * 3 * ctx.saved[0] ** 3),
    row("power|wrong array", Reciprocal, lambda ctx, g: -g / ctx.saved[0]),
    row("power", Square, lambda ctx, g: g * 2),
    row("power|wrong array", Log, lambda ctx, g: g),
    row("power", Sigmoid, lambda ctx, g: g * ctx.saved[1]* ctx.saved[1] * (1 - ctx.saved[1])),
    row("power|local derivative", Sigmoid, lambda ctx, g: g * (1 - ctx.saved[1])),
    row("wrong array|local derivative", Tanh, lambda ctx, g: g * (1 - ctx.saved[0])),
    row("local derivative", Sin, lambda ctx, g: g * np.sin(ctx.saved[0])),
    row("sign", Sin, lambda ctx, g: -g * cos(ctx.saved[0])),
    row("sign|local derivative|power", Abs, lambda ctx, g: g),
    # ---- forward
    row("forward fails", Tanh, of_tanh, forward=lambda ctx, a: a.tanh()),
    row("no output", Tanh, of_tanh, forward=lambda ctx, a: None),
    row("no output", Tanh, of_tanh, forward=lambda ctx, a: [a]),
    row("forward not repeatable", Tanh, of_tanh, forward=random_forward),
    row("forward float32", Tanh, of_tanh, forward=in_float64),
    # ---- further spellings
    row("backward fails", Tanh, lambda ctx, g: g * missing_name),  # noqa: F821, the mistake is that it is missing
    row("changes input", Square, changes_input),
    row("g transposed|transposed|factor transposed", Matmul, lambda ctx, g: (g.T @ ctx.saved[1].T, ctx.saved[0].T @ g), inputs=SQUARE),
    row("g transposed", Scaled, lambda ctx, g: (g.T * ctx.saved[0]).sum(0)),
    row("saved swapped", ThirdOfCube, lambda ctx, g: g * ctx.saved[1]),
    row("shape", Cat, lambda ctx, g: (g, g)),
    row("shapes swapped|swapped|missing place|wrong place", Cat, lambda ctx, g: (g[3:], g[:3])),
    row("g not summed", Softmax, lambda ctx, g: ctx.saved[0] * (g - abs(g).max() * np.sign(g.reshape(-1)[0]))),
    row("float32", Sigmoid, lambda ctx, g: g.astype(np.float64) * ctx.saved[1] * (1 - ctx.saved[1]) if isinstance(g, np.ndarray) else g),
    row("shape transposed|shape", Reshaped, lambda ctx, g: g.reshape(2, 3)),
    row("kept axis|shape", SumAll, lambda ctx, g: g.reshape(1, 1) * np.ones((1, *ctx.size)), strict=True),
    # ---- a second look at what students write
    row("no array", Tanh, lambda ctx, g: ((g * (1 - ctx.saved[0] ** 2),),)),
    row("saved is no tuple", Tanh, of_tanh, forward=saves_a_list),
    row("backward fails", Tanh, lambda g: g),
    row("unwritten", Tanh, Op.backward),
    row("adds to g", Tanh, lambda ctx, g: g * 1 - ctx.saved[0] ** 2),
    row("power", Tanh, lambda ctx, g: g * (1 - ctx.saved[0] ** 2) ** 2),
    row("power", Sqrt, lambda ctx, g: g * 0.5 * ctx.saved[1]),
    row("wrong array", Tanh, lambda ctx, g: g * (1 - np.tanh(ctx.saved[0]) ** 2)),
    row("wrong array", Exp, lambda ctx, g: g * exp(ctx.saved[1])),
    row("wrong array|saved swapped|swapped", Div, takes_swapped),
    row("other lengths", AddRow, lambda ctx, g: (g.reshape(4, 3), g.sum(0))),
    row("other lengths", SumRows, lambda ctx, g: g * np.ones((4, 1), g.dtype)),
    row("other lengths", MeanRows, lambda ctx, g: g * np.ones((ctx.size[0], 1), g.dtype) / 4),
    row("other lengths", Linear, lambda ctx, g: (g @ ctx.saved[1], g.T @ ctx.saved[0], g.mean(0) * 2)),
    row("other lengths", Tanh, lambda ctx, g: g.reshape(1, 3) * (1 - ctx.saved[0] ** 2), inputs=(spread(1, 3, low=-1.0),)),
    row("factor by rows", Normalize, lambda ctx, g: g - g.mean(0) - ctx.saved[0] * (g * ctx.saved[0]).mean(0)),
    row("dropped axis", ScaleRows, lambda ctx, g: (g * ctx.saved[1], (g * ctx.saved[0]).sum(1)), strict=True),
    row("summed wrongly|shape", ScaleRows, lambda ctx, g: (g * ctx.saved[1], (g * ctx.saved[0]).sum()), strict=True),
    row("not summed", ScaleRows, lambda ctx, g: (g * ctx.saved[1], g * ctx.saved[0]), strict=True),
    row("mirrored", Correlate, lambda ctx, g: correlate(ctx.saved[0], g)[::-1, ::-1]),
    row("wrong place", Square, lambda ctx, g: g.sum() * 2 * ctx.saved[0]),
    row("local derivative", Log, lambda ctx, g: g * np.log(ctx.saved[0])),
    row("path by the sum|local derivative", CrossEntropy, lambda ctx, g: (g * ctx.saved[0] / len(ctx.saved[0]), None)),
    row("factor", CrossEntropy, lambda ctx, g: (g * (ctx.saved[0] - np.eye(3)[ctx.saved[1]]), None)),
    row("sign", CrossEntropy, lambda ctx, g: (g * (np.eye(3)[ctx.saved[1]] - ctx.saved[0]) / len(ctx.saved[0]), None)),
    row("not repeatable", Tanh, lambda ctx, g: g * (1 - ctx.saved[0] ** 2) * np.random.default_rng().uniform(size=g.shape)),
    row("changes saved|changes input", Square, sorts_in_place),
    row("order 2 fails", Log, lambda ctx, g: np.divide(g, ctx.saved[0])),
    row("order 2|order 2 lost|order 2 fails", Tanh, of_tanh, forward=saves_a_copy),
    # ---- later
    row("not finite", Sqrt, lambda ctx, g: g / (ctx.saved[1] * 0.0)),
    row("float32", Tanh, lambda ctx, g: np.float64(1.0) * g * (1 - ctx.saved[0] ** 2) * np.ones(g.shape)),
    row("precision", Square, lambda ctx, g: (g * 2 * ctx.saved[0]).astype(np.float32)),
    row("order 2 fails", Tanh, numpy_in_backward),
    row("order 2 lost|order 2 fails|order 2", Tanh, detached),
    row("order 2", Cube, half_detached),
    row("order 2 lost|order 2 fails|order 2", Cube, lambda ctx, g: 3 * ctx.a * ctx.a * g, forward=keeps_attribute),
    row("order 2 fails|order 2|order 2 lost", Normalize, lambda ctx, g: ctx.saved[1] * (g - Mean.apply(g, dims=(0,), keepdim=False) - ctx.saved[0] * Mean.apply(g * ctx.saved[0], dims=(0,), keepdim=False))),
    row("wrong array", ScaleRows, lambda ctx, g: (g * ctx.saved[1], (g * ctx.saved[1]).sum(1).reshape(-1, 1))),
    row("factor by rows", GivenNormalize, not_divided),
    row("power", Norm, lambda ctx, g: g * ctx.saved[0]),
    row("power", Norm, lambda ctx, g: g * ctx.saved[0] / ctx.saved[1] ** 2),
    row("shape", Reshaped, lambda ctx, g: g),
    row("path by the sum", Variance, lambda ctx, g: g * 2 * ctx.saved[0] / 5),
    row("summed wrongly", Linear, lambda ctx, g: (g @ ctx.saved[1], g.T @ ctx.saved[0], Sum.apply(g, dims=(0, 1), keepdim=False))),
]
# fmt: on


def build(op: type[Op], backward: Any, options: dict) -> type[Op]:
    """The operation with that rule, and that forward if one is given."""
    methods = {"backward": backward} | ({"forward": options["forward"]} if "forward" in options else {})
    return type(op.__name__, (op,), methods)
