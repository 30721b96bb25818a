"""`torch.linalg`: norms, linear equations, inverses and determinants."""

from __future__ import annotations

import math

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.ops.inverses import det as det
from minitorch.ops.inverses import inv as inv
from minitorch.ops.inverses import solve as solve
from minitorch.ops.reduce import Dim, amax, amin, normalized_dims, sum
from minitorch.ops.reduce import norm as p_norm


def vector_norm(x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: np.dtype | None = None) -> Tensor:
    """The norm of the vectors along `dim`, or of all elements, computed in `dtype` if one is given."""
    return p_norm(x if dtype is None else x.to(dtype), ord, dim, keepdim)


def norm(A: Tensor, ord: float | str | None = None, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The norm of vectors or, for two dimensions and an `ord`, of matrices.

    For matrices, "fro" is the norm of all elements; 1 and -1 are the largest and the smallest column sum of |A|, inf and -inf
    the same for rows. Raises ValueError for another number, TypeError for another name.
    """
    dims = normalized_dims("norm", A.ndim, dim)
    if ord is None or isinstance(ord, str) or len(dims) != 2 or (dim is None and A.ndim != 2):
        return p_norm(A, 2 if ord is None else ord, dim, keepdim)
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"linalg.norm: of matrices only ord 'fro', 1, -1, inf or -inf is supported, got {ord!r}")
    along, over = dims if abs(ord) == 1 else dims[::-1]
    found = (amax if ord > 0 else amin)(sum(abs(A), along, keepdim=True), over, keepdim=True)
    return found if keepdim else found.squeeze(dims)
