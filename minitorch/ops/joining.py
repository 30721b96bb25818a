"""Arrangements: rows and columns beside each other, copies, turns, windows, and views in another form.

Each is made of the operations in `minitorch.ops.shape`, whose gradients it so has.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.index import Take
from minitorch.ops.reduce import Dim, normalized_dims
from minitorch.ops.shape import (
    Contiguous,
    cat,
    contiguous,
    expand,
    flatten,
    flip,
    permute,
    repeat,
    reshape,
    transpose,
    unsqueeze,
)


def _several(tensors: tuple[Any, ...]) -> list[Tensor]:
    """The tensors of `f(a, b)` and of `f([a, b])` alike."""
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else list(tensors)


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """`function` of one tensor, or of each of several."""
    found = tuple(map(function, _several(tensors)))
    return found[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else found


# ---- side by side --------------------------------------------------------------------------------------------------------


def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Any:
    """Each tensor with at least one dimension."""
    return _each(lambda x: x if x.ndim else reshape(x, 1), tensors)


def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Any:
    """Each tensor with at least two dimensions: a vector becomes a row."""
    return _each(lambda x: x if x.ndim > 1 else reshape(x, 1, -1), tensors)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors beside each other: along the second dimension, vectors along the first."""
    rows = atleast_1d(list(tensors))
    return cat(rows, 0 if rows and rows[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors below each other, vectors as rows."""
    return cat(atleast_2d(list(tensors)), 0)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors beside each other, vectors as columns."""
    return hstack([x if x.ndim > 1 else reshape(x, -1, 1) for x in tensors])


def _too_few(name: str, input: Tensor, count: int) -> Any:
    raise ValueError(f"{name}: expected at least {count} dimensions, got shape {tuple(input.shape)}")


# ---- grids ---------------------------------------------------------------------------------------------------------------


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """Each vector spread over the grid of all: the first along dim 0 ("ij", the default) or, as in a plot, along dim 1 ("xy").

    Raises ValueError for tensors of more than one dimension or of two dtypes, and for another `indexing`.
    """
    axes = [atleast_1d(x) for x in _several(tensors)]
    if indexing not in (None, "ij", "xy"):
        raise ValueError(f"meshgrid: expected indexing 'ij' or 'xy', got {indexing!r}")
    if not axes or any(x.ndim > 1 or x.dtype != axes[0].dtype for x in axes):
        raise ValueError(f"meshgrid: expected vectors of one dtype, got {[(tuple(x.shape), str(x.dtype)) for x in axes]}")
    shape = [len(x) for x in axes]
    grids = [expand(reshape(x, [-1 if i == d else 1 for i in range(len(axes))]), shape) for d, x in enumerate(axes)]
    return tuple(transpose(x, 0, 1) for x in grids) if indexing == "xy" and len(axes) > 1 else tuple(grids)


def broadcast_shapes(*shapes: int | Sequence[int]) -> tuple[int, ...]:
    """The shape in which tensors of `shapes` would be combined; raises ValueError if they do not fit."""
    sizes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    out = []
    for lengths in itertools.zip_longest(*(shape[::-1] for shape in sizes), fillvalue=1):
        longer = {n for n in lengths if n != 1}
        if len(longer) > 1 or min(lengths) < 0:
            raise ValueError(f"broadcast_shapes: {', '.join(map(str, sizes))} do not fit")
        out.append(longer.pop() if longer else 1)
    return tuple(out[::-1])


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` expanded to `size`, without copying."""
    return expand(input, tuple(size))


def broadcast_tensors(*tensors: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Each tensor expanded to the shape in which they would be combined."""
    given = _several(tensors)
    shape = broadcast_shapes(*(x.shape for x in given))
    return tuple(expand(x, shape) for x in given)


# ---- copies and turns ----------------------------------------------------------------------------------------------------


def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """Whole copies side by side, `dims` of them; as `repeat`, with 1 for dimensions that are not named."""
    counts: Any = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return repeat(input, (1,) * (input.ndim - len(counts)) + tuple(counts))


def repeat_interleave(
    input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along `dim`, or each element, `repeats` times in a row; with a tensor alone, each position that often.

    Raises ValueError for negative counts, for another number of them than slices, and for another `output_size`.
    """
    if repeats is None:
        if input.ndim != 1:
            raise ValueError(f"repeat_interleave: expected 1-d counts, got shape {tuple(input.shape)}")
        return repeat_interleave(wrap(array_module(input.array).arange(len(input))), input, 0, output_size=output_size)
    input, dim = (flatten(input), 0) if dim is None or not input.ndim else (input, dim)
    (dim,) = normalized_dims("repeat_interleave", input.ndim, dim)
    before, length, after = input.shape[:dim], input.shape[dim], input.shape[dim + 1 :]
    if isinstance(repeats, Tensor) and repeats.dtype.kind not in "iu":
        raise TypeError(f"repeat_interleave: expected whole numbers as counts, got {repeats.dtype}")
    if isinstance(repeats, Tensor) and repeats.numel() != 1:
        xp = array_module(input.array)
        if repeats.ndim > 1 or len(repeats) != length or (length and int(repeats.array.min()) < 0):
            raise ValueError(f"repeat_interleave: expected {length} counts of 0 or more, got shape {tuple(repeats.shape)}")
        ends = repeats.array.cumsum()
        total = int(ends[-1]) if length else 0
        at = xp.searchsorted(ends, xp.arange(total), side="right")
        out = Take.apply(input, index=(*(slice(None),) * dim, at))
    elif int(repeats) < 0:
        raise ValueError(f"repeat_interleave: expected counts of 0 or more, got {int(repeats)}")
    else:
        total = length * int(repeats)
        spread = expand(unsqueeze(input, dim + 1), (*before, length, int(repeats), *after))
        out = Contiguous.apply(spread, shape=(*before, total, *after))
    if output_size not in (None, total):
        raise ValueError(f"repeat_interleave: the counts make {total}, not the output_size {output_size}")
    return out


class Roll(Op):
    """a moved by `shifts` along `dims`, what leaves at one end comes in at the other.  da = g, moved back."""

    def forward(ctx, a: Any, shifts: Any, dims: Any) -> Any:
        ctx.shifts, ctx.dims = shifts, dims
        return array_module(a).roll(a, shifts, dims)

    def backward(ctx, g: Any) -> Any:
        return Roll.apply(g, shifts=tuple(-n for n in ctx.shifts), dims=ctx.dims)


def roll(input: Tensor, shifts: int | Sequence[int], dims: Dim = None) -> Tensor:
    """The elements moved by `shifts` along `dims`, or along the flattened tensor; what leaves comes in at the other end.

    Raises ValueError unless there is one shift for each of `dims`.
    """
    moves = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    asked = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not asked and len(moves) == 1:
        return reshape(Roll.apply(flatten(input), shifts=moves, dims=(0,)), input.shape)
    if len(moves) != len(asked) or not moves:
        raise ValueError(f"roll: expected a shift for each dim, got shifts {moves} and dims {asked}")
    along = tuple(normalized_dims("roll", input.ndim, d)[0] for d in asked) if input.ndim else ()
    return Roll.apply(input, shifts=moves if along else (), dims=along)


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    return flip(input, 1) if input.ndim > 1 else _too_few("fliplr", input, 2)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    return flip(input, 0) if input.ndim else _too_few("flipud", input, 1)


# ---- views in another form -----------------------------------------------------------------------------------------------


def ravel(input: Tensor) -> Tensor:
    """The elements in one dimension."""
    return reshape(contiguous(input), -1)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The elements in the shape of `other`."""
    return input.view(other.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The elements in the shape of `other`."""
    return reshape(input, other.shape)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` moved to the places `destination`, the others in their order."""
    sources = normalized_dims("movedim", input.ndim, (source,) if isinstance(source, int) else tuple(source))
    places = normalized_dims("movedim", input.ndim, (destination,) if isinstance(destination, int) else tuple(destination))
    if len(sources) != len(places):
        raise ValueError(f"movedim: expected as many places as dims, got {source} and {destination}")
    rest = iter(d for d in range(input.ndim) if d not in sources)
    moved = dict(zip(places, sources))
    return permute(input, tuple(moved[i] if i in moved else next(rest) for i in range(input.ndim)))


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dimension, `step` apart; a new last dimension goes along the window. A copy.

    Raises ValueError for a window longer than the dimension, or a step below 1.
    """
    (dim,) = normalized_dims("unfold", input.ndim, dimension) or (0,)
    if not input.ndim:
        return reshape(input, 1)
    if not 0 <= size <= input.shape[dim] or step < 1:
        raise ValueError(f"unfold: no windows of {size}, {step} apart, fit into dim {dim} of shape {tuple(input.shape)}")
    xp = array_module(input.array)
    at = xp.arange(0, input.shape[dim] - size + 1, step, dtype=backend.int64)[:, None] + xp.arange(size)
    return movedim(Take.apply(input, index=(*(slice(None),) * dim, at)), dim + 1, -1)
