"""Saving and loading: what comes back, what other programs read, what cannot be saved, and to what."""

import io
import math
import os
import re
import stat
import tempfile
import threading
import tracemalloc
from collections import Counter, OrderedDict

import numpy as np
import pytest
import safetensors.numpy

import layers as nn
import minitorch as mt
from minitorch import optim
from minitorch.files.serialization import CheckpointError
from tests import fakecupy
from tests.files.contents import checkpoint, same, state

DTYPES = ["float16", "float32", "float64", "complex64", "uint8", "int8", "int16", "int32", "int64", "bool"]

# ---- what comes back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obj", [state(), checkpoint(), [], {}, None, 5, mt.tensor([1.0]), [mt.tensor(1), (2, [3.0])], "x"])
def test_what_is_saved_is_loaded(tmp_path, obj):
    mt.save(obj, tmp_path / "file")
    assert same(mt.load(tmp_path / "file"), obj)


def test_numbers_come_back_to_the_last_digit(tmp_path):
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2**70, -(2**63), math.inf, -math.inf]
    mt.save(numbers, tmp_path / "file")
    found = mt.load(tmp_path / "file")
    assert found == numbers and [str(n) for n in found] == [str(n) for n in numbers]
    mt.save(math.nan, tmp_path / "file")
    assert math.isnan(mt.load(tmp_path / "file"))


def test_keys_keep_their_type_and_order(tmp_path):
    obj = {"b": 1, 1: 2, "1": 3, None: 4, 2.5: 5, "a": 6}
    mt.save(obj, tmp_path / "file")
    assert list(mt.load(tmp_path / "file").items()) == list(obj.items())
    mt.save({name: mt.tensor(1.0) for name in "zebra"}, tmp_path / "file")
    assert list(mt.load(tmp_path / "file")) == list("zebra")


def test_numpy_numbers_and_special_dicts_become_plain(tmp_path):
    mt.save([np.float32(0.5), np.float64(0.1), np.int64(3), np.bool_(True), Counter([2]), OrderedDict(a=1)], tmp_path / "file")
    assert same(mt.load(tmp_path / "file"), [0.5, 0.1, 3, True, {2: 1}, {"a": 1}])


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
def test_every_dtype_and_shape_comes_back(tmp_path, name, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(name)
    mt.save({"x": mt.from_numpy(array)}, tmp_path / "file")
    assert same(mt.load(tmp_path / "file"), {"x": mt.from_numpy(array)})


def test_any_layout_of_memory_is_stored_in_c_order(tmp_path):
    x = mt.tensor(np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
    channels_last = mt.tensor(np.ascontiguousarray(x.array.transpose(0, 2, 3, 1))).permute(0, 3, 1, 2)
    mt.save([x.permute(3, 1, 0, 2), channels_last, x[:, ::2], x[0, 1].expand(6, 4, 5)], tmp_path / "file")
    found = mt.load(tmp_path / "file")
    expected = [x.array.transpose(3, 1, 0, 2), x.array, x.array[:, ::2], np.broadcast_to(x.array[0, 1], (6, 4, 5))]
    assert all(t.is_contiguous() and np.array_equal(t.array, array) for t, array in zip(found, expected))


def test_loaded_tensors_own_their_memory_and_want_no_gradient(tmp_path):
    mt.save({"w": mt.ones(3, requires_grad=True) * 2, "v": mt.ones(3, requires_grad=True)}, tmp_path / "file")
    found = mt.load(tmp_path / "file")
    assert not any(t.requires_grad for t in found.values())
    found["w"].zero_()
    assert found["v"].tolist() == [1, 1, 1] and mt.load(tmp_path / "file")["w"].tolist() == [2, 2, 2]


def test_a_tied_weight_is_stored_under_both_its_names(tmp_path):
    tied = mt.tensor([1.0, 2.0])
    mt.save({"encoder": tied, "decoder": tied}, tmp_path / "file")
    assert sorted(safetensors.numpy.load_file(tmp_path / "file")) == ["decoder", "encoder"]
    found = mt.load(tmp_path / "file")
    found["encoder"].zero_()
    assert found["decoder"].tolist() == [1.0, 2.0]


def test_names_that_would_meet_are_kept_apart(tmp_path):
    obj = {"a": {"b": mt.tensor(1)}, "a.b": mt.tensor(2), 1: mt.tensor(3), "1": mt.tensor(4), "": mt.tensor(5)}
    mt.save(obj, tmp_path / "file")
    assert same(mt.load(tmp_path / "file"), obj)


def test_tensors_of_a_gpu_are_saved_and_loaded_to_where_they_are_wanted(tmp_path):
    with fakecupy.install():
        mt.save({"x": mt.tensor([1.0, 2.0], device="cuda")}, tmp_path / "file")
        assert str(mt.load(tmp_path / "file")["x"].device) == "cpu"
        assert str(mt.load(tmp_path / "file", map_location="cuda")["x"].device) == "cuda:0"
    assert mt.load(tmp_path / "file")["x"].tolist() == [1.0, 2.0]


def test_a_generator_goes_on_from_a_saved_state(tmp_path):
    generator = mt.Generator().manual_seed(1)
    mt.rand(5, generator=generator)
    mt.save({"rng": generator.get_state()}, tmp_path / "file")
    expected = mt.rand(5, generator=generator).tolist()
    assert mt.rand(5, generator=mt.Generator().set_state(mt.load(tmp_path / "file")["rng"])).tolist() == expected


# ---- other programs' files -----------------------------------------------------------------------------------------------


def test_a_dict_of_tensors_keeps_its_keys_for_other_programs(tmp_path):
    mt.save(state(), tmp_path / "file")
    found = safetensors.numpy.load_file(tmp_path / "file")
    assert sorted(found) == sorted(state())
    assert all(np.array_equal(found[name], tensor.array) for name, tensor in state().items())


def test_checkpoints_have_readable_names_for_other_programs(tmp_path):
    mt.save(checkpoint(), tmp_path / "file")
    assert "model.conv.weight" in safetensors.numpy.load_file(tmp_path / "file")
    assert "optimizer.state.0.step" in safetensors.numpy.load_file(tmp_path / "file")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"epoch": "3"}])
