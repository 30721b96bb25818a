# %% [markdown]
# # 6. Where do the three terms of batch normalisation's gradient come from?
#
# Batch norm subtracts the mean of the batch and divides by its standard deviation: n = (x - m) / s. Its gradient looks
# frightening:
#
#     dx = (g - mean(g) - n mean(g n)) / s
#
# There are three paths from x to n: directly, through m, and through s. Each path gives one term.

# %%
import numpy as np
from exercises import check_op, picture

import minitorch
from minitorch.autograd import Op
from minitorch.functional import batch_norm

rng = np.random.default_rng(0)
x = minitorch.tensor(rng.normal(size=(6, 3)), requires_grad=True)
g = minitorch.tensor(rng.normal(size=(6, 3)))
with minitorch.explore(picture("06_batch_norm.html")):
    m = x.mean(0)
    centred = x - m
    s = ((centred * centred).mean(0) + 1e-5).sqrt()
    (centred / s).backward(g)
small_steps = x.grad.array.copy()

# %% [markdown]
# On the page two parts arrive at x: one from `x - m`, which holds the direct path and the one through s, and one from the
# mean. The three paths by hand:

# %%
X, G = x.detach().array, g.array
S = np.sqrt(X.var(0) + 1e-5)
N = (X - X.mean(0)) / S
direct = G / S
through_the_mean = -G.mean(0) / S  # each x moves the mean by 1/6, and the mean moves all six outputs by -1/s
through_the_deviation = -N * (G * N).mean(0) / S  # ds/dx = n/6, and s moves each output by -n/s
assert np.allclose(small_steps, direct + through_the_mean + through_the_deviation)

# %% [markdown]
# minitorch uses one operation for all of it, `Normalize`, because one rule for the whole is cheaper than one for each of
# the seven operations above:

# %%
x.grad = None
batch_norm(x, None, None, training=True).backward(g)
assert np.allclose(x.grad.array, small_steps)

# %% [markdown]
# What the terms do: `mean(g)` removes what would move all outputs together, since the mean would take it back; `n
# mean(g n)` removes what would stretch them, since the standard deviation would take it back. So what remains is always
# orthogonal to a vector of ones and to n:

# %%
assert np.allclose(x.grad.array.sum(0), 0) and np.allclose((x.grad.array * N).sum(0), 0, atol=1e-4)

# %% [markdown]
# (The second is zero only up to the 1e-5 under the root.)
#
# ## Exercise
# Write the rule of `Normalize` for x of shape (samples, features). What you keep in `ctx.saved` must be inputs or
# outputs of the operation if it is to be differentiated twice (chapter 9); so recompute m and s in `backward` from x.


# %%
class Normalize(Op):
    """(x - mean) / sqrt(var + 1e-5), mean and var over the first axis."""

    def forward(ctx, x):
        ctx.saved = (x,)
        return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)

    def backward(ctx, g):
        raise NotImplementedError


check_op("normalize", Normalize)

# %% [markdown]
# ## Questions
# 1. All rows of g are equal. What is dx, and why must it be so?
# 2. In evaluation mode m and s are constants. Which terms remain?
