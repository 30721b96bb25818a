"""State dicts written here and read by PyTorch, and the other way round."""

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch.files.serialization import CheckpointError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

safetensors_torch = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")


def net(library, bias=True):
    return library.Sequential(
        library.Conv2d(2, 3, 3, padding=1, bias=bias),
        library.BatchNorm2d(3),
        library.ReLU(),
        library.Flatten(),
        library.Linear(48, 4),
    )


IMAGES = np.random.default_rng(0).standard_normal((5, 2, 4, 4)).astype(np.float32)


def test_a_net_saved_here_computes_the_same_in_pytorch(tmp_path):
    ours, theirs = net(nn), net(torch.nn)
    ours(mt.from_numpy(IMAGES))  # moves the running statistics
    mt.save(ours.state_dict(), tmp_path / "net.safetensors")
    loaded = safetensors_torch.load_file(tmp_path / "net.safetensors")
    assert sorted(loaded) == sorted(theirs.state_dict())
    theirs.load_state_dict(loaded)
    found, wanted = ours.eval()(mt.from_numpy(IMAGES)), theirs.eval()(torch.from_numpy(IMAGES))
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_net_saved_in_pytorch_computes_the_same_here(tmp_path):
    ours, theirs = net(nn), net(torch.nn)
    theirs(torch.from_numpy(IMAGES))
    safetensors_torch.save_file(theirs.state_dict(), tmp_path / "net.safetensors")
    ours.load_state_dict(mt.load(tmp_path / "net.safetensors"))
    found, wanted = ours.eval()(mt.from_numpy(IMAGES)), theirs.eval()(torch.from_numpy(IMAGES))
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["float16", "float32", "float64", "complex64", "uint8", "int8", "int16", "int32", "int64", "bool"]
)
def test_every_dtype_goes_both_ways(tmp_path, name):
    array = np.random.default_rng(0).integers(0, 2, (2, 3)).astype(name)
    mt.save({"x": mt.from_numpy(array), "scalar": mt.from_numpy(np.array(array[0, 0]))}, tmp_path / "ours")
    loaded = safetensors_torch.load_file(tmp_path / "ours")
    assert np.array_equal(loaded["x"].numpy(), array) and loaded["x"].numpy().dtype == array.dtype
    assert loaded["scalar"].shape == ()
    safetensors_torch.save_file(loaded, tmp_path / "theirs")
    found = mt.load(tmp_path / "theirs")
    assert np.array_equal(found["x"].array, array) and found["x"].dtype == array.dtype and found["scalar"].shape == ()


def steps(net, optimizer, images):
    for _ in range(5):
        loss = (net(images) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def in_pytorch(obj):
    """The same structure with PyTorch's tensors."""
    if isinstance(obj, dict):
        return {key: in_pytorch(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return type(obj)(map(in_pytorch, obj))
    return torch.from_numpy(obj.numpy().copy()) if isinstance(obj, mt.Tensor) else obj


@pytest.mark.parametrize(
    "name, options", [("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True}), ("RMSprop", {"centered": True}), ("Adagrad", {})]
)
def test_a_run_written_to_a_checkpoint_goes_on_in_pytorch(tmp_path, name, options):
    # before batch norm the gradient of a bias is rounding alone, which these rules scale up
    ours, theirs = net(nn, bias=False).double(), net(torch.nn, bias=False).double()
    mine, reference = (getattr(lib.optim, name)(n.parameters(), lr=0.01, **options) for lib, n in ((mt, ours), (torch, theirs)))
    images = IMAGES.astype(np.float64)
    steps(ours, mine, mt.from_numpy(images))
    mt.save_checkpoint(tmp_path / "run", model=ours, optimizer=mine)
    found = in_pytorch(mt.load(tmp_path / "run"))
    theirs.load_state_dict(found["model"])
    reference.load_state_dict(found["optimizer"])
    steps(ours, mine, mt.from_numpy(images))
    steps(theirs, reference, torch.from_numpy(images))
    for key, tensor in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), tensor.numpy(), rtol=1e-9, atol=1e-12)


def test_a_file_of_torch_save_is_refused_with_the_way_out(tmp_path):
    torch.save(net(torch.nn).state_dict(), tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=r"is a pickle file or a zip archive, as torch\.save"):
        mt.load(tmp_path / "net.pt")
    torch.save(net(torch.nn).state_dict(), tmp_path / "net.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"write its state dict with safetensors\.torch\.save_file"):
        mt.load(tmp_path / "net.pt")
