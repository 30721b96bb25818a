# %% [markdown]
# # 3. What does broadcasting do backwards?
#
# Adding a bias b of shape (3,) to a batch x of shape (4, 3) uses each number of b four times, once in every row. A
# number that is used four times receives four contributions, and contributions are added: **copied forwards means
# summed backwards**.

# %%
import matplotlib.pyplot as plt
from exercises import check_op, picture

import minitorch
from minitorch.autograd import Op

x = minitorch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]], requires_grad=True)
b = minitorch.tensor([10.0, 20.0, 30.0], requires_grad=True)
weights = minitorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]])
with minitorch.explore(picture("03_broadcasting.html")):
    ((x + b) * weights).sum().backward()
assert x.grad.tolist() == weights.tolist()
assert b.grad.tolist() == [22, 26, 30]  # 1 + 4 + 7 + 10, 2 + 5 + 8 + 11, 3 + 6 + 9 + 12

# %% [markdown]
# The rule of `+` in minitorch is one line, `return g, g`: both gradients have the shape of the *output*. The engine
# knows the shape of each input and sums the rest away, in one place (`minitorch/autograd/gradients.py`). On the page it
# is a step of its own, "summed over axis 0". The recipe has two parts:
#
# - axes that the input does not have at all are summed and dropped: (4, 3) for an input of (3,) becomes (3,);
# - axes where the input has length 1 are summed and kept: (4, 3) for an input of (4, 1) becomes (4, 1).

# %%
column = minitorch.zeros(4, 1, requires_grad=True)
((x + column) * weights).sum().backward()
assert column.grad.tolist() == [[6], [15], [24], [33]]

# %% [markdown]
# The same picture explains `mean`, `expand` and a batch: whatever is copied on the way forward is summed on the way
# back, and whatever is summed on the way forward is copied on the way back.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.9), layout="constrained")
for axis, title, top, grid in (
    (axes[0], "forward: b is copied to every row", b.tolist(), [b.tolist()] * 4),
    (axes[1], "backward: the rows of g are added", b.grad.tolist(), weights.tolist()),
):
    forward = axis is axes[0]
    for j in range(3):
        axis.text(j, 0, f"{top[j]:g}", ha="center", va="center", weight="bold")
        for i in range(4):
            axis.text(j, -1.4 - i, f"{grid[i][j]:g}", ha="center", va="center", color="#5c636c" if forward else "#0a58b8")
        tail, tip = ((j, -0.3), (j, -1.1)) if forward else ((j, -1.1), (j, -0.3))
        axis.annotate("", tip, tail, arrowprops={"arrowstyle": "->", "color": "#878e98"})
    axis.text(-0.8, 0, "b" if forward else "db", ha="right", va="center")
    axis.text(-0.8, -2.9, "x + b adds" if forward else "g", ha="right", va="center")
    axis.set(title=title, xlim=(-2.6, 2.6), ylim=(-4.9, 0.6))
    axis.axis("off")
figure.savefig(picture("03_broadcasting.png"), dpi=150)

# %% [markdown]
# ## Exercise
# Write two rules for an engine that does **not** sum for you: each gradient must have the shape of its input.


# %%
class AddRow(Op):
    """x + b for x (n, m) and b (m,)."""

    def forward(ctx, x, b):
        return x + b

    def backward(ctx, g):
        raise NotImplementedError


class ScaleRows(Op):
    """x s for x (n, m) and s (n, 1)."""

    def forward(ctx, x, s):
        ctx.saved = x, s
        return x * s

    def backward(ctx, g):
        raise NotImplementedError


check_op("add_row", AddRow)
check_op("scale_rows", ScaleRows)

# %% [markdown]
# ## Questions
# 1. A tensor of shape (8, 50) arrives at a bias of shape (50,). Which axis is summed, and how many numbers are added in
#    each sum?
# 2. The forward pass of `x.mean()` divides by the number of elements. What does the backward pass do with g?
