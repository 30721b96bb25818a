"""Order: sorting, the largest few, the median, the most frequent, and quantiles.

Positions are found on arrays; the values are then gathered there, which is all that gradients need to know.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, float16, float32, int64
from minitorch.ops.choice import where
from minitorch.ops.dims import along, dimension, shapes
from minitorch.ops.elementwise import ceil, floor, round
from minitorch.ops.extremes import ValuesAndIndices, named
from minitorch.ops.index import Gather
from minitorch.ops.joining import movedim
from minitorch.ops.reduce import amax
from minitorch.ops.shape import flatten, squeeze
from minitorch.ops.strips import each_row


def _of_some(name: str, input: Tensor, dim: int) -> tuple[int, Any]:
    """The dim counted from the front, and the array, of one dimension at least; raises ValueError if that has no element."""
    dim, a = dimension(name, input.shape, dim), input.array.reshape(input.shape or 1)
    if not a.shape[dim]:
        raise ValueError(f"{name}: there is no element along dim {dim} of shape {shapes(input)}")
    return dim, a


def _chosen(input: Tensor, index: Any, dim: int, keepdim: bool = True) -> ValuesAndIndices:
    """The elements at `index` along `dim`, through which gradients flow, and the index as a tensor."""
    if not input.ndim:
        return ValuesAndIndices(input.clone(), wrap(index.reshape(())))
    found = Gather.apply(input, index, dim=dim), wrap(index)
    return ValuesAndIndices(*(found if keepdim else (squeeze(part, dim) for part in found)))


def _argsort(a: Any, dim: int, **kind: Any) -> Any:
    """`a.argsort(dim)` with nan last: in a vector CuPy puts first those with a sign, such as a processor's 0 / 0."""
    if a.ndim == 1 and array_module(a).__name__ != "numpy":
        return a[None].argsort(1, **kind)[0]
    return a.argsort(dim, **kind)


def _ranked(a: Any, dim: int, descending: bool, stable: bool) -> Any:
    """The positions of the elements of `a` in order; nan counts as the largest."""
    order, xp = {"kind": "stable"} if stable else {}, array_module(a)

    def ranked(a: Any) -> Any:
        if not descending:
            return _argsort(a, dim, **order)
        # ties must keep their order, so the elements are reversed before and after
        return xp.flip(a.shape[dim] - 1 - _argsort(xp.flip(a, dim), dim, **order), dim).copy()

    return each_row(ranked, a, dtype=int64) if dim else ranked(a)