def test_other_programs_files_are_loaded(tmp_path, metadata):
    arrays = {name: tensor.array for name, tensor in state().items()}
    safetensors.numpy.save_file(arrays, tmp_path / "file", metadata)
    found = mt.load(tmp_path / "file")
    assert sorted(found) == sorted(arrays)
    assert all(same(found[name], tensor) for name, tensor in state().items())


# ---- whole modules and optimizers ----------------------------------------------------------------------------------------


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.norm, self.up = nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 3)
        self.twin = self.down
        self.up.weight.requires_grad = False

    def forward(self, x):
        return self.up(self.norm(self.twin(x)))


def trained():
    net = Tied()
    optimizer = optim.Adam(net.parameters())
    net(mt.randn(4, 3)).sum().backward()
    optimizer.step()
    return net.eval(), optimizer


def test_a_whole_module_comes_back_with_what_it_shares(tmp_path):
    net, _ = trained()
    mt.save(net, tmp_path / "file")
    again = mt.load(tmp_path / "file", weights_only=False, map_location="cpu")
    x = mt.randn(4, 3)
    assert type(again) is Tied and again.twin is again.down and not again.training
    assert (again(x) == net(x)).all() and not again.up.weight.requires_grad and again.norm.num_batches_tracked == 1


def test_a_module_saved_with_its_optimizer_still_learns_by_it(tmp_path):
    net, optimizer = trained()
    loss = net(mt.randn(4, 3)).sum()
    mt.save({"net": net, "steps": [optimizer, 7], "loss": loss}, tmp_path / "file")
    found = mt.load(tmp_path / "file", weights_only=False)
    assert found["loss"].is_leaf and same(found["loss"], loss.detach())
    net2, (optimizer2, seven) = found["net"], found["steps"]
    x = mt.randn(4, 3)
    for model, steps in ((net, optimizer), (net2, optimizer2)):
        steps.zero_grad()
        model(x).square().sum().backward()
        steps.step()
    assert seven == 7 and all(same(net.state_dict()[name], tensor) for name, tensor in net2.state_dict().items())


def test_a_module_on_a_gpu_is_loaded_to_the_cpu_or_where_it_is_asked_for(tmp_path, cupy):
    net, optimizer = trained()
    there = net.to("cuda")
    mt.save([there, optimizer], tmp_path / "both")
    mt.save(there, tmp_path / "net")
    on_cpu, _ = mt.load(tmp_path / "both", weights_only=False)
    x = mt.randn(4, 3)
    assert (on_cpu(x) == there(x.cuda()).cpu()).all() and not any(p.is_cuda for p in on_cpu.parameters())
    assert all(
        p.is_cuda and isinstance(p, nn.Parameter) for p in mt.load(tmp_path / "net", "cuda", weights_only=False).parameters()
    )


def test_what_cannot_stand_in_a_file_without_a_module_may_stand_beside_one_in_any_order(tmp_path):
    for obj in ({"net": nn.Linear(2, 2), "seen": {3}}, {"seen": {3}, "net": nn.Linear(2, 2)}):
        mt.save(obj, tmp_path / "file")
        assert mt.load(tmp_path / "file", weights_only=False)["seen"] == {3}


def test_a_whole_module_is_only_read_from_a_file_that_is_trusted(tmp_path):
    mt.save([1, nn.Linear(2, 2)], tmp_path / "file")
    for options in ({}, {"weights_only": True}, {"weights_only": None}):
        with pytest.raises(
            CheckpointError, match=r"is only read with load\(f, weights_only=False\), since that can run any code"
        ):
            mt.load(tmp_path / "file", **options)


def test_a_module_whose_class_is_gone_is_refused_by_name(tmp_path, monkeypatch):
    mt.save(Tied(), tmp_path / "file")
    monkeypatch.delitem(globals(), "Tied")
    with pytest.raises(CheckpointError, match=r"cannot be rebuilt here .*'Tied'.*; its classes must be where they were"):
        mt.load(tmp_path / "file", weights_only=False)


