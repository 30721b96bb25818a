# %% [markdown]
# # 0. What is an automatic differentiation engine?
#
# You know the chain rule: if y depends on v, and v depends on x, then dy/dx = dy/dv * dv/dx. An engine applies it for
# you, to any program of operations whose derivatives it knows. It needs **arrays**, a **tape** on which each operation
# leaves a note of what it did, and a **loop** that reads the tape backwards. Here is all of it, in under 60 lines.

# %%
import heapq
import itertools

import numpy as np
from exercises import check_engine, picture

import minitorch

count = itertools.count(1)


class Tensor:
    """An array, the operation that made it (None for a leaf: you made it yourself), and its gradient."""

    def __init__(self, array, made_by=None):
        self.array, self.made_by, self.grad = np.asarray(array, dtype=float), made_by, None

    def __add__(self, other):
        return Add().apply(self, other)

    def __mul__(self, other):
        return Mul().apply(self, other)


class Op:
    """An operation, and the note it leaves on the tape: its number, its inputs, and what its rule needs to remember."""

    def apply(self, *inputs):
        self.number, self.inputs = next(count), inputs
        return Tensor(self.forward(*(x.array for x in inputs)), made_by=self)


class Add(Op):
    def forward(self, a, b):
        return a + b

    def backward(self, g):  # g is dy/d(output); the rule returns dy/da and dy/db
        return g, g


class Mul(Op):
    def forward(self, a, b):
        self.saved = a, b
        return a * b

    def backward(self, g):
        a, b = self.saved
        return g * b, g * a


def backward(y):
    """Add dy/dx to x.grad of every leaf x from which y was computed."""
    arrived = {y.made_by: np.ones_like(y.array)}  # for each operation, the sum of what has arrived for its output; dy/dy = 1
    waiting = [(-y.made_by.number, y.made_by)]  # a heap: the operation that ran last in the forward pass comes out first
    while waiting:
        _, op = heapq.heappop(waiting)
        for x, gradient in zip(op.inputs, op.backward(arrived.pop(op))):
            if x.made_by is None:
                x.grad = gradient if x.grad is None else x.grad + gradient
            elif x.made_by in arrived:
                arrived[x.made_by] = arrived[x.made_by] + gradient
            else:
                arrived[x.made_by] = gradient
                heapq.heappush(waiting, (-x.made_by.number, x.made_by))


# %% [markdown]
# Try it on y = (ab + a)^2 at a = 2, b = 3. By hand: dy/da = 2 (ab + a)(b + 1) = 64 and dy/db = 2 (ab + a) a = 32.

# %%
a, b = Tensor(2.0), Tensor(3.0)
s = a * b + a  # two operations: number 1 multiplies, number 2 adds
backward(s * s)  # number 3
assert (a.grad, b.grad) == (64, 32)

# %% [markdown]
# minitorch is the same engine with more operations (nodes of its graph). One keeps the arrays that its rule reads, never
# the *tensor* that it returned: tensor and operation would refer to each other and stay in memory when nobody uses them.
# It can also show its tape. Open the page and press the right arrow key: the last operation comes first.

# %%
a, b = minitorch.tensor(2.0, requires_grad=True), minitorch.tensor(3.0, requires_grad=True)
with minitorch.explore(picture("00_engine.html")):
    ((a * b + a) ** 2).backward()
assert (a.grad.item(), b.grad.item()) == (64, 32)

# %% [markdown]
# ## Exercise
# Write the loop again without a heap: sort the operations below `y` by number. 200 random programs check yours.


# %%
def my_backward(y):
    raise NotImplementedError


check_engine(my_backward, Tensor)

# %% [markdown]
# ## Questions
# 1. Who decides which rule runs next: the loop, or the rule before it? What does it look at?
# 2. `Add` saves nothing and `Mul` saves two arrays. What would a rule for exp save, whose derivative is its own output?
