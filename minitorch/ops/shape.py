"""Operations that move elements and compute nothing: views where the memory allows it, copies elsewhere."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device, array_module
from minitorch.ops.images import channels_last, is_channels_last


class Reshape(Op):
    """a with another shape, as a view if its strides allow it.  da = g in the old shape."""

    view = True

    def forward(ctx, a, shape):
        ctx.shape_in, ctx.channels_last = a.shape, is_channels_last(a)
        try:
            return a.reshape(shape)
        except ValueError:
            raise ValueError(f"reshape: shape {a.shape}, of {a.size} elements, cannot become {tuple(shape)}") from None

    def backward(ctx, g):
        g = g.reshape(ctx.shape_in)
        # images that were flattened get their gradient back in their own memory order: mixed orders cost four times as much
        return g if not ctx.channels_last or isinstance(g, Tensor) else channels_last(g)


class Permute(Op):
    """a with its dimensions in another order, as a view.  da = g in the old order."""

    view = True

    def forward(ctx, a, dims):
        ctx.dims = dims
        return a.transpose(dims)

    def backward(ctx, g):
        return Permute.apply(g, dims=tuple(ctx.dims.index(d) for d in range(len(ctx.dims))))


class Expand(Op):
    """a repeated along dimensions of length one, as a read-only view.  da = g, which the engine sums over them."""

    view = True

    def forward(ctx, a, shape):
        return array_module(a).broadcast_to(a, shape)

    def backward(ctx, g):
        return g


class Flip(Op):
    """a with the order of its elements reversed along `dims`.  da = g, reversed."""

    def forward(ctx, a, dims):
        ctx.dims = dims
        return array_module(a).flip(a, dims).copy()

    def backward(ctx, g):
        return Flip.apply(g, dims=ctx.dims)


class Cat(Op):
    """Arrays one after another along `dim`.  The gradient of each is its own stretch of g."""

    def forward(ctx, *arrays, dim):
        ctx.dim, ctx.lengths = dim, [a.shape[dim] for a in arrays]
        return array_module(arrays[0]).concatenate(arrays, dim)

    def backward(ctx, g):
        grads, start = [], 0
        before = (slice(None),) * ctx.dim
        for position, length in enumerate(ctx.lengths):
            grads.append(g[(*before, slice(start, start + length))] if ctx.needs(position) else None)
            start += length
        return tuple(grads)


class Pad(Op):
    """a with `value` around it, `widths` (before, after) per dimension; a negative width crops.  da = the middle of g."""

    def forward(ctx, a, widths, value):
        ctx.widths = widths
        whole = [n + before + after for n, (before, after) in zip(a.shape, widths)]
        if builtins.min(whole) < 0:
            raise ValueError(f"pad: widths {widths} take away more than a tensor of shape {a.shape} has")
        out = array_module(a).full(whole, value, a.dtype)
        inside, outside = [], []
        for n, (before, after) in zip(a.shape, widths):
            inside.append(slice(builtins.max(-before, 0), n - builtins.max(-after, 0)))
            outside.append(
                slice(builtins.max(before, 0), builtins.max(before, 0) + n + builtins.min(before, 0) + builtins.min(after, 0))
            )
        out[tuple(outside)] = a[tuple(inside)]
        return out

    def backward(ctx, g):
        return Pad.apply(g, widths=tuple((-before, -after) for before, after in ctx.widths), value=0)


class Clone(Op):
    """A copy of a, in its memory order.  da = g."""

    def forward(ctx, a):
        return a.copy(order="K")

    def backward(ctx, g):
        return g


class Contiguous(Op):
    """A copy of a in C order.  da = g."""

    def forward(ctx, a):
        return a.copy(order="C")

    def backward(ctx, g):
        return g


class To(Op):
    """a as another dtype or on another device.  da = g on the device of a; the engine casts it."""

    def forward(ctx, a, dtype, where):
        ctx.origin = backend.device_of(a)
        moved = a if backend.device_of(a) == where else backend.to_array(a, None, where)
        return moved if moved.dtype == dtype and moved is not a else moved.astype(dtype)

    def backward(ctx, g):
        return To.apply(g, dtype=g.dtype, where=ctx.origin)


def _flattened(sizes: tuple) -> tuple[int, ...]:
    """The numbers of `f(2, 3)` and of `f((2, 3))` alike."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(int(size) for size in sizes)


def _dimension(name: str, input: Tensor, dim: int, extra: int = 0) -> int:
    """`dim` counted from the front; raises IndexError beyond the dimensions of `input` (and `extra` more)."""
    count = builtins.max(input.ndim + extra, 1)
    if not -count <= dim < count:
        raise IndexError(f"{name}: dim {dim} is out of range for a tensor of shape {input.shape}")
    return dim % count


