"""Matrices: triangles and diagonals, products of vectors, matrices and stacks of them, and sums of products by letters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device, array_module, as_device, bool_, int64, module_of
from minitorch.ops.choice import where
from minitorch.ops.dims import dimension, normalized_dims, shapes
from minitorch.ops.index import AddAt, Slice, masked_fill
from minitorch.ops.inverses import inv
from minitorch.ops.joining import cat, movedim, split
from minitorch.ops.linear import Matmul, bmm, matmul, mm
from minitorch.ops.promotion import result_type
from minitorch.ops.reduce import sum as total
from minitorch.ops.shape import clone, expand, permute, reshape


class Diagonal(Slice):
    """The diagonal `offset` of the last two dimensions of a, as a view.  da = zeros with g there."""

    def forward(ctx, a: Any, offset: Any) -> Any:
        out = array_module(a).diagonal(a, offset, -2, -1)
        if isinstance(out, np.ndarray) and a.flags.writeable:
            out.flags.writeable = True  # NumPy's diagonal is locked
        ctx.shape_in, ctx.index = a.shape, _on_diagonal(a, out.shape[-1], offset)
        return out


def _on_diagonal(a: Any, count: int, offset: int) -> tuple[Any, ...]:
    """The index of the first `count` elements of a diagonal, as arrays where `a` lies."""
    along = array_module(a).arange(count)
    return Ellipsis, along + max(-offset, 0), along + max(offset, 0)


def _lower(name: str, input: Tensor, diagonal: int) -> Any:
    """Where the elements of matrices stand on the `diagonal` or below it."""
    if input.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 dimensions, got shape {shapes(input)}")
    xp = array_module(input.array)
    return xp.broadcast_to(xp.tri(*input.shape[-2:], int(diagonal), bool), input.shape)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, zeros above the `diagonal` counted upwards from the main one."""
    return where(wrap(_lower("tril", input, diagonal)), input, False)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, zeros below the `diagonal` counted upwards from the main one."""
    return where(wrap(~_lower("triu", input, int(diagonal) - 1)), input, False)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two different dimensions, as the last dimension of a view, `offset` above the main one."""
    first, second = normalized_dims("diagonal", input.ndim, (dim1, dim2))
    return Diagonal.apply(movedim(input, (first, second), (-2, -1)), offset=offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the rows of `input` on their diagonals, in the new dimensions `dim1` and `dim2`."""
    first, second = normalized_dims("diag_embed", input.ndim + 1, (dim1, dim2))
    size = input.shape[-1] + abs(offset)
    index = _on_diagonal(input.array, input.shape[-1], offset)
    out = AddAt.apply(input, index=index, shape=(*input.shape[:-1], size, size), once=True)
    return movedim(out, (-2, -1), (first, second))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix as a copy, or the matrix that has a vector on its diagonal."""
    if input.ndim not in (1, 2):
        raise ValueError(f"diag: expected a vector or a matrix, got shape {shapes(input)}")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return Diagonal.apply(input, offset=diagonal).clone()


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ValueError(f"trace: expected a matrix, got shape {shapes(input)}")
    return total(Diagonal.apply(input, offset=0))


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The product of `n` factors `input`, square matrices (..., m, m): for 0 the identity, below 0 that of -n inverses.

    Raises ValueError for another shape, and what `linalg.inv` raises.
    """
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise ValueError(f"matrix_power: expected square matrices, got shape {shapes(input)}")
    if n < 0:
        return matrix_power(inv(input), -n)
    if n == 0:
        one = wrap(array_module(input.array).eye(input.shape[-1], dtype=bool_))
        return masked_fill(masked_fill(input, one, 1), ~one, 0)
    half = clone(input) if n == 1 else matrix_power(input, n // 2)
    return half if n == 1 else half @ half @ input if n % 2 else half @ half


_Place = Device | str | None


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: np.dtype | None = None, device: _Place = None) -> Tensor:
    """The indices of the lower triangle of a row by col matrix, (2, count) int64, row by row."""
    if row < 0 or col < 0:
        raise ValueError(f"tril_indices: expected sizes of 0 or more, got {row} and {col}")
    xp = module_of(as_device(device))
    return wrap(xp.stack(xp.tril(xp.ones((row, col), bool), offset).nonzero())).to(dtype or int64)


# ---- products ------------------------------------------------------------------------------------------------------------


def _expect(name: str, form: str, fits: bool, *tensors: Tensor) -> None:
    """Raise ValueError unless the shapes fit, TypeError unless the dtypes are one."""
    if not fits:
        raise ValueError(f"{name}: expected {form}, got shapes {', '.join(str(tuple(x.shape)) for x in tensors)}")
    if any(x.dtype != tensors[0].dtype for x in tensors):
        raise TypeError(f"{name}: expected one dtype, got {', '.join(str(x.dtype) for x in tensors)}")


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors of one length."""
    _expect("dot", "two vectors of one length", input.ndim == tensor.ndim == 1 and len(input) == len(tensor), input, tensor)
    return matmul(input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of one vector and one of the other, (n, m)."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise ValueError(f"outer: expected two vectors, got shapes {shapes(input)} and {shapes(vec2)}")
    return reshape(input, -1, 1) * vec2


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix (n, k) times a vector (k)."""
    _expect("mv", "(n, k) and (k)", input.ndim == 2 and vec.ndim == 1 and input.shape[1] == len(vec), input, vec)
    return matmul(input, vec)


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product along `dim`, of length 3; without one along the first dimension of that length."""
    dim = dimension("cross", input.shape, next((d for d, n in enumerate(input.shape) if n == 3), -1) if dim is None else dim)
    fits = input.ndim == other.ndim > dim and input.shape[dim] == other.shape[dim] == 3
    _expect("cross", f"vectors of length 3 along dim {dim}", fits, input, other)
    first, second = split(input, 1, dim), split(other, 1, dim)
    return cat([first[i - 2] * second[i - 1] - first[i - 1] * second[i - 2] for i in range(3)], dim)


def _plus(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """`beta * input + alpha * product`; with beta 0 the input is ignored, even if it is nan."""
    if input.dtype != product.dtype:
        raise TypeError(f"{name}: expected one dtype, got {input.dtype} and {product.dtype}")
    expanded = expand(input, product.shape)
    if product.dtype == bool_:
        return (expanded & bool(beta)) | (product & bool(alpha))
    if product.dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else (expanded if beta == 1 else expanded * beta) + product


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta * input + alpha * mat1 @ mat2`, the input broadcast."""
    return _plus("addmm", input, mm(mat1, mat2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta * input + alpha * bmm(batch1, batch2)`."""
    return _plus("baddbmm", input, bmm(batch1, batch2), beta, alpha)


# ---- einsum --------------------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor:
    """Sums of products named by letters: `einsum("bij,bjk->bik", x, y)`, where letters missing on the right are summed over.

    Operands are combined from left to right by matrix products. "..." stands for dimensions that are broadcast. Raises
    ValueError for an equation that does not fit the operands.
    """
    tensors: list[Any] = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors) or not tensors:
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, {len(tensors)} were given")
    if len({x.dtype for x in tensors}) > 1:  # of int64 and float32 NumPy's products would be float64
        common = result_type(*(x.array for x in tensors))
        tensors = [x.type(common) for x in tensors]
    labelled = [_labelled(equation, term, x) for term, x in zip(terms, tensors)]
    sizes: dict[Any, int] = {}  # the length of each label
    for label, length in ((label, n) for x, labels in labelled for label, n in zip(labels, x.shape)):
        if sizes.setdefault(label, length) == 1:
            sizes[label] = length
        if length not in (1, sizes[label]):
            raise ValueError(f"einsum: {label!r} of {equation!r} has lengths {sizes[label]} and {length}")
    spread = sorted((label for label in sizes if isinstance(label, int)), reverse=True)
    if not arrow:
        named = "".join(terms).replace(".", "")
        output = [*spread, *sorted(c for c in set(named) if named.count(c) == 1)]
    else:
        output = [label for part in right.replace("...", ".") for label in (spread if part == "." else [part])]
    if len(set(output)) != len(output) or not set(output) <= set(sizes):
        raise ValueError(f"einsum: the right side of {equation!r} names a letter twice, or one that is not on the left")
    whole = [(expand(x, [sizes[label] for label in labels]), labels) for x, labels in labelled]
    x, labels = whole[0]
    for i, (y, others) in enumerate(whole[1:], 2):
        wanted = {*output, *(label for _, later in whole[i:] for label in later)}
        x, labels = _combined(x, labels, y, others, wanted, sizes)
    x, labels = _summed(x, labels, set(output))
    return permute(x, tuple(labels.index(label) for label in output))


def _labelled(equation: str, term: str, x: Tensor) -> tuple[Tensor, list[Any]]:
    """An operand and one label for each dimension: a repeated letter is the diagonal, "..." are numbers from the right."""
    before, dots, after = term.partition("...")
    hidden = x.ndim - len(before) - len(after)
    if not all(each.isascii() and each.isalpha() for each in before + after) or hidden < 0 or (hidden and not dots):
        raise ValueError(f"einsum: {term!r} of {equation!r} does not fit a tensor of shape {shapes(x)}")
    labels = [*before, *range(hidden - 1, -1, -1), *after]
    while twice := [label for label in before + after if labels.count(label) > 1]:
        first = labels.index(twice[0])
        second = labels.index(twice[0], first + 1)
        if x.shape[first] != x.shape[second]:
            raise ValueError(f"einsum: {twice[0]!r} of {equation!r} has two lengths in a tensor of shape {shapes(x)}")
        x = diagonal(x, 0, first, second)
        labels = [label for i, label in enumerate(labels) if i not in (first, second)] + [twice[0]]
    return x, labels


def _summed(x: Tensor, labels: list[Any], wanted: set) -> tuple[Tensor, list[Any]]:
    """`x` summed over the labels that are not wanted."""
    dims = tuple(d for d, label in enumerate(labels) if label not in wanted)
    return (total(x, dims), [label for label in labels if label in wanted]) if dims else (x, labels)


def _combined(x: Tensor, labels: list, y: Tensor, others: list, wanted: set, sizes: dict) -> tuple[Tensor, list[Any]]:
    """Two operands as one product of stacks of matrices: (in both, x alone, summed) times (in both, summed, y alone)."""
    x, labels = _summed(x, labels, wanted | set(others))
    y, others = _summed(y, others, wanted | set(labels))
    both = [label for label in labels if label in others]
    batch, inner = [c for c in both if c in wanted], [c for c in both if c not in wanted]
    rows, columns = [c for c in labels if c not in both], [c for c in others if c not in both]
    count = [math.prod(sizes[c] for c in part) for part in (batch, rows, inner, columns)]
    a = reshape(permute(x, tuple(labels.index(c) for c in batch + rows + inner)), count[0], count[1], count[2])
    b = reshape(permute(y, tuple(others.index(c) for c in batch + inner + columns)), count[0], count[2], count[3])
    out = Matmul.apply(a[0], b[0]) if not batch else Matmul.apply(a, b)
    return reshape(out, [sizes[c] for c in batch + rows + columns]), batch + rows + columns
