"""The safetensors format: 8 bytes with the length of a header, the header in JSON, then the numbers of all tensors.

The header names each tensor with its dtype, its shape and where its bytes begin and end, counted from the header's end, and
may hold texts of the program that wrote it (`__metadata__`). Specification: https://github.com/huggingface/safetensors.
Written and read here without that package: its functions hold every tensor twice or three times in memory.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np

METADATA: Final = "__metadata__"
LONGEST: Final = 100_000_000  # bytes of a header, the format's own limit

NUMPY: Final = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "C64": "complex64",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
}
NAMES: Final = {name: code for code, name in NUMPY.items()}


@dataclass(frozen=True)
class SmallFloat:
    """A floating format that NumPy lacks, of `1 + exponent + mantissa` bits, or without a sign and a mantissa.

    `special` says what the largest exponent means: "ieee" infinities and nan, "one nan" nan where all bits are set, "none"
    nothing special; "nan for -0" is that of the FNUZ formats, whose exponents are also one lower.
    """

    exponent: int
    mantissa: int
    special: str

    @property
    def bits(self) -> int:
        return self.exponent + self.mantissa + (self.special != "unsigned")

    def values(self) -> np.ndarray:
        """The value of every code, in float32."""
        if self.special == "unsigned":  # powers of two alone
            return np.array([2.0 ** (code - 127) for code in range(255)] + [math.nan], np.float32)
        bias, top = 2 ** (self.exponent - 1) - (self.special != "nan for -0"), 2**self.exponent - 1
        positive = []
        for code in range(2 ** (self.bits - 1)):
            power, fraction = divmod(code, 2**self.mantissa)
            value = math.ldexp(fraction + (power > 0) * 2**self.mantissa, max(power, 1) - bias - self.mantissa)
            if self.special == "ieee" and power == top:
                value = math.nan if fraction else math.inf
            positive.append(value)
        if self.special == "one nan":
            positive[-1] = math.nan
        negative = [-value for value in positive]
        if self.special == "nan for -0":
            negative[0] = math.nan
        return np.array(positive + negative, np.float32)


SMALL: Final = {
    "F4": SmallFloat(2, 1, "none"),
    "F6_E2M3": SmallFloat(2, 3, "none"),
    "F6_E3M2": SmallFloat(3, 2, "none"),
    "F8_E4M3": SmallFloat(4, 3, "one nan"),
    "F8_E5M2": SmallFloat(5, 2, "ieee"),
    "F8_E8M0": SmallFloat(8, 0, "unsigned"),
    "F8_E4M3FNUZ": SmallFloat(4, 3, "nan for -0"),
    "F8_E5M2FNUZ": SmallFloat(5, 2, "nan for -0"),
}
AS_FLOAT32: Final = {"BF16", *SMALL}
BITS: Final = {
    "BF16": 16,
    **{code: 8 * np.dtype(name).itemsize for code, name in NUMPY.items()},
    **{code: each.bits for code, each in SMALL.items()},
}


class Foreign(ValueError):
    """What was read does not begin as a safetensors file; the first bytes are the argument."""


class Broken(ValueError):
    """What was read begins as a safetensors file, but its header contradicts itself."""


class CutOff(ValueError):
    """What was read begins as a safetensors file and is shorter or longer than its header says."""


class Unsupported(ValueError):
    """A whole file with something in it that is not known here."""


@dataclass(frozen=True)
class Stored:
    """A tensor of a file: its dtype in the format's words, its shape, and the number of its bytes."""

    name: str
    code: str
    shape: tuple[int, ...]
    size: int


# ---- writing -------------------------------------------------------------------------------------------------------------


def ordered(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """The names in the order of the file: the largest numbers first, so that all lie at multiples of their size."""
    return sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)


