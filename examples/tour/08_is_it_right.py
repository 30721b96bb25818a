# %% [markdown]
# # 8. How do you know that a gradient is right?
#
# Compare it with the definition. The **central difference** (f(x + h) - f(x - h)) / 2h needs nothing but f. It has two
# errors: the formula's own, which shrinks with h^2, and rounding, which grows like 1/h because two nearly equal numbers
# are subtracted. The best h lies between, near 1e-5, and leaves about 10 digits. The **complex step** subtracts
# nothing: f(x + ih) = f(x) + ih f'(x) - ..., so the imaginary part of f(x + ih), divided by h, is f'(x) up to h^2. With
# h = 1e-30 it is exact up to rounding: h is stored apart from x, while the x + h of a difference is rounded to x.

# %%
import matplotlib.pyplot as plt
import numpy as np
from exercises import check_not_analytic, picture

import minitorch
from minitorch.autograd import explain, gradcheck


def f(x):
    return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)


x = 1.5
leaf = minitorch.tensor(x, dtype=minitorch.float64, requires_grad=True)
(leaf.exp() / (leaf.sin() ** 3 + leaf.cos() ** 3).sqrt()).backward()
slope = leaf.grad.item()

steps = 10.0 ** -np.arange(1, 31)
with np.errstate(divide="ignore"):
    errors = {
        "central difference": [abs((f(x + h) - f(x - h)) / (2 * h) / slope - 1) for h in steps],
        "complex step": [abs(f(x + 1j * h).imag / h / slope - 1) for h in steps],
    }
assert min(errors["central difference"]) < 1e-9 and errors["central difference"][-1] == 1  # all digits lost
assert max(errors["complex step"][8:]) < 1e-14

# %%
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
for (name, values), colour in zip(errors.items(), ("#be5000", "#0a58b8")):
    axis.loglog(steps, np.maximum(values, 1e-17), label=name, color=colour)
axis.set(xlabel="h", ylabel="relative error", title="One loses to rounding, the other does not")
axis.invert_xaxis()
axis.legend(frameon=False)
figure.savefig(picture("08_is_it_right.png"), dpi=150)

# %% [markdown]
# `gradcheck` compares every element of every gradient, by differences or, with `mode="complex"`, by complex steps. The
# explorer's pages prove every rule this way on the numbers they show.

# %%
a = minitorch.tensor([0.3, -1.2, 2.0, 0.7], dtype=minitorch.float64, requires_grad=True)
assert gradcheck(lambda a: (a.sin() * a.exp()).softmax(0), a, mode="complex")


class Cube(minitorch.autograd.Op):
    """a^3 with the factor 3 forgotten in its rule."""

    def forward(ctx, a):
        ctx.saved = (a,)
        return a**3

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * a * a


assert not gradcheck(Cube.apply, a, raise_exception=False)
print(explain(Cube, a))  # what is wrong with the rule; gradcheck's own error says it too

# %% [markdown]
# The complex step has one condition: f must be **analytic**, made of operations that make sense for complex numbers.
# `abs` is not: |x + ih| = sqrt(x^2 + h^2) has no imaginary part at all.
#
# ## Exercise
# Give a function of one real number, other than `abs`, whose derivative at 1.0 the complex step gets wrong although central
# differences get it right.


# %%
def not_analytic(x):
    raise NotImplementedError


check_not_analytic(not_analytic)

# %% [markdown]
# ## Questions
# 1. Why is h = 1e-30 harmless for the complex step and fatal for the central difference?
# 2. A check that tries only g = 1 and only a > 0 accepts `g * (g > 0)` as the rule of relu. What would show the mistake?
