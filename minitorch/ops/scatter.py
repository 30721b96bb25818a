"""Values put at, added to and taken from places that an index names along a dimension.

Each is one of the operations of `minitorch.ops.index` with an index that spells the places out.
"""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.index import AddAt, SetItem, Take
from minitorch.ops.joining import broadcast_tensors
from minitorch.ops.reduce import ScatterAlong, normalized_dims
from minitorch.ops.shape import reshape


def _places(name: str, input: Tensor, dim: int, index: Tensor, src: Tensor | None) -> tuple[int, tuple[Any, ...]]:
    """The dim counted from the front, and the places of `index` along it as an index of arrays; refuses what does not fit."""
    dims = normalized_dims(name, input.ndim, dim)
    sizes = index.shape or (1,)
    whole = input.shape or (1,)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected an integer index, got {index.dtype}")
    dim = dims[0] if dims else 0
    fits = len(sizes) == len(whole) and all(n <= m for d, (n, m) in enumerate(zip(sizes, whole)) if d != dim)
    if src is not None:
        source = src.shape or (1,)
        fits = fits and len(source) == len(sizes) and all(n <= m for n, m in zip(sizes, source))
    if index.numel() and not fits:
        raise ValueError(
            f"{name}: an index of shape {tuple(index.shape)} does not fit an input of shape {tuple(input.shape)}"
            + (f" and a source of shape {tuple(src.shape)}" if src is not None else "")
        )
    if src is not None and src.dtype != input.dtype:
        raise TypeError(f"{name}: expected one dtype, got {input.dtype} and {src.dtype}")
    if index.numel() and (int(index.array.min()) < 0 or int(index.array.max()) >= whole[dim]):
        raise IndexError(f"{name}: an index is out of range for dim {dim} of length {whole[dim]} (input {tuple(input.shape)})")
    xp = array_module(index.array)
    grid = [xp.arange(n).reshape([n if i == d else 1 for i in range(len(sizes))]) for d, n in enumerate(sizes)]
    grid[dim] = index.array.reshape(sizes)
    return dim, tuple(grid)


def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | float, *, reduce: str | None = None) -> Tensor:
    """A copy of `input` with `src`, a tensor or a number, at `index` along `dim`: out[index[i][j]][j] = src[i][j] for dim 0.

    `reduce="add"` adds instead, `"multiply"` multiplies by a number. Where an index occurs twice the last one counts. Raises
    IndexError for an index out of range, ValueError for shapes that do not fit, TypeError for a source of another dtype.
    """
    number = not isinstance(src, Tensor)
    dim, places = _places("scatter", input, dim, index, src if isinstance(src, Tensor) else None)
    if not index.numel():
        return input.clone()
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ValueError(f"scatter: expected reduce 'add' or 'multiply', got {reduce!r}")
        if reduce == "multiply":
            return _multiplied(input, places, src)
        values: Any = wrap(array_module(input.array).full(index.shape, src, input.dtype)) if number else src
        return scatter_add(input, dim, index, values)
    whole = reshape(input, 1) if not input.ndim else input
    values = _first(src, index) if isinstance(src, Tensor) else src
    if number and input.dtype.kind in "biu":
        values = input.dtype.type(src).item()
    return reshape(SetItem.apply(whole, values, index=places), input.shape)


def _multiplied(input: Tensor, places: tuple[Any, ...], factor: Any) -> Tensor:
    if isinstance(factor, Tensor):
        raise ValueError("scatter: only a number is supported, got a tensor, with reduce='multiply'")
    xp = array_module(input.array)
    count = xp.zeros(input.shape or 1, backend.int64)
    xp.add.at(count, places, 1)
    return input * (wrap(count.reshape(input.shape)).to(input.dtype) * 0 + factor ** wrap(count.reshape(input.shape)))


