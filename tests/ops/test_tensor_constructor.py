"""`Tensor(...)` as PyTorch's: sizes or values, in the default dtype; and what no tensor is made of."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.conversion import Size


def test_a_sequence_gives_its_values_in_the_default_dtype():
    for values in ([1, 2], (1, 2), range(1, 3), np.array([1, 2]), np.array([1.0, 2.0]), [True, 2], [np.int64(1), 2.0]):
        x = mt.Tensor(values)
        assert x.dtype == mt.float32 and x.tolist() == [1.0, 2.0] and not x.requires_grad
    assert mt.Tensor([[1, 2], [3, 4]]).mean().item() == 2.5 and mt.Tensor([]).shape == (0,)


def test_whole_numbers_are_sizes():
    assert mt.Tensor(3).shape == (3,) and mt.Tensor(2, 3).shape == (2, 3) and mt.Tensor().shape == (0,)
    assert mt.Tensor(np.int64(2), 0).shape == (2, 0) and mt.Tensor(Size([2, 1])).shape == (2, 1)
    assert mt.Tensor(2, 3).dtype == mt.float32


def test_a_tensor_is_shared_as_it_is():
    x = mt.tensor([1, 2])
    y = mt.Tensor(x)
    assert y.dtype == mt.int64 and np.shares_memory(x.array, y.array)


@pytest.mark.parametrize("given", [(2.0, 3), (2.0,), (True,), ("a",), (None,), (-1,), ([1], 2), (np.array(3.0),)])
def test_anything_else_is_refused(given):
    with pytest.raises(TypeError, match=r"^Tensor: expected whole numbers, .* or one sequence of values"):
        mt.Tensor(*given)


def test_a_dtype_and_requires_grad_belong_to_tensor():
    for options in ({"dtype": mt.float32}, {"requires_grad": True}):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            mt.Tensor([1, 2], **options)


# ---- numbers that do not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, dtype",
    [
        ([256], mt.uint8),
        ([-256], mt.uint8),
        ([128], mt.int8),
        (2**63, None),
        (2**64, mt.int64),
        ([2**63, -1], None),
        ([1, 2**63], mt.int64),
        ([1e20], mt.int64),
        ([np.nan], mt.int64),
        ([1.0, np.inf], mt.int32),
    ],
)
def test_numbers_that_do_not_fit_are_refused(values, dtype):
    with pytest.raises(ValueError, match=r"^tensor: the number .* does not fit into"):
        mt.tensor(values, dtype=dtype)


def test_what_fits_is_taken_as_pytorch_does():
    assert mt.tensor([-1], dtype=mt.uint8).tolist() == [255] and mt.tensor([1.7, -1.7], dtype=mt.int64).tolist() == [1, -1]
    assert mt.tensor(2**63, dtype=mt.float32).item() == 2.0**63 and mt.tensor([2**63, 1.0]).dtype == mt.float32
    assert mt.tensor([2**70, 1], dtype=mt.float64).tolist() == [2.0**70, 1.0] and mt.tensor(1e300).item() == np.inf
    assert mt.tensor([1.5], dtype=mt.bool).tolist() == [True] and mt.tensor([], dtype=mt.uint8).shape == (0,)
    assert mt.tensor(np.array([256]), dtype=mt.uint8).tolist() == [0]  # an array is cast as NumPy casts it


@pytest.mark.parametrize("make", [mt.tensor, mt.as_tensor, mt.from_numpy])
@pytest.mark.parametrize("dtype", [">f4", ">i8", np.longdouble, np.clongdouble])
def test_foreign_byte_orders_and_long_doubles_are_refused(make, dtype):
    with pytest.raises(TypeError, match=r"expected numbers of at most 64 bits in native byte order, got"):
        make(np.ones(2, dtype))
