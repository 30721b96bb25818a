"""The exercises, solved: what stands in place of `raise NotImplementedError`, and further exercises that a teacher might set."""

from __future__ import annotations

import textwrap

import numpy as np

from minitorch.autograd.op import Op
from minitorch.check.__main__ import HEAD
from minitorch.check.exercises import EXERCISES, ROWS, Exercise, Matmul, spread

SOLVED = {
    "square": "return g * a * 2",
    "mul": "return g * b, g * a",
    "div": "return g / b, -g * a / (b * b)",
    "tanh": "return g * (1 - out * out)",
    "relu": "return g * (a > 0)",
    "add_row": "return g, g.sum(0)",
    "scale_rows": "return g * s, (g * x).sum(1).reshape(s.shape)",
    "mean_rows": "return g.reshape(1, -1) * np.full((ctx.size[0], 1), 1 / ctx.size[0], g.dtype)",
    "max_row": "return g.reshape(-1, 1) * largest",
    "matmul": "return g @ b.T, a.T @ g",
    "linear": "return g @ w, g.T @ x, g.sum(0)",
    "softmax": "return out * (g - (g * out).sum(1).reshape(-1, 1))",
    "log_softmax": "return g - torch.exp(out) * g.sum(1).reshape(-1, 1)",
    "cross_entropy": "return g * (p - np.eye(p.shape[1], dtype=p.dtype)[target]) / len(p), None",
    "im2col_conv": """
        (n, filters, rows, cols), (_, c, k, _) = g.shape, w.shape
        g = g.reshape(n, filters, rows * cols)
        dw = (g @ columns.swapaxes(1, 2)).sum(0).reshape(w.shape)
        patches = (w.reshape(filters, -1).T @ g).reshape(n, c, k, k, rows, cols)
        dx = np.zeros(ctx.size, g.dtype)
        for i in range(k):
            for j in range(k):
                dx[:, :, i : i + rows, j : j + cols] += patches[:, :, i, j]
        return dx, dw""",
    "normalize": """
        centred = x - x.sum(0) / len(x)
        inverse = ((centred * centred).sum(0) / len(x) + 1e-5) ** -0.5
        out = centred * inverse
        return inverse * (g - g.sum(0) / len(x) - out * ((g * out).sum(0) / len(x)))""",
    # those of a teacher
    "turned": "return g.T",
    "turned_square": "return g.T",
    "cube_root": "return g / (3 * out * out)",
    "matmul_square": "return g @ b.T, a.T @ g",
    "clamp_far": "return g * (abs(a) < 3)",
}


class Turned(Op):
    """y = the transpose of a."""

    def forward(ctx, a):
        return a.T.copy()


class CubeRoot(Op):
    """y = the third root of a."""

    def forward(ctx, a):
        out = np.cbrt(a) if a.dtype.kind == "f" else a ** (1 / 3)
        ctx.saved = (out,)
        return out


class ClampFar(Op):
    """y = a between -3 and 3."""

    def forward(ctx, a):
        ctx.saved = (a,)
        return a.clip(-3, 3)


SQUARE = spread(3, 3), spread(3, 3, seed=1)
TEACHERS = [
    Exercise(Turned, ROWS, ""),
    Exercise(type("TurnedSquare", (Turned,), {}), [SQUARE[:1]], ""),
    Exercise(CubeRoot, [(spread(2, 3),)], ""),
    Exercise(ClampFar, [(spread(2, 3),)], ""),
    Exercise(type("MatmulSquare", (Matmul,), {"__doc__": ""}), [SQUARE], ""),
]
ROW = {row.name: row for row in (*EXERCISES, *TEACHERS)}


def answer(name: str, body: str, old: str = "raise", new: str = "raise") -> str:
    """The stub of an exercise with its rule written, and perhaps another part changed."""
    body = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return ROW[name].stub().replace(old, new).replace("        raise NotImplementedError", body)


def file(*answers: str) -> str:
    """A student's file with these answers."""
    return HEAD.format(file="my_ops.py") + "import minitorch as torch\n\n\n" + "\n\n".join(answers)


SOLUTIONS = file(*(answer(row.name, SOLVED[row.name]) for row in EXERCISES))
