"""Pooling in two dimensions. Each place of the window is one strided slice of the image; time grows with their number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch.accumulate import CHAIN, in_float32, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, int32, to_array, uint8
from minitorch.ops.dims import shapes
from minitorch.ops.images import Pair, Window, channels_last, is_channels_last, sizes
from minitorch.ops.pieces import flat, masked
from minitorch.ops.promotion import check_floats
from minitorch.ops.strips import along
from minitorch.threads import CHEAP, run


class MaxPool2d(Op):
    """The largest of each window.  da = g at the place where it was found, the first at a tie, in rows."""

    def forward(ctx, a: Any, window: Any) -> Any:
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out, place = winners(a, window, wanted=ctx.needs(0))
        ctx.saved = (place,)
        return out

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return flat(ctx, Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last))


def winners(a: Any, window: Window, wanted: bool) -> tuple[Any, Any]:
    """The largest element of each window and, if `wanted`, which place of the window it came from, as a byte if that fits.

    A nan is larger than any number, and of several the last one wins, as in PyTorch.
    """
    if len(along(a, least=CHEAP)) == 1:
        return _winners(a, window, wanted)
    xp, of_one = array_module(a), next(window.positions(window.pad(a[:1], -math.inf)))
    out = xp.empty_like(of_one, shape=(a.shape[0], *of_one.shape[1:]))
    place = xp.empty_like(out, dtype=_places(window)) if wanted else None

    def choose(some: Any, largest: Any, at: Any) -> None:
        largest[...], found = _winners(some, window, wanted)
        if wanted:
            at[...] = found

    run(choose, along(a, out, place if wanted else out))
    return out, place


def _places(window: Window) -> Any:
    """The dtype in which places of the window are counted."""
    return uint8 if math.prod(window.kernel) <= 256 else int32


def _winners(a: Any, window: Window, wanted: bool) -> tuple[Any, Any]:
    xp, dtype = array_module(a), _places(window)
    if xp is not np:
        return _winners_at_once(window.pad(a, -math.inf), window, wanted)
    slices = list(window.positions(window.pad(a, -math.inf)))
    out = slices[0].copy(order="K")
    place = first_inside(xp.zeros_like(out, dtype=dtype), window) if wanted else None
    for k, candidate in enumerate(slices[1:], 1):
        if wanted:
            # k where the candidate is larger; a product and a maximum, since `where` with a random mask takes 7 times as long
            larger = (candidate > out).view(uint8).astype(dtype, copy=False)
            larger *= dtype.type(k)
            xp.maximum(place, larger, out=place)
        xp.maximum(out, candidate, out=out)
    if wanted and xp.isnan(out.max(initial=-math.inf)):
        for k, candidate in enumerate(slices):
            xp.maximum(place, xp.isnan(candidate) * dtype.type(k), out=place)
    return out, place


def _winners_at_once(a: Any, window: Window, wanted: bool) -> tuple[Any, Any]:
    """`_winners` of a padded image, with as many launches for any window: on an H100, 2x2 takes 2/3 of the time of a loop."""
    xp, last, places = array_module(a), is_channels_last(a), window.all_positions(a)
    places = places.transpose(0, 1, 2, 4, 5, 3) if last else places
    found = places.reshape(math.prod(window.kernel), *places.shape[2:])
    out, place = found.max(0), None
    if wanted:
        nan = (found != found)[::-1]
        place = xp.where(out == out, (found == out).argmax(0), len(found) - 1 - nan.argmax(0)).astype(_places(window))
        place = place.transpose(0, 3, 1, 2) if last else place
        if any(before for before, _ in window.padding):
            xp.maximum(place, first_inside(xp.zeros_like(place), window), out=place)
    return out.transpose(0, 3, 1, 2) if last else out, place


def first_inside(place: Any, window: Window) -> Any:
    """`place` (zeros) as the first place of each window inside the image, so that a window of -inf never reports padding."""
    for axis, across in (0, window.kernel[1]), (1, 1):
        before, s, d = window.padding[axis][0], window.stride[axis], window.dilation[axis]
        for i in range(min(window.out[axis], -(-before // s))):  # the windows that begin in the padding
            border = place[:, :, i] if axis == 0 else place[..., i]
            border += place.dtype.type(-((i * s - before) // d) * across)
    return place


class Unpool(Op):
    """Zeros of `shape` with a added at the place of each window that is named.  da = g picked from those places.

    `last` repeats the memory order of the input, which cannot be read off an image of one pixel.
    """

    def forward(ctx, a: Any, place: Any, window: Any, shape: Any, last: Any) -> Any:
        ctx.saved = (place,)
        ctx.window = window
        out = window.blank(array_module(a), None if window.writes_all(shape) else 0, shape, a.dtype, last)
        overlaps = window.overlaps()
        if last:
            a = channels_last(a)

        def add(out: Any, a: Any, place: Any) -> None:
            xp = array_module(out)
            if xp is not np and not overlaps:  # bound by launches
                codes = xp.arange(math.prod(window.kernel), dtype=place.dtype).reshape(*window.kernel, 1, 1, 1, 1)
                window.all_positions(out)[...] = xp.where(place == codes, a, a.dtype.type(0))
                return
            for k, target in enumerate(window.positions(out)):
                if overlaps:
                    target += masked(a, place == k)
                else:
                    masked(a, place == k, out=target)

        run(add, along(out, a, place, least=CHEAP))
        return window.inside(out, shape)

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return Pick.apply(g, place, window=ctx.window), None


class Pick(Op):
    """The element of each window of a at its named place.  da = g added there."""

    def forward(ctx, a: Any, place: Any, window: Any) -> Any:
        ctx.saved = (place,)
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        out = array_module(a).zeros_like(place, dtype=a.dtype)
        for k, candidate in enumerate(window.positions(window.pad(a, 0))):
            out += masked(candidate, place == k)
        return out

    def backward(ctx, g: Any) -> Any:
        (place,) = ctx.saved
        return Unpool.apply(g, place, window=ctx.window, shape=ctx.shape_in, last=ctx.last), None


# ---- means ---------------------------------------------------------------------------------------------------------------


class SumPool2d(Op):
    """The sum of each window.  da = g spread over the window.

    Rows first, then columns: 14x14 places are 28 additions, not 196.
    """

    def forward(ctx, a: Any, window: Any) -> Any:
        ctx.window, ctx.shape_in, ctx.last = window, a.shape, is_channels_last(a)
        if is_whole(window, a.shape):  # one sum; forward and backward of (32, 64, 8, 8) take 0.63 of the time
            return total(a, (2, 3), True)
        return added(window.columns(added(window.rows(window.pad(a, 0)))))

    def backward(ctx, g: Any) -> Any:
        return flat(ctx, Spread.apply(g, window=ctx.window, shape=ctx.shape_in, last=ctx.last))


def is_whole(window: Any, shape: tuple[int, ...]) -> bool:
    """Whether the only window is the whole image, without padding."""
    return window.kernel == tuple(shape[2:]) and not any(map(any, window.padding))


def added(slices: Iterable[Any]) -> Any:
    """The sum of arrays of one shape, in the memory order of the first, no more than `CHAIN` of them one by one."""
    parts: list[Any] = []
    for i, one in enumerate(slices):
        if i % CHAIN:
            parts[-1] += one
        else:
            parts.append(one.copy(order="K"))
    return parts[0] if len(parts) == 1 else added(parts)


class Spread(Op):
    """Zeros of `shape` with a added at every place of its window, channels-last if `last`.  da = g summed over each window."""

    def forward(ctx, a: Any, window: Any, shape: Any, last: Any) -> Any:
        ctx.window = window
        xp = array_module(a)
        if is_whole(window, shape):
            out = window.blank(xp, None, shape, a.dtype, last)
            out[...] = a
            return out
        out = window.blank(xp, 0, shape, a.dtype, last)
        wide = xp.zeros_like(out[:, :, : window.out[0]])
        for column in window.columns(wide):
            column += a
        for row in window.rows(out):
            row += wide
        return window.inside(out, shape)

    def backward(ctx, g: Any) -> Any:
        return SumPool2d.apply(g, window=ctx.window)


# ---- functions -----------------------------------------------------------------------------------------------------------


def no_stride(stride: Any) -> bool:
    """Whether the windows lie side by side: no stride, or an empty one."""
    return stride is None or (isinstance(stride, (tuple, list)) and not stride)


def fitted_window(name: str, input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Window:
    """The window of a pooling over `input`; raises ValueError for arguments that do not fit."""
    if input.ndim != 4:
        form = "(n, channels, height, width) or (channels, height, width)"
        raise ValueError(f"{name}: expected images {form}, got shape {shapes(input)}")
    check_floats(name, input)
    kernel = sizes(name, "kernel_size", kernel, 1)
    stride = kernel if no_stride(stride) else sizes(name, "stride", stride, 1)
    padding, dilation = sizes(name, "padding", padding, 0), sizes(name, "dilation", dilation, 1)
    out, around = [], []
    for n, k, s, p, d in zip(input.shape[2:], kernel, stride, padding, dilation):
        if p > k // 2:
            raise ValueError(f"{name}: padding {padding} is more than half of the window {kernel}")
        free = n + 2 * p - d * (k - 1) - 1
        count = (-(-free // s) if ceil_mode else free // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # the last window must begin inside the image or its left padding
        if count < 1 or not n or (free < 0 and not ceil_mode):
            given = f"padding {padding} and dilation {dilation} (input {shapes(input)})"
            raise ValueError(f"{name}: a window of {kernel} does not fit into {input.shape[2:]} with {given}")
        out.append(count)
        around.append((p, max(p, (count - 1) * s + d * (k - 1) + 1 - n - p)))
    return Window(kernel, stride, tuple(around), dilation, tuple(out))


def max_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Any:
    """The largest element of each window, padded with -inf; one maximum gets the gradient, the first at a tie.

    With `return_indices`, also where it lies in its image, counted in rows, int64. Raises ValueError if a window does not fit.
    """
    if input.ndim == 3:
        whole = max_pool2d(input.unsqueeze(0), kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        return tuple(part.squeeze(0) for part in whole) if return_indices else whole.squeeze(0)
    window = fitted_window("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    values = MaxPool2d.apply(input, window=window)
    if not return_indices:
        return values
    numbers = array_module(input.array).arange(math.prod(input.shape[2:])).reshape(1, 1, *input.shape[2:])
    return values, wrap(Pick.apply(numbers, winners(input.array, window, wanted=True)[1], window=window))


@in_float32
def avg_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window; padding zeros are counted unless `count_include_pad=False`, or `divisor_override` is the count.

    Raises ValueError if a window does not fit or the divisor is 0.
    """
    if input.ndim == 3:
        whole = avg_pool2d(input.unsqueeze(0), kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
        return whole.squeeze(0)
    window = fitted_window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    sums = SumPool2d.apply(input, window=window)
    if divisor_override is not None:
        if not divisor_override:
            raise ValueError("avg_pool2d: divisor_override must not be 0")
        return sums / divisor_override
    counts = []
    for n, k, s, (p, _), out in zip(input.shape[2:], window.kernel, window.stride, window.padding, window.out):
        # the row that ceil_mode adds below the padding is never counted
        low, high = (-p, n + p) if count_include_pad else (0, n)
        starts = np.arange(out) * s - p
        counts.append(np.minimum(starts + k, high) - np.maximum(starts, low))
    divisor = np.outer(*counts)
    if (divisor == divisor[0, 0]).all():
        return sums / int(divisor[0, 0])
    return sums / wrap(to_array(divisor.astype(input.dtype), None, input.device))
