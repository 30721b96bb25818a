"""Tensors joined and taken apart, grids, copies, windows, and views in another form."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.conversion import Size
from minitorch.ops.dims import Dim, along, dimension, normalized_dims, shapes, whole, wholes
from minitorch.ops.index import Take
from minitorch.ops.promotion import result_type
from minitorch.ops.shape import Clone, contiguous, expand, flatten, permute, repeat, reshape, transpose, unsqueeze


class Cat(Op):
    """Arrays one after another along `dim`.  darrays = each its own stretch of g."""

    def forward(ctx, *arrays: Any, dim: Any) -> Any:
        ctx.dim, ctx.lengths = dim, [None if a.shape == (0,) else a.shape[dim] for a in arrays]
        return array_module(arrays[0]).concatenate([a for a in arrays if a.shape != (0,)] or arrays[:1], dim)

    def backward(ctx, g: Any) -> Any:
        stretches = zip(ctx.lengths, stretches_of([length or 0 for length in ctx.lengths]))
        # an array of shape (0,) may stand among others of any number of dimensions
        return tuple(g.reshape(-1)[:0] if n is None else g[along(ctx.dim, part)] for n, part in stretches)


def _several(tensors: tuple[Any, ...]) -> list[Tensor]:
    """The tensors of `f(a, b)` and of `f([a, b])` alike."""
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else list(tensors)


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """`function` of one tensor, or of each of several."""
    found = tuple(map(function, _several(tensors)))
    return found[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else found


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along `dim`; raises ValueError unless the other lengths agree; shape (0,) always fits."""
    tensors = listed("cat", tensors)
    shapes = [tuple(tensor.shape) for tensor in tensors if tensor.shape != (0,)] or [(0,)]
    dim = dimension("cat", shapes[0], dim)
    if any(len(s) != len(shapes[0]) or s[:dim] + s[dim + 1 :] != shapes[0][:dim] + shapes[0][dim + 1 :] for s in shapes):
        raise ValueError(f"cat: shapes must agree except in dim {dim}, got {', '.join(map(str, shapes))}")
    dtype = result_type(*(tensor.array for tensor in tensors))
    return Cat.apply(*(tensor if tensor.dtype == dtype else tensor.type(dtype) for tensor in tensors), dim=dim)


def stretches_of(lengths: list[int]) -> list[slice]:
    """Slices of these lengths, one after another."""
    return list(itertools.starmap(slice, itertools.pairwise(itertools.accumulate(lengths, initial=0))))


