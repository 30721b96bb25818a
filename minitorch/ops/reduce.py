"""Reductions over some or all dimensions. `dim` is a number, a tuple or None for all; `keepdim` leaves length one behind."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast, overload

import numpy as np

from minitorch import backend
from minitorch.accumulate import in_float32, rounded, row_total, running_total, total
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.arithmetic import Div
from minitorch.ops.choice import Where, maximum, minimum, where
from minitorch.ops.dims import Dim, dimension, normalized_dims
from minitorch.ops.elementwise import abs, exp, sign
from minitorch.ops.images import is_channels_last
from minitorch.ops.indices import FEW, add_at, places
from minitorch.ops.promotion import floating
from minitorch.ops.shape import Expand, Permute


class ValuesAndIndices(NamedTuple):
    """What `max`, `min`, `sort` and `topk` along a dimension return."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"


_Function = TypeVar("_Function", bound=Callable[..., Any])


def named(function: _Function) -> _Function:
    """Give a pair that `function` returns the function's name, under which PyTorch prints it."""
    kind = type(function.__name__, (ValuesAndIndices,), {"__slots__": (), "__doc__": ValuesAndIndices.__doc__})

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return kind(*found) if type(found) is ValuesAndIndices else found

    return cast(_Function, call)


def max_(a: int, b: int) -> int:
    return a if a > b else b


def channel_sums(g: Any) -> Any:
    """The sum of (n, c, ...) over all but the channels, of an array or a tensor.

    Of rows, and of images that are channels-last in memory, as products with ones: (100, 32, 12, 12) takes 43 microseconds and
    NumPy's own sum 238, (100, 200) takes 2.6 and 3.7.
    """
    if not isinstance(g, Tensor) and g.dtype.char in "fdFD" and (g.ndim == 2 or is_channels_last(g)):
        rows = g if g.ndim == 2 else g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])
        return row_total(rows)
    return summed(g, (0, *range(2, g.ndim)))


