"""Values taken from, put at and added to places along a dimension: the operations of `index.py`, their places spelled out."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, bool_, int32, int64
from minitorch.ops.dims import along, dimension, shapes, whole
from minitorch.ops.index import AddAt, Gather, ScatterAlong, SetItem, Take, getitem
from minitorch.ops.indices import check_range, grid
from minitorch.ops.joining import atleast_1d, broadcast_tensors
from minitorch.ops.promotion import held
from minitorch.ops.shape import reshape


def _checked(name: str, input: Tensor, dim: int, index: Tensor, src: Any = None) -> int:
    """The dim counted from the front; refuses an index or a source that does not fit."""
    dim = dimension(name, input.shape, dim)
    whole, sizes = input.shape or (1,), index.shape or (1,)
    if index.dtype.kind not in "iu" or (index.numel() and len(sizes) != len(whole)):
        given = f"{index.dtype} of shape {shapes(index)}"
        raise ValueError(f"{name}: expected an integer index of {input.ndim} dimensions, got {given}")
    longer = any(n > m for d, (n, m) in enumerate(zip(sizes, whole)) if d != dim)
    if isinstance(src, Tensor):
        if src.dtype != input.dtype:
            raise TypeError(f"{name}: expected one dtype, got {input.dtype} and {src.dtype}")
        source = src.shape or (1,)
        longer = longer or len(source) != len(sizes) or any(n > m for n, m in zip(sizes, source))
    if index.numel() and longer:
        fits = shapes(input, src) if isinstance(src, Tensor) else shapes(input)
        raise ValueError(f"{name}: an index of shape {shapes(index)} does not fit an input of shape {fits}")
    check_range(name, index.array, dim, input.shape)
    return dim


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The elements of `input` at an integer `index` along `dim`: `out[i][j] = input[index[i][j]][j]` for dim 0.

    Raises IndexError for an index out of range, ValueError for a shape that does not fit; an empty index always fits.
    """
    dim = _checked("gather", input, dim, index)
    if not index.numel():
        return input.reshape(-1)[:0].reshape(index.shape)
    out = Gather.apply(atleast_1d(input), atleast_1d(index), dim=dim)
    return out if input.ndim and index.ndim else reshape(out, index.shape)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices that a 1-d integer `index` names along `dim`; raises IndexError for one out of range, a negative one too."""
    if index.ndim > 1 or (not input.ndim and index.numel() != 1):
        given = f"index {shapes(index)}, input {shapes(input)}"
        raise ValueError(f"index_select: expected a 1-d index (of one number if the input is 0-d), got {given}")
    if index.dtype.kind not in "iu":
        raise TypeError(f"index_select: expected an integer index, got {index.dtype}")
    dim = dimension("index_select", input.shape, dim)
    check_range("index_select", index.array, dim, input.shape)
    return Take.apply(atleast_1d(input), index=along(dim, index.array.reshape(-1 if input.ndim else ())))


def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | float, *, reduce: str | None = None) -> Tensor:
    """A copy of `input` with `src`, a tensor or a number, at `index` along `dim`: `out[index[i][j]][j] = src[i][j]` for dim 0.

    `reduce="add"` adds instead, `"multiply"` multiplies by a number; of an index that occurs twice the last counts. Raises
    IndexError for an index out of range, ValueError for shapes that do not fit, TypeError for a source of another dtype.
    """
    dim = _checked("scatter", input, dim, index, src)
    if not index.numel():
        return input.clone()
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter: expected reduce 'add' or 'multiply', got {reduce!r}")
    xp, sizes, whole = array_module(input.array), index.shape or (1,), input.shape or (1,)
    if reduce == "multiply":
        if isinstance(src, Tensor):
            raise ValueError("scatter: only a number is supported, got a tensor, with reduce='multiply'")
        times = ScatterAlong.apply(xp.ones(sizes, int64), index.array.reshape(sizes), shape=whole, dim=dim)
        return input * wrap((xp.full(whole, src, input.dtype) ** times).astype(input.dtype).reshape(input.shape))
    if reduce == "add":
        values = src if isinstance(src, Tensor) else wrap(xp.full(index.shape, src, input.dtype))
        return scatter_add(input, dim, index, values)
    value: Any = _first(src, index) if isinstance(src, Tensor) else held("scatter", src, input.dtype)
    return reshape(SetItem.apply(atleast_1d(input), value, index=grid(index.array.reshape(sizes), dim)), input.shape)


def _first(src: Tensor, index: Tensor) -> Tensor:
    """The part of `src` that belongs to `index`, which may be shorter."""
    src, sizes = atleast_1d(src), index.shape or (1,)
    return src if src.shape == sizes else src[tuple(slice(n) for n in sizes)]


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of `input` with `src` added at `index` along `dim`, once for each time a place is named."""
    dim = _checked("scatter_add", input, dim, index, src)
    if not index.numel():
        return input.clone()
    added = ScatterAlong.apply(_first(src, index), atleast_1d(index), shape=input.shape or (1,), dim=dim)
    return input + reshape(added, input.shape)


