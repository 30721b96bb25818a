"""Arrays in pieces, for computations of several passes: a piece stays in the processor's cache between the passes.

On a GPU, which is bound by launches, an array is one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from minitorch.backend import array_module
from minitorch.threads import CHEAP, PIECE, cut, get_num_threads, run

# Elements of an array in a piece. Smaller ones take longer, above all in two threads, since each of NumPy's calls has to wait
# for the interpreter's lock: gelu of 4 million in pieces of 2**15, 2**16, 2**17 takes 16.1, 15.0, 14.7 ms in one thread, and
# 12.7, 9.6, 8.3 ms in two. Larger ones leave the cache, and all at once takes up to 1.5 times as long.
STRIP: Final = 2**17


def strips(*arrays: Any, most: int = STRIP) -> list[tuple[Any, ...]]:
    """Pieces of arrays of one shape, cut alike, as views, for `threads.run`."""
    first = arrays[0]
    if first.size <= most or array_module(first) is not np:
        return [arrays]
    if all(array.flags.c_contiguous for array in arrays):
        return cut(0, [array.reshape(-1) for array in arrays], most)
    slowest = max(range(first.ndim), key=lambda d: first.strides[d] if first.shape[d] > 1 else 0)
    return cut(slowest, arrays, most)


def passes(*arrays: Any) -> list[tuple[Any, ...]]:
    """Pieces for a pass or two, bound by memory: one piece in one thread, where several take up to 1.2 times as long."""
    return strips(*arrays) if arrays[0].size >= CHEAP and get_num_threads() > 1 else [arrays]


def along(*arrays: Any, least: int = PIECE) -> list[tuple[Any, ...]]:
    """Pieces of arrays with as many rows, cut alike, as views; the first is the largest, and has more than `least` elements."""
    first = arrays[0]
    if first.size <= least or array_module(first) is not np:
        return [arrays]
    return cut(0, arrays, PIECE)


def each_row(formula: Callable[..., Any], *arrays: Any, dtype: Any = None) -> Any:
    """`formula(*arrays)`, of arrays with as many rows, each row alone: like the first, or of `dtype`; large ones are shared."""
    first = arrays[0]
    if type(first) is not np.ndarray or first.size <= PIECE:
        return formula(*arrays)
    out = array_module(first).empty_like(first, dtype=dtype)

    def compute(*parts: Any) -> None:
        parts[-1][...] = formula(*parts[:-1])

    run(compute, along(*arrays, out))
    return out


def each(formula: Callable[..., Any], *operands: Any) -> Any:
    """`formula(*operands)`, of each element alone: large arrays that lie alike in memory are shared out among threads.

    Operands that are no arrays, such as numbers, go to each piece. A result must not depend on where an array is cut: that of
    arithmetic and choices does not, and that of NumPy's other functions did not wherever it was tested.
    """
    first = operands[0]
    if type(first) is not np.ndarray or first.size <= PIECE:
        return formula(*operands)
    exact = not hasattr(formula, "nin")
    arrays = [value for value in operands if type(value) is np.ndarray]
    if any(array.shape != first.shape for array in arrays) or (exact and get_num_threads() == 1):
        return formula(*operands)
    dtype = formula(*(value[:0] if type(value) is np.ndarray else value for value in operands)).dtype
    out = array_module(first).empty_like(first, dtype=dtype)
    if len({tuple(step // array.itemsize for step in array.strides) for array in (*arrays, out)}) > 1:
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
