"""State dicts written here and read by PyTorch, and the other way round."""

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch.serialization import CheckpointError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

safetensors_torch = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")


def net(library):
    return library.Sequential(
        library.Conv2d(2, 3, 3, padding=1), library.BatchNorm2d(3), library.ReLU(), library.Flatten(), library.Linear(48, 4)
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


def test_a_file_of_torch_save_is_refused_with_the_way_out(tmp_path):
    torch.save(net(torch.nn).state_dict(), tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=r"is a pickle file, as torch\.save writes"):
        mt.load(tmp_path / "net.pt")
    torch.save(net(torch.nn).state_dict(), tmp_path / "net.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"write its state dict with safetensors\.torch\.save_file"):
        mt.load(tmp_path / "net.pt")
