"""Complex tensors: values as PyTorch has them, no order, and no gradients."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.autograd import gradcheck
from minitorch.ops.promotion import REAL

Z = np.array([[3 + 4j, 1 - 2j], [-1 + 0.5j, 0j]])


@pytest.mark.parametrize("name", sorted(REAL))
def test_what_orders_numbers_refuses_complex_ones_by_its_name(name):
    z, tried = mt.tensor(Z), 0
    for owner in (mt, F, mt.Tensor):
        for title in (name, f"{name}_"):
            if hasattr(owner, title):
                tried += 1
                with pytest.raises(TypeError, match=f"^{name}: expected real numbers, got complex128"):
                    getattr(owner, title)(z, z, z)
    assert tried


def test_a_real_tensor_is_not_compared_with_a_complex_one():
    x, z = mt.ones(2), mt.tensor([1j, 2])
    for run in (lambda: x < z, lambda: x >= 1j, lambda: max(z[0], z[1]), lambda: x.maximum(z), lambda: x.clamp(1j)):
        with pytest.raises(TypeError, match=": expected real numbers, got "):
            run()
    with pytest.raises(TypeError, match="softmax: expected real numbers, got complex64"):
        F.softmax(x, 0, dtype=mt.complex64)


def test_a_complex_step_compares_real_parts():
    x = mt.tensor([-1.0, 0.5, 2.0], dtype=mt.float64, requires_grad=True)
    assert gradcheck(lambda x: F.relu(x) * x.sort().values + x.clamp(min=0) * F.softmax(x, 0), x, mode="complex")
    with pytest.raises(TypeError, match="relu"):
        mt.tensor([1j]).relu()


def test_a_complex_result_with_a_gradient_is_refused():
    x = mt.ones(2, requires_grad=True)
    for run, name in ((lambda: x * 1j, "mul"), (lambda: x.type(mt.complex64), "to"), (lambda: x + mt.tensor([1j, 2]), "add")):
        with pytest.raises(TypeError, match=f"{name}: complex64 results have no gradients; use no_grad\\(\\) or detach\\(\\)"):
            run()
    with pytest.raises(TypeError, match="requires_grad: only floating-point tensors have gradients, this one is complex64"):
        mt.tensor([1j], requires_grad=True)
    with pytest.raises(TypeError, match="data: expected floats"):
        x.data = mt.tensor([1j, 2])
    with mt.no_grad():
        assert (x * 1j).dtype == mt.complex64


def test_norms_and_variances_of_complex_numbers_are_real():
    z = mt.tensor(Z, dtype=mt.complex64)
    for p in (2, 1, 3, 0.5, 0, np.inf):
        for found in (z.norm(p), mt.linalg.vector_norm(z, p)):
            assert found.dtype == mt.float32
            np.testing.assert_allclose(found.item(), np.linalg.norm(Z.ravel(), p), rtol=1e-6)
    np.testing.assert_allclose(z.var(0).numpy(), Z.var(0, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(z.std(unbiased=False).item(), Z.std(), rtol=1e-6)
    assert z.var().dtype == mt.float32
    np.testing.assert_allclose(F.normalize(z).numpy()[0], Z[0] / np.linalg.norm(Z[0]), rtol=1e-6)


def test_the_logarithm_of_a_sum_is_the_principal_one():
    z = mt.tensor([1 + 4j, 2 + 3j], dtype=mt.complex128)
    np.testing.assert_allclose(z.logsumexp(0).item(), np.log(np.exp(z.numpy()).sum()), rtol=1e-14)


@pytest.mark.parametrize(
    "make, dtype",
    [
        (lambda: mt.tensor([1]) + 1j, mt.complex64),
        (lambda: mt.tensor([True]) * 1j, mt.complex64),
        (lambda: mt.ones(1, dtype=mt.float64) * mt.tensor(1j), mt.complex128),
        (lambda: mt.ones(1) * mt.tensor(1j, dtype=mt.complex128), mt.complex64),
    ],
)
def test_complex_numbers_combine_in_pytorchs_dtype(make, dtype):
    assert make().dtype == dtype


def test_the_imaginary_part_is_not_lost_on_the_way_into_a_tensor():
    with pytest.raises(TypeError, match="tensor: complex numbers do not fit into float32"):
        mt.tensor([1 + 2j], dtype=mt.float32)
    assert complex(mt.tensor(1 + 2j)) == 1 + 2j and complex(mt.tensor(2.0)) == 2


def test_comparisons_of_whole_tensors_see_the_imaginary_part():
    z = mt.tensor([1j, 2.0])
    mt.testing.assert_close(z, z + 1e-9j)
    with pytest.raises(AssertionError, match="2 of 2 elements differ"):
        mt.testing.assert_close(z, z + 0.01j)
    assert not mt.allclose(z, z + 0.01j) and mt.isclose(z, z + 1e-9j).all()


def test_a_complex_gradient_or_parameter_is_refused():
    with pytest.raises(RuntimeError, match="backward: expected a real gradient, got complex64"):
        mt.ones(2, requires_grad=True).sum().backward(mt.tensor(1j))
    with pytest.raises(TypeError, match=r"SGD: parameter 0, of shape \(1,\), is complex64"):
        mt.optim.SGD([mt.tensor([1j])], lr=0.1)
