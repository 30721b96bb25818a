"""Linear equations, inverses, determinants, singular values and Cholesky factors of matrices, or of stacks of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module, linalg_errors
from minitorch.ops.choice import where
from minitorch.ops.linear import check_dtypes
from minitorch.printing import return_type


class Solve(Op):
    """a^-1 b.  da = -a^-T g (a^-1 b)^T, db = a^-T g."""

    def forward(ctx, a: Any, b: Any) -> Any:
        out = _solved(a, b)
        ctx.saved = a, out
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        db = Solve.apply(a.swapaxes(-1, -2), g)
        return -(db @ out.swapaxes(-1, -2)), db


def _solved(a: Any, b: Any) -> Any:
    """a^-1 b; raises LinAlgError for a singular matrix."""
    xp = array_module(a)
    if xp is not np:  # CuPy broadcasts no stacks
        stack = xp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (xp.broadcast_to(matrix, stack + matrix.shape[-2:]) for matrix in (a, b))
    with linalg_errors(xp, "Singular matrix"):
        return xp.linalg.solve(a, b)


class Det(Op):
    """det a.  da = g det(a) a^-T."""

    def forward(ctx, a: Any) -> Any:
        out = array_module(a).linalg.det(a)
        ctx.saved = a, out
        return out

    def backward(ctx, g: Any) -> Any:
        a, out = ctx.saved
        return (g * out)[..., None, None] * Solve.apply(a.swapaxes(-1, -2), _identity(a))


class Svd(Op):
    """u, s and v of a = u diag(s) v^T.  da = u (f o (u^T gu - gu^T u) s + s f o (v^T gv - gv^T v) + diag gs) v^T

    + (1 - u u^T) gu s^-1 v^T + u s^-1 gv^T (1 - v v^T), with f = 1 / (s[j]^2 - s[i]^2) and s^-1 taken as 0 where they are
    infinite (Townsend, "Differentiating the singular value decomposition", 2016).
    """

    def forward(ctx, a: Any, *, some: bool) -> Any:
        if a.dtype.kind != "f":
            raise TypeError(f"expected real floating-point matrices, got {a.dtype}")
        u, s, vt = array_module(a).linalg.svd(a, full_matrices=not some)
        ctx.saved = u, s, vt.swapaxes(-1, -2)
        return ctx.saved

    def backward(ctx, gu: Any, gs: Any, gv: Any) -> Any:
        u, s, v = ctx.saved
        u, v, gu, gv = (each[..., : s.shape[-1]] for each in (u, v, gu, gv))  # further columns are not differentiable
        ut, vt, row, column = u.swapaxes(-1, -2), v.swapaxes(-1, -2), s[..., None, :], s[..., None]
        f, inverse = _reciprocal(row * row - column * column), _reciprocal(row)
        pu, pv = ut @ gu, vt @ gv
        inner = f * (pu - pu.swapaxes(-1, -2)) * row + column * f * (pv - pv.swapaxes(-1, -2)) + gs[..., None] * _identity(pu)
        return u @ inner @ vt + (gu - u @ pu) * inverse @ vt + u * inverse @ (gv - v @ pv).swapaxes(-1, -2)


class Cholesky(Op):
    """The lower triangle y of a = y y^T.  da = (s + s^T) / 2, s = y^-T p y^-1, p the lower half of y^T g.

    The lower half has half the diagonal; of a only the lower triangle is read (Murray, "Differentiation of the Cholesky
    decomposition", 2016, equation 10).
    """

    symmetric = True  # the gradient is that by a change that keeps a symmetric

    def forward(ctx, a: Any) -> Any:
        if a.dtype.kind != "f":
            raise TypeError(f"expected real floating-point matrices, got {a.dtype}")
        xp = array_module(a)
        with linalg_errors(xp, "Matrix is not positive definite"):
            out = xp.linalg.cholesky(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g: Any) -> Any:
        (y,) = ctx.saved
        yt, one = y.swapaxes(-1, -2), _identity(y)
        p = yt @ g * (array_module(one).tri(len(one), dtype=one.dtype) - one / 2)
        s = Solve.apply(yt, Solve.apply(yt, p).swapaxes(-1, -2))  # transposed, which changes nothing in the sum below
        return (s + s.swapaxes(-1, -2)) / 2


def _reciprocal(x: Any) -> Any:
    return where(x == 0, 0.0, 1 / where(x == 0, 1.0, x))


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
    return Solve.apply(A, _identity(A))


class Factors(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    V: Tensor

    def __repr__(self) -> str:
        return return_type("svd", self)


def svd(input: Tensor, some: bool = True) -> Factors:
    """U, S and V of the singular values: input = U diag(S) V^T, with all columns of U and V unless `some`.

    The columns of U and V are unique up to sign only; those beyond the singular values have no gradient. Raises ValueError for
    a tensor of fewer than two dimensions.
    """
    if input.ndim < 2:
        raise ValueError(f"svd: expected matrices (..., m, n), got shape {tuple(input.shape)}")
    return Factors(*Svd.apply(input, some=some))


def det(A: Tensor) -> Tensor:
    """The determinant of matrices; a singular one has no derivative here."""
    _square("det", A)
    return Det.apply(A)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L of A = L L^T, or L^T if `upper`, for symmetric positive definite matrices (..., n, n).

    Only the lower triangle of `A` is read; its gradient is symmetric. Raises LinAlgError if A is not positive definite.
    """
    _square("cholesky", A)
    out = Cholesky.apply(A)
    return out.swapaxes(-1, -2) if upper else out
