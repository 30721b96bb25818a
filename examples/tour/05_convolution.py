# %% [markdown]
# # 5. How is a convolution a matrix product?
#
# A filter slides over an image; at each place the patch under it and the filter are multiplied number by number and
# added up. That is a dot product. Write every patch as a row of a matrix, and all places are one matrix product. Three
# versions follow, each checked against the one before it: plain loops, patches (called im2col), and what minitorch
# does.

# %%
import matplotlib.pyplot as plt
import numpy as np
from exercises import check_op, picture

import minitorch
from minitorch.check.exercises import Im2colConv
from minitorch.functional import conv2d


def conv_loops(x, w):
    """The definition. x: (c, h, w) image; w: (f, c, k, k) filters; the result: (f, h - k + 1, w - k + 1)."""
    filters, _, k, _ = w.shape
    rows, columns = x.shape[1] - k + 1, x.shape[2] - k + 1
    y = np.zeros((filters, rows, columns))
    for f in range(filters):
        for i in range(rows):
            for j in range(columns):
                y[f, i, j] = (x[:, i : i + k, j : j + k] * w[f]).sum()
    return y


def patches(x, k):
    """im2col: the patch at each place of x, (c, h, w), as a row: (places, c k k)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))  # (c, rows, columns, k, k), nothing copied
    c, rows, columns = windows.shape[:3]
    return windows.transpose(1, 2, 0, 3, 4).reshape(rows * columns, c * k * k)


def conv_patches(x, w):
    """One product: (places, c k k) times (c k k, filters)."""
    k = w.shape[-1]
    y = patches(x, k) @ w.reshape(len(w), -1).T
    return y.T.reshape(len(w), x.shape[1] - k + 1, x.shape[2] - k + 1)


rng = np.random.default_rng(0)
image, filters = rng.integers(0, 10, (1, 4, 4)).astype(float), rng.normal(size=(2, 1, 3, 3))
assert patches(image, 3).shape == (4, 9)
assert np.allclose(conv_loops(image, filters), conv_patches(image, filters))
assert np.allclose(conv_patches(image, filters), conv2d(minitorch.tensor(image[None]), minitorch.tensor(filters))[0].array)

# %% [markdown]
# The price is memory: every pixel is copied once for each place it lies under, up to k k times. minitorch cuts the work
# into bands and slabs that stay in the processor's cache (`minitorch/ops/im2col.py`); the arithmetic is the same.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3), width_ratios=(1, 2), layout="constrained")
for axis, table, title in (
    (axes[0], image[0], "image, the first patch marked"),
    (axes[1], patches(image, 3), "patch matrix: a row for each place"),
):
    axis.imshow(np.zeros_like(table), cmap="Greys", aspect="equal")
    for (i, j), value in np.ndenumerate(table):
        marked = (i < 3 and j < 3) if axis is axes[0] else i == 0
        axis.text(j, i, f"{value:g}", ha="center", va="center", color="#0a58b8" if marked else "black")
    axis.set(title=title, xticks=[], yticks=[])
figure.savefig(picture("05_convolution.png"), dpi=150)

# %% [markdown]
# **Backwards** there is nothing new. y = P w^T is a linear layer (chapter 4): dw = g^T P and dP = g w. The patches are
# copies of pixels, so the gradient of a pixel is the sum over all rows of P in which it lies (chapter 3): add each row
# of dP back to its place.


# %%
def image_gradient(dp, shape, k):
    """col2im: add each row of dp, (places, c k k), to the patch it was copied from."""
    dx = np.zeros(shape)
    columns = shape[2] - k + 1
    for place, row in enumerate(dp):
        i, j = divmod(place, columns)
        dx[:, i : i + k, j : j + k] += row.reshape(shape[0], k, k)
    return dx


g = rng.normal(size=(2, 2, 2))
x, w = (minitorch.tensor(a, requires_grad=True) for a in (image[None], filters))
conv2d(x, w).backward(minitorch.tensor(g[None]))
G = g.reshape(2, -1)  # (filters, places), which is g^T
assert np.allclose(w.grad.array, (G @ patches(image, 3)).reshape(w.shape))
assert np.allclose(x.grad.array[0], image_gradient(G.T @ filters.reshape(2, -1), image.shape, 3))

# %% [markdown]
# ## Exercise
# Write the rule of the whole convolution. `forward` is given: it keeps w and the patches as columns, (n, c k k, places).


# %%
class MyConv(Im2colConv):
    def backward(ctx, g):
        w, columns = ctx.saved  # and ctx.size is the shape of x
        raise NotImplementedError


check_op("im2col_conv", MyConv)

# %% [markdown]
# ## Questions
# 1. A 3x3 filter on a 14x14 image: how many rows has the patch matrix, and under how many places does the middle pixel lie?
# 2. The first layer's input is the image itself, which needs no gradient. Which of the two products can be left out?
