"""The exercises: operations whose rule is to be written, each with inputs on which every mistake shows.

A teacher adds rows of the same form in a list `EXERCISES`, in a file that `--exercises` names. The docstring and the forward of
each operation make the stub, and its values are the expected ones.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.autograd.op import Op


@dataclass(frozen=True)
class Exercise:
    """An operation whose rule is to be written: inputs to try it on, a hint, and what is checked.

    No derivative may vanish on the inputs, and no two of their lengths should be equal. `strict` asks for gradients of exactly
    the inputs' shapes; `orders=1` leaves out second derivatives, so that the rule may use NumPy's functions.
    """

    op: type[Op]
    cases: list[tuple[Any, ...]]
    hint: str
    parameters: dict[str, Any] = field(default_factory=dict)
    strict: bool = False
    orders: int = 2

    @property
    def name(self) -> str:
        """The name on the command line and in the results."""
        return self.op().title

    def stub(self) -> str:
        """The class as a student gets it: with docstring and forward, without the rule."""
        forward = re.sub(r"(:| ->) (np\.ndarray|tuple\[int, \.\.\.\])", "", textwrap.dedent(inspect.getsource(self.op.forward)))
        saved = re.search(r"ctx\.saved = (.+)", forward)
        unpacked = f"    {saved[1]} = ctx.saved\n" if saved and re.fullmatch(r"[\w, ()]+", saved[1]) else ""
        body = f'"""{inspect.cleandoc(self.op.__doc__ or "")}\n\n{self.hint}\n"""\n\n{forward}\n'
        body += f"def backward(ctx, g):\n{unpacked}    raise NotImplementedError\n"
        return f"class {self.op.__name__}(Op):\n{textwrap.indent(body, '    ')}"


def spread(*shape: int, low: float = 0.3, high: float = 1.9, seed: int = 0) -> np.ndarray:
    """Distinct numbers, evenly spread over a range, in random order."""
    numbers = np.linspace(low, high, int(np.prod(shape)))
    return np.random.default_rng(seed).permutation(numbers).reshape(shape)


class Square(Op):
    """y = a a, element by element."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        ctx.saved = (a,)
        return a * a