def listed(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of a sequence; raises TypeError for anything else among them, ValueError if there is none."""
    for tensor in (tensors := list(tensors)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: expected tensors, got {type(tensor).__name__}")
    if not tensors:
        raise ValueError(f"{name}: expected at least one tensor")
    return tensors


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new dimension `dim`; raises ValueError if their shapes differ."""
    tensors = listed("stack", tensors)
    if any(tensor.shape != tensors[0].shape for tensor in tensors):
        raise ValueError(f"stack: expected equal shapes, got {', '.join(str(tuple(tensor.shape)) for tensor in tensors)}")
    dim = dimension("stack", tensors[0].shape, dim, extra=1)
    return cat([unsqueeze(tensor, dim) for tensor in tensors], dim)


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of stretches along `dim`, of one size (the last may be shorter) or of sizes that add up to the length."""
    dim = dimension("split", tensor.shape, dim)
    length = tensor.shape[dim]
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = [whole("split", "each size", size) for size in split_size_or_sections]
    else:
        size = whole("split", "split_size", split_size_or_sections)
        if size <= 0:
            raise ValueError(f"split: expected a positive size, got {size}")
        sizes = [min(size, length - start) for start in range(0, length, size)] or [0]
    if sum(sizes) != length or min(sizes, default=0) < 0:
        raise ValueError(f"split: sizes {sizes} do not add up to {length}, dim {dim} of shape {shapes(tensor)}")
    return tuple(tensor[along(dim, part)] for part in stretches_of(sizes))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size along `dim`, the last perhaps smaller; raises ValueError for chunks < 1."""
    if whole("chunk", "chunks", chunks) < 1:
        raise ValueError(f"chunk: expected at least 1 chunk, got {chunks}")
    dim = dimension("chunk", input.shape, dim)
    pieces = split(input, max(-(-input.shape[dim] // chunks), 1), dim)
    return pieces if input.shape[dim] else pieces * chunks  # as in PyTorch, so that "a, b = x.chunk(2)" works without rows, too


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension."""
    dim = dimension("unbind", input.shape, dim)
    return tuple(input[along(dim, i)] for i in range(input.shape[dim]))


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


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """Vectors of one dtype spread over the grid of all: the first along dim 0 ("ij") or, as in a plot, along dim 1 ("xy")."""
    axes = [atleast_1d(x) for x in _several(tensors)]
    if indexing not in (None, "ij", "xy"):
        raise ValueError(f"meshgrid: expected indexing 'ij' or 'xy', got {indexing!r}")
    if not axes or any(x.ndim > 1 or x.dtype != axes[0].dtype for x in axes):
        raise ValueError(f"meshgrid: expected vectors of one dtype, got {[(tuple(x.shape), str(x.dtype)) for x in axes]}")
    shape = [len(x) for x in axes]
    grids = [expand(reshape(x, [-1 if i == d else 1 for i in range(len(axes))]), shape) for d, x in enumerate(axes)]
    return tuple(transpose(x, 0, 1) for x in grids) if indexing == "xy" and len(axes) > 1 else tuple(grids)


def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape in which tensors of `shapes` would be combined; raises ValueError if they do not fit."""
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        given = (str((shape,) if isinstance(shape, int) else tuple(shape)) for shape in shapes)
        raise ValueError(f"broadcast_shapes: {', '.join(given)} do not fit") from None


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` expanded to `size`, without copying."""
    return expand(input, tuple(size))


def broadcast_tensors(*tensors: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Each tensor expanded to the shape in which they would be combined."""
    given = _several(tensors)
    shape = broadcast_shapes(*(x.shape for x in given))
    return tuple(expand(x, shape) for x in given)


def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """Whole copies side by side, `dims` of them; as `repeat`, with 1 for dimensions that are not named."""
    counts: Any = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return repeat(input, (1,) * (input.ndim - len(counts)) + tuple(counts))


def repeat_interleave(
    input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along `dim`, or each element, `repeats` times in a row; with counts alone, each position that often."""
    if repeats is None:
        if input.ndim != 1:
            raise ValueError(f"repeat_interleave: expected 1-d counts, got shape {shapes(input)}")
        return repeat_interleave(wrap(array_module(input.array).arange(len(input))), input, 0, output_size=output_size)
    input, dim = (flatten(input), 0) if dim is None or not input.ndim else (input, dim)
    dim, shape = dimension("repeat_interleave", input.shape, dim), input.shape
    length = shape[dim]
    if isinstance(repeats, Tensor) and repeats.dtype.kind not in "iu":
        raise TypeError(f"repeat_interleave: expected whole numbers as counts, got {repeats.dtype}")
    if isinstance(repeats, Tensor) and repeats.numel() != 1:
        if repeats.ndim > 1 or len(repeats) != length or (length and int(repeats.array.min()) < 0):
            raise ValueError(f"repeat_interleave: expected {length} counts of 0 or more, got shape {shapes(repeats)}")
        xp, ends = array_module(input.array), repeats.array.cumsum()
        at = xp.searchsorted(ends, xp.arange(int(ends[-1]) if length else 0), side="right")
        out = Take.apply(input, index=along(dim, at))
    elif (count := whole("repeat_interleave", "repeats", repeats)) < 0:
        raise ValueError(f"repeat_interleave: expected counts of 0 or more, got {count}")
    else:
        spread = expand(unsqueeze(input, dim + 1), (*shape[: dim + 1], count, *shape[dim + 1 :]))
        out = Clone.apply(spread, shape=(*shape[:dim], length * count, *shape[dim + 1 :]))
    if output_size not in (None, out.shape[dim]):
        raise ValueError(f"repeat_interleave: the counts make {out.shape[dim]}, not the output_size {output_size}")
    return out


def roll(input: Tensor, shifts: int | Sequence[int], dims: Dim = None) -> Tensor:
    """The elements moved by `shifts` along `dims`, or flattened; what leaves at one end comes in at the other."""
    moves, asked = (() if x is None else tuple(x) if isinstance(x, (tuple, list)) else (x,) for x in (shifts, dims))
    if not asked and len(moves) == 1:
        return reshape(roll(flatten(input), moves, 0), input.shape)
    if len(moves) != len(asked) or not moves:
        raise ValueError(f"roll: expected a shift for each dim, got shifts {moves} and dims {asked}")
    if not input.ndim:
        raise IndexError(f"roll: dims {asked} are out of range for a 0-d tensor")
    for move, dim in zip(wholes("roll", "each shift", moves), asked):
        dim = dimension("roll", input.shape, dim)
        cut = -move % max(input.shape[dim], 1)
        input = cat([input[along(dim, slice(cut, None))], input[along(dim, slice(cut))]], dim)
    return input


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


def movedim(input: Tensor, source: int | tuple[int, ...] | list[int], destination: int | tuple[int, ...] | list[int]) -> Tensor:
    """The dimensions `source` moved to the places `destination`, the others in their order."""
    sources, places = (normalized_dims("movedim", input.ndim, dims) for dims in (source, destination))
    if len(sources) != len(places):
        raise ValueError(f"movedim: expected as many places as dims, got {source} and {destination}")
    order = [d for d in range(input.ndim) if d not in sources]
    for place, d in sorted(zip(places, sources)):
        order.insert(place, d)
    return permute(input, order)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dimension, `step` apart, as a copy; a new last dimension goes along the window."""
    dim = normalized_dims("unfold", max(input.ndim, 1), dimension)[0]
    if not input.ndim:
        return reshape(input, 1)
    if not 0 <= size <= input.shape[dim] or step < 1:
        raise ValueError(f"unfold: no windows of {size}, {step} apart, fit into dim {dim} of shape {shapes(input)}")
    xp = array_module(input.array)
    at = xp.arange(0, input.shape[dim] - size + 1, step)[:, None] + xp.arange(size)
    return movedim(Take.apply(input, index=along(dim, at)), dim + 1, -1)
