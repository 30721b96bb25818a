"""Linear equations, inverses and determinants of matrices, or of stacks of them."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.linear import check_dtypes


class Solve(Op):
    """a^-1 b.  da = -a^-T g (a^-1 b)^T, db = a^-T g."""

    def forward(ctx, a: Any, b: Any) -> Any:
        out = array_module(a).linalg.solve(a, b)
        ctx.saved = a, out
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        db = Solve.apply(a.swapaxes(-1, -2), g)
        return -(db @ out.swapaxes(-1, -2)), db


class Det(Op):
    """det a.  da = g det(a) a^-T."""

    def forward(ctx, a: Any) -> Any:
        out = array_module(a).linalg.det(a)
        ctx.saved = a, out
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        return (g * out)[..., None, None] * Solve.apply(a.swapaxes(-1, -2), _identity(a))


def _identity(like: Any) -> Any:
    array = like.array if isinstance(like, Tensor) else like
    return array_module(array).eye(array.shape[-1], dtype=array.dtype)


def _square(name: str, matrix: Tensor) -> None:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"{name}: expected square matrices (..., n, n), got shape {tuple(matrix.shape)}")
    if matrix.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected floating-point matrices, got {matrix.dtype}")


def solve(A: Tensor, B: Tensor) -> Tensor:
    """The x of A x = B, for `A` (..., n, n) and `B` (..., n, m) or, a vector for each matrix, (..., n).

    Raises ValueError for shapes that do not fit, TypeError for two dtypes or whole numbers, LinAlgError for a singular matrix.
    """
    _square("solve", A)
    check_dtypes("solve", A, B)
    vectors = B.ndim == 1 or B.shape == A.shape[:-1]
    columns = B.unsqueeze(-1) if vectors else B
    if columns.shape[-2] != A.shape[-1]:
        raise ValueError(f"solve: shapes {tuple(A.shape)} and {tuple(B.shape)} do not fit: the number of rows must be equal")
    out = Solve.apply(A, columns)
    return out.squeeze(-1) if vectors else out


def inv(A: Tensor) -> Tensor:
    """The inverse of matrices; raises as `solve`."""
    _square("inv", A)
    return Solve.apply(A, wrap(_identity(A)))


def det(A: Tensor) -> Tensor:
    """The determinant of matrices; a singular one has no derivative here."""
    _square("det", A)
    return Det.apply(A)
