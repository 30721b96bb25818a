"""Products of vectors, matrices and stacks of them; triangles and diagonals; areas, differences and running products."""

from __future__ import annotations

import numpy as np

import minitorch as mt
from tests.op_table.row import Row, bad, case, spread, via

MATRIX, OTHER, VECTOR = spread(2, 3), spread(3, 2, seed=1), spread(3, seed=2)
STACK, STACKS = spread(2, 2, 3), spread(2, 3, 2, seed=1)
SQUARE, CUBE = spread(3, 3), spread(2, 3, 2)
SQUARES = spread(2, 3, 3)


def plus(name, function, *operands):
    def reference(x, a, b, beta=1, alpha=1):
        return beta * x + alpha * function(a, b)

    wrong = bad(ValueError, r"^expand: shape \(7,\)", spread(7), *operands)
    return Row(
        name,
        getattr(mt, name),
        reference,
        bad=[wrong],
        cases=[
            case(spread(*np.shape(function(*operands)), seed=5), *operands),
            case(spread(seed=5), *operands, beta=0.5, alpha=-2),
        ],
    )


def embedded(x, offset=0):
    return np.stack([np.diag(row, offset) for row in x])


def solved(a, b):
    vectors = b.ndim == 1 or b.shape == a.shape[:-1]
    return np.linalg.solve(a, b[..., None])[..., 0] if vectors else np.linalg.solve(a, b)


def regular(name, call, reference, cases, wrong):
    """A row whose first input has 5 on its diagonal besides, so that no layout of the tests makes it singular.

    For Cholesky factors it is multiplied by its transpose before, which makes it symmetric and positive definite.
    """

    def shifted(function, eye):
        def shift(a, *others, **options):
            square = a.ndim > 1 and a.shape[-1] == a.shape[-2] > 1
            whole = a @ a.swapaxes(-1, -2) if square and name == "cholesky" else a
            return function(whole + 5 * eye(a) if square else a, *others, **options)

        return shift

    tensors = shifted(call, lambda a: mt.eye(a.shape[-1], dtype=a.dtype, device=a.device))
    return Row(
        name,
        via(call, tensors),
        shifted(reference, lambda a: np.eye(a.shape[-1])),
        cases,
        wrong,
        analytic=name != "cholesky",
        torch=lambda torch, *inputs, **options: shifted(
            getattr(torch.linalg, name), lambda a: torch.eye(a.shape[-1], dtype=a.dtype)
        )(*inputs, **options),
    )


def lengths(form, **more):
    return [bad(ValueError, rf"^\w+: expected {form}", spread(2, 3), spread(4), **more)]


