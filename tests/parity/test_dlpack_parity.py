"""Tensors given to PyTorch: memory handed over by DLPack, nothing copied, and PyTorch's functions called on them."""

import numpy as np
import pytest

import layers
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


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        lambda x: torch.nn.functional.softmax(x, 0),
        lambda x: torch.nn.functional.dropout(x, 0.5, training=False),
        lambda x: torch.relu(x) + torch.stack([x, x])[1],
        lambda x: torch.where(x > 0, x, 0.0),
    ],
)
def test_a_function_of_pytorch_computes_with_the_one_of_its_name(call):
    values = [1.5, -0.5, 2.0]
    ours, theirs = mt.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    result = call(ours)
    assert isinstance(result, mt.Tensor)
    np.testing.assert_allclose(result.detach().numpy(), call(theirs).detach().numpy(), rtol=1e-6)
    result.sum().backward()
    call(theirs).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-5, atol=1e-7)


def test_a_function_that_is_not_here_and_mixed_tensors_are_refused():
    x, y = mt.ones(2), torch.ones(2)
    with pytest.raises(TypeError, match="lgamma of PyTorch got a tensor of minitorch, which has no function of this name"):
        torch.lgamma(x)
    for mixed in (lambda: torch.add(y, x), lambda: y.add_(x), lambda: torch.stack([x, y]), lambda: torch.nn.Linear(2, 3)(x)):
        with pytest.raises(TypeError, match="tensors of PyTorch and of minitorch"):
            mixed()


def test_a_transformer_takes_the_activation_of_pytorch():
    layer = layers.TransformerEncoderLayer(4, 2, 8, 0.0, torch.nn.functional.gelu)
    other = layers.TransformerEncoderLayer(4, 2, 8, 0.0, "gelu")
    other.load_state_dict(layer.state_dict())
    x = mt.rand(3, 2, 4)
    assert mt.equal(layer(x), other(x))
