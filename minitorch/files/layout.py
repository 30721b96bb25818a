"""The safetensors format: 8 bytes with the length of a header, the header in JSON, then the numbers of all tensors.

The header gives each tensor's name, dtype, shape and range of bytes, and may hold texts (`__metadata__`). Specification:
https://github.com/huggingface/safetensors. That package is not used: for 200 MB of tensors its version 0.8.0 needs 381 MB more
to write to a file object or to read, where `load` needs 191; and it would replace even a device.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

METADATA: Final = "__metadata__"
LONGEST: Final = 100_000_000  # bytes of a header, the format's own limit

# fmt: off
NUMPY: Final = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "F16": "float16", "U32": "uint32",
    "I32": "int32", "F32": "float32", "C64": "complex64", "U64": "uint64", "I64": "int64", "F64": "float64",
}
# fmt: on
NAMES: Final = {name: code for code, name in NUMPY.items()}


def _small(exponent: int, mantissa: int, special: str = "") -> np.ndarray:
    """The float32 value of every code of a small floating format with a sign, `exponent` bits and `mantissa` bits.

    `special` says which codes are no finite numbers: "ieee" those with the largest exponent, as in float32; "one nan" those
    with all bits set; "nan for -0" minus zero, in the FNUZ formats, whose exponents are also one lower.
    """
    power, fraction = np.divmod(np.arange(2 ** (exponent + mantissa)), 2**mantissa)
    bias = 2 ** (exponent - 1) - (special != "nan for -0")
    positive = np.ldexp(fraction + (power > 0) * 2.0**mantissa, np.maximum(power, 1) - bias - mantissa)
    if special == "ieee":
        positive[-(2**mantissa) :] = [math.inf, *[math.nan] * (2**mantissa - 1)]
    if special == "one nan":
        positive[-1] = math.nan
    values = np.concatenate([positive, -positive]).astype(np.float32)
    if special == "nan for -0":
        values[len(positive)] = math.nan
    return values


_POWERS = np.array([2.0 ** (code - 127) for code in range(255)] + [math.nan], np.float32)  # no sign and no mantissa
SMALL: Final[dict[str, np.ndarray[Any, Any]]] = {
    "F4": _small(2, 1),
    "F6_E2M3": _small(2, 3),
    "F6_E3M2": _small(3, 2),
    "F8_E4M3": _small(4, 3, "one nan"),
    "F8_E5M2": _small(5, 2, "ieee"),
    "F8_E8M0": _POWERS,
    "F8_E4M3FNUZ": _small(4, 3, "nan for -0"),
    "F8_E5M2FNUZ": _small(5, 2, "nan for -0"),
}
AS_FLOAT32: Final = {"BF16", *SMALL}
BITS: Final = {
    "BF16": 16,
    **{code: 8 * np.dtype(name).itemsize for code, name in NUMPY.items()},
    **{code: len(values).bit_length() - 1 for code, values in SMALL.items()},
}


class Foreign(ValueError):
    """The file does not begin like a safetensors file; the argument is its first bytes."""


class Broken(ValueError):
    """The file begins like a safetensors file, but is inconsistent, or shorter or longer than its header says."""


class Unsupported(ValueError):
    """A complete file that contains something unknown."""


class Stored(NamedTuple):
    """A tensor of a file: its name, its dtype under the format's name, its shape, and its number of bytes."""

    name: str
    code: str
    shape: tuple[int, ...]
    size: int


def header(arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    """The bytes of length and header for a file of `arrays` in their order."""
    entries: dict[str, Any] = {METADATA: dict(metadata)}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        entries[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def as_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array in C order and little-endian: its own memory if it has that layout, else a copy."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return array.reshape(-1).view(np.uint8).data


def read_header(file: BinaryIO, size: int) -> bytes:
    """The bytes of length and header at the start of a file of `size` bytes; raises Foreign or Broken."""
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" or length > LONGEST:
        raise Foreign(start)
    if length > size - 8:
        raise Broken(f"its header alone should have {length:,} bytes")
    return start + file.read(length - 1)


def parsed(raw: bytes, size: int) -> tuple[list[Stored], dict[str, str]]:
    """The tensors in their order and the metadata, from the whole header `raw`; raises Broken before Unsupported."""
    try:
        entries = json.loads(raw[8:].decode(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as reason:
        raise Broken(f"its header is not JSON ({reason})") from reason
    metadata = entries.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise Broken("its metadata are no texts")
    spans, end = sorted((*_span(entry, name), name) for name, entry in entries.items()), 0
    for begin, stop, name in spans:
        if begin != end:
            raise Broken(f"the bytes of {name!r} do not begin where others end")
        end = stop
    if len(raw) + end != size:
        raise Broken(f"its header speaks of {len(raw) + end:,} bytes")
    return [_stored(name, entries[name], stop - begin) for begin, stop, name in spans], metadata


def read_tensor(stored: Stored, file: BinaryIO) -> tuple[np.ndarray, memoryview]:
    """The array of a tensor, read from the file's current position, and the bytes that were read."""
    raw = np.empty(stored.size, np.uint8)
    view, done = raw.data, 0
    while done < len(view):
        if hasattr(file, "readinto"):
            count = file.readinto(view[done:])
        else:
            part = file.read(len(view) - done)
            count = len(part)
            view[done : done + count] = part
        if not count:
            raise Broken(f"it ended within {stored.name!r}")
        done += count
    return _decoded(stored, raw).reshape(stored.shape), view


def _decoded(stored: Stored, raw: np.ndarray) -> np.ndarray:
    count = math.prod(stored.shape)
    if stored.code in NUMPY:
        return raw.view(np.dtype(NUMPY[stored.code]).newbyteorder("<")).astype(NUMPY[stored.code], copy=False)
    if stored.code == "BF16":  # the upper half of a float32
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    values, bits = SMALL[stored.code], BITS[stored.code]
    if bits == 8:
        return values[raw]
    codes = np.unpackbits(raw, bitorder="little").reshape(-1, bits)[:count]  # the first number in the lowest bits
    return values[codes @ (1 << np.arange(bits))]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _span(entry: Any, name: str) -> tuple[int, int]:
    """The begin and the end of the bytes of a tensor."""
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
