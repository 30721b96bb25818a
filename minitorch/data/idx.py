"""The IDX file format, in which MNIST is published, read with a check of every field.

An IDX file is a big-endian header (two zero bytes, a code for the element type, the number of dimensions, the size of
each dimension as a 32-bit count) followed by the elements in C order. Digits use unsigned bytes, code 0x08.
Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import Any, BinaryIO, Final

import numpy as np

MAX_ITEMS: Final = 1_000_000  # if the number of items is not known beforehand; EMNIST has 814,255
_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20
_REPLACE = "Replace the file with a fresh copy."


class DatasetError(ValueError):
    """A data set that cannot be used; the message names the file, what was found, what was expected and what to do."""


def refusal(name: str, found: str, expected: str, remedy: str = _REPLACE) -> DatasetError:
    """Return the error to raise for the file ``name``."""
    return DatasetError(f"{name}: found {found}, expected {expected}. {remedy}")


def read_idx(path: str | os.PathLike[str], shape: tuple[int | None, ...]) -> np.ndarray:
    """Return the uint8 array of an IDX file, plain or gzip (told apart by content, not by name).

    ``shape`` is the required shape; ``None`` as its first entry allows any number of items from 1 to `MAX_ITEMS`. Raises
    `DatasetError` unless the file holds exactly one such array. Memory grows with the data actually in the file, never
    with the sizes in its header.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
            raise OSError("it is no file")
        with open(path, "rb") as file:
            return parse_idx(file, os.fspath(path), shape)
    except OSError as error:
        remedy = "Check that it exists, that it is a file and that you may read it."
        raise DatasetError(f"{os.fspath(path)}: cannot be read ({error.strerror or error}). {remedy}") from error


def parse_idx(file: BinaryIO, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """`read_idx` for an open, seekable binary file; ``name`` is its name in error messages."""
    zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    if not zipped:
        return _parse(file, name, shape)
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unzipped:
            return _parse(unzipped, name, shape)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refusal(name, f"a damaged gzip file ({error})", "one that unpacks to its end") from error


def encode_idx(array: np.ndarray) -> bytes:
    """Return the uncompressed content of the IDX file that holds ``array`` (uint8, any shape): `read_idx`'s inverse."""
    if array.dtype != np.uint8:
        raise TypeError(f"encode_idx: IDX files of digits hold uint8, got an array of {array.dtype}; convert it first")
    return _magic(array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def _parse(stream: Any, name: str, expected: tuple[int | None, ...]) -> np.ndarray:
    ndim = len(expected)
    header = _read_at_most(stream, 4 + 4 * ndim)
    if header[:4] != _magic(ndim):
        remedy = "Check that images and labels are not swapped, or replace the file with a fresh copy."
        raise refusal(name, _describe_magic(bytes(header[:4])), _describe_magic(_magic(ndim)), remedy)
    if len(header) != 4 + 4 * ndim:
        raise refusal(name, f"a header of {len(header)} bytes", f"{4 + 4 * ndim} bytes")
    shape = struct.unpack(f">{ndim}I", header[4:])
    if expected[0] not in (None, shape[0]) or expected[1:] != shape[1:]:
        raise refusal(name, f"an array of {_times(shape)}", _times(expected))
    if not 1 <= shape[0] <= MAX_ITEMS:
        raise refusal(name, f"a header that announces {shape[0]:,} items", f"1 to {MAX_ITEMS:,}")

    size = math.prod(shape)
    content = _read_at_most(stream, size + 1)  # one byte more, to detect longer files and make gzip check its CRC
    if len(content) != size:
        found = f"{len(content):,} bytes" if len(content) < size else "more bytes than that"
        raise refusal(name, f"{found} after the header", f"{size:,} for an array of {_times(shape)}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """Read in chunks, since ``read(size)`` would allocate all of a size that may be wrong."""
    content = bytearray()
    while len(content) < size and (chunk := stream.read(min(_CHUNK, size - len(content)))):
        content += chunk
    return content


def _magic(ndim: int) -> bytes:
    return bytes([0, 0, _UNSIGNED_BYTE, ndim])


def _describe_magic(magic: bytes) -> str:
    kinds = {_magic(1): " (labels)", _magic(3): " (images)"}
    return f"magic number 0x{magic.hex()}{kinds.get(bytes(magic), '')}" if magic else "an empty file"


def _times(shape: tuple[int | None, ...]) -> str:
    return " x ".join("n" if size is None else f"{size:,}" for size in shape)
