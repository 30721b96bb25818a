"""Comparisons and logic: boolean tensors, without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.elementwise import abs
from minitorch.ops.promotion import matched


def _comparison(
    name: str, sign: str, compare: Callable[[Any, Any], Any], takes_numbers: bool = True
) -> Callable[[Tensor, Any], Tensor]:
    class Comparison(Op):
        def forward(ctx, a: Any, b: Any) -> Any:
            return compare(*matched(a, b))

    Comparison.__name__ = name.capitalize()

    def function(input: Tensor, other: Any) -> Tensor:
        if isinstance(input, (bool, int, float)):
            raise TypeError(f"{name}: expected a tensor first, got {type(input).__name__}")
        if not (takes_numbers or isinstance(other, Tensor)):
            raise TypeError(f"{name}: expected two tensors, got {type(other).__name__}")
        return Comparison.apply(input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Where `input {sign} other`, broadcast; a boolean tensor."
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
    """Whether |input - other| <= atol + rtol |other| everywhere."""
    return bool(array_module(input.array).allclose(input.array, other.array, rtol, atol, equal_nan))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol |other|, or both are equal; raises TypeError for two dtypes."""
    if input.dtype != other.dtype:
        raise TypeError(f"isclose: expected one dtype, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: expected tolerances of 0 or more, got rtol {rtol} and atol {atol}")
    equal = input == other
    if equal_nan and input.dtype.kind in "fc":
        equal = equal | (isnan(input) & isnan(other))
    if input.dtype == backend.bool_ or not (rtol or atol):
        return equal
    apart = abs((input - other).detach())
    return equal | (isfinite(apart) & (apart <= atol + abs(other.detach() * rtol)))
