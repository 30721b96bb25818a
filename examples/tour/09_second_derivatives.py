# %% [markdown]
# # 9. What is a derivative of a derivative?
#
# A rule such as `return g * (1 - out * out)` is itself a small program made of operations. If the engine **records**
# what rules do, the gradient comes out as a tensor with a history, and the same loop differentiates it again. That is
# `create_graph=True`. Nothing else is needed: no second set of rules.

# %%
from exercises import check_penalty, picture

import minitorch
from minitorch.autograd import grad

x = minitorch.tensor(0.5, dtype=minitorch.float64, requires_grad=True)
y = x**4
(first,) = grad(y, x, create_graph=True)  # 4 x^3
(second,) = grad(first, x, create_graph=True)  # 12 x^2
(third,) = grad(second, x)  # 24 x
assert (first.item(), second.item(), third.item()) == (0.5, 3, 12)

# %% [markdown]
# On the page the tape has grown: the operations that a rule ran are marked with that rule's name. What
# `create_graph=True` adds to the tape is the backward pass itself.

# %%
with minitorch.explore(picture("09_second_derivatives.html")):
    (slope,) = grad((x * x * x).tanh(), x, create_graph=True)
    slope.backward()
x.grad = None

# %% [markdown]
# **What it is good for.** A *gradient penalty* asks that a net changes slowly: the loss contains the gradient of the
# net's output by its *input*, and training needs the derivative of that by the *weights*. Take f(x) = tanh(w x). Then
# df/dx = w (1 - f^2), the penalty is P = (df/dx)^2, and by hand, with t = tanh(w x):
#
#     dP/dw = 2 w (1 - t^2)^2 (1 - 2 w x t)

# %%
w = minitorch.tensor(0.8, dtype=minitorch.float64, requires_grad=True)
(slope,) = grad((w * x).tanh(), x, create_graph=True)
(slope * slope).backward()
W, X = w.item(), x.item()
t = (w * x).tanh().item()
assert abs(w.grad.item() - 2 * W * (1 - t * t) ** 2 * (1 - 2 * W * X * t)) < 1e-15

# %% [markdown]
# **Where it stops.** A rule is recorded if it computes with operators and functions of minitorch, from inputs and outputs.
# One that calls NumPy's functions leaves no history. One that reads an intermediate array of the forward pass would lose
# how that array depends on x. minitorch refuses both and names the operation. And where a function is made of
# straight pieces, as relu is, the second derivative is zero except at the corners: that is right, and a penalty through
# relu still has a gradient by the weights, because the first derivative contains them as factors.

# %%
z = minitorch.tensor([-1.0, 2.0], requires_grad=True)
(slope,) = grad(z.relu().sum(), z, create_graph=True)
(curvature,) = grad(slope.sum(), z)
assert slope.tolist() == [0, 1] and curvature.tolist() == [0, 0]

# %% [markdown]
# ## Exercise
# Write the penalty of f(x) = (w * x^2).sum() for a vector x: P = sum((df/dx)^2), as a tensor that can be differentiated
# by w. Use `grad` with `create_graph=True`; the check compares dP/dw = 8 w x^2 with yours.


# %%
def penalty(w, x):
    raise NotImplementedError


check_penalty(penalty)

# %% [markdown]
# ## Questions
# 1. After `grad(y, x, create_graph=True)`, which operations are on the tape that were not there before?
# 2. Why can the second derivative of x**4 be right only if `x`, and not x**3, is what the rule kept?
