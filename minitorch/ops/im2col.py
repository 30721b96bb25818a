"""How convolutions become matrix products, on arrays: patches, and what is added up where they overlap.

Channels-last memory makes a patch under a filter a few contiguous runs, one for each row of the filter. An image is unfolded
along its width alone: row k of the filter multiplies the unfolded rows k, k + 1, ..., so no pixel is copied once for each row
of the filter, and the products of the rows are added up. Against unfolding height and width, one core: 0.69 of the time for
(200, 16, 14, 14) to 16 filters of 7x7, 0.87 for (100, 32, 6, 6) to 64 of 3x3.

The patches of a whole batch would fill hundreds of megabytes; a slab of images at a time fills half of one, which stays in
the cache between the copy and the product. On a GPU, which is bound by launches, a slab may fill much more, the filter is one
band, and convolutions and both their gradients are one product each. Forward and backward on an H100, in
multiples of PyTorch's time: (8, 64, 56, 56) to 64 filters of 3x3 2.0, by bands 17; (10, 16, 14, 14) to 16 of 7x7 3.4 and 14.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np

from minitorch.accumulate import CHAIN, row_total
from minitorch.backend import array_module
from minitorch.ops.images import Window, at_pixels, channels_last

# Each row of the filter is a band of its own if, first, an image unfolded in both directions holds each row at least COPIES
# times: (200, 64, 6, 6) to 128 filters of 2x2, 1.7 times, took 3.2 ms in one band and 4.1 in two; (100, 32, 6, 6) to 64 of 3x3,
# twice, 0.61 in one and 0.53 in three. Second, a row of the filter has at least SHORT numbers: (100, c, 14, 14) to 32 of 3x3
# took 0.32 ms in one band and 0.59 in three for c = 1, 0.59 and 0.66 for c = 2, 0.80 and 0.75 for c = 4.
COPIES, SHORT = 2, 12

WIDE: Final = 64  # from so many numbers in a row of a filter on, its gradient is `gathered`

ROWS: Final = 1024  # how many rows of all images `spread` takes at a time, for products large enough to run at full speed


def padded(x: Any, padding: tuple[tuple[int, int], ...]) -> Any:
    """NCHW `x` as a contiguous NHWC array with zeros around it."""
    xp = array_module(x)
    x = x.transpose(0, 2, 3, 1)
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return xp.ascontiguousarray(x)
    n, height, width, channels = x.shape
    out = xp.zeros((n, height + top + bottom, width + left + right, channels), x.dtype)
    out[:, top : top + height, left : left + width] = x
    return out


def bands(x: Any, window: Window, rows_first: bool = False) -> Iterator[tuple[slice, list[Any]]]:
    """im2col: for each slab of images of padded NHWC `x`, its stretch of the batch and, per band of the filter, the patches.

    A band is a row of the filter, so that images are unfolded along their width alone: the patches of all bands are stretches
    of the same rows. Where that would save little, or a row of the filter has few numbers, the filter is one band. Patches
    are (groups, images, height x width, band), and with a single band, or with `rows_first`, those of all images together:
    (groups, 1, images x height x width or height x images x width, band).
    """
    xp, kernel, out = array_module(x), window.kernel, window.out
    n, height, _, channels = x.shape
    each = channels // window.groups
    (sh, sw), (dh, dw) = window.stride, window.dilation
    single = xp is not np or kernel[0] * out[0] < COPIES * height or kernel[1] * each < SHORT
    tall, places, down = (kernel[0], out[0], sh) if single else (1, height, 1)
    in_n, in_h, in_w, in_c = x.strides
    shape = window.groups, n, places, out[1], tall, kernel[1], each
    strides = in_c * each, in_n, in_h * down, in_w * sw, in_h * dh, in_w * dw, in_c
    patches = np.ndarray(shape, x.dtype, x, 0, strides) if xp is np else xp.lib.stride_tricks.as_strided(x, shape, strides)
    band = tall * kernel[1] * each
    size = max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))
    for start in range(0, n, size):
        stretch = slice(start, min(start + size, n))
        block = patches[:, stretch]
        if single and each == 1:  # neighbours in memory are pixels: copying rows of them takes 0.5 to 0.7 of the time
            rows = xp.ascontiguousarray(block.transpose(0, 4, 5, 6, 1, 2, 3))
            yield stretch, [rows.reshape(window.groups, 1, band, math.prod(rows.shape[4:])).swapaxes(-1, -2)]
        elif single:
            yield stretch, [block.reshape(window.groups, 1, -1, band)]
        else:
            images = 1 if rows_first else stretch.stop - start
            rows = xp.ascontiguousarray(block.swapaxes(1, 2) if rows_first else block)
            reaches = [window.reach(0, k) for k in range(kernel[0])]
            some = [rows[:, reach] if rows_first else rows[:, :, reach] for reach in reaches]
            yield stretch, [part.reshape(window.groups, images, -1, band) for part in some]


def slab(xp: Any) -> int:
    """The bytes worked on at a time: what stays in a core's cache, or on a GPU half a gigabyte."""
    return 2**19 if xp is np else 2**29


