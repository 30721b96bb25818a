"""The operations on images, one output element at a time: slow, plain, and written from their definitions."""

from __future__ import annotations

import itertools
import math

import numpy as np


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def sides(padding, kernel, dilation):
    """(before, after) of both dimensions for every form of `padding`."""
    if padding == "same":
        return [(d * (k - 1) // 2, -(-d * (k - 1) // 2)) for k, d in zip(kernel, dilation)]
    return [(p, p) for p in both(0 if padding == "valid" else padding)]


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    if x.ndim == 3:
        return conv2d(x[None], w, b, stride, padding, dilation, groups)[0]
    (sh, sw), (dh, dw), (filters, channels, kh, kw) = both(stride), both(dilation), w.shape
    x = np.pad(x, [(0, 0), (0, 0), *sides(padding, (kh, kw), (dh, dw))])
    high, wide = dh * (kh - 1) + 1, dw * (kw - 1) + 1
    y = np.zeros((x.shape[0], filters, (x.shape[2] - high) // sh + 1, (x.shape[3] - wide) // sw + 1))
    for n, o, i, j in np.ndindex(y.shape):
        first = o // (filters // groups) * channels
        patch = x[n, first : first + channels, i * sh : i * sh + high : dh, j * sw : j * sw + wide : dw]
        y[n, o, i, j] = (patch * w[o]).sum() + (0 if b is None else b[o])
    return y


def conv_transpose2d(y, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    if y.ndim == 3:
        return conv_transpose2d(y[None], w, b, stride, padding, output_padding, groups, dilation)[0]
    (sh, sw), (dh, dw), (ph, pw), (eh, ew) = both(stride), both(dilation), both(padding), both(output_padding)
    (n, channels, oh, ow), (_, filters, kh, kw) = y.shape, w.shape
    x = np.zeros((n, filters * groups, (oh - 1) * sh + dh * (kh - 1) + 1 + eh, (ow - 1) * sw + dw * (kw - 1) + 1 + ew))
    for c, row, column, i, j in np.ndindex(channels, kh, kw, oh, ow):
        first = c // (channels // groups) * filters
        at = (i * sh + row * dh, j * sw + column * dw)
        x[:, first : first + filters, at[0], at[1]] += y[:, c, i, j, None] * w[c, :, row, column]
    return x[:, :, ph : x.shape[2] - ph, pw : x.shape[3] - pw] + (0 if b is None else b[:, None, None])


def starts(length, kernel, stride, padding, dilation, ceil_mode):
    """Where windows begin: those that fit, and with `ceil_mode` one more for what is left, if it begins before the end."""
    reach = dilation * (kernel - 1)
    found = list(range(-padding, length + padding - reach, stride))
    following = found[-1] + stride if found else -padding
    if ceil_mode and following - stride + reach < length + padding - 1 and following < length:
        found.append(following)
    return found


def windows(x, kernel, stride, padding, dilation, ceil_mode):
    """For every window (i, j of the output, the rows and columns it names, those outside the image too)."""
    kernel = both(kernel)
    stride, padding, dilation = both(kernel if stride is None else stride), both(padding), both(dilation)
    rows, columns = (
        [[at + d * k for k in range(size)] for at in starts(n, size, s, p, d, ceil_mode)]
        for n, size, s, p, d in zip(x.shape[-2:], kernel, stride, padding, dilation)
    )
    return len(rows), len(columns), [(i, j, r, c) for i, r in enumerate(rows) for j, c in enumerate(columns)]


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    high, wide, places = windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    values, indices = np.zeros((*x.shape[:-2], high, wide)), np.zeros((*x.shape[:-2], high, wide), int)
    for *image, (i, j, rows, columns) in ((*at, place) for at in np.ndindex(x.shape[:-2]) for place in places):
        inside = [
            (x[(*image, r, c)], -(r * x.shape[-1] + c))
            for r in rows
            for c in columns
            if 0 <= r < x.shape[-2] and 0 <= c < x.shape[-1]
        ]
        values[(*image, i, j)], first = max(inside)  # the first in rows among equals
        indices[(*image, i, j)] = -first
    return (values, indices) if return_indices else values


def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    high, wide, places = windows(x, kernel_size, stride, padding, 1, ceil_mode)
    border = both(padding) if count_include_pad else (0, 0)
    y = np.zeros((*x.shape[:-2], high, wide))
    for i, j, rows, columns in places:
        inside = [[at for at in line if 0 <= at < n] for line, n in zip((rows, columns), x.shape[-2:])]
        counted = [sum(-p <= at < n + p for at in line) for line, n, p in zip((rows, columns), x.shape[-2:], border)]
        y[..., i, j] = x[..., inside[0], :][..., inside[1]].sum((-2, -1)) / (divisor_override or math.prod(counted))
    return y


def adaptive_avg_pool2d(x, output_size):
    high, wide = (n if size is None else size for n, size in zip(x.shape[-2:], both(output_size)))
    y = np.zeros((*x.shape[:-2], high, wide))
    for i, j in np.ndindex(high, wide):
        rows, columns = (
            slice(math.floor(at * n / out), math.ceil((at + 1) * n / out))
            for at, n, out in zip((i, j), x.shape[-2:], (high, wide))
        )
        y[..., i, j] = x[..., rows, columns].mean((-2, -1))
    return y


def adaptive_max_pool2d(x, output_size, return_indices=False):
    size = tuple(n if size is None else size for n, size in zip(x.shape[-2:], both(output_size)))
    values, indices = np.zeros((*x.shape[:-2], *size)), np.zeros((*x.shape[:-2], *size), int)
    for *image, i, j in np.ndindex(values.shape):
        rows, columns = (
            range(math.floor(at * n / out), math.ceil((at + 1) * n / out)) for at, n, out in zip((i, j), x.shape[-2:], size)
        )
        values[(*image, i, j)], first = max((x[(*image, r, c)], -(r * x.shape[-1] + c)) for r in rows for c in columns)
        indices[(*image, i, j)] = -first
    return (values, indices) if return_indices else values


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None):
    lengths = x.shape[2:]
    if size is None:
        factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * len(lengths)
        size = tuple(math.floor(n * factor) for n, factor in zip(lengths, factors))
    else:
        size, factors = size if isinstance(size, tuple) else (size,) * len(lengths), None
    if factors is None or recompute_scale_factor:
        factors = tuple(out / n for out, n in zip(size, lengths))
    for dim, (n, out, factor) in enumerate(zip(lengths, size, factors), 2):
        if mode == "nearest" and len(lengths) == 2 and out in (n, 2 * n):
            factor = out / n  # PyTorch: twice the length, or the same, repeats elements whatever the factor was
        lines = np.moveaxis(x, dim, 0)
        x = np.moveaxis(np.stack([resized(lines, i, out, factor, mode, align_corners) for i in range(out)]), 0, dim)
    return x


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    n, c, *lengths = x.shape
    out = np.zeros((n, c, *grid.shape[1:-1]))
    for b, *pixel in np.ndindex(grid.shape[:-1]):
        around = []  # (place, weight) of the neighbours in each dimension, rows first
        for at, length in zip(grid[(b, *pixel)][::-1], lengths):
            at = (at + 1) / 2 * (length - 1) if align_corners else (at + 1) / 2 * length - 0.5
            low, high = (0, length - 1) if align_corners else (-0.5, length - 0.5)

            def inside(at, length=length, low=low, high=high):
                while padding_mode == "reflection" and low < high and not low <= at <= high:
                    at = 2 * low - at if at < low else 2 * high - at
                return at if padding_mode == "zeros" else min(max(at, 0), length - 1)

            if mode == "bicubic":
                four = [math.floor(at) + k for k in (-1, 0, 1, 2)]
                around.append([(int(inside(place)), cubic(abs(at - place))) for place in four])
                continue
            at = inside(at)
            near = math.floor(at)
            around.append([(round(at), 1)] if mode == "nearest" else [(near, near + 1 - at), (near + 1, at - near)])
        for corner in itertools.product(*around):
            places, weights = zip(*corner)
            if all(0 <= place < length for place, length in zip(places, lengths)):
                out[(b, slice(None), *pixel)] += x[(b, slice(None), *places)] * math.prod(weights)
    return out


def affine_grid(theta, size, align_corners=None):
    n, _, *lengths = size
    out = np.empty((n, *lengths, len(lengths)))
    for b, *pixel in np.ndindex(n, *lengths):
        at = [(2 * k / (m - 1) - 1 if m > 1 else 0) if align_corners else (2 * k + 1) / m - 1 for k, m in zip(pixel, lengths)]
        out[(b, *pixel)] = theta[b] @ (*at[::-1], 1)
    return out


def resized(lines, i, out, factor, mode, align_corners):
    """Element i of `out` that are made of the elements lines[0], lines[1], ..."""
    n = len(lines)
    if mode in ("nearest", "nearest-exact"):
        return lines[min(math.floor((i + (0.5 if mode == "nearest-exact" else 0)) / factor), n - 1)]
    if mode == "area":
        return lines[i * n // out : -(-(i + 1) * n // out)].mean(0)
    if align_corners:
        at = i * (n - 1) / (out - 1) if out > 1 else 0.0
    elif mode == "bicubic":
        at = (i + 0.5) / factor - 0.5
    else:
        at = i if out == n else max((i + 0.5) / factor - 0.5, 0.0)
    near = math.floor(at)
    if mode != "bicubic":
        return lines[near] * (1 - at + near) + lines[min(near + 1, n - 1)] * (at - near)
    return sum(lines[min(max(near + k, 0), n - 1)] * cubic(abs(at - near - k)) for k in (-1, 0, 1, 2))


def cubic(d, a=-0.75):
    """The weight of an element at the distance d (Keys 1981)."""
    return (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