@named
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> ValuesAndIndices:
    """The elements in order along `dim`, and where they stood; `stable` keeps the order of equal ones. nan is the largest."""
    dim = dimension("sort", input.shape, dim)
    return _chosen(input, _ranked(input.array.reshape(input.shape or 1), dim, descending, stable), dim)


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The positions of the elements in order along `dim`."""
    return sort(input.detach(), dim, descending, stable).indices


@named
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
    """The `k` largest elements along `dim` (or smallest), from 0 to all of them, and where they stood, in order."""
    dim = dimension("topk", input.shape, dim)
    a = input.array.reshape(input.shape or 1)
    if not 0 <= k <= a.shape[dim]:
        length = f"{a.shape[dim]}, the length of dim {dim} of shape {shapes(input)}"
        raise ValueError(f"topk: expected k from 0 to {length}, got {k}")
    index = _first_few(a, k, dim, largest)
    return _chosen(input, _ranked(a, dim, largest, False)[along(dim, slice(k))] if index is None else index, dim)


def _first_few(a: Any, k: int, dim: int, largest: bool) -> Any:
    """The positions of the `k` largest by taking the largest away k times; None where that is not faster or not possible.

    Of (64, 1000) the 5 largest take 0.06 ms, NumPy's argpartition 0.48, its argsort 1.2.
    """
    xp = array_module(a)
    if xp.__name__ != "numpy" or a.dtype.kind not in "fiu" or not 0 < 50 * k <= a.shape[dim]:
        return None
    bounds = (-math.inf, math.inf) if a.dtype.kind == "f" else (xp.iinfo(a.dtype).min, xp.iinfo(a.dtype).max)
    lowest = bounds[0 if largest else 1]
    left, found = a.copy(), []
    for _ in range(k):
        found.append((left.argmax if largest else left.argmin)(dim, keepdims=True))
        xp.put_along_axis(left, found[-1], lowest, dim)
    index = xp.concatenate(found, dim)
    values = xp.take_along_axis(a, index, dim)
    # what was taken away may have been taken again; and argmin takes nan, which is the largest, for the smallest
    return None if (values == lowest).any() or (not largest and (values != values).any()) else index


@named
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesAndIndices:
    """The middle element, the lower of two, nan if there is one; along `dim`, (values, indices).

    Over everything, equal elements share the gradient. Raises ValueError along a `dim` of length 0.
    """
    if dim is None:
        if not input.numel():
            return flatten(input).sum() * float("nan")
        value = median(flatten(input.detach()), 0)[0].array
        if input.dtype.kind not in "fc":
            return wrap(value)
        equal = wrap((input.array == value) | ((input.array != input.array) & (value != value)))
        return amax(where(equal, input, -math.inf))
    dim, a = _of_some("median", input, dim)
    count = (a == a).sum(dim, keepdims=True)  # nans are last
    at = array_module(a).where(count < a.shape[dim], count, (a.shape[dim] - 1) // 2)
    return _chosen(input, array_module(a).take_along_axis(_ranked(a, dim, False, True), at, dim), dim, keepdim)


@named
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The most frequent element along `dim`, the smallest of equally frequent ones, and the last place where it stood."""
    dim, a = _of_some("mode", input, dim)
    xp = array_module(a)
    order = _ranked(a, dim, False, True)
    ranked = xp.moveaxis(xp.take_along_axis(a, order, dim), dim, -1)
    place = xp.broadcast_to(xp.arange(ranked.shape[-1]), ranked.shape)
    before = xp.roll(ranked, 1, -1)
    begins = xp.where((ranked != before) & ((ranked == ranked) | (before == before)), place, 0)
    step = 1
    while step < begins.shape[-1]:  # the largest so far, by doubling: CuPy has no `maximum.accumulate`
        begins[..., step:] = xp.maximum(begins[..., step:], begins[..., :-step].copy())
        step *= 2
    run = place - begins  # how many equal ones stand before each
    at = xp.moveaxis(run.argmax(-1, keepdims=True), -1, dim)
    return _chosen(input, xp.take_along_axis(order, at, dim), dim, keepdim)


def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The element below which a share `q` of all lies, along `dim` or over everything; nan if there is one.

    Several `q` make a first dimension. Between two elements lies their "linear" interpolation, the "lower", the "higher", the
    "nearest" or the "midpoint". Raises ValueError for q outside [0, 1], TypeError unless input and q are of one floating dtype.
    """
    xp = array_module(input.array)
    shares = q.array if isinstance(q, Tensor) else xp.full((), q, input.dtype)
    if input.dtype.kind != "f" or shares.dtype != input.dtype:
        raise TypeError(f"quantile: expected input and q of one floating dtype, got {input.dtype} and {shares.dtype}")
    if shares.ndim > 1 or not input.numel() or (shares.size and not 0 <= float(shares.min()) <= float(shares.max()) <= 1):
        given = f"{q} and {shapes(input)}"
        raise ValueError(f"quantile: expected q from 0 to 1, at most 1-d, of a tensor with elements, got {given}")
    if interpolation not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise ValueError(f"quantile: no interpolation {interpolation!r}; there are linear, lower, higher, nearest and midpoint")
    whole = input.shape
    rows = flatten(input) if dim is None or not whole else movedim(input, dim, -1)
    a = rows.array
    order = _argsort(a, -1)
    count = (a == a).sum(-1, keepdims=True)
    exact = float32 if a.dtype == float16 else a.dtype  # float16 counts to 2,048
    place = (q if isinstance(q, Tensor) else wrap(shares)).reshape(-1) * wrap((xp.maximum(count, 1) - 1).astype(exact))
    place = where(wrap(count < a.shape[-1]), float(a.shape[-1] - 1), place)  # where the nans are
    place = {"lower": floor, "higher": ceil, "nearest": round}.get(interpolation, lambda place: place)(place)
    below, above = (edge(place.array).astype(int64) for edge in (xp.floor, xp.ceil))
    low, high = (Gather.apply(rows, xp.take_along_axis(order, at, -1), dim=rows.ndim - 1) for at in (below, above))
    weight = place - wrap(below.astype(exact)) if interpolation != "midpoint" else 0.5
    out = where(wrap(below == above), low, low + weight * (high - low))  # inf itself, where it is no mean: inf - inf is nan
    out = movedim(out.type(a.dtype), -1, 0)
    if keepdim:
        out = out.reshape(-1, *(1 if dim is None or i == dim % len(whole) else n for i, n in enumerate(whole)))
    return out if shares.ndim else out[0]
