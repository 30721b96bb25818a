"""Every row of the table on a GPU: CuPy itself where there is one, else the strict stand-in, which also counts waits and copies."""

from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from tests import fakecupy
from tests.op_table import every_case
from tests.op_table.checks import assert_all_close, gradients, host, moving, pulled


def waits(case, name, run):
    """What `run` gives; on the stand-in the host must wait for the device in it where the case says so, and only there."""
    if sys.modules["cupy"] is not fakecupy:
        return run()
    expected, before = name in case.waits, fakecupy.syncs
    with contextlib.nullcontext() if expected else fakecupy.forbid_sync():
        result = run()
    assert (fakecupy.syncs > before) == expected
    return result


@pytest.mark.usefixtures("cupy")
@every_case
def test_a_gpu_gives_the_same_with_no_wait_but_the_known_and_stays_on_the_device(row, case):
    inputs, on_cpu = row.inputs(case, device="cuda"), row.inputs(case)
    values = waits(case, "forward", lambda: row(case, inputs))
    first = waits(case, "backward", lambda: pulled(values, moving(inputs), 8))
    recorded = waits(case, "backward", lambda: pulled(values, moving(inputs), 8, create_graph=True))
    second = pulled(recorded, moving(inputs), 9)
    assert all(tensor.is_cuda for tensor in (*values, *first, *recorded, *second) if tensor is not None)
    if not case.random:
        assert_all_close(values, row(case, on_cpu))
        assert_all_close(first, gradients(row, case, on_cpu))
        assert_all_close(recorded, gradients(row, case, on_cpu))
        assert_all_close(second, gradients(row, case, on_cpu, 2))


@pytest.mark.usefixtures("cupy")
@every_case
def test_no_array_travels_to_the_gpu_unasked(row, case):
    inputs = row.inputs(case, mt.float32, device="cuda")
    before = fakecupy.h2d  # stays 0 on a GPU, where nothing counts
    values = row(case, inputs)
    assert fakecupy.h2d - before == (case.uploads if sys.modules["cupy"] is fakecupy else 0)
    assert all(tensor.is_cuda for tensor in pulled(values, moving(inputs), 8, create_graph=True) if tensor is not None)


@pytest.mark.parametrize("dropout", [F.dropout, F.dropout2d])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_multiplies_by_0_or_by_1_over_the_probability_to_stay(device, dropout, p):
    x = mt.full((50, 40, 3, 3), 2.0, device=device, requires_grad=True)
    out = dropout(x, p, generator=mt.Generator().manual_seed(0))
    assert out.device == x.device and out.dtype == mt.float32
    (grad,) = mt.autograd.grad(out, x, mt.full_like(out, 3.0))
    factors = host(out) / 2
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - p)], rtol=1e-6)
    np.testing.assert_array_equal(host(grad), factors * 3)
    if dropout is F.dropout2d:
        assert (factors == factors[:, :, :1, :1]).all()
        factors = factors[:, :, 0, 0]
    share = (factors == 0).mean()
    assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / factors.size)  # five standard deviations, and the seed is fixed


def test_a_channel_is_the_second_dimension_of_dropout2d_whatever_follows_it():
    for shape in ((30, 20), (30, 20, 4), (30, 20, 2, 2)):
        kept = F.dropout2d(mt.ones(shape), generator=mt.Generator().manual_seed(0)).numpy().reshape(30, 20, -1) > 0
        assert (kept == kept[:, :, :1]).all() and 200 < kept[:, :, 0].sum() < 400


def test_a_move_to_a_device_brings_its_gradient_back(device):
    x = mt.tensor([1.0, 2.0], dtype=mt.float64, requires_grad=True)
    y = x.to(device, mt.float32)
    assert str(y.device) == ("cpu" if device == "cpu" else "cuda:0") and y.dtype == mt.float32
    (grad,) = mt.autograd.grad((y * y * y).sum(), x, create_graph=True)
    assert str(grad.device) == "cpu" and grad.dtype == mt.float64
    np.testing.assert_allclose(host(grad), [3.0, 12.0])
    np.testing.assert_allclose(host(mt.autograd.grad(grad.sum(), x)[0]), [6.0, 12.0])


