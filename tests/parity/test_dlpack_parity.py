"""Memory handed to and from PyTorch and NumPy by DLPack, nothing copied."""

import numpy as np
import pytest

import minitorch as mt

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "int32", "uint8", "bool"])
def test_memory_is_shared_both_ways(dtype):
    ours = mt.from_numpy(np.arange(6).reshape(2, 3).astype(dtype))
    theirs = torch.from_dlpack(ours)
    assert str(theirs.dtype) == f"torch.{dtype}" and theirs.data_ptr() == ours.array.ctypes.data
    back = mt.from_dlpack(theirs)
    assert back.dtype == ours.dtype and np.shares_memory(back.array, ours.array)


def test_strides_are_kept():
    ours = mt.rand(2, 3, 4, 5).permute(0, 3, 1, 2)
    assert torch.from_dlpack(ours).tolist() == ours.tolist()
    assert mt.from_dlpack(torch.rand(3, 4).t()).shape == (4, 3)


def test_numpy_reads_a_tensor_without_a_copy():
    ours = mt.rand(4)
    assert np.shares_memory(np.from_dlpack(ours), ours.array) and np.shares_memory(np.asarray(ours), ours.array)


def test_a_tensor_that_requires_a_gradient_is_refused():
    with pytest.raises(BufferError, match="export its detach"):
        torch.from_dlpack(mt.ones(2, requires_grad=True))


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="from_dlpack: expected an object with __dlpack__, got list"):
        mt.from_dlpack([1.0])
