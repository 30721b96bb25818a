"""The operators of tensors: `a + b`, `a @ b`, `a < b`, `a[0]`, `a += b`. `minitorch.methods` puts them on `Tensor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.conversion import Conversion
from minitorch.ops import arithmetic, compare, elementwise, index, inplace, linear, shape

Operand: TypeAlias = Tensor | complex | np.ndarray | np.generic  # what may stand on the other side of an operator

# Operators go straight to the operation: as little as possible stands between `a * b` and the product.
_add = arithmetic.Add.apply
_sub = arithmetic.Sub.apply
_mul = arithmetic.Mul.apply
_truediv = arithmetic.Div.apply
_pow = arithmetic.Pow.apply
_floordiv = arithmetic.FloorDivide.apply
_mod = arithmetic.Remainder.apply
_add_: Any = inplace.add_
_sub_: Any = inplace.sub_
_mul_: Any = inplace.mul_
_div_: Any = inplace.div_
_pow_: Any = inplace.pow_


class Operators(Conversion):
    """What Python calls for `+`, `@`, `[]` and so on; `self` is a `Tensor`, which for type checkers inherits from it."""

    __slots__ = ()

    def __add__(self: Any, other: Operand) -> Tensor:
        """`self + other`."""
        return _add(self, other)

    def __radd__(self: Any, other: Operand) -> Tensor:
        """`other + self`."""
        return _add(other, self)

    def __sub__(self: Any, other: Operand) -> Tensor:
        """`self - other`."""
        return _sub(self, other)

    def __rsub__(self: Any, other: Operand) -> Tensor:
        """`other - self`."""
        return _sub(other, self)

    def __mul__(self: Any, other: Operand) -> Tensor:
        """`self * other`."""
        return _mul(self, other)

    def __rmul__(self: Any, other: Operand) -> Tensor:
        """`other * self`."""
        return _mul(other, self)

    def __truediv__(self: Any, other: Operand) -> Tensor:
        """`self / other`."""
        return _truediv(self, other)

    def __rtruediv__(self: Any, other: Operand) -> Tensor:
        """`other / self`."""
        return _truediv(other, self)

    def __pow__(self: Any, other: Operand) -> Tensor:
        """`self ** other`."""
        return _pow(self, other)

    def __rpow__(self: Any, other: Operand) -> Tensor:
        """`other ** self`."""
        return _pow(other, self)

    def __floordiv__(self: Any, other: Operand) -> Tensor:
        """`self // other`."""
        return _floordiv(self, other)

    def __rfloordiv__(self: Any, other: Operand) -> Tensor:
        """`other // self`."""
        return _floordiv(other, self)

    def __mod__(self: Any, other: Operand) -> Tensor:
        """`self % other`."""
        return _mod(self, other)

    def __rmod__(self: Any, other: Operand) -> Tensor:
        """`other % self`."""
        return _mod(other, self)

    def __lt__(self: Any, other: Operand) -> Tensor:
        """Where `self < other`."""
        return compare.lt(self, other)

    def __le__(self: Any, other: Operand) -> Tensor:
        """Where `self <= other`."""
        return compare.le(self, other)

    def __gt__(self: Any, other: Operand) -> Tensor:
        """Where `self > other`."""
        return compare.gt(self, other)

    def __ge__(self: Any, other: Operand) -> Tensor:
        """Where `self >= other`."""
        return compare.ge(self, other)

    if TYPE_CHECKING:  # which take a class with `__eq__` alone for one without a hash

        def __hash__(self) -> int: ...

    def __eq__(self: Any, other: object) -> Tensor:  # type: ignore[override]  # elementwise, so no bool
        """Where `self == other`; None equals no tensor."""
        return NotImplemented if other is None else compare.eq(self, other)

    def __ne__(self: Any, other: object) -> Tensor:  # type: ignore[override]  # elementwise, so no bool
        """Where `self != other`; None equals no tensor."""
        return NotImplemented if other is None else compare.ne(self, other)

    def __and__(self: Any, other: Operand) -> Tensor:
        """`self & other`, bit by bit."""
        return compare.bitwise_and(self, other)

    def __rand__(self: Any, other: Operand) -> Tensor:
        """`other & self`, bit by bit."""
        return compare.bitwise_and(self, other)

    def __or__(self: Any, other: Operand) -> Tensor:
        """`self | other`, bit by bit."""
        return compare.bitwise_or(self, other)

    def __ror__(self: Any, other: Operand) -> Tensor:
        """`other | self`, bit by bit."""
        return compare.bitwise_or(self, other)

    def __xor__(self: Any, other: Operand) -> Tensor:
        """`self ^ other`, bit by bit."""
        return compare.bitwise_xor(self, other)

    def __rxor__(self: Any, other: Operand) -> Tensor:
        """`other ^ self`, bit by bit."""
        return compare.bitwise_xor(self, other)

    def __lshift__(self: Any, other: Operand) -> Tensor:
        """The bits of `self` moved up by `other` places."""
        return compare.bitwise_left_shift(self, other)

    def __rshift__(self: Any, other: Operand) -> Tensor:
        """The bits of `self` moved down by `other` places."""
        return compare.bitwise_right_shift(self, other)

    def __matmul__(self: Any, other: Tensor) -> Tensor:
        """The matrix product `self @ other`."""
        return linear.matmul(self, other)

    def __rmatmul__(self: Any, other: Tensor) -> Tensor:
        """The matrix product `other @ self`."""
        return linear.matmul(other, self)

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

    def __iadd__(self: Any, other: Operand) -> Tensor:
        """`self += other`, in the same memory."""
        return _add_(self, other)

    def __isub__(self: Any, other: Operand) -> Tensor:
        """`self -= other`, in the same memory."""
        return _sub_(self, other)

    def __imul__(self: Any, other: Operand) -> Tensor:
        """`self *= other`, in the same memory."""
        return _mul_(self, other)

    def __itruediv__(self: Any, other: Operand) -> Tensor:
        """`self /= other`, in the same memory."""
        return _div_(self, other)

    def __ipow__(self: Any, other: Operand) -> Tensor:
        """`self **= other`, in the same memory."""
        return _pow_(self, other)

    def __getitem__(self: Any, where: Any) -> Tensor:
        """`self[where]`: a view for integers and slices, a copy for tensors of positions or a mask."""
        return index.getitem(self, where)

    def __setitem__(self: Any, where: Any, value: Any) -> None:
        """`self[where] = value`, in place."""
        inplace.setitem(self, where, value)

    def __iter__(self: Any) -> Iterator[Tensor]:
        """The parts along the first dimension, one after the other; raises TypeError for a 0-d tensor."""
        if not self.ndim:
            raise TypeError("iter(): a 0-d tensor has no elements to go through")
        return iter(shape.unbind(self))
