"""`torch.linalg`: norms, linear equations, inverses, determinants, singular values and Cholesky factors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.ops.inverses import cholesky as cholesky
from minitorch.ops.inverses import det as det
from minitorch.ops.inverses import inv as inv
from minitorch.ops.inverses import solve as solve
from minitorch.ops.inverses import svd as _svd
from minitorch.ops.joining import movedim
from minitorch.ops.matrices import matrix_power as matrix_power
from minitorch.ops.reduce import Dim, amax, amin, normalized_dims, sum
from minitorch.ops.reduce import norm as p_norm
from minitorch.printing import return_type

__all__ = ["cholesky", "det", "inv", "matrix_power", "norm", "solve", "svd", "vector_norm"]


class SVD(NamedTuple):
    """A = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor

    def __repr__(self) -> str:
        return return_type("linalg_svd", self)


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """U, S and V^T of the singular value decomposition, with all columns of U and V if `full_matrices`."""
    u, s, v = _svd(A, not full_matrices)
    return SVD(u, s, v.swapaxes(-1, -2))


def vector_norm(x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The norm of the vectors along `dim`, or of all elements, computed in `dtype` if one is given."""
    return p_norm(x if dtype is None else x.to(dtype), ord, dim, keepdim)


def norm(A: Tensor, ord: float | str | None = None, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The norm of vectors or, for two dimensions and an `ord`, of matrices.

    For matrices, "fro" is the norm of all elements; 1 and -1 are the largest and the smallest column sum of |A|, inf and -inf
    the same for rows, 2 and -2 for singular values; "nuc" is the sum of these. Raises ValueError for another `ord`.
    """
    dims = normalized_dims("norm", A.ndim, dim)
    if ord is None or ord == "fro" or len(dims) != 2 or (dim is None and A.ndim != 2):
        return p_norm(A, 2 if ord is None else ord, dim, keepdim)
    if ord in (2, -2, "nuc"):
        values = _svd(movedim(A, dims, (-2, -1))).S
        found = {2: amax, -2: amin, "nuc": sum}[ord](values, -1)
        return found.reshape(*(1 if i in dims else n for i, n in enumerate(A.shape))) if keepdim else found
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"linalg.norm: expected ord 'fro', 'nuc', 1, -1, 2, -2, inf or -inf for matrices, got {ord!r}")
    along, over = dims if abs(ord) == 1 else dims[::-1]
    found = (amax if ord > 0 else amin)(sum(abs(A), along, keepdim=True), over, keepdim=True)
    return found if keepdim else found.squeeze(dims)