def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """The elements in another shape, one length of which may be -1; a view if the memory order allows it.

    Raises ValueError if the number of elements does not fit.
    """
    return Reshape.apply(input, shape=_flattened(shape))


def view(input: Tensor, *shape: int | Sequence[int] | np.dtype) -> Tensor:
    """As `reshape`, which copies where PyTorch's view would refuse: channels-last tensors may be viewed here."""
    return reshape(input, *shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` made one."""
    if not input.ndim:
        return reshape(input, 1)
    start, end = _dimension("flatten", input, start_dim), _dimension("flatten", input, end_dim)
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} (shape {input.shape})")
    shape = input.shape
    return Reshape.apply(input, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` split into `sizes`."""
    dim = _dimension("unflatten", input, dim)
    return reshape(input, input.shape[:dim] + tuple(sizes) + input.shape[dim + 1 :])


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, as a view."""
    dim0, dim1 = _dimension("transpose", input, dim0), _dimension("transpose", input, dim1)
    dims = list(range(input.ndim))
    if dims:
        dims[dim0], dims[dim1] = dim1, dim0
    return Permute.apply(input, dims=tuple(dims))


def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """The dimensions in the order `dims`, as a view; raises ValueError unless each is named once."""
    order = _flattened(dims)
    named = [_dimension("permute", input, d) for d in order]
    if sorted(named) != list(range(input.ndim)):
        raise ValueError(f"permute: expected each of {input.ndim} dimensions once, got {order} (shape {input.shape})")
    return Permute.apply(input, dims=tuple(named))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; raises ValueError beyond two dimensions."""
    if input.ndim > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {input.shape}")
    return Permute.apply(input, dims=tuple(range(input.ndim))[::-1])


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the dimensions of length one, or without `dim` where it has length one."""
    if dim is None:
        shape = tuple(n for n in input.shape if n != 1)
    else:
        dims = [_dimension("squeeze", input, d) for d in ([dim] if isinstance(dim, int) else dim)]
        shape = tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims)
    return Reshape.apply(input, shape=shape)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dimension of length one inserted at `dim`."""
    dim = _dimension("unsqueeze", input, dim, extra=1)
    return Reshape.apply(input, shape=(*input.shape[:dim], 1, *input.shape[dim:]))


def expand(input: Tensor, *sizes: int | Sequence[int]) -> Tensor:
    """Dimensions of length one repeated to `sizes` without copying; -1 keeps a length.

    Raises ValueError for sizes that do not fit.
    """
    wanted = _flattened(sizes)
    extra = len(wanted) - input.ndim
    shape = tuple(input.shape[i - extra] if size == -1 and i >= extra else size for i, size in enumerate(wanted))
    if extra < 0 or any(size < 0 for size in shape) or any(n not in (1, size) for n, size in zip(input.shape, shape[extra:])):
        raise ValueError(f"expand: shape {input.shape} cannot be expanded to {wanted}")
    return Expand.apply(input, shape=shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of `other`."""
    return expand(input, other.shape)


