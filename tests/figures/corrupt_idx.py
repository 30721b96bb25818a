"""A small set of digits in IDX files, and copies of it damaged in every way we know of."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import numpy as np

from minitorch.data import DatasetError, Digits, encode_idx, mnist
from minitorch.data.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, load_folder

Contents = dict[str, bytes]


def small_set(seed: int = 0, n_train: int = 12, n_test: int = 6) -> Contents:
    """The uncompressed contents of four valid files of random digits."""
    rng = np.random.default_rng(seed)
    contents = {}
    for n, images, labels in (n_train, TRAIN_IMAGES, TRAIN_LABELS), (n_test, TEST_IMAGES, TEST_LABELS):
        contents[images] = encode_idx(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        contents[labels] = encode_idx(rng.integers(0, 10, n, dtype=np.uint8))
    return contents


def write_set(folder: Path, contents: Contents, *, zipped: bool = False) -> Path:
    """Write the contents into ``folder`` under MNIST's names, plain or gzip, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path, stored = _stored(folder, name, content, zipped)
        path.write_bytes(stored)
    return folder


def passing_for_mnist(contents: Contents) -> AbstractContextManager:
    """Have these contents, by their shapes and hashes, taken for the published files of MNIST."""
    return mock.patch.object(mnist, "PUBLISHED", {name: _published(contents[name]) for name in mnist.PUBLISHED})


def same_digits(one: Digits, other: Digits) -> bool:
    """Whether two sets hold the same arrays, bit for bit."""
    arrays = "train_images", "train_labels", "test_images", "test_labels"
    return all(np.array_equal(getattr(one, array), getattr(other, array)) for array in arrays)


def fuzz(number: int, seed: int, folder: Path) -> Counter[str]:
    """Load ``number`` damaged copies of a small set; count what became of each kind of damage.

    Every copy must be refused with a `DatasetError` that names the file and a remedy, or, where the damage lies in a
    part of the gzip header that says nothing about the content, yield exactly the original digits; `AssertionError`
    otherwise. The small set stands in for MNIST, so its hashes are known, as MNIST's are. (Without a hash a changed
    pixel in a plain file cannot be found by anyone.)
    """
    rng = np.random.default_rng(seed)
    contents = small_set(seed)
    outcomes: Counter[str] = Counter()
    with passing_for_mnist(contents):
        original = load_folder(write_set(folder / "original", contents))
        for zipped in (False, True):
            copy = write_set(folder / ("zipped" if zipped else "plain"), contents, zipped=zipped)
            for _ in range(number // 2 + (zipped and number % 2)):
                kind = str(rng.choice(list(DAMAGES)))
                name = str(rng.choice(list(contents)))
                path, intact = _stored(copy, name, contents[name], zipped)
                path.write_bytes(DAMAGES[kind](rng, contents, name, zipped))
                outcomes[f"{kind}: {_attempt(copy, path, original)}"] += 1
                path.write_bytes(intact)
    return outcomes


def _attempt(folder: Path, damaged: Path, original: Digits) -> str:
    try:
        digits = load_folder(folder)
    except DatasetError as error:
        said = str(error)
    else:
        assert same_digits(digits, original), f"{damaged} was accepted with another content"
        return "harmless"
    assert str(damaged) in said, f"{damaged} is not named: {said}"
    assert "Replace the file" in said or "Check that" in said, f"no remedy: {said}"
    return "refused"


def _flip_bits(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    stored = bytearray(_pack(contents[name], zipped))
    for bit in rng.choice(8 * len(stored), rng.integers(1, 9), replace=False):
        stored[bit // 8] ^= 1 << bit % 8
    return bytes(stored)


def _overwrite(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    stored = bytearray(_pack(contents[name], zipped))
    start, end = sorted(rng.choice(len(stored) + 1, 2, replace=False))
    stored[start:end] = bytes(end - start) if rng.random() < 0.5 else rng.bytes(end - start)
    return bytes(stored)


def _truncate(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    stored = _pack(contents[name], zipped)
    return stored[: rng.integers(len(stored))]


def _lose_a_block(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    stored = _pack(contents[name], zipped)
    start, end = sorted(rng.choice(len(stored) + 1, 2, replace=False))
    return stored[:start] + stored[end:]


def _append(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    return _pack(contents[name], zipped) + _pack(rng.bytes(rng.integers(1, 1000)), zipped and rng.random() < 0.5)


def _swap_headers(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    other = str(rng.choice([each for each in contents if each != name]))
    return _pack(_header(contents[other]) + contents[name][len(_header(contents[name])) :], zipped)


def _swap_files(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    return _pack(contents[str(rng.choice([each for each in contents if each != name]))], zipped)


def _wrong_magic(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    wrong = bytearray(contents[name])
    wrong[rng.integers(4)] ^= int(rng.integers(1, 256))
    return _pack(bytes(wrong), zipped)


def _wrong_count(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    header = bytearray(_header(contents[name]))
    where = 4 * rng.integers(1, len(header) // 4)
    (count,) = struct.unpack_from(">I", header, where)
    wrong = {0, count - 1, count + 1, 2 * count, 10**6, 2**31, 2**32 - 1} - {count}
    struct.pack_into(">I", header, where, int(rng.choice(sorted(wrong))))
    return _pack(bytes(header) + contents[name][len(header) :], zipped)


def _other_number_of_items(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    other = small_set(int(rng.integers(1000)), n_train=int(rng.integers(13, 20)), n_test=int(rng.integers(7, 12)))
    return _pack(other[name], zipped)


def _label_over_nine(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    wrong = bytearray(contents[name])
    if "labels" in name:
        wrong[rng.integers(8, len(wrong))] = rng.integers(10, 256)
    else:  # an image has none: change a pixel
        wrong[rng.integers(16, len(wrong))] ^= int(rng.integers(1, 256))
    return _pack(bytes(wrong), zipped)


def _bomb(rng: np.random.Generator, contents: Contents, name: str, zipped: bool) -> bytes:
    header = bytearray(_header(contents[name]))
    if rng.random() < 0.5:
        struct.pack_into(">I", header, 4, 2**32 - 1)
    return gzip.compress(header + contents[name][len(header) :]) + _ZEROS_IN_GZIP


Damage = Callable[[np.random.Generator, Contents, str, bool], bytes]
DAMAGES: dict[str, Damage] = {
    "bits flipped": _flip_bits,
    "a block overwritten": _overwrite,
    "truncated": _truncate,
    "a block lost": _lose_a_block,
    "bytes appended": _append,
    "another file's header": _swap_headers,
    "another file": _swap_files,
    "wrong magic number": _wrong_magic,
    "wrong count": _wrong_count,
    "another set's file": _other_number_of_items,
    "a label over 9, or a pixel changed": _label_over_nine,
    "gzip bomb": _bomb,
}
_ZEROS_IN_GZIP = gzip.compress(bytes(1 << 26), 9)


def _stored(folder: Path, name: str, content: bytes, zipped: bool) -> tuple[Path, bytes]:
    return folder / (f"{name}.gz" if zipped else name), _pack(content, zipped)


def _pack(content: bytes, zipped: bool) -> bytes:
    return gzip.compress(content, 6, mtime=0) if zipped else content


def _header(content: bytes) -> bytes:
    return content[: 4 + 4 * content[3]]


def _published(content: bytes) -> mnist.Published:
    shape = struct.unpack(f">{content[3]}I", _header(content)[4:])
    return mnist.Published(shape, hashlib.sha256(content).hexdigest())
