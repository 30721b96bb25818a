"""The operators of tensors: `a + b`, `a @ b`, `a < b`, `a[0]`, `a += b`. `minitorch.methods` adds them to `Tensor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.conversion import Conversion
from minitorch.ops import arithmetic, compare, elementwise, index, inplace, joining, linear
from minitorch.ops.inplace import in_place

Operand: TypeAlias = Tensor | complex | np.ndarray | np.generic  # what the other operand may be
S = TypeVar("S")


class Operator(Protocol):
    """An operator's type, already bound: with a function's, and `Final`, pyright would refuse `sum(tensors)`."""

    def __call__(self, other: Operand, /) -> Tensor: ...


REFLECTED: Final = {"__lt__": "__gt__", "__gt__": "__lt__", "__le__": "__ge__", "__ge__": "__le__"}


def _has_own(other: Any, name: str) -> bool:
    """Whether `other` is of a class of the user's, which is no array, with an operator of its own."""
    kind = type(other)
    foreign = kind.__module__ != "builtins" and not isinstance(other, np.generic) and not hasattr(other, "__dlpack__")
    return foreign and getattr(kind, name, None) not in (None, getattr(object, name, None))


def _operator(name: str, doc: str, run: Callable[[Any, Any], Any]) -> Any:
    """The method `name`: `run(self, other)`, or `run(other, self)` for a reflected operator."""

    turned = REFLECTED.get(name) or f"__r{name.removeprefix('__').removeprefix('i')}"

    def method(self: Any, other: Any) -> Any:
        try:
            return run(self, other)
        except TypeError:
            if _has_own(other, turned):
                return NotImplemented  # Python goes on with the other operand's
            raise

    def reflected(self: Any, other: Any) -> Any:
        return run(other, self)

    made = reflected if doc.startswith("other") else method
    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"`{doc}`."
    return made


def _equality(run: Callable[[Any, Any], Tensor], a: Any, b: object) -> Any:
    try:
        return run(a, b)
    except TypeError:
        if b is None or isinstance(b, str) or _has_own(b, "__eq__"):
            return NotImplemented
        raise


def _changing(name: str, doc: str, run: Callable[[Any, Any], Any]) -> Callable[[S, Operand], S]:
    """`_operator` for a change in place: for type checkers too a `Parameter` stays one."""
    return _operator(name, doc, run)


