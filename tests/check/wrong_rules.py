"""Rules as students write them: the kind of mistake that each is to be called, the exercise, and what they wrote in its stub.

Several kinds, separated by |, are alternatives that say the same of this rule. A third text is what else of the stub they changed,
and to what.
"""

from __future__ import annotations

SAVED, OUT = "ctx.saved = (out,)", "return g * (1 - out * out)"
NORMAL = "centred = x - x.mean(0)\ninverse = ((centred * centred).mean(0) + 1e-5) ** -0.5\nout = centred * inverse\nreturn "
CONV = """
(n, filters, rows, cols), (_, c, k, _) = g.shape, w.shape
g = g.reshape(n, filters, rows * cols)
dw = {dw}
patches = (w.reshape(filters, -1).T @ g).reshape(n, c, k, k, rows, cols)
dx = np.zeros(ctx.size, g.dtype)
for i in range(k):
    for j in range(k):
        dx[:, :, i : i + rows, j : j + cols] {dx}
return dx, dw"""
DW, DX = "(g @ columns.swapaxes(1, 2)).sum(0).reshape(w.shape)", "+= patches[:, :, i, j]"
ONES = "np.ones((ctx.size[0], 1))"
ONEHOT = "np.eye(p.shape[1])[target]"

# fmt: off
RULES: list[tuple[str, ...]] = [
    # ---- what is returned
    ("returned None", "tanh", "g * (1 - out * out)"),
    ("returned None", "mul", "return g * b, None"),
    ("count", "mul", "return g * b"),
    ("no array", "mul", "return [g * b, g * a]"),
    ("no array", "mul", "return {'a': g * b, 'b': g * a}"),
    ("no array", "tanh", "return ((g * (1 - out**2),),)"),
    ("dtype", "relu", "return a > 0"),
    ("precision", "square", "return (g * 2 * a).astype(np.float32)"),
    ("precision", "tanh", "return np.float64(1.0) * g * (1 - out**2) * np.ones(g.shape)"),
    ("precision", "tanh", OUT, "np.tanh(a)", "np.tanh(a.astype(np.float64)) if a.dtype.kind == 'f' else np.tanh(a)"),
    ("unwritten", "square", "raise NotImplementedError"),
    # ---- what is saved, and what fails
    ("saved count", "tanh", OUT, SAVED, ""),
    ("saved count", "mul", "(a,) = ctx.saved\nreturn g, g * a"),
    ("saved is no tuple", "tanh", OUT, SAVED, "ctx.saved = out"),
    ("no attribute", "tanh", OUT, SAVED, "ctx.save_for_backward(out)"),
    ("no attribute", "tanh", "return g * (1 - ctx.saved_tensors[0] ** 2)"),
    ("no attribute", "tanh", "return g * (1 - ctx.out**2)"),
    ("fails", "tanh", "return g * missing"),
    ("fails", "tanh", OUT, "(ctx, g)", "(g)"),
    ("fails", "tanh", OUT, "np.tanh(a)", "a.tanh()"),
    ("fails", "tanh", "n, c, k = g.shape\nreturn g * (1 - out * out)"),
    ("does not fit", "tanh", OUT, "np.tanh(a)", "np.tanh(a) + np.ones((7, 9))"),
    ("no output", "tanh", OUT, "return out\n", "out\n"),
    ("value", "tanh", OUT, "np.tanh(a)", "np.sinh(a)"),
    ("no class", "tanh", OUT, "class Tanh", "class Tan"),
    # ---- g, saved arrays, inputs
    ("changes", "tanh", "g *= 1 - out * out\nreturn g"),
    ("changes", "tanh", "out *= out\nreturn g * (1 - out)"),
    ("changes", "square", "right = g * 2 * a\na.sort()\nreturn right"),
    ("changes", "square", "return g * a * 2", "ctx.saved = ", "a *= 2; ctx.saved = "),
    ("changes", "cross_entropy", "p[np.arange(len(p)), target] -= 1\nreturn g * p / len(p), None"),
    ("not repeatable", "square", "return g * 2 * a * np.random.default_rng().uniform(0.5, 1.5)"),
    ("not repeatable", "square", "ctx.calls = getattr(ctx, 'calls', 0) + 1\nreturn g * 2 * a * ctx.calls"),
    ("not repeatable", "square", "ctx.sum += g * 2 * a\nreturn ctx.sum", "ctx.saved = ", "ctx.sum = a * 0; ctx.saved = "),
    ("not repeatable", "tanh", OUT, "np.tanh(a)", "np.tanh(a) * np.random.default_rng().uniform()"),
    ("outside ctx", "square", "return g * 2 * Square.last", "ctx.saved = ", "Square.last = a; ctx.saved = "),
    # ---- g
    ("ignores g", "tanh", "return 1 - out * out"),
    ("ignores g", "linear", "return g @ w, g.T @ x, np.full(g.shape[1], float(len(g)))"),
    ("ignores g", "cross_entropy", f"return (p - {ONEHOT}) / len(p), None"),
    ("adds to g", "tanh", "return g - out * out"),
    ("g squared", "mul", "return g * g * b, g * g * a"),
    ("not linear", "relu", "return g * (g > 0)"),
    ("not linear", "square", "return abs(g) * 2 * a"),
    ("not linear", "softmax", "return out * (g - abs(g).max() * np.sign(g.reshape(-1)[0]))"),
    # ---- factors
    ("factor", "square", "return g * a"),
    ("factor", "mean_rows", f"return g * {ONES}"),
    ("factor", "add_row", "return g, g.mean(0)"),
    ("factor", "im2col_conv", CONV.format(dw=DW.replace("sum", "mean"), dx=DX)),
    ("sign", "tanh", "return g * (out * out - 1)"),
    ("sign", "div", "return g / b, g * a / (b * b)"),
    ("factor", "div", "return g / b, -g * a / b"),
    ("factor", "square", "return 2 * g"),
    ("factor", "tanh", "return g * (1 - out * out) ** 2"),
    ("factor", "tanh", "return g * (1 + out)"),
    ("factor", "normalize", NORMAL + "g - g.mean(0) - out * (g * out).mean(0)"),
    ("factor", "cube_root", "return g * out / 3"),
    # ---- which input
    ("swapped", "mul", "return g * a, g * b"),
    ("of another", "mul", "return g * a, g * a"),
    ("shapes swapped", "matmul", "return a.T @ g, g @ b.T"),
    # ---- shapes
    ("not summed", "add_row", "return g, g"),
    ("axis of length one", "add_row", "return g, g.sum(0, keepdims=True)"),
    ("axis of length one", "scale_rows", "return g * s, (g * x).sum(1)"),
    ("summed wrongly", "add_row", "return g, g.sum(1)"),
    ("summed wrongly", "mean_rows", "return g.sum() / ctx.size[0]"),
    ("shape transposed", "linear", "return g @ w, x.T @ g, g.sum(0)"),
    ("shape transposed", "turned", "return g"),
    ("shape", "matmul", "return g, a.T @ g"),
    ("shape", "mean_rows", "return np.tile(g, (2, 1)) / ctx.size[0]"),
    ("does not fit", "matmul", "return g @ b, a @ g"),
    ("does not fit", "matmul", "return b.T @ g, g @ a.T"),
    ("does not fit", "softmax", "return out * (g - (g * out).sum(-1))"),
    ("other lengths", "add_row", "return g.reshape(4, 3) if g.size == 12 else g.reshape(2, 5), g.sum(0)"),
    ("other lengths", "mean_rows", "n = 4 if g.size == 3 else 2\nreturn g * np.full((n, 1), 1 / n, g.dtype)"),
    ("other lengths", "matmul_square", "return g @ b.T * (len(a) / a.shape[1]), a.T @ g"),
    ("other lengths", "matmul_square", "return g @ b.T, a.T @ g * (b.shape[1] / len(b))"),
    ("other numbers", "mul", "return g * abs(b), g * a"),
    ("other numbers", "clamp_far", "return g"),
    ("layouts", "mul", "return g * b.ravel('K').reshape(b.shape), g * a"),
    # ---- matrices, and places
    ("wrong array", "matmul_square", "return g @ b, a @ g"),
    ("wrong array", "matmul_square", "return g @ a.T, a.T @ g"),
    ("wrong array|wrong axis", "matmul_square", "return b.T @ g, g @ a.T"),
    ("misplaced", "matmul_square", "return (g @ b.T).T, a.T @ g"),
    ("misplaced", "turned_square", "return g"),
    ("wrong array", "im2col_conv", CONV.format(dw=DW, dx=DX).replace("(w.", "(w[:, :, ::-1, ::-1].")),
    ("misplaced", "im2col_conv", CONV.format(dw=DW + "[:, :, ::-1, ::-1]", dx=DX)),
    ("missing place", "im2col_conv", CONV.format(dw=DW, dx=DX.replace("+", ""))),
    ("diagonal only", "softmax", "return g * out * (1 - out)"),
    ("diagonal only", "normalize", NORMAL + "inverse * g"),
    ("wrong axis", "softmax", "return out * (g - (g * out).sum(0, keepdims=True))"),
    ("path", "softmax", "return out * (g - out * g.sum(-1).reshape(-1, 1))"),
    ("path|local derivative", "cross_entropy", "return g * p / len(p), None"),
    ("path", "normalize", NORMAL + "inverse * (g - out * (g * out).mean(0))"),
    ("path", "normalize", NORMAL + "inverse * (g - g.mean(0))"),
    ("wrong place", "relu", "return g"),
    ("wrong place", "square", "return g.sum() * 2 * a"),
    ("wrong place|missing place", "relu", "return g * (a < 0)"),
    ("missing place|wrong place", "add_row", "return g, g[0]"),
    ("zero", "div", "return g / b, g * 0.0"),
    ("not finite", "tanh", "return g * (1 - out * out) / 0.0"),
    # ---- local derivatives
    ("wrong array", "tanh", "return g * (1 - np.tanh(out) ** 2)"),
    ("wrong array|factor", "div", "b, a = ctx.saved\nreturn g / b, -g * a / (b * b)"),
    ("wrong array", "tanh", "return g * (1 - out)"),
    ("factor", "softmax", "return g - (g * out).sum(1).reshape(-1, 1)"),
    ("local derivative", "tanh", "return g * (1 + out * out)"),
    # ---- order 2
    ("order 2 fails", "tanh", "return g * (1 - np.square(out))"),
    ("order 2 lost", "cube_root", "return g / (3 * (out * out).detach() if isinstance(out, torch.Tensor) else 3 * out * out)"),
    ("order 2", "cube_root", "return g / (3 * out * (out.detach() if isinstance(out, torch.Tensor) else out))"),
    ("order 2 kept", "tanh", OUT, SAVED, "ctx.saved = (out.copy(),)"),
]
# fmt: on
