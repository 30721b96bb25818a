"""How minitorch adds up many numbers: one policy for every sum, forward or inside a backward rule.

NumPy adds pairwise along the axis that is fastest in memory, but the rows of a slower axis one by one, with an error that grows
with their count: the mean of (1_000_000, 3) tenths over dim 0 was 0.101. `total` adds at most `CHAIN` numbers one by one, along
any axis of any layout, and then the partial sums in the same way: for 10 million float32 numbers the error stays below 2e-6 of
the sum of magnitudes. float16 is added in float32, and the caller rounds once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, TypeVar, cast

import numpy as np

from minitorch import backend
from minitorch.backend import array_module
from minitorch.threads import CHEAP, LEAST, PIECE, cut, run

F = TypeVar("F", bound=Callable[..., Any])

CHAIN: Final = 128  # numbers added one by one without partial sums; for equal numbers the error is up to 1.9e-6 of the sum
ROWS: Final = 32  # rows of a slow axis in one partial sum; (10000, 1000) over dim 0 takes as long as NumPy's own sum
LANES: Final = 2048  # rows shorter than half of this are put side by side: (1_000_000, 3) takes 1/20 of NumPy's time
SEVERAL: Final = 2**12  # elements of rows from which on einsum adds them up; of fewer its call costs more than it gains
PRODUCT: Final = 256  # numbers that one product adds up
SLAB: Final = 2**17  # elements whose running sums are computed at a time


def total(a: Any, dims: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum of an array over `dims`: in float32 for float16 (not rounded back), in int64 for integers and booleans."""
    if a.dtype.kind not in "fc":
        return a.sum(dims, keepdims=keepdims, dtype=backend.int64)
    if a.dtype == backend.float16:
        a = a.astype(backend.float32)
    count = 1
    for d in dims:
        count *= a.shape[d]
    in_rows = dims == (a.ndim - 1,) and a.size > count and a.size >= SEVERAL and a.flags.c_contiguous
    whole = count == a.size and a.flags.forc
    if not in_rows and (count <= CHAIN or not a.size or (whole and (a.size < CHEAP or array_module(a) is not np))):
        return a.sum(dims, keepdims=keepdims)
    if in_rows or whole:
        out = _of_rows(a.ravel("K").reshape(-1, count))
        return out.reshape([1 if d in dims else n for d, n in enumerate(a.shape) if keepdims or d not in dims])
    repeated = 0 in a.strides and [n for n, stride in zip(a.shape, a.strides) if n > 1 and not stride]
    out = _unrepeated(a, dims) if repeated else _in_memory_order(a, dims)
    return out.reshape([1 if d in dims else n for d, n in enumerate(a.shape) if keepdims or d not in dims])


