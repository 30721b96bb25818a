"""Images of another size: rows and columns repeated or dropped."""

from __future__ import annotations

import math

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.images import pair
from minitorch.ops.index import Take
from minitorch.ops.shape import Expand


def interpolate(
    input: Tensor,
    size: int | tuple[int, int] | None = None,
    scale_factor: float | tuple[float, float] | None = None,
    mode: str = "nearest",
) -> Tensor:
    """Images (n, channels, height, width) enlarged or reduced by repeating or dropping rows and columns.

    Raises ValueError unless exactly one of `size` and `scale_factor` is given, and for any mode but "nearest".
    """
    if mode != "nearest":
        raise ValueError(f"interpolate: only mode 'nearest' is supported, got {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: expected either size or scale_factor")
    if input.ndim != 4:
        raise ValueError(f"interpolate: expected images (n, channels, height, width), got shape {input.shape}")
    n, channels, height, width = input.shape
    if size is not None:
        out = pair("interpolate", "size", size, 1)
        ratios = (height / out[0], width / out[1])
        factors = (out[0] / height, out[1] / width)
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
        out = tuple(math.floor(length * factor) for length, factor in zip((height, width), factors))
        # twice the length, or the same, repeats elements whatever the factor was, as in PyTorch
        factors = tuple(count / n if count in (n, 2 * n) else f for count, n, f in zip(out, (height, width), factors))
        ratios = tuple(1 / factor for factor in factors)
        if min(out) < 1:
            raise ValueError(f"interpolate: nothing is left of {input.shape} at scale {scale_factor}")
    repeats = (out[0] // height, out[1] // width)
    if factors == repeats:  # whole repeats need no index, and their gradient is a plain sum
        spread = Expand.apply(
            input.reshape(n, channels, height, 1, width, 1), shape=(n, channels, height, repeats[0], width, repeats[1])
        )
        return spread.reshape(n, channels, *out)
    rows, columns = (
        np.minimum(np.floor(np.arange(count, dtype=np.float32) * np.float32(ratio)).astype(np.int64), length - 1)
        for count, ratio, length in zip(out, ratios, (height, width))
    )
    xp = array_module(input.array)
    return Take.apply(input, index=(slice(None), slice(None), xp.asarray(rows[:, None]), xp.asarray(columns[None, :])))
