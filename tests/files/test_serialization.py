"""Saving and loading: what comes back, what other programs read, and what is refused."""

import hashlib
import io
import json
import math
import os
import pickle
import re
import stat
import tempfile
import threading
import tracemalloc
from collections import Counter, OrderedDict

import numpy as np
import pytest
import safetensors.numpy

import minitorch as mt
from minitorch.files import layout
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
        said = refusal(path)
        assert length < 9 or f"{path}, of {length:,} bytes, is not a whole safetensors file" in said


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
    (tmp_path / "bomb").write_bytes((2**20).to_bytes(8, "little") + b"{}")
    assert "is not a whole safetensors file" in refusal(tmp_path / "bomb")
    (tmp_path / "bomb").write_bytes((2**63).to_bytes(8, "little") + b"{}")
    assert "is not a safetensors file" in refusal(tmp_path / "bomb")


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


def file_of(path, code, shape, body, name="w", **metadata):
    """A file of one tensor, as another program writes it."""
    entries = {name: {"dtype": code, "shape": list(shape), "data_offsets": [0, len(body)]}}
    if metadata:
        entries["__metadata__"] = metadata
    header = json.dumps(entries).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return path


def test_a_dtype_that_is_not_known_is_named_and_nothing_is_called_damaged(tmp_path):
    said = refusal(file_of(tmp_path / "file", "F128", [1], bytes(16)))
    assert "tensor 'w' has the dtype F128" in said and "damaged" not in said and "elete" not in said


def test_a_flipped_bit_that_makes_an_unknown_dtype_of_our_own_file_is_damage(tmp_path):
    mt.save({"w": mt.tensor([1.0])}, tmp_path / "file")
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes().replace(b'"F32"', b'"F72"'))
    assert "does not match its checksum" in refusal(tmp_path / "file")


def test_a_whole_file_that_is_too_large_for_the_machine_is_not_called_damaged(tmp_path, monkeypatch):
    def full(*arguments):
        raise MemoryError

    mt.save(state(), tmp_path / "file")
    monkeypatch.setattr("minitorch.files.layout.np.empty", full)
    with pytest.raises(MemoryError, match=r"file.* do not fit into memory; the file is not at fault"):
        mt.load(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"hello, world", bytes(100), b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_files_of_other_kinds_are_told_from_damaged_ones(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    said = refusal(tmp_path / "file")
    assert ("is empty" if not content else "is not a safetensors file: it begins with") in said and "elete" not in said


# ---- floating formats that NumPy lacks -----------------------------------------------------------------------------------

FLOATS = {  # code: some codes and their values, from the formats' specifications (OCP MX 1.0, OCP FP8 1.0, Graphcore's FNUZ)
    "F8_E4M3": {0x00: 0.0, 0x01: 2**-9, 0x08: 2**-6, 0x38: 1.0, 0x7E: 448.0, 0x7F: math.nan, 0xB8: -1.0, 0xFE: -448.0},
    "F8_E5M2": {0x01: 2**-16, 0x3C: 1.0, 0x7B: 57344.0, 0x7C: math.inf, 0x7D: math.nan, 0xFC: -math.inf, 0xBC: -1.0},
    "F8_E8M0": {0x00: 2.0**-127, 0x7F: 1.0, 0x80: 2.0, 0xFE: 2.0**127, 0xFF: math.nan},
    "F8_E4M3FNUZ": {0x01: 2**-10, 0x40: 1.0, 0x7F: 240.0, 0x80: math.nan, 0xFF: -240.0},
    "F8_E5M2FNUZ": {0x01: 2**-17, 0x40: 1.0, 0x7F: 57344.0, 0x80: math.nan, 0xFF: -57344.0},
    "F6_E2M3": {0x01: 0.125, 0x08: 1.0, 0x1F: 7.5, 0x3F: -7.5},
    "F6_E3M2": {0x01: 0.0625, 0x0C: 1.0, 0x1F: 28.0, 0x3F: -28.0},
    "F4": {0x00: 0.0, 0x01: 0.5, 0x02: 1.0, 0x07: 6.0, 0x0F: -6.0, 0x0A: -1.0},
}


@pytest.mark.parametrize("code", FLOATS)
def test_small_floats_come_back_as_float32_with_a_warning(tmp_path, code):
    codes, bits = [*FLOATS[code], *[0] * (-len(FLOATS[code]) % 8)], layout.BITS[code]
    packed = sum(number << bits * place for place, number in enumerate(codes))
    file_of(tmp_path / "file", code, [len(codes) // 2, 2], packed.to_bytes(len(codes) * bits // 8, "little"))
    with pytest.warns(UserWarning, match=f"1 tensors of .*file are of {code}, read as float32"):
        found = mt.load(tmp_path / "file")["w"]
    assert found.dtype == mt.float32 and found.shape == (len(codes) // 2, 2)
    assert np.array_equal(found.array.reshape(-1)[: len(FLOATS[code])], list(FLOATS[code].values()), equal_nan=True)


def test_bfloat16_comes_back_as_float32_with_a_warning(tmp_path):
    file_of(tmp_path / "file", "BF16", [2, 2], np.array([0x3F80, 0x4000, 0xFF80, 0x3EAB], "<u2").tobytes())
    with pytest.warns(UserWarning, match="BF16, read as float32"):
        found = mt.load(tmp_path / "file")["w"]
    assert found.dtype == mt.float32 and found.tolist() == [[1.0, 2.0], [-math.inf, 0.333984375]]


@pytest.mark.parametrize("code, name", [("U16", "uint16"), ("U32", "uint32"), ("U64", "uint64"), ("F64", "float64")])
def test_every_dtype_of_other_programs_that_numpy_has_is_read(tmp_path, code, name):
    array = np.array([1, 2, 250], name)
    file_of(tmp_path / "file", code, [3], array.tobytes(), other="text")
    assert np.array_equal(mt.load(tmp_path / "file")["w"].array, array) and mt.load(tmp_path / "file")["w"].dtype == name
