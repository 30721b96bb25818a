"""Indexing: slices as views, integer and boolean arrays as copies, rows of a table, and assignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module, bool_
from minitorch.ops.choice import where
from minitorch.ops.dims import shapes
from minitorch.ops.indices import (
    FEW,
    add_at,
    arrays_of,
    grid,
    integers_first,
    is_basic,
    is_integers,
    normalized_index,
    places,
    rows,
)
from minitorch.ops.promotion import held


class Slice(Op):
    """a[index] for integers, slices, None and Ellipsis, as a view.  da = zeros with g at index."""

    view = True

    def forward(ctx, a: Any, index: Any) -> Any:
        ctx.shape_in, ctx.index = a.shape, index
        return a[index]

    def backward(ctx, g: Any) -> Any:
        return AddAt.apply(g, index=ctx.index, shape=ctx.shape_in, once=True)


class Take(Op):
    """a[index] with integer or boolean arrays in the index, as a copy.  da = zeros with g added at index."""

    def forward(ctx, a: Any, index: Any) -> Any:
        ctx.saved, ctx.shape_in, ctx.index = arrays_of(index), a.shape, index
        return rows(a, index[0]) if len(index) == 1 and is_integers(index[0]) else a[index]

    def backward(ctx, g: Any) -> Any:
        return AddAt.apply(g, index=ctx.index, shape=ctx.shape_in)


class AddAt(Op):
    """Zeros of `shape` with a added at index as often as a place is named, which is `once` at most if so.  da = g[index]."""

    def forward(ctx, a: Any, index: Any, shape: Any, once: bool = False) -> Any:
        ctx.saved, ctx.index = arrays_of(index), index
        out = array_module(a).zeros(shape, a.dtype)
        if once or not any(map(is_integers, index)):  # a mask names no place twice
            out[index] = a
        else:
            add_at(out, index, a)
        return out

    def backward(ctx, g: Any) -> Any:
        return at_index(g, ctx.index)


class Gather(Op):
    """a at `index` along `dim`: out[i][j] = a[index[i][j]][j] for dim 0.  da = g added at index."""

    def forward(ctx, a: Any, index: Any, dim: Any) -> Any:
        ctx.saved, ctx.shape_in, ctx.dim = (index,), a.shape, dim
        at = grid(index, dim)
        if array_module(a) is np and index.size >= FEW and a.flags.c_contiguous:  # half of the time
            return a.reshape(-1).take(places(at, a.shape))
        return a[at]

    def backward(ctx, g: Any) -> Any:
        (index,) = ctx.saved
        return ScatterAlong.apply(g, index, shape=ctx.shape_in, dim=ctx.dim), None


class ScatterAlong(Op):
    """Zeros of `shape` with a added at `index` along `dim`; the adjoint of gather.  da = g gathered."""

    def forward(ctx, a: Any, index: Any, shape: Any, dim: Any) -> Any:
        ctx.saved, ctx.dim = (index,), dim
        out = array_module(a).zeros(shape, a.dtype)
        if index.shape[dim] == 1:
            out[grid(index, dim)] = a  # no place is named twice
        else:
            add_at(out, grid(index, dim), a)
        return out

    def backward(ctx, g: Any) -> Any:
        (index,) = ctx.saved
        return Gather.apply(g, index, dim=ctx.dim), None


def at_index(a: Any, index: tuple[Any, ...]) -> Any:
    """a[index], by the operation for an index of its kind."""
    return (Slice if is_basic(index) else Take).apply(a, index=index)


class SetItem(Op):
    """a with b, broadcast, in place of a[index].  da = g with zeros there; db = g[index]."""

    def forward(ctx, a: Any, b: Any, index: Any) -> Any:
        ctx.saved, ctx.index, ctx.ndim_b = arrays_of(index), index, getattr(b, "ndim", 0)
        out = a.copy(order="K")
        out[index] = b
        return out

    def backward(ctx, g: Any) -> Any:
        da = SetItem.apply(g, 0.0, index=ctx.index)
        if not ctx.needs(1):
            return da, None
        db = at_index(g, ctx.index)
        more = ctx.ndim_b - len(db.shape)  # b may have had more dimensions of length one than the place it was put in
        return da, db.reshape((1,) * more + db.shape) if more > 0 else db


class Embedding(Op):
    """The rows of table that the integers in index name.  dtable = g added at those rows, except at `padding_idx`."""

    def forward(ctx, table: Any, index: Any, padding_idx: Any) -> Any:
        ctx.saved, ctx.rows, ctx.shape_in, ctx.padding_idx = (index,), index, table.shape, padding_idx
        return rows(table, index)

    def backward(ctx, g: Any) -> Any:
        if ctx.padding_idx is not None:
            g = where(ctx.rows[..., None] == ctx.padding_idx, 0.0, g)
        return AddAt.apply(g, index=(ctx.rows,), shape=ctx.shape_in), None


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for integers and slices, a copy for lists, integer and boolean tensors."""
    index = normalized_index("getitem", input.array if isinstance(input, Tensor) else input, index)
    if any(isinstance(entry, slice) and (entry.step or 1) < 0 for entry in index):
        raise ValueError("getitem: a negative step is not supported, as in PyTorch; use flip()")
    steps = None if is_basic(index) else integers_first(index)
    return at_index(input, index) if steps is None else Take.apply(Slice.apply(input, index=steps[0]), index=steps[1])


def masked_fill(input: Tensor, mask: Tensor, value: float | Tensor) -> Tensor:
    """`input` with `value`, a number or a 0-d tensor, where the boolean `mask` holds, in the dtype of `input`.

    Raises TypeError for another mask and for a fraction among whole numbers, ValueError for another value that does not fit.
    """
    if isinstance(value, Tensor) and value.ndim:
        raise ValueError(f"masked_fill: expected a number or a 0-d tensor as the value, got shape {shapes(value)}")
    if mask.dtype != bool_:
        raise TypeError(f"masked_fill: expected a boolean mask, got {mask.dtype}")
    if isinstance(value, int):
        value = bool(value) if input.dtype == bool_ else held("masked_fill", value, input.dtype)
    out = where(mask, value, input)
    if out.dtype != input.dtype:
        raise TypeError(f"masked_fill: a tensor of {input.dtype} cannot hold {value}")
    return out


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` (count, width) that the integers of `input` name: (..., width); `padding_idx` gets no gradient.

    Raises IndexError for a number outside the table, TypeError for floats, ValueError for a `padding_idx` outside the table.
    """
    if not isinstance(input, Tensor) or input.dtype.kind not in "iu":
        raise TypeError(f"embedding: expected an integer tensor, got {getattr(input, 'dtype', type(input).__name__)}")
    if weight.ndim != 2:
        raise ValueError(f"embedding: expected a table (count, width), got shape {shapes(weight)}")
    count = weight.shape[0]
    if input.numel() and not 0 <= int(input.array.min()) <= int(input.array.max()) < count:
        raise IndexError(f"embedding: an index outside 0..{count - 1} (input {shapes(input)}, weight {shapes(weight)})")
    if padding_idx is not None and not -count <= padding_idx < count:
        raise ValueError(f"embedding: a padding_idx of {padding_idx} is not a row of a table of shape {shapes(weight)}")
    return Embedding.apply(weight, input, padding_idx=None if padding_idx is None else padding_idx % count)