def correlate(x: Any, w: Any, b: Any, window: Window) -> Any:
    """Padded NHWC `x` with filters `w` moved over it in the strides of `window`: NCHW by shape, NHWC in memory."""
    xp, groups, (filters, channels, kh, kw) = array_module(x), window.groups, w.shape
    y = xp.empty((x.shape[0], *window.out, filters), x.dtype)
    if is_depthwise(x.shape[3], filters, window):
        for images, out in slabs(x, y):
            out[...] = 0 if b is None else b
            for pixels, weights in zip(_under(images, window), _rows_of(w, window)):
                out += pixels * weights
        return y.transpose(0, 3, 1, 2)
    bias = None if b is None else at_pixels(b, *window.out)
    columns = xp.ascontiguousarray(w.reshape(groups, filters // groups, channels, kh, kw).transpose(0, 3, 4, 2, 1))
    for stretch, parts in bands(x, window):
        weights = columns.reshape(groups, len(parts), 1, -1, filters // groups)  # a matrix for each band
        images = y[stretch]
        rows = images.reshape(parts[0].shape[1], -1, groups, filters // groups).transpose(2, 0, 1, 3)
        xp.matmul(parts[0], weights[:, 0], out=rows)
        for k, part in enumerate(parts[1:], 1):
            rows += part @ weights[:, k]
        if bias is not None:
            images += bias
    return y.transpose(0, 3, 1, 2)


def spread(y: Any, w: Any, size: tuple[int, int], window: Window) -> Any:
    """The gradient of a convolution by filters `w` with respect to its input of `size`: NCHW by shape, NHWC in memory.

    Each image column receives contributions from adjacent columns of y, which lie side by side in channels-last memory: one
    product without a copy gives them for every row of the filter, and each is then added where that row lies. Against
    products with every column of y, added up, one core, milliseconds: (100, 32, 6, 6) from 64 filters of 3x3 0.84 and 1.19;
    against a convolution of y with zeros around it: (10, 16, 14, 14) from 16 of 7x7, padded, 0.77 and 0.97.
    """
    xp, groups, (channels, kh, kw) = array_module(y), window.groups, w.shape[1:]
    if is_depthwise(channels * groups, w.shape[0], window):
        x = xp.zeros((y.shape[0], *window.padded_size(size), groups), y.dtype)
        for images, part in slabs(x, xp.ascontiguousarray(y.transpose(0, 2, 3, 1))):
            for pixels, weights in zip(_under(images, window), _rows_of(w, window)):
                pixels += part * weights
        return channels_last(window.inside(x.transpose(0, 3, 1, 2), (*y.shape[:2], *size)))
    if xp is not np:
        return spread_at_once(y, w, size, window)
    n, (oh, ow), filters = y.shape[0], y.shape[2:], w.shape[0] // groups
    y = y.transpose(0, 2, 3, 1).reshape(n, oh, ow, groups, filters)
    turned = w.reshape(groups, filters, channels, kh, kw)[..., ::-1].transpose(0, 4, 1, 3, 2)
    turned = turned.reshape(groups, kw, filters, kh * channels)
    meeting = meetings(size[1], window.padding[1][0], window.stride[1], window.dilation[1], ow, kw)
    x = xp.zeros((n, *size, groups, channels), y.dtype)
    images = -(-ROWS // oh)
    across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))
    for start in range(0, n, images):
        part = y[start : start + images].transpose(3, 0, 1, 2, 4)
        number = part.shape[1]
        rows = xp.ascontiguousarray(part).reshape(groups, number * oh, ow, filters)
        for left in range(0, size[1], across):
            some = meeting[left : left + across]
            sums = xp.empty((groups, number * oh, len(some), kh * channels), y.dtype)
            for j, (columns, places) in enumerate(some):
                adjacent, weights = rows[:, :, columns], turned[:, places]
                depth = adjacent.shape[2] * filters
                weights = weights.reshape(groups, depth, kh * channels)
                xp.matmul(adjacent.reshape(groups, number * oh, depth), weights, out=sums[:, :, j])
            by_row = sums.reshape(groups, number, oh, len(some), kh, channels).transpose(4, 1, 2, 3, 0, 5)
            for k in range(kh):
                to, of = window.inside_at(0, k, size[0])
                into = x[start : start + images, to, left : left + across]
                into += by_row[k, :, of]
    return x.reshape(n, *size, groups * channels).transpose(0, 3, 1, 2)


def spread_at_once(y: Any, w: Any, size: tuple[int, int], window: Window) -> Any:
    """What `spread` computes, as a convolution by the flipped filters of y, with zeros around its pixels and between them."""
    n, (filters, channels, kh, kw), corner = len(y), w.shape, [k - 1 for k in window.kernel]
    around = window._replace(stride=(1, 1), out=size)
    height, width = (around.reach(axis, place).stop for axis, place in enumerate(corner))
    apart = array_module(y).zeros((n, height, width, filters), y.dtype)
    (to, of), (right, left) = window.inside_at(0, corner[0], height), window.inside_at(1, corner[1], width)
    apart[:, to, right] = y.transpose(0, 2, 3, 1)[:, of, left]
    turned = w[..., ::-1, ::-1].reshape(window.groups, -1, channels, kh, kw).swapaxes(1, 2)
    return correlate(apart, turned.reshape(window.groups * channels, -1, kh, kw), None, around)


@lru_cache
def meetings(width: int, left: int, stride: int, dilation: int, ow: int, kw: int) -> list[tuple[slice, slice]]:
    """For each image column, which output columns it contributes to, and by which columns of the flipped filter.

    Column i of the output and place l of the filter meet column p, counted with the padding, where stride i + dilation l = p.
    """
    found: list[Any] = []
    for p in range(left, left + width):
        through = [(i, *divmod(p - stride * i, dilation)) for i in range(ow)]
        pairs = [(i, kw - 1 - place) for i, place, rest in through if not rest and 0 <= place < kw]
        found.append(tuple(slice(at[0], at[-1] + 1, at[1] - at[0] if len(at) > 1 else 1) for at in zip(*pairs)))
    return [both or (slice(0), slice(0)) for both in found]


# ---- depthwise: one filter for each channel ----------------------------------------------------------------------------------

# BLAS is slow at products of single numbers: each place of the filter is one product of pixels and weights, a slab of
# images at a time. Forward and backward, (8, 128, 28, 28) with 3x3 takes 0.32 of the time of products by BLAS.


def is_depthwise(channels: int, filters: int, window: Window) -> bool:
    """Whether each channel has one filter of its own, with no more places than are added up one by one."""
    return window.groups == channels == filters > 1 and math.prod(window.kernel) <= CHAIN


def slabs(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Stretches of the batch of NHWC arrays, which fill a slab each."""
    most = max(arrays, key=lambda array: array.nbytes)
    size = max(1, slab(array_module(most)) * len(most) // max(1, most.nbytes))
    for start in range(0, len(most), size):
        yield tuple(array[start : start + size] for array in arrays)


def _under(x: Any, window: Window) -> Iterator[Any]:
    """For each place of the filter, the pixels of padded NHWC `x` that lie there."""
    return (pixels.transpose(0, 2, 3, 1) for pixels in window.positions(x.transpose(0, 3, 1, 2)))


def _rows_of(w: Any, window: Window) -> Iterator[Any]:
    """For each place of the filter, the weights of all channels at each pixel of a row: NumPy's loops are as long as that."""
    return (at_pixels(w[:, 0, i, j], 1, window.out[1])[0] for i in range(w.shape[2]) for j in range(w.shape[3]))


# ---- the gradient of filters -------------------------------------------------------------------------------------------------


def weigh(x: Any, y: Any, window: Window) -> Any:
    """The gradient of a convolution of NCHW `x` with respect to its filters, where that of its output is `y`."""
    xp, groups, kernel = array_module(x), window.groups, window.kernel
    if gathering_pays(x, y, window):
        return gathered(x, y, window)
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    x, y = padded(x, window.padding), xp.ascontiguousarray(y.transpose(0, 2, 3, 1))
    if is_depthwise(x.shape[3], y.shape[3], window):
        sums = xp.zeros((math.prod(kernel), groups), x.dtype)
        for images, part in slabs(x, y):
            sums += xp.stack([row_total((pixels * part).reshape(-1, groups)) for pixels in _under(images, window)])
        return sums.T.reshape(groups, 1, *kernel)
    total = xp.zeros((groups, kernel[0] * kernel[1] * channels, filters), x.dtype)
    for stretch, parts in bands(x, window, rows_first=True):
        own = y[stretch] if len(parts) == 1 else y[stretch].swapaxes(0, 1)
        rows = own.reshape(-1, groups, filters).transpose(1, 0, 2)
        for k, part in enumerate(parts):
            band = part.shape[-1]
            total[:, k * band : (k + 1) * band] += part[:, 0].swapaxes(-1, -2) @ rows
    return total.reshape(groups, *kernel, channels, filters).transpose(0, 4, 3, 1, 2).reshape(-1, channels, *kernel)


def gathering_pays(x: Any, y: Any, window: Window) -> bool:
    """Whether `gathered` is faster: x has no more rows than y, rows of the filter are long, and filters few; not on a GPU.

    Over (10, 16, 14, 14) to 16 filters of 7x7, padded, products for each row take 1.16 of its time, and a step of 002's ResNet
    1.04; over (50, c, 14, 14) to as many filters of 3x3 0.87 with c = 8, 1.1 with 32; over (100, 32, 6, 6) to 64 of 3x3 0.7.
    """
    row = window.kernel[1] * x.shape[1]
    return (
        array_module(x) is np
        and window.groups == 1
        and x.shape[2] <= y.shape[2]
        and row >= WIDE
        and window.kernel[0] * y.shape[1] <= 2 * row
    )


def gathered(x: Any, y: Any, window: Window) -> Any:
    """What `weigh` computes, by one product for all rows of the filter: beside each row of x lie its rows of y.

    A product for each row of the filter is as narrow as there are filters, and with few of them BLAS works at half its speed.
    """
    xp, (kh, kw), (channels, height), (filters, _, ow) = array_module(x), window.kernel, x.shape[1:3], y.shape[1:]
    y = y.transpose(0, 2, 3, 1)
    row = Window((1, kw), (1, window.stride[1]), ((0, 0), window.padding[1]), (1, window.dilation[1]), (height, ow))
    total = xp.zeros((kw * channels, kh * filters), x.dtype)
    beside = None
    for stretch, (patches,) in bands(padded(x, row.padding), row):
        own = y[stretch]
        if beside is None:  # the slabs after it are no larger, and leave zeros where they are
            beside = xp.zeros((len(own), height, ow, kh, filters), x.dtype)
        for k in range(kh):
            to, of = window.inside_at(0, k, height)
            beside[: len(own), to, :, k] = own[:, of]
        total += patches[0, 0].T @ beside[: len(own)].reshape(-1, kh * filters)
    return total.reshape(kw, channels, kh, filters).transpose(3, 1, 2, 0)
