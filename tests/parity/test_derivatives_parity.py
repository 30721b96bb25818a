"""Jacobians, Hessians and products with them are those of `torch.autograd.functional`."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
X, A = np.array([0.5, -1.5, 2.0]), np.array([[0.3, -0.7, 1.1], [0.2, 0.9, -0.4]])
# of x, and of a where it takes two
NUMBERS = {
    "a number": lambda x: (x**3).sum(),
    "a number of two": lambda x, a: ((a @ x) ** 2).sum() * x[0],
    "one input unused": lambda x, a: (x * x).sum() + 0 * a.detach().sum(),
}
FUNCTIONS = NUMBERS | {
    "a vector": lambda x: x.exp(),
    "a matrix": lambda x, a: a * x,
    "two outputs": lambda x, a: (a @ x, (x * x).sum()),
}
CALLS = [(what, name) for what in ("jacobian", "vjp", "jvp") for name in FUNCTIONS]
CALLS += [(what, name) for what in ("hessian", "hvp") for name in NUMBERS]


def arrays(found):
    return [arrays(part) for part in found] if isinstance(found, tuple) else found.detach().numpy()


def same(ours, theirs):
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for pair in zip(ours, theirs):
            same(*pair)
    else:
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("what, name", CALLS)
def test_it_is_pytorchs(what, name):
    function, found = FUNCTIONS[name], []
    for library in (mt, torch):
        values = tuple(library.tensor(v, dtype=library.float64) for v in (X, A)[: function.__code__.co_argcount])
        point = values if len(values) > 1 else values[0]
        like = function(*values) if what == "vjp" else point  # what the products are with
        ones = tuple(map(library.ones_like, like)) if isinstance(like, tuple) else library.ones_like(like)
        given = (ones,) if what in ("vjp", "jvp", "hvp") else ()
        found.append(arrays(getattr(library.autograd.functional, what)(function, point, *given)))
    same(*found)


def test_with_create_graph_it_is_differentiated_again():
    for library in (mt, torch):
        x = library.tensor(X, dtype=library.float64, requires_grad=True)
        library.autograd.functional.jacobian(lambda x: (x**3).sum(), x, create_graph=True).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), 6 * X)
        hessian = library.autograd.functional.hessian(lambda x: (x**3).sum(), x, vectorize=True)
        assert not hessian.requires_grad
        np.testing.assert_allclose(hessian.numpy(), np.diag(6 * X))


def test_what_has_no_such_derivative_is_refused():
    x = mt.tensor(X)
    with pytest.raises(
        RuntimeError, match=re.escape("hessian: expected a function that gives a single number, got shape (3,)")
    ):
        mt.autograd.functional.hessian(lambda x: x.exp(), x)
    for function, v, said in (
        (lambda x: (x, x * 2), (mt.ones(3),), r"vectors of shapes \(3,\), \(3,\), got \(3,\)"),
        (lambda x: mt.ones(2), None, r"vectors of shapes \(2,\), got none"),  # a constant too, whose product would be zeros
        (lambda x: mt.ones(2), mt.ones(3), r"vectors of shapes \(2,\), got \(3,\)"),
        (lambda x: (x.sum(), x.sum()), None, r"vectors of shapes \(\), \(\), got none"),
    ):
        with pytest.raises(RuntimeError, match=f"^vjp: expected {said}"):
            mt.autograd.functional.vjp(function, x, v)
    with pytest.raises(RuntimeError, match=r"^hvp: expected vectors of shapes \(3,\), got none"):
        mt.autograd.functional.hvp(lambda x: (x**3).sum(), x)
    with pytest.raises(RuntimeError, match=r"^strict: an output does not depend on an input"):
        mt.autograd.functional.jacobian(lambda x: mt.ones(2), x, strict=True)


@pytest.mark.parametrize("library", [mt, torch])
def test_a_product_with_the_hessian_runs_the_function_once(library):
    runs, x = [], library.tensor(X, dtype=library.float64, requires_grad=True)

    def cubes(x):
        runs.append(x)
        return (x**3).sum()

    value, product = library.autograd.functional.hvp(cubes, x, x, create_graph=True)
    (value + product.sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * X**2 + 12 * X)
    assert len(runs) == 1


@pytest.mark.parametrize("p", [0, 0.5, 1.0, 1.5, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("rows", [2, 27])  # the second by products of rows, for p = 2
def test_distances_of_equal_rows_have_pytorchs_derivatives(p, rows):
    found, rng = [], np.random.default_rng(0)
    first, second = rng.standard_normal((rows, 2)), rng.standard_normal((3, 2))
    second[0], second[1, 0] = first[0], first[1, 0]  # one distance of 0, and one difference of 0 within another
    for library in (mt, torch):
        x, y = (library.tensor(values, dtype=library.float64, requires_grad=True) for values in (first, second))
        far = library.cdist(x, y, p)
        grads = library.autograd.grad(far.sin().sum(), (x, y), create_graph=True)
        again = p == 2 and rows == 27  # PyTorch has no other second derivative
        more = library.autograd.grad(sum(g.sin().sum() for g in grads), (x, y)) if again else ()
        found.append([each.detach().numpy() for each in (far, *grads, *more)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