def header(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """The length and the header of a file of arrays in the order of `ordered`."""
    entries: dict[str, Any] = {METADATA: dict(metadata)}
    end = 0
    for name in ordered(arrays):
        begin, end = end, end + arrays[name].nbytes
        code = NAMES[arrays[name].dtype.name]
        entries[name] = {"dtype": code, "shape": list(arrays[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def as_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array in C order and little-endian: its own memory if it lies so, else a copy."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return array.reshape(-1).view(np.uint8).data


# ---- reading -------------------------------------------------------------------------------------------------------------


def read_header(file: BinaryIO, size: int) -> bytes:
    """The length and the header as they stand at the start of a file of `size` bytes. Raises Foreign or CutOff."""
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" or length > LONGEST:
        raise Foreign(start)
    if length > size - 8:
        raise CutOff(f"its header alone should have {length:,} bytes")
    return start + file.read(length - 1)


def parsed(raw: bytes, size: int) -> tuple[list[Stored], dict[str, str]]:
    """The tensors in their order and the metadata, of the header `raw` of a file of `size` bytes.

    Raises Broken, CutOff or Unsupported; no memory is taken for the tensors before all of it is known to be right.
    """
    try:
        entries = json.loads(raw[8:].decode(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as reason:
        raise Broken(f"its header is not JSON ({reason})") from reason
    metadata = entries.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise Broken("its metadata are no texts")
    spans = sorted((*_span(entry, name), name) for name, entry in entries.items())
    end = 0
    for begin, stop, name in spans:
        if begin != end:
            raise Broken(f"the bytes of {name!r} do not begin where others end")
        end = stop
    if len(raw) + end != size:
        raise CutOff(f"its header speaks of {len(raw) + end:,} bytes")
    return [_stored(name, entries[name], stop - begin) for begin, stop, name in spans], metadata


def read_tensor(stored: Stored, file: BinaryIO) -> tuple[np.ndarray, memoryview]:
    """The array of a tensor, read from where the file stands, and the bytes that were read."""
    raw = np.empty(stored.size, np.uint8)
    view, done = raw.data, 0
    while done < len(view):
        count = file.readinto(view[done:]) if hasattr(file, "readinto") else _read_into(file, view[done:])
        if not count:
            raise CutOff(f"it ended within {stored.name!r}")
        done += count
    return _decoded(stored, raw).reshape(stored.shape), view


def _read_into(file: BinaryIO, view: memoryview) -> int:
    part = file.read(len(view))
    view[: len(part)] = part
    return len(part)


def _decoded(stored: Stored, raw: np.ndarray) -> np.ndarray:
    count = math.prod(stored.shape)
    if stored.code in NUMPY:
        return raw.view(np.dtype(NUMPY[stored.code]).newbyteorder("<")).astype(NUMPY[stored.code], copy=False)
    if stored.code == "BF16":  # the upper half of a float32
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    small = SMALL[stored.code]
    if small.bits == 8:
        return small.values()[raw]
    codes = np.unpackbits(raw, bitorder="little").reshape(-1, small.bits)[:count]  # the first number in the lowest bits
    return small.values()[codes @ (1 << np.arange(small.bits))]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _span(entry: Any, name: str) -> tuple[int, int]:
    """Where the bytes of a tensor begin and end."""
    try:
        begin, end = entry["data_offsets"]
        if not (_is_size(begin) and _is_size(end) and begin <= end):
            raise ValueError
    except (TypeError, ValueError, KeyError) as reason:
        raise Broken(f"what it says of {name!r} is not where its bytes are") from reason
    return begin, end


def _stored(name: str, entry: Mapping[str, Any], size: int) -> Stored:
    code, shape = entry.get("dtype"), entry.get("shape")
    if not isinstance(code, str) or not isinstance(shape, list) or not all(map(_is_size, shape)):
        raise Broken(f"what it says of {name!r} is no dtype and shape")
    if code not in BITS:
        raise Unsupported(f"tensor {name!r} has the dtype {code}, which is not known here")
    if BITS[code] * math.prod(shape) != 8 * size:
        raise Broken(f"{name!r}, {code} of shape {tuple(shape)}, has {size:,} bytes")
    return Stored(name, code, tuple(shape), size)


def _is_size(number: Any) -> bool:
    return type(number) is int and number >= 0
