"""Layer norm and group norm: the numbers of each sample, or of each group of its channels, to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import Any

from minitorch.accumulate import LANES, PRODUCT, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.arithmetic import rsqrt
from minitorch.ops.images import is_channels_last
from minitorch.ops.reduce import channel_sums, mean
from minitorch.ops.strips import along
from minitorch.threads import run


class LayerNorm(Op):
    """y = n w + b with n = (x - mean) / sqrt(var + eps), mean and variance over the last dimensions, those of `shape`.

    With u = g w, and means over these dimensions: dx = (u - mean u - n mean(u n)) / sqrt(var + eps), dw = the sum of g n over
    the other dimensions, db = the sum of g over them (Ba, Kiros & Hinton 2016).
    """

    def forward(ctx, x: Any, w: Any, b: Any, shape: Any, eps: Any) -> Any:
        ctx.size, ctx.eps, ctx.ndim = math.prod(shape), eps, len(shape)
        xp, rows = array_module(x), x.reshape(-1, ctx.size)
        out = xp.empty(x.shape, x.dtype)
        middle, inverse = (xp.empty((rows.shape[0], 1), x.dtype) for _ in range(2))

        def normalize(part: Any, y: Any, m: Any, i: Any) -> None:
            m[...] = total(part, (1,), True) / ctx.size
            _centred(part, m, y)
            i[...] = 1 / xp.sqrt(_dots(y, y) / ctx.size + eps)
            y *= i
            if w is not None:
                y *= w.reshape(-1)
            if b is not None:
                y += b.reshape(-1)

        run(normalize, along(rows, out.reshape(rows.shape), middle, inverse))
        ctx.saved = x, w, middle, inverse
        return out

    def backward(ctx, g: Any) -> Any:
        x, w, middle, inverse = ctx.saved
        rows, grads, wide = x.reshape(-1, ctx.size), g.reshape(-1, ctx.size), None if w is None else w.reshape(-1)
        if isinstance(g, Tensor):  # recorded: the statistics depend on x too
            dx, n = _recorded(ctx.eps, rows, grads if w is None else grads * wide)
            dw, db = (grads * n).sum((0,)), grads.sum((0,))
        else:
            dx = array_module(x).empty(x.shape, x.dtype)
            dw, db = _layer_gradients(rows, grads, wide, middle, inverse, dx.reshape(rows.shape))
        return dx.reshape(x.shape), None if w is None else dw.reshape(w.shape), db.reshape(x.shape[len(x.shape) - ctx.ndim :])


def _layer_gradients(x: Any, g: Any, w: Any, middle: Any, inverse: Any, dx: Any) -> Any:
    """The rule of LayerNorm on arrays, a piece of the rows at a time: fills `dx` and returns dw and db."""
    xp, size = array_module(x), x.shape[1]
    pieces = along(x, g, middle, inverse, dx)
    sums: list[Any] = [None] * len(pieces)

    def rule(part: Any, of: Any, m: Any, i: Any, u: Any, at: int) -> None:
        centred = _centred(part, m, xp.empty_like(part))
        xp.multiply(of, i, out=u)
        product = u * centred  # g n
        sums[at] = channel_sums(product), channel_sums(of)
        by_n, by_one = (total(each, (1,), True) if w is None else _dots(each, w) for each in (product, u))
        by_n *= i * i / size
        by_one /= size
        if w is not None:
            u *= w
        centred *= by_n
        u -= centred
        u -= by_one

    run(rule, [(*piece, at) for at, piece in enumerate(pieces)])
    return (total(xp.stack(each), (0,)) for each in zip(*sums)) if len(sums) > 1 else sums[0]


def _centred(rows: Any, middle: Any, out: Any) -> Any:
    """`rows - middle` in `out`: a copy of the means and a difference of two arrays take 0.72 of the time of one by columns."""
    out[...] = middle
    return array_module(rows).subtract(rows, out, out=out)


class GroupNorm(Op):
    """y = n w + b with n = (x - mean) / sqrt(var + eps), mean and variance over each group of channels of each image.

    With u = g w, and means over a group: dx = (u - mean u - n mean(u n)) / sqrt(var + eps), dw = the sum of g n for
    each channel, db = the sum of g (Wu & He 2018). Sums are taken for each channel first: only these are multiplied by w.
    """

    def forward(ctx, x: Any, w: Any, b: Any, groups: Any, eps: Any) -> Any:
        xp, (n, c) = array_module(x), x.shape[:2]
        ctx.groups, ctx.eps, ctx.last = groups, eps, (last := is_channels_last(x))
        planes = _planes(x, last)
        out, middle, inverse = xp.empty(planes.shape, x.dtype), xp.empty((n, c), x.dtype), xp.empty((n, c), x.dtype)

        def normalize(part: Any, y: Any, m: Any, i: Any) -> None:
            m[...] = _group_means(_plane_sums(part, c, last), groups, part)
            xp.subtract(part, _spread(m, part, last), out=y)
            i[...] = 1 / xp.sqrt(_group_means(_plane_sums(y * y, c, last), groups, part) + eps)
            y *= _spread(i if w is None else i * w, part, last)
            if b is not None:
                y += _spread(b[None], part, last)

        run(normalize, along(planes, out, middle, inverse))
        ctx.saved = x, w, middle, inverse
        return out.reshape(n, *x.shape[2:], c).transpose(0, 3, 1, 2) if last else out.reshape(x.shape)

    def backward(ctx, g: Any) -> Any:
        x, w, middle, inverse = ctx.saved
        n, c = x.shape[:2]
        if isinstance(g, Tensor):  # recorded: the statistics depend on x too
            u = g if w is None else g * w.reshape(1, c, *[1] * (x.ndim - 2))
            dx, normal = _recorded(ctx.eps, *(a.reshape(n * ctx.groups, math.prod(x.shape[1:]) // ctx.groups) for a in (x, u)))
            dims = (0, *range(2, x.ndim))
            return dx.reshape(x.shape), None if w is None else (g * normal.reshape(x.shape)).sum(dims), g.sum(dims)
        xp, last, planes = array_module(x), ctx.last, _planes(x, ctx.last)
        dx, dw, db = xp.empty(planes.shape, x.dtype), xp.empty((n, c), x.dtype), xp.empty((n, c), x.dtype)

        def rule(part: Any, of: Any, u: Any, m: Any, i: Any, by_n: Any, by_one: Any) -> None:
            y = part - _spread(m, part, last)
            by_n[...], by_one[...] = _plane_sums(xp.multiply(of, y, out=u), c, last) * i, _plane_sums(of, c, last)
            scale = i if w is None else i * w
            xp.multiply(of, _spread(scale, part, last), out=u)
            y *= _spread(_group_means(by_n * scale, ctx.groups, part) * i, part, last)
            u -= y
            u -= _spread(_group_means(by_one * scale, ctx.groups, part), part, last)

        run(rule, along(planes, _planes(g, last), dx, middle, inverse, dw, db))
        dx = dx.reshape(n, *x.shape[2:], c).transpose(0, 3, 1, 2) if last else dx.reshape(x.shape)
        return dx, None if w is None else total(dw, (0,)), total(db, (0,))


def _planes(x: Any, last: bool) -> Any:
    """Images (n, c, ...) as (n, c, pixels), or channels-last as (n, pixels / k, k c): rows long enough for NumPy's loops."""
    (n, c), pixels = x.shape[:2], math.prod(x.shape[2:])
    if not last:
        return x.reshape(n, c, pixels)
    k = next(k for k in range(1, pixels + 1) if pixels % k == 0 and (k == pixels or k * c >= LANES))
    return x.transpose(0, 2, 3, 1).reshape(n, pixels // k, k * c)


def _plane_sums(planes: Any, c: int, last: bool) -> Any:
    """The sums over the pixels of `planes`: (n, c)."""
    n, _, row = planes.shape
    if not last:
        return total(planes.reshape(n * c, row), (1,)).reshape(n, c)
    return total(total(planes, (1,)).reshape(n, row // c, c), (1,))


def _group_means(sums: Any, groups: int, planes: Any) -> Any:
    """The means over groups of channels, at each of their channels, from the sums (n, c) over the pixels of `planes`."""
    each, size = sums.shape[1] // groups, planes.shape[1] * planes.shape[2] // groups
    return (total(sums.reshape(-1, groups, each), (2,)) / size).repeat(each, 1)


def _spread(channels: Any, planes: Any, last: bool) -> Any:
    """Numbers (n, c) at the pixels of `planes`."""
    n, c = channels.shape
    if not last:
        return channels[:, :, None]
    return channels[:, None].repeat(planes.shape[2] // c, 1).reshape(n, 1, planes.shape[2])


def _recorded(eps: float, rows: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """(u - mean u - n mean(u n)) / sqrt(var + eps) and n, over each row, recorded: the statistics depend on the rows too."""
    middle = mean(rows, (1,), keepdim=True)
    inverse = rsqrt(mean((rows - middle) * (rows - middle), (1,), keepdim=True) + eps)
    n = (rows - middle) * inverse
    return (u - mean(u, (1,), keepdim=True) - n * mean(u * n, (1,), keepdim=True)) * inverse, n


def _dots(a: Any, b: Any) -> Any:
    """The sum over each row of a b (b like a, or one row); by BLAS, in half the time, if rows are not too long."""
    if a.shape[1] > 16 * PRODUCT or a.dtype.char not in "fdFD":
        return total(a * b, (1,), True)
    return a @ b[:, None] if b.ndim == 1 else (a[:, None, :] @ b[:, :, None])[:, 0]