# fmt: off
ROWS = [
    Row("dot", mt.dot, np.dot, [case(VECTOR, spread(3))], bad=lengths("two vectors of one length")),
    Row("outer", mt.outer, np.outer, [case(VECTOR, spread(2))], bad=lengths("two vectors")),
    Row("mv", mt.mv, np.dot, [case(MATRIX, VECTOR)], bad=lengths(r"\(n, k\) and \(k\)")),
    Row("cross", mt.cross, lambda a, b, dim=1: np.cross(a, b, axis=dim), [case(MATRIX, spread(2, 3, seed=1)), case(spread(3, 2), OTHER, dim=0)],
        torch=lambda torch, a, b, dim=-1: torch.linalg.cross(a, b, dim=dim), bad=lengths("vectors of length 3 along dim 1")),
    plus("addmm", np.matmul, MATRIX, OTHER),
    plus("baddbmm", np.matmul, STACK, STACKS),
    Row("einsum", mt.einsum, np.einsum, [
        case("ij,jk->ik", MATRIX, OTHER), case("bij,bjk->bk", STACK, STACKS), case("ij->j", MATRIX), case("ii->i", SQUARE),
        case("ii", SQUARE), case("i,j->ij", VECTOR, spread(2)), case("...ij,...jk->...ik", STACK, STACKS), case("b...,b...", MATRIX, spread(2, 1, seed=1)),
        case("ij,jk,k->i", MATRIX, OTHER, spread(2, seed=3)), case("ij,ij->", MATRIX, spread(2, 3, seed=1))],
        bad=[bad(ValueError, "^einsum: 'ij,jk' names 2 operands, 1 were given", "ij,jk", MATRIX),
             bad(ValueError, r"^einsum: 'ijk' of 'ijk' does not fit a tensor of shape \(2, 3\)", "ijk", MATRIX),
             bad(ValueError, "^einsum: 'j' of 'ij,jk' has lengths 3 and 2", "ij,jk", MATRIX, spread(2, 2)),
             bad(ValueError, "^einsum: the right side", "ij->k", MATRIX), bad(ValueError, "^einsum: 'i' of 'ii' has two lengths", "ii", MATRIX)]),
    # ---- triangles and diagonals
    Row("tril", mt.tril, np.tril, [case(SQUARE), case(CUBE, -1)], bad=[bad(ValueError, "^tril: expected at least 2 dimensions", VECTOR)]),
    Row("triu", mt.triu, np.triu, [case(SQUARE), case(CUBE, 1)], bad=[bad(ValueError, "^triu: expected at least 2 dimensions", VECTOR)]),
    Row("diagonal", mt.diagonal, np.diagonal, [case(SQUARE), case(CUBE, 1), case(CUBE, -1, 1, 2)],
        bad=[bad(ValueError, "^diagonal: a dim appears twice", SQUARE, 0, 0, -2)]),
    Row("diag_embed", mt.diag_embed, embedded, [case(MATRIX), case(MATRIX, 1)]),
    Row("diag", mt.diag, np.diag, [case(SQUARE), case(VECTOR), case(VECTOR, -1), case(MATRIX, 1)], bad=[bad(ValueError, "^diag: expected a vector or a", CUBE)]),
    Row("trace", mt.trace, np.trace, [case(SQUARE), case(MATRIX)], bad=[bad(ValueError, "^trace: expected a matrix", VECTOR)]),
    # ---- inverses
    regular("solve", mt.linalg.solve, solved, [case(SQUARE, OTHER, waits="forward backward", uploads=1), case(SQUARE, VECTOR, waits="forward backward", uploads=1), case(SQUARES, spread(2, 3), waits="forward backward", uploads=1), case(SQUARE, SQUARES, waits="forward backward", uploads=1)],
        [bad(ValueError, r"^solve: expected square matrices \(..., n, n\), got shape \(2, 3\)", MATRIX, VECTOR),
         bad(ValueError, r"^solve: shapes \(3, 3\) and \(2, 3\) do not fit", SQUARE, MATRIX)]),
    regular("inv", mt.linalg.inv, np.linalg.inv, [case(SQUARE, waits="forward backward", uploads=1), case(SQUARES, waits="forward backward", uploads=1)], [bad(TypeError, "^inv: expected floating-point matrices, got int64", np.array([[1]]))]),
    regular("cholesky", mt.linalg.cholesky, np.linalg.cholesky, [case(SQUARE, waits="forward backward", uploads=1), case(SQUARES, waits="forward backward", uploads=1), case(SQUARE, upper=True, waits="forward backward", uploads=1)],
        [bad(ValueError, "^cholesky: expected square", VECTOR), bad(TypeError, "^cholesky: expected floating-point matrices, got int64", np.array([[1]])),
         bad(ValueError, "^cholesky: Matrix is not positive definite", np.array([[-1.0]]))]),
    regular("det", mt.linalg.det, np.linalg.det, [case(SQUARE, waits="backward", uploads=1), case(SQUARES, waits="backward", uploads=1)], [bad(ValueError, "^det: expected square", VECTOR)]),
    regular("matrix_power", mt.matrix_power, np.linalg.matrix_power,
        [case(SQUARE, 3, uploads=1), case(SQUARES, 4, uploads=1), case(SQUARE, 1, uploads=1), case(SQUARE, -2, waits="forward backward", uploads=1)],
        [bad(ValueError, "^matrix_power: expected square matrices, got shape", MATRIX, 2)]),
    Row("vector_norm", mt.linalg.vector_norm, np.linalg.norm, [case(VECTOR), case(VECTOR, 3), case(VECTOR, 0.5)], torch=lambda torch, *a: torch.linalg.vector_norm(*a), analytic=False),
    Row("linalg.norm", mt.linalg.norm, np.linalg.norm, [case(SQUARE), *(case(SQUARE, p) for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)), case(VECTOR, 3), case(MATRIX, 1, 1)],
        torch=lambda torch, *a: torch.linalg.norm(*a), analytic=False, bad=[bad(ValueError, "^linalg.norm: expected ord 'fro', 'nuc', 1, -1, 2, -2, inf or -inf for matrices, got 3", MATRIX, 3)]),
    Row("svd", via(mt.svd, lambda a: mt.svd(a).S), lambda a: np.linalg.svd(a, compute_uv=False), [case(MATRIX), case(SQUARE), case(STACK)],
        torch=lambda torch, a: torch.svd(a).S, analytic=False, bad=[bad(TypeError, "^svd: expected real floating-point matrices, got int64", np.array([[1]])),
            bad(ValueError, r"^svd: expected matrices .* got shape \(3,\)", VECTOR)]),
    # ---- along a dimension
    Row("cumprod", mt.cumprod, lambda x, dim: x.cumprod(dim) if x.ndim else x, [
        case(CUBE, 1, waits="backward"), case(np.array([[1.5, 0.0, -2.0], [0.5, 0.0, 0.0]]), -1, waits="backward"), case(spread(), 0)],
        bad=[bad(IndexError, "^cumprod: dim 3 is out of range", CUBE, 3)]),
    Row("var_mean", mt.var_mean, lambda x, dim=None, **k: (x.var(dim, ddof=1), x.mean(dim)), [case(MATRIX), case(MATRIX, 1)]),
    Row("std_mean", mt.std_mean, lambda x, dim=None, **k: (x.std(dim, ddof=1), x.mean(dim)), [case(MATRIX), case(MATRIX, 1)]),
]
# fmt: on
