"""Whole numbers: what does not fit into a dtype, what is divided by 0, powers, and booleans where numbers belong."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F


def u8(*values):
    return mt.tensor(values, dtype=mt.uint8)


# ---- what does not fit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, expected",
    [
        (lambda x: x + 300, 244),
        (lambda x: x - 300, 156),
        (lambda x: x * 2, 144),
        (lambda x: x + -1, 199),
        (lambda x: x // 300, 4),
        (lambda x: x % 300, 24),
        (lambda x: x < 300, False),
        (lambda x: x == 456, True),
        (lambda x: x | 300, 236),
        (lambda x: x + 2**63, 200),
        (lambda x: 300 - x, 100),
    ],
)
def test_arithmetic_wraps_a_number_that_does_not_fit_as_pytorch_does(call, expected):
    out = call(u8(200))
    assert out.tolist() == [expected] and out.dtype in (mt.uint8, mt.bool)


def test_int64_wraps_too():
    assert (mt.tensor([1]) + 2**63).tolist() == [1 - 2**63]
    assert (mt.tensor([1]) + -(2**63)).tolist() == [1 - 2**63]


def test_every_number_of_a_dtype_can_be_kept_and_of_uint8_negative_ones_as_well():
    assert [mt.full((), n, dtype=mt.int8).item() for n in (-128, 127)] == [-128, 127]
    assert [mt.full((), n, dtype=mt.uint8).item() for n in (-255, -1, 255)] == [1, 255, 255]


@pytest.mark.parametrize(
    "name, call",
    [
        ("clamp", lambda x: x.clamp(max=300)),
        ("where", lambda x: mt.where(x > 0, x, 300)),
        ("where", lambda x: mt.where(x > 0, -256, x)),
        ("masked_fill", lambda x: x.masked_fill(x > 0, 300)),
        ("full", lambda x: mt.full((1,), 300, dtype=mt.uint8)),
        ("full", lambda x: mt.full_like(x, np.nan)),
        ("full", lambda x: mt.full((1,), -256, dtype=mt.uint8)),
        ("add", lambda x: x + 2**64),
        ("add", lambda x: x + (-(2**63) - 1)),
    ],
)
def test_a_number_that_cannot_be_kept_is_refused(name, call):
    with pytest.raises(ValueError, match=rf"^{name}: .*(cannot be kept in a tensor of uint8|fits into no integer dtype)"):
        call(u8(200))


# ---- division ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zero", [0, mt.tensor([0]), mt.tensor(0)], ids=["number", "tensor", "0-d"])
@pytest.mark.parametrize(
    "name, divide",
    [
        ("floor_divide", lambda a, b: a // b),
        ("remainder", lambda a, b: a % b),
        ("floor_divide", lambda a, b: mt.div(a, b, rounding_mode="floor")),
        ("trunc_divide", lambda a, b: mt.div(a, b, rounding_mode="trunc")),
    ],
)
def test_whole_numbers_over_0_are_refused(name, divide, zero):
    with pytest.raises(ZeroDivisionError, match=rf"^{name}: a whole number is divided by 0 \(inputs: "):
        divide(mt.tensor([3]), zero)


def test_trunc_is_exact_beyond_what_a_float_holds():
    large = 2**62 + 1
    a, b = mt.tensor([large, -large, 7, -7, 7, -7, -6]), mt.tensor([1, 1, 2, 2, -2, -2, 3])
    out = mt.div(a, b, rounding_mode="trunc")
    assert out.dtype == mt.int64 and out.tolist() == [large, -large, 3, -3, -3, 3, -2]


def test_whole_numbers_to_negative_powers_are_0_or_1():
    powers = mt.tensor([2, 1, -1, -1, 0, 5, 5]) ** mt.tensor([-1, -1, -3, -2, -1, 2, 0])
    assert powers.tolist() == [0, 1, -1, 1, 0, 25, 1] and powers.dtype == mt.int64
    assert (2 ** mt.tensor([-1, 3])).tolist() == [0, 8]
    with pytest.raises(ValueError, match=r"^pow: Integers to negative integer powers are not allowed"):
        mt.tensor([2]) ** -1


# ---- booleans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call", [lambda m: 1 - m, lambda m: m - 1, lambda m: mt.ones(1) - m, lambda m: m - m, lambda m: mt.ones(1) - True]
)
def test_booleans_are_not_subtracted(call):
    with pytest.raises(TypeError, match=r"^sub: booleans cannot be subtracted; use ~ or logical_xor"):
        call(mt.tensor([True]))


@pytest.mark.parametrize("call", [lambda m: m // m, lambda m: m % m])
def test_booleans_are_not_divided_into_whole_parts(call):
    with pytest.raises(TypeError, match="booleans cannot be divided"):
        call(mt.tensor([True]))


# ---- dtypes that meet ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [mt.matmul, mt.mm, lambda a, b: mt.bmm(a[None], b[None])], ids=["matmul", "mm", "bmm"])
@pytest.mark.parametrize("dtype", [mt.float64, mt.float16, mt.int64, mt.bool])
def test_matrices_of_two_dtypes_are_refused(function, dtype):
    with pytest.raises(TypeError, match=rf"^(matmul|mm|bmm): expected one dtype, got float32 .* and {dtype} of shape"):
        function(mt.ones(2, 2), mt.ones(2, 2, dtype=dtype))


def test_clamp_looks_at_both_bounds_together():
    x = mt.tensor([1, 2, 3])
    assert x.clamp(mt.tensor(1), mt.tensor(2.5)).dtype == x.clamp(min=1.5).dtype == x.clamp(0, 1.5).dtype == mt.float32
    assert x.clamp(mt.tensor(1, dtype=mt.float64), mt.tensor([2.5])).dtype == mt.float32
    assert mt.tensor([1.0]).clamp(mt.tensor(1.0, dtype=mt.float64)).dtype == mt.float32
    assert mt.tensor([True]).clamp(0, 1).dtype == mt.int64


def test_a_nan_gives_its_gradient_to_both_operands_of_maximum_and_minimum():
    for function in (mt.maximum, mt.minimum):
        a, b = mt.tensor([np.nan, 1.0, 2.0], requires_grad=True), mt.tensor([1.0, np.nan, 2.0], requires_grad=True)
        function(a, b).sum().backward()
        assert a.grad.tolist() == b.grad.tolist() == [1.0, 1.0, 0.5]


def test_floats_over_0_are_infinite_or_nan():
    x = mt.tensor([1.0, -1.0, 0.0])
    assert str((x / 0).tolist()) == str((x // 0).tolist()) == "[inf, -inf, nan]"
    assert str(mt.div(x, 0, rounding_mode="trunc").tolist()) == "[inf, -inf, nan]"
    assert (mt.tensor([3]) / 0).tolist() == [np.inf]


def test_one_over_the_square_root_of_minus_infinity_is_nan():
    assert str(mt.rsqrt(mt.tensor([-np.inf, -1.0, 0.0, 4.0])).tolist()) == "[nan, nan, inf, 0.5]"


def test_a_complex_number_is_not_cut_off():
    for data, dtype in (2j, mt.float32), ([1.0, 2j], mt.int64), (np.complex64(1), mt.float64):
        with pytest.raises(TypeError, match=rf"^tensor: complex numbers do not fit into {dtype}"):
            mt.tensor(data, dtype=dtype)


def test_activations_of_whole_numbers_do_not_wrap():
    x = mt.tensor([127, -128], dtype=mt.int8)
    assert F.hardsigmoid(x).tolist() == [1.0, 0.0] and F.hardswish(x).tolist() == [127.0, 0.0]


def test_whole_numbers_without_tolerances_are_close_only_if_equal():
    a, b = mt.tensor([2**53, 1]), mt.tensor([2**53 + 1, 1])
    assert mt.isclose(a, b, rtol=0, atol=0).tolist() == [False, True] and not mt.allclose(a, b, rtol=0, atol=0)
    with pytest.raises(AssertionError, match=r"^assert_close: 1 of 2 elements differ, by at most 1"):
        mt.testing.assert_close(a, b)
    with pytest.raises(TypeError, match=r"^isclose: expected one dtype, got int64 and float32"):
        mt.allclose(a, b.float())


def test_what_is_filled_in_stays_in_the_dtype_or_is_refused():
    x = mt.tensor([1, 9], dtype=mt.uint8)
    assert F.threshold(x, 5, 2.5).dtype == mt.uint8
    with pytest.raises(ValueError, match=r"^pad: the number inf cannot be kept in a tensor of uint8"):
        F.pad(x, (1, 1), value=math.inf)
    with pytest.raises(TypeError, match=r"^dropout: expected a floating-point tensor, got uint8"):
        F.dropout(x)


def test_complex_numbers_are_close_only_if_their_imaginary_parts_are():
    with pytest.raises(AssertionError, match=r"^assert_close: 1 of 1 elements differ, by at most 1"):
        mt.testing.assert_close(mt.tensor([1 + 1j]), mt.tensor([1 + 2j]))
    mt.testing.assert_close(mt.tensor([1 + 1j]), mt.tensor([1 + 1.0000001j]))


def test_softmax_of_whole_numbers_is_that_of_their_fractions():
    x = mt.tensor([0, 200], dtype=mt.uint8)
    assert F.softmin(x, 0).tolist() == F.softmin(x.float(), 0).tolist()
    for call in F.softmax, F.log_softmax, F.softmin:
        with pytest.raises(TypeError, match=r"softmax: expected a floating dtype, got int64"):
            call(x, 0, dtype=mt.int64)