class Operators(Conversion):
    """The methods for `+`, `@`, `[]` and so on; `self` is a `Tensor`, which inherits from this class for type checkers."""

    __slots__ = ()

    # these call the operation directly, to keep `a * b` fast
    __add__: Operator = _operator("__add__", "self + other", arithmetic.Add.apply)
    __radd__: Operator = _operator("__radd__", "self + other", arithmetic.Add.apply)
    __sub__: Operator = _operator("__sub__", "self - other", arithmetic.Sub.apply)
    __rsub__: Operator = _operator("__rsub__", "other - self", arithmetic.Sub.apply)
    __mul__: Operator = _operator("__mul__", "self * other", arithmetic.Mul.apply)
    __rmul__: Operator = _operator("__rmul__", "self * other", arithmetic.Mul.apply)
    __truediv__: Operator = _operator("__truediv__", "self / other", arithmetic.Div.apply)
    __rtruediv__: Operator = _operator("__rtruediv__", "other / self", arithmetic.Div.apply)
    __pow__: Operator = _operator("__pow__", "self ** other", arithmetic.Pow.apply)
    __rpow__: Operator = _operator("__rpow__", "other ** self", arithmetic.Pow.apply)
    __floordiv__: Operator = _operator("__floordiv__", "self // other", arithmetic.FloorDivide.apply)
    __rfloordiv__: Operator = _operator("__rfloordiv__", "other // self", arithmetic.FloorDivide.apply)
    __mod__: Operator = _operator("__mod__", "self % other", arithmetic.Remainder.apply)
    __rmod__: Operator = _operator("__rmod__", "other % self", arithmetic.Remainder.apply)
    __matmul__: Operator = _operator("__matmul__", "self @ other", linear.matmul)
    __rmatmul__: Operator = _operator("__rmatmul__", "other @ self", linear.matmul)
    __lt__: Operator = _operator("__lt__", "self < other", compare.lt)
    __le__: Operator = _operator("__le__", "self <= other", compare.le)
    __gt__: Operator = _operator("__gt__", "self > other", compare.gt)
    __ge__: Operator = _operator("__ge__", "self >= other", compare.ge)
    __and__: Operator = _operator("__and__", "self & other", compare.bitwise_and)
    __rand__: Operator = _operator("__rand__", "other & self", compare.bitwise_and)
    __or__: Operator = _operator("__or__", "self | other", compare.bitwise_or)
    __ror__: Operator = _operator("__ror__", "other | self", compare.bitwise_or)
    __xor__: Operator = _operator("__xor__", "self ^ other", compare.bitwise_xor)
    __rxor__: Operator = _operator("__rxor__", "other ^ self", compare.bitwise_xor)
    __lshift__: Operator = _operator("__lshift__", "self << other", compare.bitwise_left_shift)
    __rshift__: Operator = _operator("__rshift__", "self >> other", compare.bitwise_right_shift)
    __iadd__: Final = _changing("__iadd__", "self += other", inplace.add_)
    __isub__: Final = _changing("__isub__", "self -= other", inplace.sub_)
    __imul__: Final = _changing("__imul__", "self *= other", inplace.mul_)
    __itruediv__: Final = _changing("__itruediv__", "self /= other", inplace.div_)
    __ipow__: Final = _changing("__ipow__", "self **= other", inplace.pow_)
    __ifloordiv__: Final = _changing("__ifloordiv__", "self //= other", in_place("floor_divide_", arithmetic.floor_divide))
    __imod__: Final = _changing("__imod__", "self %= other", in_place("remainder_", arithmetic.remainder))
    __iand__: Final = _changing("__iand__", "self &= other", in_place("bitwise_and_", compare.bitwise_and))
    __ior__: Final = _changing("__ior__", "self |= other", in_place("bitwise_or_", compare.bitwise_or))
    __ixor__: Final = _changing("__ixor__", "self ^= other", in_place("bitwise_xor_", compare.bitwise_xor))
    __ilshift__: Final = _changing("__ilshift__", "self <<= other", in_place("bitwise_left_shift_", compare.bitwise_left_shift))
    __irshift__: Final = _changing(
        "__irshift__", "self >>= other", in_place("bitwise_right_shift_", compare.bitwise_right_shift)
    )

    __hash__: Final = object.__hash__  # by identity

    def __eq__(self: Any, other: object) -> Tensor:  # type: ignore[override]  # elementwise, so no bool
        """`self == other`, elementwise; None and text equal no tensor."""
        return _equality(compare.eq, self, other)

    def __ne__(self: Any, other: object) -> Tensor:  # type: ignore[override]  # elementwise, so no bool
        """`self != other`, elementwise; None and text equal no tensor."""
        return _equality(compare.ne, self, other)

    def __neg__(self: Any) -> Tensor:
        """`-self`."""
        return arithmetic.neg(self)

    def __pos__(self: Any) -> Tensor:
        """`+self`, the tensor itself."""
        return self

    def __abs__(self: Any) -> Tensor:
        """`abs(self)`, elementwise."""
        return elementwise.abs(self)

    def __invert__(self: Any) -> Tensor:
        """`~self`: every bit of integers flipped, every boolean negated."""
        return compare.bitwise_not(self)

    def __getitem__(self: Any, where: Any) -> Tensor:
        """`self[where]`: a view for integers and slices, a copy for tensors of positions or a mask."""
        return index.getitem(self, where)

    def __setitem__(self: Any, where: Any, value: Any) -> None:
        """`self[where] = value`, in place."""
        inplace.setitem(self, where, value)

    def __iter__(self: Any) -> Iterator[Tensor]:
        """The slices along the first dimension; raises TypeError for a 0-d tensor."""
        if not self.ndim:
            raise TypeError("iter(): a 0-d tensor cannot be iterated over")
        return iter(joining.unbind(self))
