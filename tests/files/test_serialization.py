"""Saving and loading: what comes back, what other programs read, and what is refused."""

import hashlib
import json
import math
import os
import pickle
import re
import sys
from collections import Counter, OrderedDict

import numpy as np
import pytest
import safetensors.numpy

import minitorch as mt
from minitorch.files.serialization import CheckpointError
from tests import fakecupy

DTYPES = ["float16", "float32", "float64", "complex64", "uint8", "int8", "int16", "int32", "int64", "bool"]


def state():
    return {
        "conv.weight": mt.tensor(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "conv.bias": mt.tensor([0.5, -0.5]),
        "count": mt.tensor(7),
    }


def checkpoint():
    return {
        "model": state(),
        "optimizer": {"state": {0: {"step": mt.tensor(3.0)}, 1: {}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999)}]},
        "epoch": 3,
        "history": [0.25, math.inf, None, True, 'text, "quoted" \u20ac'],
    }


def same(a, b):
    """Equal in structure, types, values and dtypes."""
    if isinstance(a, mt.Tensor):
        return type(b) is mt.Tensor and a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a.array, b.array)
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        mt.load(path)
    return str(caught.value)


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


def test_only_paths_are_taken(tmp_path):
    with open(tmp_path / "file", "wb") as file, pytest.raises(TypeError, match="save: expected the path of a file, got Buff"):
        mt.save([1], file)
    with pytest.raises(TypeError, match="load: expected the path of a file, got int"):
        mt.load(3)


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for act in (lambda: mt.save([], tmp_path / "file"), lambda: mt.load(tmp_path / "file")):
        with pytest.raises(ImportError, match=r"safetensors package, which is not installed: `pip install safetensors`"):
            act()


# ---- files that are refused ----------------------------------------------------------------------------------------------


def test_a_missing_file_is_an_ordinary_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        mt.load(tmp_path / "nowhere")


def test_every_flipped_bit_of_a_file_is_noticed(tmp_path):
    path = tmp_path / "file"
    mt.save({"w": mt.tensor([1.0, 2.0]), "epoch": 3}, path)
    whole = path.read_bytes()
    with open(path, "r+b", buffering=0) as file:  # in place: writing a new file each time would take most of the time
        for position, byte in enumerate(whole):
            for bit in range(8):
                file.seek(position)
                file.write(bytes([byte ^ 1 << bit]))
                assert str(path) in refusal(path), (position, bit)
            file.seek(position)
            file.write(bytes([byte]))
    assert path.read_bytes() == whole


def test_every_truncation_and_every_extension_is_noticed(tmp_path):
    path = tmp_path / "file"
    mt.save(checkpoint(), path)
    with open(path, "ab") as file:
        file.write(b"\0")
    assert "go back to an earlier checkpoint or to a fresh copy" in refusal(path)
    for length in reversed(range(path.stat().st_size - 1)):
        os.truncate(path, length)
        assert f"{path}, of {length} bytes, is not a whole safetensors file" in refusal(path)


def test_the_header_of_one_file_on_the_body_of_another_is_noticed(tmp_path):
    mt.save({"w": mt.tensor([1.0, 2.0])}, tmp_path / "a")
    mt.save({"w": mt.tensor([3.0, 4.0])}, tmp_path / "b")
    first, second = (tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()
    (tmp_path / "a").write_bytes(first[:-8] + second[-8:])
    assert "does not match its checksum: it was damaged after it was written" in refusal(tmp_path / "a")


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}).encode()
    (tmp_path / "bomb").write_bytes(len(header).to_bytes(8, "little") + header)
    assert "is not a whole safetensors file" in refusal(tmp_path / "bomb")
    (tmp_path / "bomb").write_bytes((2**63).to_bytes(8, "little") + b"{}")
    assert "is not a whole safetensors file" in refusal(tmp_path / "bomb")


def forged(path, structure):
    """A file with a structure that `save` never writes, and the right checksum for it."""
    arrays = {"w": np.ones(2, np.float32)}
    raw = safetensors.numpy.save(arrays, {"minitorch": structure, "sha256": "0" * 64})
    path.write_bytes(raw.replace(b"0" * 64, hashlib.sha256(raw).hexdigest().encode()))


@pytest.mark.parametrize(
    "structure",
    [
        "no JSON",
        "",
        "3",
        "[]",
        "{}",
        '{"version":1}',
        '{"version":"1","content":1}',
        '{"version":null,"content":1}',
        '{"version":1,"content":{"tensor":"nowhere"}}',
        '{"version":1,"content":{"tensor":[1]}}',
        '{"version":1,"content":{}}',
        '{"version":1,"content":{"dict":3}}',
        '{"version":1,"content":{"dict":[[1]]}}',
        '{"version":1,"content":{"dict":[[[],1]]}}',
        '{"version":1,"content":{"tuple":3}}',
        '{"version":1,"content":{"a":[],"b":[]}}',
        '{"version":1,"content":{"pickle":"a"}}',
        '{"version":1,"content":' + "[" * 10**5,
        '{"version":1,"content":{"pickle":[]}}',
    ],
)
def test_a_forged_structure_is_refused_although_its_checksum_is_right(tmp_path, structure):
    forged(tmp_path / "file", '{"version":1,"content":{"tensor":"w"}}')
    assert mt.load(tmp_path / "file").tolist() == [1, 1]
    forged(tmp_path / "file", structure)
    said = refusal(tmp_path / "file")
    assert f"{tmp_path / 'file'} was not written by minitorch, although it says so" in said and "go back to a file" in said


class Trap:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was executed')",)


@pytest.mark.parametrize("content", [pickle.dumps(Trap()), b"PK\x03\x04" + b"\0" * 50])
def test_pickles_are_not_opened(tmp_path, content):
    (tmp_path / "net.pt").write_bytes(content)
    assert "is a pickle file, as torch.save writes; it is not read" in refusal(tmp_path / "net.pt")


def test_a_file_of_a_later_format_asks_for_a_later_minitorch(tmp_path, monkeypatch):
    monkeypatch.setattr("minitorch.files.serialization._VERSION", 2)
    mt.save([1], tmp_path / "file")
    monkeypatch.undo()
    assert "has format version 2, this minitorch reads up to 1; install a newer one" in refusal(tmp_path / "file")


def test_dtypes_that_numpy_lacks_are_refused_by_name(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "file").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    assert "BF16" in refusal(tmp_path / "file")
