# %% [markdown]
# # 4. How do shapes lead to the gradient of a layer?
#
# A linear layer computes y = x w^T + b: x is (8, 5), a row for each sample; w is (3, 5), a row for each output; y is
# (8, 3). You do not have to remember its rule. The gradient of w has w's shape, (3, 5), and must be made of g, (8, 3),
# and x, (8, 5). There is one product that fits: g^T x. The sum over the 8 samples, which the matrix product contains,
# is the sum over all uses of w.

# %%
import numpy as np
from exercises import check_op, picture

import minitorch
from minitorch.autograd import Op
from minitorch.functional import linear

rng = np.random.default_rng(0)
x, w, b = (minitorch.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((8, 5), (3, 5), (3,)))
g = minitorch.tensor(rng.normal(size=(8, 3)))  # dL/dy, as if more layers followed
with minitorch.explore(picture("04_layer.html")):
    linear(x, w, b).backward(g)

G, X, W = g.array, x.detach().array, w.detach().array
assert np.allclose(w.grad.array, G.T @ X)  # (3, 8) (8, 5) -> (3, 5)
assert np.allclose(x.grad.array, G @ W)  #    (8, 3) (3, 5) -> (8, 5)
assert np.allclose(b.grad.array, G.sum(0))  # copied to 8 rows forward, summed over 8 rows backward

# %% [markdown]
# Shapes decide *which* product, not *why*. The why takes two lines. One number of y is y_ij = sum_k x_ik w_jk, so w_jk
# appears in y_ij for every sample i, multiplied by x_ik. Collect what arrives: dL/dw_jk = sum_i g_ij x_ik, and this is
# (g^T x)_jk.

# %%
by_hand = sum(np.outer(G[i], X[i]) for i in range(8))  # one sample at a time: each sample adds an outer product
assert np.allclose(w.grad.array, by_hand)

# %% [markdown]
# For a function of each element alone, such as tanh, the rule is even shorter: g times the derivative, element by
# element. And the derivative may be written with the *output*, which is there already: 1 - tanh(a)^2. Softmax is the
# first rule that mixes elements: each output depends on all inputs of its row, so its Jacobian is a full matrix for
# each row, diag(s) - s s^T, and the rule never builds it: g (diag(s) - s s^T) = s * (g - sum(g * s)).

# %%
a = minitorch.tensor(rng.normal(size=(1, 4)), requires_grad=True)
s = a.softmax(1)
grad = rng.normal(size=(1, 4))
s.backward(minitorch.tensor(grad))
S = s.detach().array
jacobian = np.diag(S[0]) - S.T @ S
assert np.allclose(a.grad.array, grad @ jacobian)
assert np.allclose(a.grad.array, S * (grad - (grad * S).sum(1, keepdims=True)))

# %% [markdown]
# ## Exercise
# Write three rules. `ctx.saved` is a tuple of what the rule may read; put in it what you need.


# %%
class Tanh(Op):
    """tanh a."""

    def forward(ctx, a):
        out = np.tanh(a)
        ctx.saved = (a, out)
        return out

    def backward(ctx, g):
        raise NotImplementedError


class Linear(Op):
    """x w^T + b."""

    def forward(ctx, x, w, b):
        ctx.saved = (x, w)
        return x @ w.T + b

    def backward(ctx, g):
        raise NotImplementedError


class Softmax(Op):
    """exp a / sum exp a, over the last axis."""

    def forward(ctx, a):
        e = np.exp(a - a.max(-1, keepdims=True))
        ctx.saved = (e / e.sum(-1, keepdims=True),)
        return ctx.saved[0]

    def backward(ctx, g):
        raise NotImplementedError


check_op("tanh", Tanh)
check_op("linear", Linear)
check_op("softmax", Softmax)

# %% [markdown]
# ## Questions
# 1. A layer maps (32, 784) to (32, 10). What shape has dL/dw, and which product of which two arrays makes it?
# 2. The rule of tanh may keep its output, an array. Why must it not keep the tensor that holds this array (chapter 0)?