def _slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor | None = None, least: int = 0) -> tuple[Any, ...]:
    """The places of whole slices that a 1-d `index` names along `dim`, as an index; refuses what does not fit."""
    dim, whole = dimension(name, input.shape, dim), input.shape or (1,)
    if index.dtype not in (int64, int32):
        raise TypeError(f"{name}: expected an int32 or int64 index, got {index.dtype}")
    if source is not None and source.dtype != input.dtype:
        raise TypeError(f"{name}: expected one dtype, got {input.dtype} and {source.dtype}")
    wanted = (*whole[:dim], index.numel(), *whole[dim + 1 :])
    if index.ndim > 1 or (source is not None and (source.shape or (1,)) != wanted):
        given = shapes(index) if source is None else shapes(index, source)
        raise ValueError(f"{name}: expected a 1-d index and slices of {shapes(input)} along dim {dim}, got {given}")
    check_range(name, index.array, dim, input.shape, least)
    return along(dim, index.array.reshape(-1))


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of `input` with `alpha * source` added to the slices that `index` names along `dim`."""
    places = _slices("index_add", input, dim, index, source)
    added = AddAt.apply(atleast_1d(source if alpha == 1 else source * alpha), index=places, shape=input.shape or (1,))
    return input + reshape(added, input.shape)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of `input` with the slices of `source` at those that `index` names along `dim`."""
    places = _slices("index_copy", input, dim, index, source)
    return reshape(SetItem.apply(atleast_1d(input), atleast_1d(source), index=places), input.shape)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | float) -> Tensor:
    """A copy of `input` with `value`, a number or a 0-d tensor, in the slices that `index` names along `dim`."""
    if isinstance(value, Tensor) and value.ndim:
        raise ValueError(f"index_fill: expected a number or a 0-d tensor, got shape {shapes(value)}")
    dim = dimension("index_fill", input.shape, dim)
    value = value if isinstance(value, Tensor) else held("index_fill", value, input.dtype)
    places = _slices("index_fill", input, dim, index, least=-(input.shape or (1,))[dim])
    places = (*places[:-1], array_module(index.array).unique(places[-1]))  # the gradient of a place named twice counts once
    return reshape(SetItem.apply(atleast_1d(input), value, index=places), input.shape)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the boolean `mask`, broadcast, holds, in one dimension."""
    if mask.dtype != bool_:
        raise TypeError(f"masked_select: expected a boolean mask, got {mask.dtype}")
    return getitem(*broadcast_tensors(input, mask))


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """`length` slices along `dim` from `start` on, as a view; raises IndexError beyond the dimension."""
    if not input.ndim:
        raise ValueError("narrow: expected at least one dimension, got a 0-d tensor")
    dim = dimension("narrow", input.shape, dim)
    start, end = whole("narrow", "start", start), input.shape[dim]
    first = start + end if start < 0 else start
    if length < 0 or not 0 <= first <= end or first + length > end:
        raise IndexError(f"narrow: no {length} slices from {start} on in dim {dim} of length {end} (shape {shapes(input)})")
    return input[along(dim, slice(first, first + length))]
