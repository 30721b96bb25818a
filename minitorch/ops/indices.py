"""What users write between brackets, brought into one form: a tuple of integers, slices, None, Ellipsis and arrays."""

from __future__ import annotations

import math
import warnings
from typing import Any, Final

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.dims import shapes, whole


def is_basic(index: tuple[Any, ...]) -> bool:
    """Whether an index holds integers, slices, None and Ellipsis only, so that it selects a view."""
    return not any(backend.is_array(entry) for entry in index)


def arrays_of(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arrays of an index; a rule saves them, so that a change of one in place is detected."""
    return tuple(entry for entry in index if backend.is_array(entry))


def is_integers(entry: Any) -> bool:
    return backend.is_array(entry) and entry.dtype.kind in "iu"


def normalized_index(name: str, a: Any, index: Any) -> tuple[Any, ...]:
    """`index` in a form for NumPy and CuPy, arrays on the device of `a`; raises IndexError beyond it, TypeError for floats."""
    nested = isinstance(index, tuple) or (isinstance(index, list) and _holds_entries(name, index))
    out = [_entry(name, a, entry, nested) for entry in (index if nested else (index,))]
    if array_module(a) is not np:
        _check_range(name, a, out)
    # with Ellipsis a full set of integers gives a 0-d view, not a scalar
    return tuple(out) if any(entry is Ellipsis for entry in out) else (*out, Ellipsis)


def _holds_entries(name: str, index: list[Any]) -> bool:
    """Whether a list is an index for each dimension, as in PyTorch: a short one that holds more than plain numbers."""
    kinds = (Tensor, list, tuple, range, np.ndarray, slice, type(None), type(Ellipsis))
    if not (len(index) < 32 and any(isinstance(entry, kinds) for entry in index)):
        return False
    said = "a list of tensors, sequences or slices is an index for each dimension, as in PyTorch; write x[tuple(index)]"
    warnings.warn(f"{name}: {said}, or x[tensor(index)] for the rows", stacklevel=5)
    return True


def _entry(name: str, a: Any, entry: Any, nested: bool) -> Any:
    """An entry of an index as an int (also for a 0-d tensor), a slice, None, Ellipsis or an array; a nested tuple is a list."""
    tensor = isinstance(entry, Tensor)
    if tensor:
        entry = entry.array
    if isinstance(entry, (list, range, np.ndarray)) or (isinstance(entry, tuple) and nested):
        numbers = entry if isinstance(entry, np.ndarray) else [e.item() if isinstance(e, Tensor) else e for e in entry]
        entry = array_module(a).asarray(numbers)
        if entry.size == 0 and entry.dtype.kind == "f" and not tensor:
            entry = entry.astype(backend.int64)  # an empty list
    elif isinstance(entry, (np.integer, np.bool_)):
        return entry.item()
    if backend.is_array(entry):
        if array_module(entry) is not array_module(a):
            where, on = backend.device_of(a), backend.device_of(entry)
            raise RuntimeError(f"{name}: a tensor on {where} is indexed by one on {on}; move it with .to()")
        if entry.dtype.kind not in "iub":
            raise TypeError(f"{name}: expected integer or boolean indices, got {entry.dtype}")
        if entry.dtype == backend.uint8:
            warnings.warn(f"{name}: a uint8 index is taken as a mask, as in PyTorch; use bool or int64", stacklevel=4)
            return entry.astype(backend.bool_)
        return entry if entry.ndim or entry.dtype.kind == "b" else int(entry)  # which selects a view, as in PyTorch
    elif isinstance(entry, float):
        raise TypeError(f"{name}: expected integers, slices, tensors, None or ..., got {entry!r}")
    elif isinstance(entry, slice):
        bounds = entry.start, entry.stop, entry.step
        return slice(*(b if b is None or isinstance(b, bool) else whole(name, "a slice's bound", b) for b in bounds))
    return entry


def integers_first(index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """(integers and slices, arrays) to index with in turn, as in PyTorch, where integers stand apart from arrays, or None."""
    if len(index) - (index[-1] is Ellipsis) < 3:  # nothing stands between two
        return None
    integers = [i for i, entry in enumerate(index) if type(entry) is int]
    chosen = [i for i, entry in enumerate(index) if i in integers or backend.is_array(entry)]
    if not integers or len(chosen) == len(integers) or chosen[-1] - chosen[0] < len(chosen):
        return None
    basic: list[Any] = []
    for entry in index:
        basic += (slice(None),) * _dims_of(entry) if backend.is_array(entry) else [entry]
    kept = [entry for i, entry in enumerate(index) if i not in integers]
    return tuple(basic), tuple(entry if backend.is_array(entry) or entry is Ellipsis else slice(None) for entry in kept)


def _check_range(name: str, a: Any, entries: list[Any]) -> None:
    taken = [0 if entry is None or entry is Ellipsis or isinstance(entry, bool) else _dims_of(entry) for entry in entries]
    dim = 0
    for i, entry in enumerate(entries):
        if entry is Ellipsis:
            dim = a.ndim - sum(taken[i:])
        elif is_integers(entry) and entry.size and dim < a.ndim:
            low, high, length = int(entry.min()), int(entry.max()), a.shape[dim]
            if low < -length or high >= length:
                worst = low if low < -length else high
                raise IndexError(f"{name}: an index of {worst} for dim {dim} of length {length} (shape {shapes(a)})")
        dim += taken[i]


def _dims_of(entry: Any) -> int:
    """How many dimensions an entry of an index takes up: a mask as many as it has."""
    return entry.ndim if backend.is_array(entry) and entry.dtype.kind == "b" else 1


def check_range(name: str, index: Any, dim: int, shape: tuple[int, ...], least: int = 0) -> None:
    """Raise IndexError unless all of an integer array `index` lie from `least` to the length of `dim`."""
    length = (shape or (1,))[dim]
    if index.size and not least <= int(index.min()) <= int(index.max()) < length:
        given = f"dim {dim} of length {length} (input {tuple(shape)})"
        raise IndexError(f"{name}: an index outside {least}..{length - 1} for {given}")


# ---- places in memory ----------------------------------------------------------------------------------------------------

FEW: Final = 1000  # elements below which NumPy's own way is as fast


def places(index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The positions in a contiguous array of `shape` that integer arrays after whole slices name; None for another index."""
    while index and (index[-1] is Ellipsis or _is_whole(index[-1])):
        index = index[:-1]
    first = next((i for i, entry in enumerate(index) if not _is_whole(entry)), len(index))
    named = index[first:]
    if not named or not all(map(is_integers, named)):
        return None
    after = max(entry.ndim for entry in named)
    xp = array_module(named[0])
    found: Any = 0
    for d, n in enumerate(shape[: len(index)]):
        entry = xp.arange(n).reshape((n,) + (1,) * (first - d - 1 + after)) if d < first else index[d]
        entry = entry.astype(backend.int64, copy=False)
        found = found * n + (xp.where(entry < 0, entry + n, entry) if entry.size and entry.min() < 0 else entry)
    if len(index) == len(shape):
        return found
    width = math.prod(shape[len(index) :])
    return found[..., None] * width + xp.arange(width)


def rows(a: Any, at: Any) -> Any:
    """`a[at]` for integers, by `take` in 0.4 of the time for 1,600 rows of 64; it would copy an `a` that is not contiguous."""
    if type(a) is not np.ndarray or not a.flags.c_contiguous:
        return a[at]
    return a.take(at.astype(backend.int64, copy=False), 0)


def grid(index: Any, dim: int) -> tuple[Any, ...]:
    """`index` along `dim` as an index of arrays, one for each dimension."""
    xp, shape = array_module(index), index.shape
    others = [xp.arange(n).reshape([n if i == d else 1 for i in range(len(shape))]) for d, n in enumerate(shape)]
    return (*others[:dim], index, *others[dim + 1 :])


def _is_whole(entry: Any) -> bool:
    return isinstance(entry, slice) and entry == slice(None)


def add_at(out: Any, index: tuple[Any, ...], values: Any) -> None:
    """Add `values` to the contiguous array `out` at `index`, once for each time a place is named, in the order of the index.

    NumPy is faster along one axis: by places in memory, 409,600 numbers for (4096, 1000) take 0.46 of the time, 4,096
    rows of 256 for a table of 50,000 take 0.40, and 100,000 rows of 64 take 0.47.
    """
    xp = array_module(out)
    if xp is np and len(index) == 1 and is_integers(index[0]) and out.dtype.char in "fd" and values.size >= FEW:
        at = index[0].astype(backend.int64, copy=False).reshape(-1)
        values = values.reshape(-1, *out.shape[1:])
        left = _add_rows(out.reshape(len(out), -1), at, values.reshape(len(at), -1))
        index, values = (index, values) if left.size == len(at) else ((at.take(left),), values.take(left, 0))
    at = places(index, out.shape) if xp is np and values.size >= FEW else None
    if xp is not np and out.dtype.kind == "c":  # CuPy adds whole numbers of 32 and 64 bits, and real ones
        for part, more in (out.real, values.real), (out.imag, values.imag):
            xp.add.at(part, index, more)
    elif out.dtype == backend.float16 or (xp is not np and out.dtype.kind in "biu" and out.dtype.itemsize < 4):
        wide = out.astype(backend.float32 if out.dtype.kind == "f" else backend.int32)  # sums of float16 end at 2048
        add_at(wide, index, values.astype(wide.dtype))
        out[...] = wide
    elif at is None:
        xp.add.at(out, index, values)
    else:
        xp.add.at(out.reshape(-1), at.reshape(-1), values.reshape(-1))


def _add_rows(out: Any, at: Any, values: Any) -> Any:
    """Add `values` to the rows `at` of `out`: the first of each row at once, then the second of each; returns which are left.

    A row gets its values in their order, as by `np.add.at`, which takes 1.6 times as long for 1,600 rows of 64 among 1,000 and
    3 times for 4,096 rows of 256. Where few rows are named often, or rows are short, that is faster: those are left.
    """
    xp = array_module(out)
    left, turn = xp.arange(len(at)), xp.empty(len(out), backend.int64)
    while min(out.shape[0], len(at)) * out.shape[1] > (least := 10 * len(at) + 20_000):  # what a turn costs in numbers added
        turn[at[::-1]] = xp.arange(len(at))[::-1]
        first = turn.take(at) == xp.arange(len(at))
        now, later = first.nonzero()[0], (~first).nonzero()[0]
        if now.size * out.shape[1] < least:
            break
        named = at.take(now)
        sums = out.take(named, 0)
        sums += values.take(left.take(now), 0)
        out[named] = sums
        left, at = left.take(later), at.take(later)
    return left