def test_cuda_and_cpu_are_moves(cupy):
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y = x.cuda()
    assert type(y.array) is cupy.ndarray and y.cuda() is y and x.cpu() is x
    (y * y).cpu().sum().backward()
    assert not x.grad.is_cuda and x.grad.tolist() == [2.0, 4.0]


def test_an_index_out_of_range_is_refused_before_a_gpu_takes_it_modulo_the_length(cupy):
    grid = mt.zeros(3, 4, device="cuda")
    for index, message in [
        ((mt.tensor([0, 3]).cuda(),), r"an index of 3 for dim 0 of length 3 \(shape \(3, 4\)\)"),
        ((mt.tensor([0, -4]).cuda(),), "an index of -4 for dim 0"),
        ((None, slice(None), mt.tensor([4]).cuda()), "an index of 4 for dim 1 of length 4"),
        ((Ellipsis, mt.tensor([4]).cuda()), "an index of 4 for dim 1 of length 4"),
        ((0, mt.tensor([4]).cuda()), "an index of 4 for dim 1 of length 4"),
    ]:
        with pytest.raises(IndexError, match=f"^getitem: {message}"):
            grid[index]
        with pytest.raises(IndexError, match=f"^setitem: {message}"):
            grid[index] = 1.0


def test_a_bound_that_is_nan_gives_nan(device):
    x, low = mt.tensor([1.0, 2.0], device=device), mt.tensor([mt.nan, 5.0], device=device)
    assert str(mt.clamp(x, min=low).tolist()) == "[nan, 5.0]" and str(mt.clamp(x, low, 9.0).tolist()) == "[nan, 5.0]"
    assert mt.tensor([True, False], device=device).clamp(max=False).tolist() == [False, False]


