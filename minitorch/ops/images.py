"""What operations on images (n, channels, height, width) share: pairs of sizes, memory order, numbers of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.backend import array_module

Pair = int | tuple[int, int]


def pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """A number for both dimensions or one for each; raises ValueError below `least`."""
    both = (value, value) if isinstance(value, (int, np.integer)) else tuple(value)
    if len(both) == 1:
        both *= 2
    if len(both) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in both):
        raise ValueError(f"{name}: expected {what} to be one or two whole numbers of at least {least}, got {value!r}")
    return int(both[0]), int(both[1])


def is_channels_last(a: Any) -> bool:
    """Whether images (n, c, h, w) lie in memory as (n, h, w, c)."""
    return a.ndim == 4 and a.strides[1] < a.strides[3] and not a.flags.c_contiguous


def channels_last(a: Any) -> Any:
    """Images (n, c, h, w) with memory in the order (n, h, w, c); copies only if it must."""
    return array_module(a).ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def at_pixels(channels: Any, height: int, width: int) -> Any:
    """Numbers, one for each channel, at each pixel of an image: (height, width, c).

    NumPy combines them with channels-last images in one run for each image, not in one for each pixel.
    """
    return channels.reshape(1, -1).repeat(height * width, 0).reshape(height, width, -1)
