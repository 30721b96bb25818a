"""Arrays in pieces, for computations of several passes: a piece stays in the processor's cache between the passes.

On a GPU, which is bound by launches, an array is one piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from minitorch.backend import array_module

STRIP: Final = 2**16  # elements of an array in a piece: 2**14 takes 1.2 times as long, all at once up to 1.5 times


def strips(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Pieces of arrays of one shape, cut alike, as views."""
    first = arrays[0]
    if first.size <= STRIP or array_module(first) is not np:
        return iter((arrays,))
    if all(array.flags.c_contiguous for array in arrays):
        return _cut(0, [array.reshape(-1) for array in arrays])
    slowest = max(range(first.ndim), key=lambda d: first.strides[d] if first.shape[d] > 1 else 0)
    return _cut(slowest, arrays)


def along(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Pieces of arrays that have as many rows, cut alike, as views; the first is the largest."""
    first = arrays[0]
    if first.size <= 4 * STRIP or array_module(first) is not np:
        return iter((arrays,))
    return _cut(0, arrays, 4 * STRIP)  # with sums, each piece costs more


def _cut(axis: int, arrays: Any, elements: int = STRIP) -> Iterator[tuple[Any, ...]]:
    length = arrays[0].shape[axis]
    each = max(1, elements * length // arrays[0].size)
    for start in range(0, length, each):
        piece = (*(slice(None),) * axis, slice(start, start + each))
        yield tuple(array[piece] for array in arrays)
