"""Dropout: units set to zero at random, the others scaled up so that the expectation stays (Srivastava et al. 2014)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, float32
from minitorch.ops.arithmetic import Mul
from minitorch.ops.dims import shapes
from minitorch.ops.inplace import doable_in_place
from minitorch.ops.promotion import check_floats
from minitorch.random import Generator, default_generator


def _kept(shape: tuple[int, ...], p: float, like: Any, generator: Generator) -> Any:
    """A boolean array of `shape`, each element true with probability 1 - p."""
    xp = array_module(like)
    if xp is not np:
        return generator.cupy().random(shape, dtype=float32) >= p
    # 32 random bits an element, compared with p in units of 2^-32: half the time of drawing floats
    count = math.prod(shape)
    bits = generator.numpy.bit_generator.random_raw((count + 1) // 2).view(np.uint32)[:count]
    return (bits >= np.uint32(min(int(p * 2**32), 2**32 - 1))).reshape(shape)


@doable_in_place
def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Each element zero with probability `p` in [0, 1], else divided by 1 - p; `input` itself where `training` is False."""
    return _dropped("dropout", input, input.shape, p, training, generator)


@doable_in_place
def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Like `dropout`, for whole channels (Tompson et al. 2015), the second of 2 to 4 dimensions (n, channels, h, w)."""
    if input.ndim not in (2, 3, 4):
        raise ValueError(f"dropout2d: expected images (n, channels, height, width), got shape {shapes(input)}")
    return _dropped("dropout2d", input, (*input.shape[:2], 1, 1)[: input.ndim], p, training, generator)


def _dropped(name: str, input: Tensor, shape: tuple[int, ...], p: float, training: bool, generator: Generator | None) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: expected a probability p from 0 to 1, got {p}")
    if not (training and p):
        return input
    check_floats(name, input)
    factor = _kept(shape, p, input.array, generator or default_generator).astype(input.dtype)
    factor *= 1 / (1 - p) if p < 1 else 0.0
    return Mul.apply(input, wrap(factor))
