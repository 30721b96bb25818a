# %% [markdown]
# # 7. One weight, two digits, three losses: what is its gradient?
#
# Report 001 asks whether the first of two handwritten digits is at most the second. Its best net reads both digits with
# **one** convnet, compares its two outputs, and is told in training which digits they are. So a filter of the convnet
# is used twice, and three losses act on it. Its gradient is a sum over both: over uses, because it is used
# twice (chapter 2), and over losses, because the derivative of a sum is the sum of the derivatives.

# %%
import numpy as np
from exercises import check_balance, picture
from weight_sharing import WeightSharing

import layers as nn
import minitorch
from minitorch.data import load_digits, normalise, pair_sets
from minitorch.functional import cross_entropy

minitorch.manual_seed(0)
train, _ = pair_sets(load_digits("digits"), 8, rng=np.random.default_rng(0))
(train,) = normalise(train)
pairs = minitorch.from_numpy(train.inputs)
targets, classes = minitorch.from_numpy(train.targets), minitorch.from_numpy(train.classes)
net = WeightSharing()
for module in net.modules():
    if isinstance(module, nn.Dropout):
        module.p = 0.0  # nothing random, so that the passes below can be compared


def three_losses():
    """The comparison's loss, and those of the first and of the second digit."""
    comparison, first, second = net(pairs)
    return cross_entropy(comparison, targets), cross_entropy(first, classes[:, 0]), cross_entropy(second, classes[:, 1])


# %% [markdown]
# On the page, below, find the `.grad` of `digit.0.weight`: two contributions, one for each digit, drawn end to end and
# coloured by loss.

# %%
with minitorch.explore(picture("07_shared_weight.html")):
    a, b, c = three_losses()
    loss = a + b + c
    loss.backward()
weight = net.digit[0].weight
total = weight.grad.detach().clone()

# %% [markdown]
# **Over losses.** One pass for each loss, and the three gradients add up to the one above.

# %%
terms = [minitorch.autograd.grad(three_losses()[i], weight)[0].array for i in range(3)]
assert np.allclose(sum(terms), total.array, atol=1e-6)

# %% [markdown]
# **Over uses.** To see one use alone, let the convnet read the other digit without recording: then one path alone leads
# to the weight. What both paths bring adds up to the whole. That is all that weight sharing means in the backward pass.

# %%
uses = []
for digit in (0, 1):
    net.zero_grad()
    read = net.digit(pairs[:, digit : digit + 1])
    with minitorch.no_grad():
        other = net.digit(pairs[:, 1 - digit : 2 - digit])
    comparison = net.compare(minitorch.cat([read, other] if digit == 0 else [other, read], 1))
    (cross_entropy(comparison, targets) + cross_entropy(read, classes[:, digit])).backward()
    uses.append(weight.grad.array.copy())
assert np.allclose(sum(uses), total.array, atol=1e-6)

# %% [markdown]
# Norms do not add: the sum of the contributions is shorter than both norms together, unless both point the same way.

# %%
norms = [float(np.linalg.norm(use)) for use in uses]
assert np.linalg.norm(total.array) < sum(norms)
print(f"first digit {norms[0]:.3f}, second digit {norms[1]:.3f}, their sum {np.linalg.norm(total.array):.3f}")

# %% [markdown]
# ## Exercise
# The report weights the losses: comparison + alpha (first + second). Find the alpha for which the gradients of both parts at
# `digit.0.weight` have equal norms. You have `terms`.

# %%
alpha = None  # yours

check_balance(alpha, terms)

# %% [markdown]
# ## Questions
# 1. Doubling alpha: what happens to each contribution at `digit.0.weight`, and what to those at `compare.0.weight`?
# 2. With two separate convnets instead of a shared one, how many gradients would there be, and how large?
