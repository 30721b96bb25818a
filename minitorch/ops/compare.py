"""Comparisons, logic and counts: without gradients, and an error where one would have to flow through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import CPU, array_module, device_of, float32, int64, to_array
from minitorch.ops.dims import dimension, reduced_dims, shapes
from minitorch.ops.promotion import REAL, check_real, matched
from minitorch.printing import return_type


def _comparison(name: str, sign: str, compare: Callable[..., Any], numbers: bool = True) -> Callable[[Tensor, Any], Tensor]:
    class Comparison(Op):
        def forward(ctx, a: Any, b: Any) -> Any:
            return compare(*matched(a, b))

    Comparison.__name__ = name.capitalize()
    ordered = name in REAL

    def function(input: Tensor, other: Any) -> Tensor:
        if isinstance(input, (bool, int, float)):
            raise TypeError(f"{name}: expected a tensor first, got {type(input).__name__}")
        if not (numbers or isinstance(other, Tensor)):
            raise TypeError(f"{name}: expected two tensors, got {type(other).__name__}")
        for value in (input, other) if ordered else ():
            check_real(name, value)
        return Comparison.apply(input, other)

    function.__name__ = function.__qualname__ = name
    result = "bit by bit" if name.startswith("bitwise") else "as booleans"
    function.__doc__ = f"`input {sign} other`, element by element, broadcast, {result}."
    return function


eq: Final = _comparison("eq", "==", lambda a, b: a == b)
ne: Final = _comparison("ne", "!=", lambda a, b: a != b)
lt: Final = _comparison("lt", "<", lambda a, b: a < b)
le: Final = _comparison("le", "<=", lambda a, b: a <= b)
gt: Final = _comparison("gt", ">", lambda a, b: a > b)
ge: Final = _comparison("ge", ">=", lambda a, b: a >= b)
bitwise_and: Final = _comparison("bitwise_and", "&", lambda a, b: a & b)
bitwise_or: Final = _comparison("bitwise_or", "|", lambda a, b: a | b)
bitwise_xor: Final = _comparison("bitwise_xor", "^", lambda a, b: a ^ b)
bitwise_left_shift: Final = _comparison("bitwise_left_shift", "<<", lambda a, b: a << b)
bitwise_right_shift: Final = _comparison("bitwise_right_shift", ">>", lambda a, b: a >> b)
logical_and: Final = _comparison("logical_and", "and", lambda a, b: (a != 0) & (b != 0), False)
logical_or: Final = _comparison("logical_or", "or", lambda a, b: (a != 0) | (b != 0), False)
logical_xor: Final = _comparison("logical_xor", "xor", lambda a, b: (a != 0) ^ (b != 0), False)


def logical_not(input: Tensor) -> Tensor:
    """Where elements are false, or zero."""
    return wrap(array_module(input.array).asarray(input.array == 0))


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit of integers flipped, every boolean negated."""
    return wrap(array_module(input.array).asarray(~input.array))


def isnan(input: Tensor) -> Tensor:
    """Where elements are nan."""
    return ne(input, input)


def isfinite(input: Tensor) -> Tensor:
    """Where elements are neither infinite nor nan."""
    return wrap((xp := array_module(input.array)).asarray(xp.isfinite(input.array)))


