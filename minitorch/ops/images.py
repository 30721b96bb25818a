"""What operations on images (n, channels, height, width) share: the order in memory, and how a window moves over them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.views import is_channels_last as is_channels_last
from minitorch.backend import array_module

Pair = int | tuple[int, int]


def plain_sizes(value: Any) -> tuple[Any, ...]:
    """A size, or several, with numbers of NumPy and in 0-d tensors as Python's."""
    sizes = value if isinstance(value, (tuple, list)) else (value,)
    return tuple(n.item() if getattr(n, "ndim", None) == 0 else n for n in sizes)


def sizes(name: str, what: str, value: Any, least: int, dims: int = 2) -> tuple[Any, ...]:
    """A number for all of `dims` dimensions, or one for each; raises ValueError below `least`."""
    given = (value,) if type(value) is int else plain_sizes(value)
    each = given * dims if len(given) == 1 else given
    if len(each) != dims or not all(type(n) is int and n >= least for n in each):
        form = "one whole number" if dims == 1 else "one or two whole numbers"
        raise ValueError(f"{name}: expected {what} to be {form} of at least {least}, got {value!r}")
    return each


def channels_last(a: Any) -> Any:
    """Images (n, c, h, w) with memory in the order (n, h, w, c); copies only if it must."""
    return array_module(a).ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def at_pixels(channels: Any, height: int, width: int) -> Any:
    """Numbers, one for each channel, at each pixel of an image: (height, width, c).

    NumPy combines them with channels-last images in one run for each image, not in one for each pixel; on a GPU it is a view.
    """
    if (xp := array_module(channels)) is not np:
        return xp.broadcast_to(channels, (height, width, len(channels)))
    return channels.reshape(1, -1).repeat(height * width, 0).reshape(height, width, -1)


class Window(NamedTuple):
    """The filter of a convolution or the window of a pooling: everything about them except their arrays."""

    kernel: tuple[int, ...]  # height and width, as all that follow
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # (top, bottom), (left, right)
    dilation: tuple[int, ...]
    out: tuple[int, ...]  # of the output
    groups: int = 1  # of the channels, in a convolution

    # ---- which pixels lie at which place of the window -----------------------------------------------------------------------

    def reach(self, axis: int, place: int) -> slice:
        """The rows (axis 0) or columns (axis 1) of the padded image that lie at `place` of the window, one for each output."""
        start, step = place * self.dilation[axis], self.stride[axis]
        return slice(start, start + step * (self.out[axis] - 1) + 1, step)

    def inside_at(self, axis: int, place: int, length: int) -> tuple[slice, slice]:
        """What of an image, not padded, lies at `place` of the window, and of the output: rows (axis 0) or columns (axis 1).

        The image has `length` of them.
        """
        at, step = place * self.dilation[axis] - self.padding[axis][0], self.stride[axis]
        first = max(0, -(at // step))
        last = max(first, min(self.out[axis], (length - 1 - at) // step + 1))
        return slice(first * step + at, last * step + at, step), slice(first, last)

    def positions(self, x: Any) -> Iterator[Any]:
        """For each place in the window, in rows, the elements of the padded image that lie there: views (n, c, *out)."""
        for row in self.rows(x):
            yield from self.columns(row)

    def all_positions(self, x: Any) -> Any:
        """The elements of the padded image at all places in the window, as one view (*kernel, n, c, *out)."""
        (sh, sw), (dh, dw), (in_n, in_c, in_h, in_w) = self.stride, self.dilation, x.strides
        strides = in_h * dh, in_w * dw, in_n, in_c, in_h * sh, in_w * sw
        return array_module(x).lib.stride_tricks.as_strided(x, (*self.kernel, *x.shape[:2], *self.out), strides)

    def rows(self, x: Any) -> Iterator[Any]:
        """For each row of the window, the rows of the padded image that lie there: views (n, c, out[0], width)."""
        return (x[..., self.reach(0, i), :] for i in range(self.kernel[0]))

    def columns(self, x: Any) -> Iterator[Any]:
        """For each column of the window, the columns of the padded image that lie there: views (n, c, height, out[1])."""
        return (x[..., self.reach(1, j)] for j in range(self.kernel[1]))

    def overlaps(self) -> bool:
        """Whether a pixel can lie in several windows."""
        return any(s < d * (k - 1) + 1 for s, d, k in zip(self.stride, self.dilation, self.kernel))

    # ---- the padded image ----------------------------------------------------------------------------------------------------

    def padded_size(self, size: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of an image of height and width `size` with its padding."""
        (top, bottom), (left, right) = self.padding
        return size[0] + top + bottom, size[1] + left + right

    def blank(self, xp: Any, value: float | None, shape: tuple[int, ...], dtype: Any, last: bool) -> Any:
        """An array for a padded image of `shape`, channels-last if `last`, of `value`; None leaves memory as it is."""
        height, width = self.padded_size(shape[2:])
        out = xp.empty((shape[0], height, width, shape[1]) if last else (*shape[:2], height, width), dtype)
        if value is not None:
            out.fill(value)
        return out.transpose(0, 3, 1, 2) if last else out

    def writes_all(self, shape: tuple[int, ...]) -> bool:
        """Whether writing every position of every window writes each pixel of the padded image exactly once."""
        places = math.prod(self.kernel) * math.prod(self.out)
        return not self.overlaps() and places == math.prod(self.padded_size(shape[2:]))

    def inside(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The image of `shape` within its padding, as a view."""
        (top, _), (left, _) = self.padding
        return x[:, :, top : top + shape[2], left : left + shape[3]]

    def pad(self, x: Any, value: float) -> Any:
        """`x` with `value` around it, in the same memory order; itself where there is no padding."""
        if not any(map(any, self.padding)):
            return x
        out = self.blank(array_module(x), value, x.shape, x.dtype, is_channels_last(x))
        self.inside(out, x.shape)[...] = x
        return out