def _first(src: Tensor, index: Tensor) -> Tensor:
    """The part of `src` that belongs to `index`, which may be shorter."""
    src = src if src.ndim else reshape(src, 1)
    sizes = index.shape or (1,)
    return src if src.shape == sizes else src[tuple(slice(n) for n in sizes)]


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of `input` with `src` added at `index` along `dim`, once for each time a place is named."""
    dim, places = _places("scatter_add", input, dim, index, src)
    if not index.numel():
        return input.clone()
    if not input.ndim:
        return input + reshape(_first(src, index), ())
    return input + ScatterAlong.apply(_first(src, index), places[dim], shape=input.shape, dim=dim)


def _slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor | None = None) -> tuple[Any, ...]:
    """The places of whole slices that a 1-d `index` names along `dim`, as an index; refuses what does not fit."""
    (dim,) = normalized_dims(name, input.ndim, dim) or (0,)
    if index.dtype not in (backend.int64, backend.int32):
        raise TypeError(f"{name}: expected an int32 or int64 index, got {index.dtype}")
    whole = input.shape or (1,)
    fits = index.ndim < 2
    if source is not None:
        slices = source.shape or (1,)
        fits = fits and len(slices) == len(whole) and slices == (*whole[:dim], index.numel(), *whole[dim + 1 :])
        if source.dtype != input.dtype:
            raise TypeError(f"{name}: expected one dtype, got {input.dtype} and {source.dtype}")
    if not fits:
        raise ValueError(
            f"{name}: a 1-d index and one slice of {tuple(input.shape)} along dim {dim} for each of it were expected, got "
            f"shape {tuple(index.shape)}{'' if source is None else f' and {tuple(source.shape)}'}"
        )
    length = whole[dim]
    if index.numel() and (int(index.array.min()) < -length or int(index.array.max()) >= length):
        raise IndexError(f"{name}: an index is out of range for dim {dim} of length {length} (input {tuple(input.shape)})")
    return (*(slice(None),) * dim, index.array.reshape(-1))


def _at_least_a_vector(x: Tensor) -> Tensor:
    return x if x.ndim else reshape(x, 1)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of `input` with `alpha * source` added to the slices that `index` names along `dim`."""
    places = _slices("index_add", input, dim, index, source)
    added = _at_least_a_vector(source if alpha == 1 else source * alpha)
    return input + reshape(AddAt.apply(added, index=places, shape=input.shape or (1,)), input.shape)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of `input` with the slices of `source` at those that `index` names along `dim`."""
    places = _slices("index_copy", input, dim, index, source)
    copied = SetItem.apply(_at_least_a_vector(input), _at_least_a_vector(source), index=places)
    return reshape(copied, input.shape)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | float) -> Tensor:
    """A copy of `input` with `value`, a number or a 0-d tensor, in the slices that `index` names along `dim`."""
    if isinstance(value, Tensor) and value.ndim:
        raise ValueError(f"index_fill: expected a number or a 0-d tensor, got shape {tuple(value.shape)}")
    places = _slices("index_fill", input, dim, index)
    places = (*places[:-1], array_module(index.array).unique(places[-1]))  # the gradient of a place named twice counts once
    return reshape(SetItem.apply(_at_least_a_vector(input), value, index=places), input.shape)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the boolean `mask`, broadcast, holds, in one dimension."""
    if mask.dtype != backend.bool_:
        raise TypeError(f"masked_select: expected a boolean mask, got {mask.dtype}")
    input, mask = broadcast_tensors(input, mask)
    return Take.apply(_at_least_a_vector(input), index=(mask.array.reshape(mask.shape or 1),))


# ---- one stretch or one slice --------------------------------------------------------------------------------------------


def _slice(name: str, input: Tensor, dim: int, part: Any) -> tuple[Any, ...]:
    if not input.ndim:
        raise ValueError(f"{name}: expected at least one dimension, got a 0-d tensor")
    (dim,) = normalized_dims(name, input.ndim, dim)
    length = input.shape[dim]
    if isinstance(part, int) and not -length <= part < length:
        raise IndexError(f"{name}: an index of {part} for dim {dim} of length {length} (shape {tuple(input.shape)})")
    return (*(slice(None),) * dim, part)


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """`length` slices along `dim` from `start` on, as a view; raises IndexError beyond the dimension."""
    place = _slice("narrow", input, dim, slice(None))
    if isinstance(start, Tensor) and start.dtype.kind not in "iu":
        raise TypeError(f"narrow: expected a whole number to start from, got {start.dtype}")
    start, end = int(start), input.shape[len(place) - 1]
    if length < 0 or not -end <= start <= end or (start + end if start < 0 else start) + length > end:
        raise IndexError(
            f"narrow: no {length} slices from {start} on in dim {dim} of length {end} (shape {tuple(input.shape)})"
        )
    start = start + end if start < 0 else start
    return input[(*place[:-1], slice(start, start + length))]


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at `index` along `dim`, without that dimension, as a view."""
    return input[_slice("select", input, dim, int(index))]