def isinf(input: Tensor) -> Tensor:
    """Where elements are infinite."""
    return wrap((xp := array_module(input.array)).asarray(xp.isinf(input.array)))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return input.shape == other.shape and bool((input.array == other.array).all())


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol |other|, or both are equal; raises TypeError for two dtypes."""
    if input.dtype != other.dtype:
        raise TypeError(f"isclose: expected one dtype, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: expected tolerances of 0 or more, got rtol {rtol} and atol {atol}")
    if input.dtype.kind in "biu" and not (rtol or atol):
        return eq(input, other)  # NumPy compares them as floats, in which 2^53 is 2^53 + 1
    xp = array_module(input.array)
    return wrap(xp.asarray(xp.isclose(input.array, other.array, rtol, atol, equal_nan)))


class Unique(Op):
    """The different elements in order, where in them each is found, and how often each occurs."""

    def forward(ctx, a: Any, dim: int | None) -> Any:
        host = a if dim is None else to_array(a, None, CPU)  # CuPy's `unique` is wrong for slices with infinities
        parts = array_module(host).unique(host, return_inverse=True, return_counts=True, axis=dim, equal_nan=False)
        found, at, counts = (to_array(part, None, device_of(a)) for part in parts)
        return found, at.reshape(a.shape if dim is None else -1), counts


class Bincount(Op):
    """How often each whole number up to the largest occurs, or the sums of its weights w."""

    def forward(ctx, a: Any, w: Any, minlength: int) -> Any:
        counts = array_module(a).bincount(a, w, minlength)
        return counts.astype(w.dtype if w is not None and w.dtype == float32 else counts.dtype)


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements in order, or the different slices along `dim`; there is no derivative.

    With `return_inverse` also where in them each element is found, with `return_counts` also how often each occurs.
    """
    found = Unique.apply(input, dim=None if dim is None else dimension("unique", input.shape, dim))
    parts = tuple(part for part, wanted in zip(found, (True, return_inverse, return_counts)) if wanted)
    return parts if len(parts) > 1 else parts[0]


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 up occurs in a vector, or the sum of its `weights`, which have no derivative.

    Raises ValueError for negative numbers and for weights of another shape.
    """
    if input.dtype.kind not in "iu":
        raise TypeError(f"bincount: expected integers, got {input.dtype}")
    if input.ndim != 1 or (weights is not None and weights.shape != input.shape) or minlength < 0:
        given = f"{shapes(*(x for x in (input, weights) if x is not None))} and {minlength}"
        raise ValueError(f"bincount: expected a 1-d tensor, weights of its shape and minlength >= 0, got {given}")
    if input.numel() and int(input.min()) < 0:
        raise ValueError(f"bincount: expected no negative number, got {int(input.min())} in shape {shapes(input)}")
    return Bincount.apply(input, weights, minlength=minlength)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal stretches from `min` to `max`; if these are equal, over the whole range."""
    if input.dtype.kind != "f":
        raise TypeError(f"histc: expected a floating-point tensor, got {input.dtype}")
    if bins <= 0:
        raise ValueError(f"histc: expected bins > 0, got {bins}")
    low, high = float(min), float(max)
    if low == high and input.numel():
        low, high = float(input.array.min()), float(input.array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not -float("inf") < low < high < float("inf"):
        raise ValueError(f"histc: expected finite min <= max, got {low} and {high}")
    xp = array_module(input.array)
    inside = input.array[(input.array >= low) & (input.array <= high)]
    at = xp.minimum(((inside - low) / (high - low) * bins).astype(int64), bins - 1)
    return wrap(xp.bincount(at, None, bins).astype(input.dtype))


class Histogram(NamedTuple):
    """What `histogram` returns."""

    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return return_type("histogram", self)


def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:
    """How many elements, or how much `weight`, lie in each bin: a number of them over the `range`, or between given edges.

    The last bin has its end. `density` divides by the total and the widths. There is no derivative. Raises TypeError for whole
    numbers, ValueError for bins that are none and weights of another shape.
    """
    edges = bins.array if isinstance(bins, Tensor) else bins
    if any(x.dtype.kind != "f" for x in (input, bins, weight) if isinstance(x, Tensor)):
        raise TypeError(f"histogram: expected floating-point tensors, got an input of {input.dtype}")
    if weight is not None and weight.shape != input.shape:
        raise ValueError(f"histogram: expected weights of the input's shape, got {shapes(input, weight)}")
    weights = None if weight is None else weight.array
    try:
        found = array_module(input.array).histogram(input.array, edges, range, weights=weights, density=density)
    except ValueError as reason:  # no bins, edges not in order, nan
        raise ValueError(f"histogram: {reason}") from None
    return Histogram(*(wrap(each.astype(input.dtype)) for each in found))


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero, (count, ndim)."""
    return input.nonzero()


def count_nonzero(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """How many elements are not zero, over `dim` or over everything."""
    dims = reduced_dims("count_nonzero", input.ndim, dim)
    return wrap(array_module(input.array).asarray((input.array != 0).sum(dims, dtype=int64)))
