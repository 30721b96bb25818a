"""Indexing: slices as views, integer and boolean arrays as copies, rows of a table, and assignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.choice import where
from minitorch.ops.dims import shapes
from minitorch.ops.indices import FEW, add_at, arrays_of, grid, integers_first, is_basic, is_integers, normalized_index, places
from minitorch.ops.promotion import held


class Slice(Op):
    """a[index] for integers, slices, None and Ellipsis, as a view.  da = zeros with g at index."""

    view = True

    def forward(ctx, a: Any, index: Any) -> Any:
        ctx.shape_in, ctx.index = a.shape, index
        return a[index]

    def backward(ctx, g: Any) -> Any:
        return Unslice.apply(g, index=ctx.index, shape=ctx.shape_in)


class Unslice(Op):
    """Zeros of `shape` with a at index, which names no place twice.  da = g[index]."""

    def forward(ctx, a: Any, index: Any, shape: Any) -> Any:
        ctx.index = index
        out = array_module(a).zeros(shape, a.dtype)
        out[index] = a
        return out

    def backward(ctx, g: Any) -> Any:
        return (Slice if is_basic(ctx.index) else Take).apply(g, index=ctx.index)


class Take(Op):
    """a[index] with integer or boolean arrays in the index, as a copy.  da = zeros with g added at index."""

    def forward(ctx, a: Any, index: Any) -> Any:
        ctx.saved = arrays_of(index)
        ctx.shape_in, ctx.index = a.shape, index
        return a[index]

    def backward(ctx, g: Any) -> Any:
        return AddAt.apply(g, index=ctx.index, shape=ctx.shape_in)


class AddAt(Op):
    """Zeros of `shape` with a added at index, once for each time a place is named.  da = g[index]."""

    def forward(ctx, a: Any, index: Any, shape: Any) -> Any:
        ctx.saved = arrays_of(index)
        ctx.index = index
        xp = array_module(a)
        out = xp.zeros(shape, a.dtype)
        if any(is_integers(entry) for entry in index):
            add_at(out, index, a)
        else:
            out[index] = a  # a mask names no place twice
        return out

    def backward(ctx, g: Any) -> Any:
        return Take.apply(g, index=ctx.index)


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


class SetItem(Op):
    """a with b, broadcast, in place of a[index].  da = g with zeros there; db = g[index]."""

    def forward(ctx, a: Any, b: Any, index: Any) -> Any:
        ctx.saved = arrays_of(index)
        ctx.index, ctx.ndim_b = index, getattr(b, "ndim", 0)
        out = a.copy(order="K")
        out[index] = b
        return out

    def backward(ctx, g: Any) -> Any:
        da = SetItem.apply(g, 0.0, index=ctx.index)
        if not ctx.needs(1):
            return da, None
        db = (Slice if is_basic(ctx.index) else Take).apply(g, index=ctx.index)
        more = ctx.ndim_b - len(db.shape)  # b may have had more dimensions of length one than the place it was put in
        return da, db.reshape((1,) * more + db.shape) if more > 0 else db


class Embedding(Op):
    """The rows of a table that an integer array names.  dtable = g added at those rows, except at `padding_idx`."""

    def forward(ctx, table: Any, index: Any, padding_idx: Any) -> Any:
        ctx.saved, ctx.rows = (index,), index
        ctx.shape_in, ctx.padding_idx = table.shape, padding_idx
        return table[index]

    def backward(ctx, g: Any) -> Any:
        if ctx.padding_idx is not None:
            g = where(ctx.rows[..., None] == ctx.padding_idx, 0.0, g)
        return AddAt.apply(g, index=(ctx.rows,), shape=ctx.shape_in), None


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for integers and slices, a copy for lists, integer and boolean tensors."""
    index = normalized_index("getitem", input.array if isinstance(input, Tensor) else input, index)
    if any(isinstance(entry, slice) and (entry.step or 1) < 0 for entry in index):
        raise ValueError("getitem: a negative step is not supported, as in PyTorch; use flip()")
    if is_basic(index):
        return Slice.apply(input, index=index)
    steps = integers_first(index)
    if steps is not None:
        return Take.apply(Slice.apply(input, index=steps[0]), index=steps[1])
    return Take.apply(input, index=index)


def masked_fill(input: Tensor, mask: Tensor, value: float | Tensor) -> Tensor:
    """`input` with `value`, a number or a 0-d tensor, where the boolean `mask` holds, in the dtype of `input`.

    Raises TypeError for a mask that is not boolean, and for a fraction that is to go into whole numbers (PyTorch cuts it off);
    ValueError for a tensor with dimensions as the value, and for a number that the dtype cannot hold.
    """
    if isinstance(value, Tensor) and value.ndim:
        raise ValueError(f"masked_fill: expected a number or a 0-d tensor as the value, got shape {shapes(value)}")
    if mask.dtype != backend.bool_:
        raise TypeError(f"masked_fill: expected a boolean mask, got {mask.dtype}")
    if isinstance(value, int):
        value = bool(value) if input.dtype == backend.bool_ else held("masked_fill", value, input.dtype)
    out = where(mask, value, input)
    if out.dtype != input.dtype:
        raise TypeError(f"masked_fill: a tensor of {input.dtype} cannot hold {value}")
    return out


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` (count, width) that the integers of `input` (...) name: (..., width).

    The row `padding_idx` gets no gradient. Raises IndexError for a number outside the table, TypeError for floats, ValueError
    for a `padding_idx` outside the table.
    """
    if not isinstance(input, Tensor) or input.dtype.kind not in "iu":
        raise TypeError(f"embedding: expected an integer tensor, got {getattr(input, 'dtype', type(input).__name__)}")
    if weight.ndim != 2:
        raise ValueError(f"embedding: expected a table (count, width), got shape {shapes(weight)}")
    count = weight.shape[0]
    if input.numel() and not 0 <= int(input.array.min()) <= int(input.array.max()) < count:
        given = f"input {shapes(input)}, weight {shapes(weight)}"
        raise IndexError(f"embedding: an index outside 0..{count - 1} ({given})")
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise ValueError(f"embedding: a padding_idx of {padding_idx} is not a row of a table of shape {shapes(weight)}")
        padding_idx %= count
    return Embedding.apply(weight, input, padding_idx=padding_idx)