class Mul(Op):
    """y = a b, element by element."""

    def forward(ctx, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        return a * b


class Div(Op):
    """y = a / b, element by element."""

    def forward(ctx, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        return a / b


class Tanh(Op):
    """y = tanh a, element by element."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        out = np.tanh(a)
        ctx.saved = (out,)
        return out


class Relu(Op):
    """y = a where a > 0, else 0."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        ctx.saved = (a,)
        return np.maximum(a, 0)


class AddRow(Op):
    """y = x + b for x (n, m) and b (m): b is added to each row."""

    def forward(ctx, x: np.ndarray, b: np.ndarray) -> np.ndarray:
        return x + b


class ScaleRows(Op):
    """y = x s for x (n, m) and s (n, 1): each row has its own factor."""

    def forward(ctx, x: np.ndarray, s: np.ndarray) -> np.ndarray:
        ctx.saved = x, s
        return x * s


class MeanRows(Op):
    """y[j] = the mean over i of a[i, j]."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        ctx.size: tuple[int, ...] = a.shape
        return a.mean(0)


class MaxRow(Op):
    """y[i] = the largest of a[i, :]."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        largest = a == a.max(1, keepdims=True)
        ctx.saved = (largest,)
        return a.max(1)


class Matmul(Op):
    """y = a b, the product of two matrices."""

    def forward(ctx, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = a, b
        return a @ b


class Linear(Op):
    """y = x w^T + b for x (n, in), w (out, in), b (out)."""

    def forward(ctx, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.saved = x, w
        return x @ w.T + b


class Softmax(Op):
    """y[i, j] = e^a[i, j] / the sum over k of e^a[i, k]."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        e = np.exp(a - a.max(1, keepdims=True))
        out = e / e.sum(1, keepdims=True)
        ctx.saved = (out,)
        return out


class LogSoftmax(Op):
    """y[i, j] = a[i, j] - the logarithm of the sum over k of e^a[i, k]."""

    def forward(ctx, a: np.ndarray) -> np.ndarray:
        a = a - a.max(1, keepdims=True)
        out = a - np.log(np.exp(a).sum(1, keepdims=True))
        ctx.saved = (out,)
        return out


class CrossEntropy(Op):
    """y = the mean over i of -log softmax(a[i, :])[target[i]], for whole numbers target."""

    def forward(ctx, a: np.ndarray, target: np.ndarray) -> np.ndarray:
        e = np.exp(a - a.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        ctx.saved = p, target
        return -np.log(p[np.arange(len(p)), target]).mean()


class Normalize(Op):
    """y = (x - mean) / sqrt(var + 1e-5), with mean and var of each column of x (n, m): batch norm without scale and shift."""

    def forward(ctx, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(0)
        ctx.saved = (x,)
        return centred / np.sqrt((centred * centred).mean(0) + 1e-5)


class Im2colConv(Op):
    """y[n, o] = the sum over c of x[n, c] correlated with w[o, c]: the product of w with the patches of x, laid out as columns.

    x is (n, c, height, width), w (filters, c, k, k); column (i, j) of an image holds the k x k patch at row i, column j.
    """

    def forward(ctx, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        (n, c, height, width), (filters, _, k, _) = x.shape, w.shape
        rows, cols = height - k + 1, width - k + 1
        patches = [x[:, :, i : i + rows, j : j + cols] for i in range(k) for j in range(k)]
        columns = np.stack(patches, 2).reshape(n, c * k * k, rows * cols)
        ctx.saved = w, columns
        ctx.size: tuple[int, ...] = x.shape
        return (w.reshape(filters, -1) @ columns).reshape(n, filters, rows, cols)


# fmt: off
ONE = [(spread(2, 3, low=-1.4),), (spread(4, seed=1),)]
PAIR = [(spread(2, 3), spread(2, 3, low=2.1, high=3.0, seed=1)), (spread(4, seed=2), spread(4, low=2.1, high=3.0, seed=3))]
ROWS = [(spread(4, 3),), (spread(2, 5, low=-1.0, seed=1),)]

EXERCISES = [
    Exercise(Square, ONE, "Each number on its own: dL/da = g dy/da."),
    Exercise(Mul, PAIR, "What is y as a function of a, if b is a constant?"),
    Exercise(Div, PAIR, "b is in the denominator: its rule differs from that of a."),
    Exercise(Tanh, ONE, "Forward has saved y, in which the derivative can be written."),
    Exercise(Relu, [(spread(2, 3, low=-1.4),), (np.array([0.5, -0.3, -1.2, 2.0]),)], "Where a < 0, what does y do if a moves?"),
    Exercise(AddRow, [(spread(4, 3), spread(3, seed=1)), (spread(2, 5), spread(5, seed=1))],
             "b was used n times. The engine does not help here: the gradient of b has the shape of b.", strict=True),
    Exercise(ScaleRows, [(spread(4, 3), spread(4, 1, seed=1)), (spread(2, 5), spread(2, 1, seed=1))],
             "s was used m times in each row. The gradient of s has the shape of s.", strict=True),
    Exercise(MeanRows, ROWS, "Each a[i, j] is part of one y[j]: with which factor?"),
    Exercise(MaxRow, ROWS, "If one element of a row moves a little, does the largest?"),
    Exercise(Matmul, [(spread(2, 3), spread(3, 4, seed=1)), (spread(3, 3), spread(3, 3, seed=1))],
             "Use the shapes: g has that of y. Which products give the shape of a, and that of b?"),
    Exercise(Linear, [(spread(2, 3), spread(4, 3, seed=1), spread(4, seed=2)),
                      (spread(5, 2), spread(3, 2, seed=1), spread(3, seed=2))], "Use the shapes: g is (n, out)."),
    Exercise(Softmax, ROWS, "Each y of a row depends on each a of the row, by the sum."),
    Exercise(LogSoftmax, ROWS, "Each y of a row depends on each a of the row, by the sum; e^y is the softmax."),
    Exercise(CrossEntropy, [(spread(4, 3), np.array([2, 0, 1, 1])), (spread(2, 5, seed=1), np.array([4, 0]))],
             "p is the softmax. What is dy/da at the target, and elsewhere? NumPy's functions are allowed.", orders=1),
    Exercise(Im2colConv, [(spread(2, 2, 4, 5), spread(3, 2, 2, 2, seed=1)), (spread(1, 1, 5, 4), spread(2, 1, 3, 3, seed=1))],
             "A matrix product, then the patches go back: a pixel lies in several. NumPy's functions are allowed.", orders=1),
    Exercise(Normalize, [(spread(5, 2, low=-1.4, seed=3),), (spread(4, 3, low=-1.4, seed=1),)],
             "Three paths lead from x to y: its own, that by the mean, that by the variance."),
]
# fmt: on
