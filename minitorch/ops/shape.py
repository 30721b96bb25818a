"""Operations that move elements and compute nothing: views where the memory allows it, copies elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.views import is_logical_view
from minitorch.backend import Device, array_module, as_device, check_dtype, device_of, to_array
from minitorch.ops.dims import dimension, normalized_dims, shapes, wholes
from minitorch.ops.images import channels_last, is_channels_last


class Reshape(Op):
    """a with another shape, as a view if its strides allow it.  da = g in the old shape."""

    view = True

    def forward(ctx, a: Any, shape: Any) -> Any:
        ctx.shape_in, ctx.channels_last = a.shape, is_channels_last(a)
        try:
            out = a.reshape(shape)
            if out.shape != shape and min(shape) < -1:  # NumPy takes any negative length for -1
                raise ValueError
            return out
        except ValueError:
            raise ValueError(f"reshape: shape {shapes(a)}, of {a.size} elements, cannot become {tuple(shape)}") from None

    def backward(ctx, g: Any) -> Any:
        g = g.reshape(ctx.shape_in)
        # images that were flattened get their gradient back in their own memory order: mixed orders cost four times as much
        return g if not ctx.channels_last or isinstance(g, Tensor) else channels_last(g)


class Permute(Op):
    """a with its dimensions in another order, as a view.  da = g in the old order."""

    view = True

    def forward(ctx, a: Any, dims: Any) -> Any:
        ctx.dims = dims
        return a.transpose(dims)

    def backward(ctx, g: Any) -> Any:
        return Permute.apply(g, dims=tuple(ctx.dims.index(d) for d in range(len(ctx.dims))))


class Expand(Op):
    """a repeated along dimensions of length one, as a read-only view.  da = g, which the engine sums over them."""

    view = True

    def forward(ctx, a: Any, shape: Any) -> Any:
        return array_module(a).broadcast_to(a, shape)

    def backward(ctx, g: Any) -> Any:
        return g


class Flip(Op):
    """a with the order of its elements reversed along `dims`.  da = g, reversed."""

    def forward(ctx, a: Any, dims: Any) -> Any:
        ctx.dims = dims
        return array_module(a).flip(a, dims).copy()

    def backward(ctx, g: Any) -> Any:
        return Flip.apply(g, dims=ctx.dims)


class Clone(Op):
    """A copy of a in its memory order or, if `shape` is given, in that and in C order.  da = g in the old shape."""

    def forward(ctx, a: Any, shape: Any = None) -> Any:
        ctx.shape_in = None if shape is None else a.shape
        return a.copy(order="K") if shape is None else a.copy(order="C").reshape(shape)

    def backward(ctx, g: Any) -> Any:
        return g if ctx.shape_in is None else g.reshape(ctx.shape_in)


class To(Op):
    """a as another dtype or on another device.  da = g on the device of a; the engine casts it."""

    def forward(ctx, a: Any, dtype: Any, where: Any) -> Any:
        ctx.origin: Device = device_of(a)
        moved = a if device_of(a) == where else to_array(a, None, where)
        return moved if moved.dtype == dtype and moved is not a else moved.astype(dtype)

    def backward(ctx, g: Any) -> Any:
        return To.apply(g, dtype=g.dtype, where=ctx.origin)


def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """The elements in another shape, in which one length may be -1; a view if the memory order allows it."""
    return Reshape.apply(input, shape=wholes("reshape", "shape", shape))


def view(input: Tensor, *shape: int | Sequence[int] | np.dtype, dtype: np.dtype | None = None) -> Tensor:
    """The elements in another shape, in the same memory; of images, which lie channels-last in memory, in a copy.

    Raises RuntimeError where PyTorch does, if no view has that shape; `reshape` copies there. With a dtype, the same memory
    read as numbers of that dtype, without a gradient; raises ValueError if the last length does not fit their width.
    """
    if len(shape) == 1 and isinstance(shape[0], (np.dtype, type)):
        dtype, shape = shape[0], ()
    if dtype is None:
        sizes = wholes("view", "size", shape)
        result = Reshape.apply(input, shape=sizes)
        if result._view is None and not is_logical_view(input, Reshape, {"shape": sizes}):
            memory = f"the memory of a tensor of shape {shapes(input)} and strides {input.stride()}"
            raise RuntimeError(f"view: no view of shape {shapes(result)} looks into {memory}; use reshape(), which copies")
        return result
    try:
        return input if input.dtype == dtype else wrap(input.array.view(dtype))
    except ValueError as reason:
        said = f"view: shape {shapes(input)} of {input.dtype} cannot be read as {np.dtype(dtype)}: {reason}"
        raise ValueError(said) from None


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` made one; the tensor itself where that is one already."""
    if not input.ndim:
        return reshape(input, 1)
    shape = input.shape
    start, end = dimension("flatten", shape, start_dim), dimension("flatten", shape, end_dim)
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} (shape {shapes(input)})")
    inner = math.prod(shape[start : end + 1])
    return input if start == end else Reshape.apply(input, shape=(*shape[:start], inner, *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` split into `sizes`, one of which may be -1; raises ValueError if they do not make up its length."""
    dim = dimension("unflatten", input.shape, dim)
    length, others = input.shape[dim], max(-math.prod(sizes), 1)  # beside the one that is -1
    lengths = tuple(length // others if size == -1 else size for size in sizes)
    if math.prod(lengths) != length:
        raise ValueError(f"unflatten: dim {dim} of shape {shapes(input)} cannot be split into {tuple(sizes)}")
    return reshape(input, input.shape[:dim] + lengths + input.shape[dim + 1 :])


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, as a view."""
    dim0, dim1 = dimension("transpose", input.shape, dim0), dimension("transpose", input.shape, dim1)
    dims = list(range(input.ndim))
    if dims:
        dims[dim0], dims[dim1] = dim1, dim0
    return Permute.apply(input, dims=tuple(dims))


@overload
def permute(input: Tensor, *, dims: Sequence[int]) -> Tensor: ...
@overload
def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor: ...


def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor:  # type: ignore[misc]  # `with_keywords` takes dims=
    """The dimensions in the order `dims`, as a view; raises ValueError unless each is named once."""
    order = wholes("permute", "dims", dims)
    named = [dimension("permute", input.shape, d) for d in order]
    if sorted(named) != list(range(input.ndim)):
        raise ValueError(f"permute: expected each of {input.ndim} dimensions once, got {order} (shape {shapes(input)})")
    return Permute.apply(input, dims=tuple(named))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; raises ValueError beyond two dimensions."""
    if input.ndim > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {shapes(input)}")
    return Permute.apply(input, dims=tuple(range(input.ndim))[::-1])


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the dimensions of length one, or without `dim` where it has length one."""
    asked: Any = range(input.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else [dim]
    dims = [dimension("squeeze", input.shape, d) for d in asked]
    return Reshape.apply(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dimension of length one inserted at `dim`."""
    dim = dimension("unsqueeze", input.shape, dim, extra=1)
    return Reshape.apply(input, shape=(*input.shape[:dim], 1, *input.shape[dim:]))


def expand(input: Tensor, *sizes: int | Sequence[int]) -> Tensor:
    """Dimensions of length one repeated to `sizes` without copying, -1 keeps a length; raises ValueError if they do not fit."""
    wanted = wholes("expand", "size", sizes)
    extra = len(wanted) - input.ndim
    shape = tuple(input.shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(wanted))
    if extra < 0 or any(n < 0 for n in shape) or any(old not in (1, new) for old, new in zip(input.shape, shape[extra:])):
        raise ValueError(f"expand: shape {shapes(input)} cannot be expanded to {wanted}")
    return Expand.apply(input, shape=shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of `other`."""
    return expand(input, other.shape)


def repeat(input: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """Whole copies side by side, `repeats` (0 or more) of them along each dimension, in memory of their own."""
    counts = wholes("repeat", "repeats", repeats)
    extra = len(counts) - input.ndim
    if extra < 0 or any(count < 0 for count in counts):
        raise ValueError(f"repeat: expected at least {input.ndim} counts of 0 or more for shape {shapes(input)}, got {counts}")
    shape = (1,) * extra + input.shape
    spread = expand(reshape(input, [n for pair in shape for n in (1, pair)]), [n for pair in zip(counts, shape) for n in pair])
    return Clone.apply(spread, shape=tuple(count * n for count, n in zip(counts, shape)))


@overload
def flip(input: Tensor, *, dims: Sequence[int]) -> Tensor: ...
@overload
def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor: ...


def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor:  # type: ignore[misc]  # `with_keywords` takes dims=
    """The order of the elements reversed along `dims`, as a copy; raises ValueError for a dim named twice."""
    if not dims:
        raise TypeError("flip: expected the dims to reverse, got none")
    named = tuple(dimension("flip", input.shape, d) for d in wholes("flip", "dims", dims))
    return Flip.apply(input, dims=normalized_dims("flip", input.ndim, named))


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own, in the order of the input, whatever the format; gradients flow through it."""
    return Clone.apply(input)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if its elements lie in C order, else a copy that does; for channels-last images what `to` gives."""
    if str(memory_format) == "torch.channels_last":
        return to(input, memory_format=memory_format)
    return input if input.is_contiguous() else Clone.apply(input, shape=input.shape)


def to(
    input: Tensor,
    *args: Any,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """The tensor as another dtype, on another device, or like another tensor; itself if nothing changes.

    `to("cuda")`, `to(float64)`, `to("cuda", float64)` and `to(other)` as in PyTorch, then `non_blocking` and `copy`. A
    `memory_format` only decides whether there is a copy. Raises RuntimeError if there is no usable GPU, TypeError for
    arguments in another order.
    """
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
        dtype, device = other.dtype, other.device
    else:
        if rest and (isinstance(rest[0], Device) or str(rest[0]).split(":")[0] in ("cpu", "cuda")):
            device = rest.pop(0)
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    if len(rest) > 2 or not all(isinstance(flag, bool) for flag in rest):
        raise TypeError(f"to: expected (device, dtype, non_blocking, copy), (dtype, ...) or (other, ...), got {args}")
    where = input.device if device is None else as_device(device)
    dtype = input.dtype if dtype is None else np.dtype(dtype)
    if where != input.device or dtype != input.dtype:
        check_dtype("to", dtype)
        return To.apply(input, dtype=dtype, where=where)
    order = str(memory_format).removeprefix("torch.")
    copy = rest[1] if len(rest) == 2 else copy
    copy = copy or (order == "contiguous_format" and not input.is_contiguous())
    return clone(input) if copy or (order == "channels_last" and not is_channels_last(input.array)) else input