def summed(a: Any, dims: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum over `dims` inside a rule, of an array or a tensor; of an array of float16 in float32."""
    return a.sum(dims, keepdims) if isinstance(a, Tensor) else total(a, dims, keepdims)


def kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with length one in place of the reduced dimensions."""
    return tuple(1 if i in dims else length for i, length in enumerate(shape))


class Sum(Op):
    """sum a over `dims`.  da = g, spread over what was summed."""

    def forward(ctx, a: Any, dims: Any, keepdim: Any) -> Any:
        ctx.kept, ctx.whole = kept(a.shape, dims), a.shape
        return rounded(total(a, dims, keepdim), a)

    def backward(ctx, g: Any) -> Any:
        return Expand.apply(g.reshape(ctx.kept), shape=ctx.whole)


class Mean(Op):
    """The mean of a over `dims`.  da = g / count, spread over what was averaged."""

    def forward(ctx, a: Any, dims: Any, keepdim: Any) -> Any:
        ctx.kept, ctx.whole = kept(a.shape, dims), a.shape
        ctx.count = math.prod(a.shape[d] for d in dims)
        return rounded(total(a, dims, keepdim) / (ctx.count or math.nan), a)  # PyTorch's mean of nothing is nan

    def backward(ctx, g: Any) -> Any:
        return Expand.apply((g / (ctx.count or math.nan)).reshape(ctx.kept), shape=ctx.whole)


class Prod(Op):
    """The product of a over `dims`.  da = g times the product of the others: out / a where no element is 0."""

    def forward(ctx, a: Any, dims: Any, keepdim: Any) -> Any:
        out = a.prod(dims, keepdims=True, dtype=backend.int64 if a.dtype.kind in "biu" else None)
        ctx.dims, ctx.kept = dims, out.shape
        out = out if keepdim else out.reshape([n for i, n in enumerate(a.shape) if i not in dims])
        ctx.saved = a, out
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        if bool((a == 0).any()):
            return g.reshape(ctx.kept) * _product_of_others(a, ctx.dims)
        return (g * out).reshape(ctx.kept) / a


def _product_of_others(a: Any, dims: tuple[int, ...]) -> Any:
    """For each element the product of the others along `dims`, without dividing by elements that may be 0."""
    order = tuple(d for d in range(len(a.shape)) if d not in dims) + dims
    moved = Permute.apply(a, dims=order)
    count = math.prod(a.shape[d] for d in dims)
    rows = moved.reshape((*moved.shape[: len(order) - len(dims)], 1, count))
    itself = array_module(a.array if isinstance(a, Tensor) else a).eye(count, dtype=bool)
    square = Where.apply(itself, 1.0, rows)  # row i holds all elements, the i-th replaced by 1
    others = Prod.apply(square, dims=(len(square.shape) - 1,), keepdim=False).reshape(moved.shape)
    return Permute.apply(others, dims=tuple(order.index(d) for d in range(len(order))))


class MaxAlong(Op):
    """The largest along `dim` and its index, the first at a tie.  da = g at that index."""

    def forward(ctx, a: Any, dim: Any, keepdim: Any, largest: Any) -> Any:
        xp = array_module(a)
        index = (a.argmax if largest else a.argmin)(dim, keepdims=True)
        values = xp.take_along_axis(a, index, dim)
        ctx.saved = (index,)
        ctx.shape_in, ctx.dim = a.shape, dim
        if not keepdim:
            values, index = values.squeeze(dim), index.squeeze(dim)
        return values, index

    def backward(ctx, g: Any, _: Any) -> Any:
        (index,) = ctx.saved
        return ScatterAlong.apply(g.reshape(index.shape), index, shape=ctx.shape_in, dim=ctx.dim)


class ScatterAlong(Op):
    """Zeros of `shape` with a added at `index` along `dim`; the adjoint of gather.  da = g gathered."""

    def forward(ctx, a: Any, index: Any, shape: Any, dim: Any) -> Any:
        ctx.saved = (index,)
        ctx.dim = dim
        xp = array_module(a)
        out = xp.zeros(shape, a.dtype)
        grid = _grid(index, dim)
        if index.shape[dim] == 1:
            out[grid] = a  # no place is named twice
        else:
            add_at(out, grid, a)
        return out

    def backward(ctx, g: Any) -> Any:
        (index,) = ctx.saved
        return Gather.apply(g, index, dim=ctx.dim), None


def _grid(index: Any, dim: int) -> tuple[Any, ...]:
    """`index` along `dim` as an index of arrays, one for each dimension."""
    xp, shape = array_module(index), index.shape
    others = [xp.arange(n).reshape([n if i == d else 1 for i in range(len(shape))]) for d, n in enumerate(shape)]
    return (*others[:dim], index, *others[dim + 1 :])


class Gather(Op):
    """a at `index` along `dim`: out[i][j] = a[index[i][j]][j] for dim 0.  da = g added at index."""

    def forward(ctx, a: Any, index: Any, dim: Any) -> Any:
        ctx.saved = (index,)
        ctx.shape_in, ctx.dim = a.shape, dim
        xp = array_module(a)
        if xp is np and index.size >= FEW and a.flags.c_contiguous:  # half of the time
            return a.reshape(-1).take(places(_grid(index, dim), a.shape))
        # as in PyTorch, index may be shorter than a in the other dimensions
        return xp.take_along_axis(a[tuple(slice(None if i == dim else n) for i, n in enumerate(index.shape))], index, dim)

    def backward(ctx, g: Any) -> Any:
        (index,) = ctx.saved
        return ScatterAlong.apply(g, index, shape=ctx.shape_in, dim=ctx.dim), None


class MaxOver(Op):
    """The largest over `dims`, or the smallest.  da = g shared evenly by the elements that attain it, as in PyTorch."""

    def forward(ctx, a: Any, dims: Any, keepdim: Any, largest: Any) -> Any:
        out = (a.max if largest else a.min)(dims, keepdims=True)
        ctx.saved = a, out
        ctx.dims, ctx.kept = dims, out.shape
        return out if keepdim else out.reshape([n for i, n in enumerate(a.shape) if i not in dims])

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        attained = _attained(a, out)
        count = attained.sum(ctx.dims, dtype=g.dtype).reshape(ctx.kept)
        return where(attained, g.reshape(ctx.kept) / count, 0.0)


def _attained(a: Any, out: Any) -> Any:
    """Where `a` is the extreme `out` of its row: a nan, which wins over any number, equals nothing."""
    array = out.array if isinstance(out, Tensor) else out
    if array_module(array) is np and not (array != array).any():
        return a == out
    return (a == out) | (a != a)


class Logsumexp(Op):
    """log sum e^a over `dims`, with the maximum taken off first.  da = g e^a / sum e^a."""

    def forward(ctx, a: Any, dims: Any, keepdim: Any) -> Any:
        a = floating(a)
        xp = array_module(a)
        top = a.max(dims, keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0)  # a row of -inf must give -inf, not nan
        p = xp.exp(a - top)
        sums = total(p, dims, True)
        out = xp.log(sums) + top
        ctx.kept = out.shape
        out = out if keepdim else out.reshape([n for i, n in enumerate(a.shape) if i not in dims])
        ctx.saved = a, out, p, sums
        return out

    def backward(ctx, g: Any) -> Any:
        a, out, p, sums = ctx.saved
        if isinstance(g, Tensor):  # recorded: p depends on a
            return g.reshape(ctx.kept) * exp(a - out.reshape(ctx.kept))
        return g.reshape(ctx.kept) * (p / sums)


class Cumsum(Op):
    """Running sums along `dim`.  da = the running sums of g from the other end."""

    def forward(ctx, a: Any, dim: Any, backwards: Any = False) -> Any:
        ctx.dim, ctx.backwards = dim, backwards
        return rounded(running_total(a, dim, backwards), a)

    def backward(ctx, g: Any) -> Any:
        return Cumsum.apply(g, dim=ctx.dim, backwards=not ctx.backwards)


def _check_not_empty(name: str, input: Tensor, dims: tuple[int, ...]) -> None:
    if not input.array.size and not math.prod(input.shape[d] for d in dims):
        raise ValueError(f"{name}: there is no element to choose among in shape {tuple(input.shape)} over dims {dims}")


def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The sum over `dim`; integers and booleans are summed as int64."""
    input = input if dtype is None else input.type(dtype)
    return Sum.apply(input, dims=normalized_dims("sum", input.ndim, dim), keepdim=keepdim)


def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The mean over `dim`; raises TypeError for integers, as PyTorch does, unless a float `dtype` is given."""
    input = input if dtype is None else input.type(dtype)
    if input.dtype.kind not in "fc":
        raise TypeError(f"mean: expected a floating-point tensor, got {input.dtype}; convert it with .float()")
    return Mean.apply(input, dims=normalized_dims("mean", input.ndim, dim), keepdim=keepdim)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The product over `dim`, with an exact gradient also where elements are zero."""
    input = input if dtype is None else input.type(dtype)
    out = _prod(input, dims=normalized_dims("prod", input.ndim, dim), keepdim=keepdim)
    return out if dtype is None else out.type(dtype)


_prod = in_float32(Prod.apply)


def cumsum(input: Tensor, dim: int, *, dtype: np.dtype | None = None) -> Tensor:
    """The running sums along `dim`."""
    input = input if dtype is None else input.type(dtype)
    dim = dimension("cumsum", input.shape, dim)
    if not input.ndim:
        return sum(input)
    return Cumsum.apply(input, dim=dim)


@in_float32
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """log sum e^x over `dim`, finite for any finite x; -inf over nothing."""
    dims = normalized_dims("logsumexp", input.ndim, dim)
    if not math.prod(input.shape[d] for d in dims):
        return sum(exp(input), dims, keepdim) - math.inf
    return Logsumexp.apply(input, dims=dims, keepdim=keepdim)


@in_float32
def var(
    input: Tensor, dim: Dim | bool = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: int | None = None
) -> Tensor:
    """The variance over `dim`, divided by count - `correction` (1); `unbiased=False` is `correction=0`.

    As in PyTorch a boolean in the place of `dim` is `unbiased`: `x.var(False)`.
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


def _variance(
    name: str, input: Tensor, dim: Dim | bool, unbiased: bool | None, keepdim: bool, correction: int | None
) -> Tensor:
    if isinstance(dim, bool) and unbiased is None:
        dim, unbiased = None, dim
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point tensor, got {input.dtype}; convert it with .float()")
    dims = normalized_dims(name, input.ndim, dim)
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    centred = input - mean(input, dims, keepdim=True)
    count = math.prod(input.shape[d] for d in dims) - correction
    return Div.apply(sum(centred * centred, dims, keepdim), float(max_(count, 0)) if count > 0 else math.nan)


@in_float32
def std(
    input: Tensor, dim: Dim | bool = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: int | None = None
) -> Tensor:
    """The standard deviation over `dim`: the square root of `var`; its gradient where it is 0 is 0, as in PyTorch."""
    return _root(_variance("std", input, dim, unbiased, keepdim, correction))


def _root(powers: Tensor, p: float = 2) -> Tensor:
    """powers ^ (1/p), with a gradient of 0 at 0 where the rule's would be infinite."""
    zero = powers == 0
    powers = where(zero, 1.0, powers)
    return where(zero, 0.0, powers.sqrt() if p == 2 else powers ** (1 / p))


@overload
def max(input: Tensor, dim: Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Tensor: ...


@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


@named
def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Tensor | ValuesAndIndices:
    """The largest element; along `dim`, (values, indices); with a tensor in its place, or `other`, `maximum(input, other)`.

    Over everything a tie shares the gradient, along a dimension the first takes it. Raises ValueError if there is no element.
    """
    return _extreme("max", input, dim if other is None else other, keepdim, maximum, True)


@overload
def min(input: Tensor, dim: Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Tensor: ...


@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


@named
def min(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Tensor | ValuesAndIndices:
    """The smallest element; along `dim`, (values, indices); with a tensor in its place, or `other`, `minimum(input, other)`."""
    return _extreme("min", input, dim if other is None else other, keepdim, minimum, False)


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool, pairwise: Any, largest: bool) -> Any:
    if isinstance(dim, Tensor):
        return pairwise(input, dim)
    dims = normalized_dims(name, input.ndim, dim)
    _check_not_empty(name, input, dims)
    if dim is None:
        return MaxOver.apply(input, dims=dims, keepdim=keepdim, largest=largest)
    if not dims:
        return ValuesAndIndices(input.clone(), wrap(array_module(input.array).zeros((), backend.int64)))
    return ValuesAndIndices(*MaxAlong.apply(input, dim=dims[0], keepdim=keepdim, largest=largest))


def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest over `dim`; a tie shares the gradient."""
    dims = normalized_dims("amax", input.ndim, dim)
    _check_not_empty("amax", input, dims)
    return MaxOver.apply(input, dims=dims, keepdim=keepdim, largest=True)


def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest over `dim`; a tie shares the gradient."""
    dims = normalized_dims("amin", input.ndim, dim)
    _check_not_empty("amin", input, dims)
    return MaxOver.apply(input, dims=dims, keepdim=keepdim, largest=False)


class Arg(Op):
    """The index of the largest element along `dim`, or of the smallest; the first at a tie."""

    def forward(ctx, a: Any, dim: Any, keepdim: Any, largest: Any) -> Any:
        row = a if a.ndim else a.reshape(1)
        found = array_module(a).asarray((row.argmax if largest else row.argmin)(dim, keepdims=keepdim))
        return found if a.ndim else found.reshape(())


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, of the flattened tensor or along `dim`; the first at a tie."""
    _check_not_empty("argmax", input, normalized_dims("argmax", input.ndim, dim))
    return Arg.apply(input, dim=dim, keepdim=keepdim, largest=True)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, of the flattened tensor or along `dim`; the first at a tie."""
    _check_not_empty("argmin", input, normalized_dims("argmin", input.ndim, dim))
    return Arg.apply(input, dim=dim, keepdim=keepdim, largest=False)


def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true, or not zero."""
    xp = array_module(input.array)
    return wrap(xp.asarray(input.array.any(normalized_dims("any", input.ndim, dim), keepdims=keepdim)))


def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true, or not zero."""
    xp = array_module(input.array)
    return wrap(xp.asarray(input.array.all(normalized_dims("all", input.ndim, dim), keepdims=keepdim)))


@in_float32
def norm(input: Tensor, p: float | str = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The p-norm over `dim`; the gradient where the norm is 0 is 0, as in PyTorch, not nan.

    p = 0 counts the elements that are not 0, p = inf and -inf are the largest and the smallest magnitude, p = "fro" is 2.
    Raises TypeError for another name.
    """
    if not isinstance(p, (int, float)):
        if p != "fro":
            raise TypeError(f"norm: expected p to be a number or 'fro', got {p!r}")
        p = 2
    dims = normalized_dims("norm", input.ndim, dim)
    if p == 2:
        return _root(sum(input * input, dims, keepdim))
    if p == 0:
        return sum(abs(sign(input)), dims, keepdim)
    if p == 1:
        return sum(abs(input), dims, keepdim)
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(abs(input), dims, keepdim)
    return _root(sum(abs(input) ** p, dims, keepdim), p)


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The elements of `input` at `index` along `dim`: out[i][j] = input[index[i][j]][j] for dim 0.

    `index` is an integer tensor with as many dimensions, in those other than `dim` no longer than `input`; an empty one may
    have any shape. Raises IndexError for an index out of range, ValueError for another shape.
    """
    dim = dimension("gather", input.shape, dim)
    if not index.numel():
        return input.reshape(-1)[:0].reshape(index.shape)
    if not (input.ndim and index.ndim) and max_(input.ndim, index.ndim) <= 1:  # a number is a row of one
        return gather(input.reshape(-1), dim, index.reshape(-1)).reshape(index.shape)
    if index.ndim != input.ndim or index.dtype.kind not in "iu":
        raise ValueError(
            f"gather: expected an integer index of {input.ndim} dimensions, got {index.dtype} of shape {tuple(index.shape)}"
        )
    if [d for d in range(input.ndim) if d != dim and index.shape[d] > input.shape[d]]:
        raise ValueError(
            f"gather: an index of shape {tuple(index.shape)} is longer than the input of shape {tuple(input.shape)} in a "
            f"dim other than {dim}"
        )
    length = input.shape[dim]
    if index.numel() and (int(index.array.min()) < 0 or int(index.array.max()) >= length):
        raise IndexError(f"gather: an index is out of range for dim {dim} of length {length} (input {tuple(input.shape)})")
    return Gather.apply(input, index, dim=dim)