def _of_rows(a: Any) -> Any:
    """The sum over the last dimension, kept; of short rows by einsum, which adds up in 16 lanes, at most 32 numbers in each.

    That takes 0.2 of the time of NumPy's sum for rows of 32 and 0.3 for rows of 384. Long rows are cut into halves and added up
    where newer NumPy does it itself: NumPy to 2.2 adds blocks of 8,192 numbers one after another.
    """
    xp, n = array_module(a), a.shape[-1]
    if xp is np and n <= 4 * CHAIN and a.dtype.char in "fd" and a.flags.c_contiguous:
        rows, out = a.reshape(-1, n), xp.empty(a.size // n, a.dtype)
        shares = cut(0, (rows, out)) if a.size >= CHEAP else [(rows, out)]
        run(lambda some, sums: xp.einsum("ij->i", some, out=sums), shares, CHEAP)
        return out.reshape(*a.shape[:-1], 1)
    if a.size < CHEAP or xp is not np:
        return a.sum(-1, keepdims=True)
    pieces = [a]
    while n >= CHEAP and pieces[-1].shape[-1] > PIECE:
        halves = [(piece, piece.shape[-1] // 16 * 8) for piece in pieces]  # the first has a multiple of 8 numbers
        pieces = [part for piece, half in halves for part in (piece[..., :half], piece[..., half:])]
    out = xp.empty((len(pieces), *a.shape[:-1], 1), a.dtype)
    shares = list(zip(pieces, out)) if len(pieces) > 1 else cut(0, (a, out[0]))
    run(lambda some, sums: some.sum(-1, keepdims=True, out=sums), shares, CHEAP)
    while len(out) > 1:
        out = out[::2] + out[1::2]
    return out[0]


def _unrepeated(a: Any, dims: tuple[int, ...]) -> Any:
    """`total` of an expanded array, dims kept: repeated numbers are added once and the sum is multiplied."""
    once = a[tuple(slice(1) if stride == 0 else slice(None) for stride in a.strides)]
    times = math.prod(a.shape[d] for d in dims if a.strides[d] == 0)
    shape = [1 if d in dims else n for d, n in enumerate(a.shape)]
    return array_module(a).broadcast_to(total(once, dims, keepdims=True) * times, shape).copy()


def _in_memory_order(a: Any, dims: tuple[int, ...]) -> Any:
    """`total`, dims kept, with the axes of `a` sorted from slow to fast in memory, and adjacent ones merged."""
    order = sorted((d for d in range(a.ndim) if a.shape[d] > 1), key=lambda d: -abs(a.strides[d]))
    groups: list[list[int]] = []
    for d in order:
        last = groups[-1][-1] if groups else d
        if groups and (last in dims) == (d in dims) and a.strides[last] == a.strides[d] * a.shape[d]:
            groups[-1].append(d)
        else:
            groups.append([d])
    ones = [d for d in range(a.ndim) if a.shape[d] == 1]
    merged = a.transpose(order + ones).reshape([math.prod(a.shape[d] for d in group) for group in groups])
    out = _added(merged, [i for i, group in enumerate(groups) if group[0] in dims])
    kept = out.reshape([1 if d in dims else a.shape[d] for d in order + ones])
    return kept.transpose([(order + ones).index(d) for d in range(a.ndim)])


def _added(a: Any, axes: list[int]) -> Any:
    """The sum over `axes`, slow ones first, each kept with length one."""
    pairwise = a.shape[-1] if a.ndim - 1 in axes else 1  # NumPy adds this many pairwise, and then such sums one by one
    if math.prod(a.shape[i] for i in axes) <= CHAIN * pairwise:
        return _of_rows(a) if a.ndim > 1 and axes == [a.ndim - 1] else a.sum(tuple(axes), keepdims=True)
    if pairwise > ROWS:
        return _added(_of_rows(a), axes[:-1])
    return _added(_slow(a, axes[0]), axes[1:])


def _slow(a: Any, axis: int) -> Any:
    """The sum over an axis that is not the fastest, kept with length one."""
    n, lead = a.shape[axis], (slice(None),) * axis
    side = 1  # rows put side by side, a power of two
    while 2 * side * math.prod(a.shape[axis + 1 :]) <= LANES and 2 * side * ROWS <= n:
        side *= 2
    if side == 1:
        return _rows(a, axis)
    sums = _rows(_split(a, axis, side), axis)[(*lead, 0)]
    rest = a[(*lead, slice(n - n % side, n))]
    sums[(*lead, slice(rest.shape[axis]))] += rest
    while side > 1:
        side //= 2
        sums = sums[(*lead, slice(side))] + sums[(*lead, slice(side, None))]
    return sums


def _rows(a: Any, axis: int) -> Any:
    """The sum over `axis`, kept, as partial sums of `ROWS` rows, which are then summed in the same way."""
    n, lead = a.shape[axis], (slice(None),) * axis
    if n <= ROWS:
        return a.sum(axis, keepdims=True)
    whole = n // ROWS
    partial = array_module(a).empty((*a.shape[:axis], -(-n // ROWS), *a.shape[axis + 1 :]), a.dtype)
    rows, sums = _split(a, axis, ROWS), partial[(*lead, slice(whole))]
    shares = cut(0, (rows, sums)) if a.size >= CHEAP and array_module(a) is np else [(rows, sums)]
    run(lambda rows, sums: rows.sum(axis + 1, out=sums), shares, CHEAP)
    if n % ROWS:
        a[(*lead, slice(whole * ROWS, None))].sum(axis, keepdims=True, out=partial[(*lead, slice(whole, None))])
    return _rows(partial, axis)


def _split(a: Any, axis: int, length: int) -> Any:
    """`axis` as two, the second of `length`, without a copy; an incomplete rest is left out."""
    n = a.shape[axis] // length
    return a[(slice(None),) * axis + (slice(n * length),)].reshape(*a.shape[:axis], n, length, *a.shape[axis + 1 :])


def running_total(a: Any, dim: int, backwards: bool = False) -> Any:
    """The running sums along `dim`, or from its end, computed in double precision; float16 and float32 give float32.

    Slabs of `SLAB` elements keep the double numbers in the cache: (3000, 3000) along dim 1 takes 35 ms, all at once 56.
    """
    xp = array_module(a)
    end = (slice(None),) * dim + (slice(None, None, -1 if backwards else None),)
    out = xp.empty(a.shape, _SINGLE.get(a.dtype.char, a.dtype if a.dtype.kind in "fc" else backend.int64))
    turned, into = a[end], out[end]
    wide = {"f": backend.float64, "c": backend.complex128}.get(a.dtype.kind, backend.int64)
    each = max(1, SLAB * a.shape[0] // max(a.size, 1)) if xp is np else max(1, a.shape[0])

    def add(turned: Any, into: Any) -> None:
        carried = 0
        for start in range(0, turned.shape[0], each):
            part = turned[start : start + each].cumsum(dim, dtype=wide)
            if dim == 0 and start:
                part += carried
            carried = part[-1]
            into[start : start + each] = part

    columns = not dim and a.ndim > 1 and a.size >= LEAST and xp is np  # which do not depend on each other
    run(add, cut(1, (turned, into), a.size // 4) if columns else [(turned, into)])
    return out


_SINGLE = {"e": backend.float32, "F": backend.complex64}


def rounded(sums: Any, like: Any) -> Any:
    """The result of `total` in the dtype that the sum of `like` should have: float16 again for float16."""
    return sums.astype(backend.float16) if like.dtype == backend.float16 else sums


def in_float32(function: F) -> F:
    """Make `function` compute float16 tensors in float32, its gradients too, and round its result to float16 once.

    A mixture of floating dtypes is passed on, so that `function` raises its own error.
    """

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        first = args[0] if args else next(iter(options.values()), None)
        if getattr(first, "dtype", None) is not backend.float16:
            return function(*args, **options)
        tensors = [value for value in (*args, *options.values()) if hasattr(value, "type") and hasattr(value, "dtype")]
        if {value.dtype for value in tensors if value.dtype.kind in "fc"} != {backend.float16}:
            return function(*args, **options)
        halves = {id(value) for value in tensors if value.dtype == backend.float16}
        wide = [value.type(backend.float32) if id(value) in halves else value for value in (*args, *options.values())]
        return function(*wide[: len(args)], **dict(zip(options, wide[len(args) :]))).type(backend.float16)

    return cast(F, run)


def products(a: Any, b: Any) -> Any:
    """a @ b for two vectors, in pieces of 16 times `PRODUCT` numbers: one product of 10 million was off by 1e-3."""
    n, most = a.shape[0], 16 * PRODUCT  # BLAS adds in 16 lanes or more
    if n <= most:
        return a @ b
    whole = n - n % most
    parts = a[:whole].reshape(-1, 1, most) @ b[:whole].reshape(-1, most, 1)
    return total(parts, (0, 1, 2)) + a[whole:] @ b[whole:]


def row_total(rows: Any) -> Any:
    """The sum of contiguous `rows` (n, c), as a product of ones with at most `PRODUCT` rows, each made of several."""
    n, c = rows.shape
    ones = _ones(array_module(rows), rows.dtype)
    if n <= PRODUCT:
        return ones[:n] @ rows
    side = _side(n)
    count = n // side
    out = row_total((ones[:count] @ rows[: count * side].reshape(count, side * c)).reshape(side, c))
    if count * side < n:
        out += row_total(rows[count * side :])
    return out


@functools.lru_cache
def _side(n: int) -> int:
    """How many of `n` rows to put side by side, if possible without a rest: (14400, 32) then takes 27 microseconds, else 37."""
    least = -(-n // PRODUCT)
    return next((side for side in range(least, 2 * least) if n % side == 0), least)


@functools.lru_cache
def _ones(xp: ModuleType, dtype: np.dtype) -> Any:
    return xp.ones(PRODUCT, dtype)