def test_quotients_and_remainders_of_fractions_are_those_of_python(device):
    a, b = [1.0, -1.0, 5.0, -5.0, 7.5, -7.5, 7.0, -7.0, 1e8], [0.1, 0.1, mt.inf, mt.inf, -2.0, 2.0, -3.0, 3.0, 0.3]
    x, y = (mt.tensor(numbers, dtype=mt.float64, device=device) for numbers in (a, b))
    assert (x // y).tolist() == [p // q for p, q in zip(a, b)] and (x % y).tolist() == [p % q for p, q in zip(a, b)]
    assert (1.0 // y[:1]).tolist() == [9.0] and (x[:1] % 0.1).tolist() == [1.0 % 0.1]
    assert str((x // 0.0).tolist()[:2]) == "[inf, -inf]"


def test_a_whole_number_has_no_negative_power(device):
    with pytest.raises(ValueError, match=r"^pow: Integers to negative integer powers are not allowed"):
        mt.tensor([2, 1], device=device) ** -1
    assert (mt.tensor([2, 1], device=device) ** 0).tolist() == [1, 1]


def test_a_matrix_without_an_inverse_or_a_root_is_refused(device):
    with pytest.raises(np.linalg.LinAlgError, match=r"^solve: Singular matrix"):
        mt.linalg.inv(mt.ones(2, 2, device=device))
    with pytest.raises(np.linalg.LinAlgError, match=r"^cholesky: Matrix is not positive definite"):
        mt.linalg.cholesky(-mt.eye(2, device=device))


def test_slices_with_infinities_and_of_booleans_are_told_apart(device):
    rows = mt.tensor([[mt.inf, 1.0], [mt.inf, 0.0], [mt.inf, 1.0]], device=device)
    found, at, counts = mt.unique(rows, return_inverse=True, return_counts=True, dim=0)
    assert found.tolist() == [[mt.inf, 0.0], [mt.inf, 1.0]] and at.tolist() == [1, 0, 1] and counts.tolist() == [1, 2]
    assert found.device == at.device == counts.device == rows.device
    assert mt.unique(rows > 0.5, dim=0).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("dtype", [mt.bool, mt.uint8, mt.int8, mt.int16, mt.int32, mt.int64, mt.float16, mt.complex64], ids=str)
def test_numbers_of_every_dtype_are_added_at_an_index(device, dtype):
    x, index = mt.zeros(2, dtype=dtype, device=device), mt.tensor([1, 1, 0], device=device)
    one = {mt.int64: 2**40, mt.float16: 0.5}.get(dtype, 1)
    added = x.index_add(0, index, mt.full((3,), one, dtype=dtype, device=device))
    assert added.tolist() == np.array([one, 2 * one]).astype(dtype).tolist()


def test_an_assignment_reads_its_own_memory_before_it_writes(device):
    x = mt.arange(4, device=device)
    x[mt.tensor([1, 2, 3], device=device)] = x[:3]
    assert x.tolist() == [0, 0, 1, 2]
    x[x > 0] = x[:2]
    assert x.tolist() == [0, 0, 0, 0]
    y = mt.arange(4.0, device=device)
    y[1:] = y[:-1]
    assert y.tolist() == [0, 0, 1, 2]
    assert y[:-1].copy_(y[1:]).tolist() == [0, 1, 2] and y.tolist() == [0, 1, 2, 2]
    z = y.requires_grad_() * 1
    z[1:].copy_(z[:-1])
    assert z.tolist() == [0, 0, 1, 2] and mt.autograd.grad(z.sum(), y)[0].tolist() == [2, 1, 1, 0]


def test_a_nan_is_the_largest_whatever_its_sign(device):
    x = mt.tensor(np.copysign([mt.nan, 1.0, 2.0, mt.nan, 0.0], [-1.0, 1, 1, 1, 1]), device=device)
    assert mt.argsort(x, stable=True).tolist() == [4, 1, 2, 0, 3] and mt.argsort(x, descending=True, stable=True).tolist() == [
        0,
        3,
        2,
        1,
        4,
    ]
    assert str(mt.median(x).item()) == str(mt.quantile(x, 0.0).item()) == "nan"


def test_a_quantile_at_an_infinite_element_is_that_element(device):
    x = mt.tensor([mt.inf, 1.0, -mt.inf], device=device)
    assert [mt.quantile(x, q, interpolation=way).item() for q in (0.0, 0.5, 1.0) for way in ("linear", "lower")] == [
        *(-mt.inf, -mt.inf),
        *(1.0, 1.0),
        *(mt.inf, mt.inf),
    ]


def test_a_quantile_of_many_float16_numbers_is_at_its_place(device):
    x = (mt.arange(6001, device=device) // 3).half()
    assert mt.quantile(x, 0.45, interpolation="lower").item() == 899  # at 2,699, which is 2,700 in float16
    assert mt.quantile(x, 0.45).dtype == mt.float16


def test_a_class_of_8_bits_is_below_more_classes_than_these_can_count(device):
    even = mt.distributions.Categorical(mt.ones(300, device=device))
    assert even.log_prob(mt.tensor([7], dtype=mt.uint8, device=device)).item() == pytest.approx(-np.log(300))


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("name", ["add", "mul", "maximum", "matmul", "where", "cat"])
def test_tensors_on_two_devices_are_refused_naming_both(name):
    a, b = mt.ones(2, 2), mt.ones(2, 2, device="cuda")
    call = {"where": lambda a, b: mt.where(a > 0, a, b), "cat": lambda a, b: mt.cat([a, b])}.get(name, getattr(mt, name))
    with pytest.raises(RuntimeError, match=rf"^{name}: expected all tensors on one device, got cpu, .*cuda:0"):
        call(a, b)
