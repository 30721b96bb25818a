# %% [markdown]
# # 1. Why does the tape run in reverse creation order?
#
# A rule needs the **whole** gradient of its operation's output, and an output that is used twice gets its gradient in
# two parts. So it must wait for the rules of all operations that used this output on the way to y. "Last made, first
# run" guarantees it: whoever uses an output was made after it. The obvious alternative, a recursion that follows each
# edge at once, does not wait. Here is what it costs.

# %%
import matplotlib.pyplot as plt
from exercises import check_orders, picture

import minitorch

x = minitorch.tensor(3.0, requires_grad=True)
v = x * x  # used twice below: the graph is a diamond
y = v.sin() + v
nodes = {"x * x": v.grad_fn, "sin": y.grad_fn.next_functions[0][0], "+": y.grad_fn}

# %% [markdown]
# The recursion runs a rule as soon as anything arrives. On the diamond it runs the rule of `x * x` twice, once for each
# part.


# %%
def depth_first(node, g, ran):
    """Follow every edge at once; `ran` gets each operation whose rule ran."""
    ran.append(node)
    grads = node.backward(g)
    for (edge, _), part in zip(node.next_functions, grads if isinstance(grads, tuple) else (grads,)):
        if hasattr(edge, "backward"):  # an operation, neither a leaf nor a constant
            depth_first(edge, part, ran)


ran = []
depth_first(y.grad_fn, minitorch.tensor(1.0).array, ran)
assert [name for node in ran for name in nodes if nodes[name] is node] == ["+", "sin", "x * x", "x * x"]

# %% [markdown]
# Two runs instead of one looks harmless. Put 12 diamonds on top of each other and it doubles 12 times: 4,096 runs of
# the lowest rule. And if you forbid a second run, the second part is simply lost and the gradient is wrong.

# %%
z = x * 1.0
for _ in range(12):
    z = z + z  # both inputs of this addition are the same tensor
ran = []
depth_first(z.grad_fn, minitorch.tensor(1.0).array, ran)
assert len(ran) == 2**13 - 1  # the tape holds 13 operations
z.backward()
assert x.grad.item() == 2**12

# %% [markdown]
# minitorch numbers its operations as they are created, and its loop always runs the highest number that has received
# something: whatever sends it a part has a higher number and ran before. So all parts are there; each rule runs once.
# Below: the same tape in both orders. Numbers say when each rule runs.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
place = {"x": (1, 0), "x * x": (1, 1), "sin": (0, 2), "+": (1, 3)}
arrows = [("+", "sin"), ("+", "x * x"), ("sin", "x * x"), ("x * x", "x")]
orders = {
    "depth first: x * x runs twice": {"+": "1st", "sin": "2nd", "x * x": "3rd and 4th"},
    "last made, first run": {"+": "1st", "sin": "2nd", "x * x": "3rd, with the sum"},
}
for axis, (title, when) in zip(axes, orders.items()):
    for start, end in arrows:
        (c, d), (e, f) = place[end], place[start]
        axis.annotate("", (c, d), (e, f), arrowprops={"arrowstyle": "->", "shrinkA": 12, "shrinkB": 12, "color": "#878e98"})
    for name, (c, d) in place.items():
        axis.text(c, d, name, ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 2})
        axis.text(c + 0.25, d, when.get(name, ""), va="center", color="#0a58b8")
    axis.set(title=title, xlim=(-0.4, 2.3), ylim=(-0.4, 3.4))
    axis.axis("off")
figure.savefig(picture("01_order.png"), dpi=150)

# %% [markdown]
# ## Exercise
# For the program below, write the order in which the rules run, as a list of the names of the tensors they made.
# Then run chapter 7, open its page, press `p` and reach 8 of the first 10 in predict mode.


# %%
def program(x):
    p = x * 2
    q = x.exp()
    r = p * q
    _u = q - r  # nothing uses it
    s = q + r
    return s * p  # call the result t


check_orders(program, ["t", ...])

# %% [markdown]
# ## Questions
# 1. How many contributions must have arrived before the rule of `q = x.exp()` may run, and from where?
# 2. Why can an operation never have a smaller number than the one that made its input?