def repeat(input: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """Whole copies side by side, `repeats` of them along each dimension; raises ValueError for too few counts."""
    counts = _flattened(repeats)
    extra = len(counts) - input.ndim
    if extra < 0:
        raise ValueError(f"repeat: expected at least {input.ndim} counts for shape {input.shape}, got {counts}")
    shape = (1,) * extra + input.shape
    spread = expand(reshape(input, [n for pair in shape for n in (1, pair)]), [n for pair in zip(counts, shape) for n in pair])
    return reshape(spread, [count * n for count, n in zip(counts, shape)])


def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """The order of the elements reversed along `dims`, as a copy."""
    return Flip.apply(input, dims=tuple(_dimension("flip", input, d) for d in _flattened(dims)))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along `dim`; their other dimensions must agree.

    Raises ValueError if they do not, or if there is no tensor, TypeError for anything but tensors.
    """
    tensors = list(tensors)
    _check_tensors("cat", tensors)
    dim = _dimension("cat", tensors[0], dim)
    shapes = [tensor.shape for tensor in tensors]
    if any(len(s) != len(shapes[0]) or s[:dim] + s[dim + 1 :] != shapes[0][:dim] + shapes[0][dim + 1 :] for s in shapes):
        raise ValueError(f"cat: shapes must agree except in dim {dim}, got {', '.join(map(str, shapes))}")
    dtype = _common_dtype(tensors)
    return Cat.apply(*(tensor.type(dtype) for tensor in tensors), dim=dim)


def _common_dtype(tensors: list[Tensor]) -> np.dtype:
    kinds = {tensor.dtype for tensor in tensors}
    if len(kinds) == 1:
        return tensors[0].dtype
    floats = [dtype for dtype in kinds if dtype.kind in "fc"]
    return np.result_type(*(floats or kinds))


def _check_tensors(name: str, tensors: list[Any]) -> None:
    if not tensors:
        raise ValueError(f"{name}: expected at least one tensor")
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: expected tensors, got {type(tensor).__name__}")


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new dimension `dim`; raises ValueError if their shapes differ."""
    tensors = list(tensors)
    _check_tensors("stack", tensors)
    if any(tensor.shape != tensors[0].shape for tensor in tensors):
        raise ValueError(f"stack: expected equal shapes, got {', '.join(str(tensor.shape) for tensor in tensors)}")
    dim = _dimension("stack", tensors[0], dim, extra=1)
    return cat([unsqueeze(tensor, dim) for tensor in tensors], dim)


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of stretches along `dim`, of one size (the last may be shorter) or of the given sizes.

    Raises ValueError if the sizes do not add up to the length.
    """
    dim = _dimension("split", tensor, dim)
    length = tensor.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size <= 0:
            raise ValueError(f"split: expected a positive size, got {size}")
        sizes = [builtins.min(size, length - start) for start in range(0, length, size)] or [0]
    else:
        sizes = list(split_size_or_sections)
        if builtins.sum(sizes) != length or builtins.min(sizes, default=0) < 0:
            raise ValueError(f"split: sizes {sizes} do not add up to {length}, dim {dim} of shape {tensor.shape}")
    parts, start, before = [], 0, (slice(None),) * dim
    for size in sizes:
        parts.append(tensor[(*before, slice(start, start + size))])
        start += size
    return tuple(parts)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size along `dim`, the last perhaps smaller; raises ValueError for chunks < 1."""
    if chunks < 1:
        raise ValueError(f"chunk: expected at least 1 chunk, got {chunks}")
    dim = _dimension("chunk", input, dim)
    return split(input, builtins.max(-(-input.shape[dim] // chunks), 1), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension."""
    dim = _dimension("unbind", input, dim)
    return tuple(input[(slice(None),) * dim + (i,)] for i in range(input.shape[dim]))


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """`input` with `value` (0) around it: `pad` has (before, after) for the last dimension, then the one before it, and so on.

    Negative widths crop. Raises ValueError for an odd or too long `pad`, and for any mode but "constant".
    """
    if mode != "constant":
        raise ValueError(f"pad: only mode 'constant' is supported, got {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(f"pad: expected (before, after) for at most {input.ndim} dimensions, got {tuple(pad)}")
    pairs = tuple((int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2))[::-1]
    if not pairs:
        return Clone.apply(input)
    return Pad.apply(input, widths=((0, 0),) * (input.ndim - len(pairs)) + pairs, value=0 if value is None else value)


def clone(input: Tensor) -> Tensor:
    """A copy with memory of its own; gradients flow through it."""
    return Clone.apply(input)


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its elements lie in C order, else a copy that does."""
    return input if input.is_contiguous() else Contiguous.apply(input)


def to(
    input: Tensor,
    *args: Any,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    copy: bool = False,
    non_blocking: bool = False,
) -> Tensor:
    """The tensor as another dtype, on another device, or like another tensor; itself if nothing changes.

    `to("cuda")`, `to(float64)`, `to("cuda", float64)` and `to(other)` as in PyTorch; gradients flow back through it. Raises
    RuntimeError if there is no usable GPU.
    """
    for argument in args:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif isinstance(argument, (Device, str)) and not isinstance(argument, np.dtype) and _names_device(argument):
            device = argument
        elif not isinstance(argument, bool):
            dtype = np.dtype(argument)
    where = input.device if device is None else backend.as_device(device)
    dtype = input.dtype if dtype is None else np.dtype(dtype)
    if where == input.device and dtype == input.dtype:
        return Clone.apply(input) if copy else input
    return To.apply(input, dtype=dtype, where=where)


def _names_device(argument: Device | str) -> bool:
    return isinstance(argument, Device) or argument.split(":")[0] in ("cpu", "cuda")


def type_(input: Tensor, dtype: np.dtype | None = None) -> Tensor | str:
    """The tensor as `dtype`, itself if it is that already; without one, the dtype's name."""
    return str(input.dtype) if dtype is None else to(input, dtype=dtype)
