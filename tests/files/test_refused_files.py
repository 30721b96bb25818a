"""Files that are not loaded: damaged, forged, of other kinds, or of formats that NumPy lacks."""

import hashlib
import io
import json
import math
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy

import minitorch as mt
from minitorch.files import layout
from minitorch.files.serialization import CheckpointError
from tests.files.contents import checkpoint, refusal, state

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


def forged(path, structure, **arrays):
    """A file with a structure that `save` never writes, and the right checksum for it."""
    arrays = {"w": np.ones(2, np.float32)} | arrays
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
    assert "is a pickle file or a zip archive, as torch.save and numpy.savez write; it is not read" in refusal(
        tmp_path / "net.pt"
    )


def test_a_pickle_within_a_file_is_not_opened_unless_it_is_asked_for(tmp_path):
    raw = np.frombuffer(pickle.dumps(Trap()), np.uint8)
    forged(tmp_path / "file", '{"version":1,"content":{"pickle":"pickle"}}', pickle=raw)
    assert "is only read with load(f, weights_only=False)" in refusal(tmp_path / "file")


def test_a_file_object_that_was_not_rewound_is_named_with_its_position():
    file = io.BytesIO()
    mt.save(mt.ones(2), file)
    with pytest.raises(CheckpointError, match=rf"the file object \(from byte {file.tell()} on\) is empty"):
        mt.load(file)


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