def test_a_module_that_cannot_be_pickled_is_named_and_the_old_file_stays(tmp_path):
    net = nn.Linear(2, 2)
    net.activation = lambda x: x
    mt.save([1], tmp_path / "file")
    with pytest.raises(
        TypeError, match=r"save: obj\['net'\] is a whole Linear, and it cannot be pickled .*; save its state_dict"
    ):
        mt.save({"net": net}, tmp_path / "file")
    assert mt.load(tmp_path / "file") == [1]


# ---- what cannot be saved ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "obj, kind, said",
    [
        ({"a": [1, {2, 3}]}, TypeError, "save: obj['a'][1] is a builtins.set; expected tensors, numbers, strings"),
        ([np.zeros(3)], TypeError, "save: obj[0] is a numpy.ndarray; expected tensors"),
        ({"f": {0: abs}}, TypeError, "save: obj['f'][0] is a builtins.builtin_function_or_method"),
        ({"a": {(1, 2): 3}}, TypeError, "save: obj['a'] has a key of type tuple; expected strings, numbers or None"),
        ({"x": mt.tensor([1j], dtype=mt.complex128)}, TypeError, "save: obj['x'] is complex128, which safetensors"),
        ({"__metadata__": mt.tensor(1)}, ValueError, "safetensors files keep the key '__metadata__' for themselves"),
    ],
)
def test_what_cannot_be_saved_is_named_by_its_place_and_the_old_file_stays(tmp_path, obj, kind, said):
    mt.save([1], tmp_path / "file")
    with pytest.raises(kind, match=re.escape(said)):
        mt.save(obj, tmp_path / "file")
    assert mt.load(tmp_path / "file") == [1]


# ---- paths and file objects ----------------------------------------------------------------------------------------------


class Slow(io.RawIOBase):
    """Like a pipe: it cannot seek, reads and writes a few bytes at a time, and remembers them."""

    def __init__(self, content=b""):
        self.content, self.given = bytearray(content), 0

    def writable(self):
        return True

    def readable(self):
        return True

    def write(self, part):
        self.content += part[:5]
        return len(part[:5])

    def readinto(self, part):
        count = min(5, len(part), len(self.content) - self.given)
        part[:count] = self.content[self.given : self.given + count]
        self.given += count
        return count


def test_file_objects_are_written_and_read_from_where_they_stand(tmp_path):
    mt.save(checkpoint(), tmp_path / "file")
    whole = (tmp_path / "file").read_bytes()
    for made in (io.BytesIO, tempfile.TemporaryFile):
        with made() as file:
            file.write(b"before")
            mt.save(checkpoint(), file)
            assert file.tell() == 6 + len(whole)
            file.seek(6)
            assert file.read() == whole
            file.seek(6)
            assert same(mt.load(file), checkpoint())


def test_pipes_and_unbuffered_files_are_written_and_read_whole(tmp_path):
    slow = Slow()
    mt.save(checkpoint(), slow)
    mt.save(checkpoint(), tmp_path / "file")
    assert slow.content == (tmp_path / "file").read_bytes()
    assert same(mt.load(slow), checkpoint())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_pipes_and_devices_are_written_to_and_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        found = []
        reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))  # noqa: B023  joined below
        reader.start()
        mt.save(checkpoint(), tmp_path / name)
        reader.join()
        assert same(mt.load(io.BytesIO(found[0])), checkpoint())
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode) and (tmp_path / "link").is_symlink()
    mt.save(checkpoint(), os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_the_same_content_is_the_same_file(tmp_path):
    for name in "ab":
        mt.save(checkpoint(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("options", [{}, {"weights_only": True}, {"weights_only": False}, {"map_location": "cpu"}])
def test_the_options_of_pytorchs_load_are_taken(tmp_path, options):
    mt.save(state(), tmp_path / "file")
    assert same(mt.load(tmp_path / "file", **options), state())


@pytest.mark.parametrize("f", [3, None, io.StringIO()])
def test_what_is_neither_a_path_nor_a_file_for_bytes_is_refused(f):
    with pytest.raises(TypeError, match=f"save: expected a path, or a file open for writing bytes, got {type(f).__name__}"):
        mt.save([1], f)
    with pytest.raises(TypeError, match=f"load: expected a path, or a file open for reading bytes, got {type(f).__name__}"):
        mt.load(f)


@pytest.mark.parametrize("layout", ["as the file", "transposed"])
def test_saving_and_loading_need_no_second_copy_of_the_tensors(tmp_path, layout):
    x = mt.from_numpy(np.arange(2**21, dtype=np.float32).reshape(2, -1))
    x, copies = (x, 0) if layout == "as the file" else (x.T, 1)
    size = x.numel() * 4
    tracemalloc.start()
    try:
        mt.save({"x": x}, tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < (copies + 0.2) * size
        tracemalloc.reset_peak()
        found = mt.load(tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < 1.2 * size
    finally:
        tracemalloc.stop()
    assert np.array_equal(found["x"].array, x.array)
