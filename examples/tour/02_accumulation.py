# %% [markdown]
# # 2. Why are gradients added?
#
# Two different sums hide behind one `+=`. The first is calculus: a tensor that is **used** twice changes y along two
# paths, and the chain rule adds them. The second is a convention: a second **backward pass** adds to `.grad` instead
# of replacing it.

# %%
from exercises import check_training_loop, picture

import layers as nn
import minitorch
from minitorch.functional import mse_loss

# %% [markdown]
# **Two uses.** y = x^2 + 3x: one path gives 2x, the other 3. At x = 5 the sum is 13.

# %%
x = minitorch.tensor(5.0, requires_grad=True)
(x * x + 3 * x).backward()
assert x.grad.item() == 13

# %% [markdown]
# **Two passes.** Run the same program again: 13 is added to the 13 that is there. The convention is useful: a batch too
# large for memory can be cut into pieces, one pass for each, and `.grad` ends as the gradient of the sum of the losses.

# %%
(x * x + 3 * x).backward()
assert x.grad.item() == 26

images, targets = minitorch.randn(64, 5), minitorch.randn(64, 1)
net = nn.Linear(5, 1)
mse_loss(net(images), targets, reduction="sum").backward()
whole = net.weight.grad.clone()
net.zero_grad()
for rows in (slice(0, 40), slice(40, 64)):
    mse_loss(net(images[rows]), targets[rows], reduction="sum").backward()
assert minitorch.allclose(net.weight.grad, whole, rtol=1e-5, atol=1e-5)

# %% [markdown]
# The price: you must ask for a fresh gradient. Without `zero_grad()` every step uses all gradients since the start. On
# the page there are two passes. Below, at `.grad`, the bar of `x` starts in the second pass where the first ended.

# %%
x.grad = None
with minitorch.explore(picture("02_accumulation.html")):
    (x * x + 3 * x).backward()
    (x * x + 3 * x).backward()
assert x.grad.item() == 26

# %% [markdown]
# `x * x + 3 * x` is written again for each pass: what an operation kept is **freed as soon as its rule has run**, so that
# memory shrinks during the pass. A second pass over one tape raises RuntimeError, unless the first had `retain_graph=True`.

# %%
y = x * x + 3 * x
y.backward(retain_graph=True)
y.backward()  # a third would raise
assert x.grad.item() == 52

# %% [markdown]
# ## Exercise
# This loop has a bug. With the learning rate 0.1 it should bring w from 0 towards 1, and it swings around it instead.
# Correct it, and leave everything else as it is.


# %%
def descend(w, steps):
    """Minimise (w - 1)^2 by gradient descent; return the value of w after each step."""
    path = []
    for _ in range(steps):
        loss = (w - 1) ** 2
        loss.backward()
        with minitorch.no_grad():
            w -= 0.1 * w.grad
        path.append(w.item())
    return path


check_training_loop(descend)

# %% [markdown]
# ## Questions
# 1. `.grad` of a weight is twice as large as you expect. Name two different mistakes that do this.
# 2. Interior tensors (`x * x` above) have no `.grad` after a pass. What would it cost to keep them all?
