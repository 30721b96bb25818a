"""Arrays in pieces, for computations of several passes: a piece stays in the processor's cache between the passes.

On a GPU, which is bound by launches, an array is one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from minitorch.backend import array_module
from minitorch.threads import get_num_threads, run

# Elements of an array in a piece. For gelu 2**14 takes 1.2 times as long as 2**16, all at once up to 1.5 times; for a formula of
# three operations with temporary arrays, 2**16 takes 1.4 times as long as 2**18; and with sums, each piece costs more.
STRIP: Final = 2**16
PIECE: Final = 2**18  # of a formula, or of rows with sums


def strips(*arrays: Any, most: int = STRIP) -> list[tuple[Any, ...]]:
    """Pieces of arrays of one shape, cut alike, as views, for `threads.run`."""
    first = arrays[0]
    if first.size <= most or array_module(first) is not np:
        return [arrays]
    if all(array.flags.c_contiguous for array in arrays):
        return _cut(0, [array.reshape(-1) for array in arrays], most)
    slowest = max(range(first.ndim), key=lambda d: first.strides[d] if first.shape[d] > 1 else 0)
    return _cut(slowest, arrays, most)


def along(*arrays: Any) -> list[tuple[Any, ...]]:
    """Pieces of arrays that have as many rows, cut alike, as views; the first is the largest."""
    first = arrays[0]
    if first.size <= PIECE or array_module(first) is not np:
        return [arrays]
    return _cut(0, arrays, PIECE)


def each(formula: Callable[..., Any], *operands: Any) -> Any:
    """`formula(*operands)`, of each element alone: large arrays that lie alike in memory are shared out among threads.

    Operands that are no arrays, such as numbers, go to each piece. A formula that is no function of NumPy must consist of
    arithmetic and choices, whose results are exact or rounded in one way, however the arrays are cut.
    """
    first, exact = operands[0], not hasattr(formula, "nin")
    if type(first) is not np.ndarray or first.size <= PIECE or (exact and get_num_threads() == 1):
        return formula(*operands)
    arrays = [value for value in operands if type(value) is np.ndarray]
    dtype = formula(*(value[:0] if type(value) is np.ndarray and value.ndim else value for value in operands)).dtype
    out = array_module(first).empty_like(first, dtype=dtype)
    if len({(array.shape, *(step // array.itemsize for step in array.strides)) for array in (*arrays, out)}) > 1:
        return formula(*operands)

    def compute(*parts: Any) -> None:
        left = iter(parts)
        given = [next(left) if type(value) is np.ndarray else value for value in operands]
        if exact:
            parts[-1][...] = formula(*given)
        else:
            formula(*given, out=parts[-1])

    run(compute, strips(*arrays, out, most=PIECE))
    return out


def _cut(axis: int, arrays: Any, elements: int) -> list[tuple[Any, ...]]:
    length, before = arrays[0].shape[axis], (slice(None),) * axis
    each = max(1, elements * length // arrays[0].size)
    pieces = [(*before, slice(start, start + each)) for start in range(0, length, each)]
    return list(zip(*([array[piece] for piece in pieces] for array in arrays)))
