"""The largest and the smallest: over everything, along a dimension with its index, or of two tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast, overload

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, int64
from minitorch.ops.choice import maximum, minimum
from minitorch.ops.index import ScatterAlong
from minitorch.ops.reduce import MaxOver, of_some
from minitorch.printing import return_type

_Function = TypeVar("_Function", bound=Callable[..., Any])


class ValuesAndIndices(NamedTuple):
    """What `max`, `min`, `sort` and `topk` along a dimension return."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return return_type(type(self).__name__, self)


def named(function: _Function) -> _Function:
    """Give a pair that `function` returns the function's name, under which PyTorch prints it."""
    kind = type(function.__name__, (ValuesAndIndices,), {"__slots__": (), "__doc__": ValuesAndIndices.__doc__})

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return kind(*found) if type(found) is ValuesAndIndices else found

    return cast(_Function, call)


class MaxAlong(Op):
    """The largest along `dim` and its index, the first at a tie.  da = g at that index."""

    def forward(ctx, a: Any, dim: Any, keepdim: Any, largest: Any) -> Any:
        index = (a.argmax if largest else a.argmin)(dim, keepdims=True)
        values = array_module(a).take_along_axis(a, index, dim)
        ctx.saved, ctx.shape_in, ctx.dim = (index,), a.shape, dim
        return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))

    def backward(ctx, g: Any, _: Any) -> Any:
        (index,) = ctx.saved
        return ScatterAlong.apply(g.reshape(index.shape), index, shape=ctx.shape_in, dim=ctx.dim)


@overload
def max(input: Tensor, dim: Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


@named
def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Tensor | ValuesAndIndices:
    """The largest element; along `dim`, (values, indices); with a tensor in its place, or `other`, `maximum(input, other)`.

    Over everything a tie shares the gradient, along a dimension the first gets it. Raises ValueError if there is no element.
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
    dims = of_some(name, input, dim)
    if dim is None:
        return MaxOver.apply(input, dims=dims, keepdim=keepdim, largest=largest)
    if not dims:
        return ValuesAndIndices(input.clone(), wrap(array_module(input.array).zeros((), int64)))
    return ValuesAndIndices(*MaxAlong.apply(input, dim=dims[0], keepdim=keepdim, largest=largest))


class Arg(Op):
    """The index of the largest element along `dim`, or of the smallest, as an operation that `onnx.export` sees."""

    def forward(ctx, a: Any, dim: Any, keepdim: Any, largest: Any) -> Any:
        row = a if a.ndim else a.reshape(1)
        found = array_module(a).asarray((row.argmax if largest else row.argmin)(dim, keepdims=keepdim))
        return found if a.ndim else found.reshape(())


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, of the flattened tensor or along `dim`; the first at a tie."""
    of_some("argmax", input, dim)
    return Arg.apply(input, dim=dim, keepdim=keepdim, largest=True)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, of the flattened tensor or along `dim`; the first at a tie."""
    of_some("argmin", input, dim)
    return Arg.apply(input, dim=dim, keepdim=keepdim, largest=False)
