"""IDX files and folders of them: what is read is right, and everything else is refused with reason and remedy."""

import gzip
import io
import os
import re
import shutil
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from minitorch.data import DatasetError, encode_idx, load_digits, read_idx
from minitorch.data.idx import MAX_ITEMS, parse_idx
from minitorch.data.mnist import (
    FOLDER_VARIABLE,
    MIRRORS,
    PUBLISHED,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
)
from tests.figures.corrupt_idx import DAMAGES, fuzz, passing_for_mnist, same_digits, small_set, write_set

REAL_MNIST = Path(__file__).parents[3] / "shared" / "mnist"
with_real_mnist = pytest.mark.skipif(not REAL_MNIST.is_dir(), reason=f"MNIST's files are not in {REAL_MNIST}")

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
CONTENT = encode_idx(IMAGES)
ANY_IMAGES = (None, 28, 28)


def header(*shape: int, magic: bytes | None = None) -> bytes:
    return (magic or bytes([0, 0, 8, len(shape)])) + struct.pack(f">{len(shape)}I", *shape)


def refusal(content: bytes, shape: tuple[int | None, ...] = ANY_IMAGES) -> str:
    with pytest.raises(DatasetError) as caught:
        parse_idx(io.BytesIO(content), "some/file", shape)
    return str(caught.value)


# -- one file


@pytest.mark.parametrize("array", [IMAGES, LABELS])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_was_encoded_is_read_back_plain_or_gzip_whatever_the_name(tmp_path, array, pack):
    path = tmp_path / "any-name.gz"
    path.write_bytes(pack(encode_idx(array)))
    found = read_idx(path, (None, *array.shape[1:]))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)


def test_only_bytes_are_encoded():
    with pytest.raises(TypeError, match="uint8, got an array of float64"):
        encode_idx(np.zeros(3))


def test_what_is_no_file_is_refused_with_its_name(tmp_path):
    pipe = tmp_path / "pipe"
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
    for path in tmp_path / "nothing", tmp_path, pipe:
        with pytest.raises(DatasetError, match=re.escape(f"{path}: cannot be read") + ".*Check that it exists"):
            read_idx(path, ANY_IMAGES)


@pytest.mark.parametrize(
    ("content", "shape", "message"),
    [
        (b"", ANY_IMAGES, "an empty file, expected magic number 0x00000803 (images). Check"),
        (b"\0\0", ANY_IMAGES, "magic number 0x0000, expected"),
        (b"<html>404</html>", ANY_IMAGES, "magic number 0x3c68746d, expected"),
        (header(5, 28, 28, magic=b"\0\0\x0d\3"), ANY_IMAGES, "magic number 0x00000d03, expected"),
        (header(5, 28, magic=b"\0\0\x08\2"), ANY_IMAGES, "magic number 0x00000802, expected"),
        (encode_idx(LABELS), ANY_IMAGES, "0x00000801 (labels), expected magic number 0x00000803 (images). Check that"),
        (CONTENT, (None,), "0x00000803 (images), expected magic number 0x00000801 (labels). Check that"),
        (CONTENT[:10], ANY_IMAGES, "a header of 10 bytes, expected 16 bytes. Replace"),
        (encode_idx(IMAGES[:, :14]), ANY_IMAGES, "an array of 5 x 14 x 28, expected n x 28 x 28. Replace"),
        (CONTENT, (6, 28, 28), "an array of 5 x 28 x 28, expected 6 x 28 x 28. Replace"),
        (header(0, 28, 28), ANY_IMAGES, "a header that announces 0 items, expected 1 to 1,000,000. Replace"),
        (header(2**32 - 1, 28, 28), ANY_IMAGES, "announces 4,294,967,295 items, expected 1 to 1,000,000. Replace"),
        (CONTENT[:-1], ANY_IMAGES, "3,919 bytes after the header, expected 3,920 for an array of 5 x 28 x 28. Replace"),
        (CONTENT + b"\0", ANY_IMAGES, "more bytes than that after the header, expected 3,920 for an array of 5"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_wrong_or_lying_content_is_refused_with_name_finding_expectation_and_remedy(content, shape, message, pack):
    said = refusal(pack(content), shape)
    assert said.startswith("some/file: found ")
    assert message in said


@pytest.mark.parametrize(
    "damaged",
    [
        gzip.compress(CONTENT)[:2],
        gzip.compress(CONTENT)[:-1],
        gzip.compress(CONTENT)[:200],
        gzip.compress(CONTENT)[:-8] + bytes(8),
        gzip.compress(CONTENT) + b"more",
    ],
    ids=["magic number alone", "one byte short", "cut", "wrong checksum", "other bytes behind"],
)
def test_a_damaged_gzip_file_is_refused(damaged):
    assert re.match(
        r"some/file: found a damaged gzip file \(.+\), expected one that unpacks to its end. Replace", refusal(damaged)
    )


def test_a_changed_byte_in_a_gzip_file_is_found_by_its_checksum():
    changed = bytearray(gzip.compress(CONTENT, 0))  # level 0 stores the pixels as they are
    changed[len(changed) // 2] ^= 1
    assert "CRC check failed" in refusal(bytes(changed))


LIE = header(MAX_ITEMS, 28, 28) + IMAGES.tobytes()
BOMB = gzip.compress(CONTENT) + gzip.compress(bytes(1 << 26))


@pytest.mark.parametrize("content", [LIE, gzip.compress(LIE), BOMB], ids=["plain lie", "gzip lie", "bomb"])
def test_neither_a_lie_nor_a_bomb_makes_memory_grow_beyond_the_data(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"bytes.* after the header"):
            read_idx(path, ANY_IMAGES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


# -- a folder


def refused_folder(folder: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        load_digits(folder)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("spelling", ["-idx", ".idx"])
def test_a_folder_is_read_under_both_spellings_plain_or_gzip_and_is_not_called_mnist(tmp_path, suffix, spelling):
    contents = small_set()
    for name, content in contents.items():
        path = tmp_path / (name.replace("-idx", spelling) + suffix)
        path.write_bytes(gzip.compress(content) if suffix else content)
    digits = load_digits(tmp_path)
    assert digits.name == f"digits of {tmp_path.name} (not MNIST)"
    assert not digits.is_mnist
    assert "not MNIST" in digits.note and "more than 3 pairs repeat" in digits.note
    assert digits.train_images.shape == (12, 14, 14) and digits.train_images.dtype == np.float32
    assert digits.test_labels.shape == (6,) and digits.test_labels.dtype == np.int64
    pixels = np.frombuffer(contents[TRAIN_IMAGES], np.uint8, offset=16).reshape(12, 14, 2, 14, 2)
    np.testing.assert_array_equal(digits.train_images, pixels.mean(axis=(2, 4)))
    np.testing.assert_array_equal(digits.test_labels, np.frombuffer(contents[TEST_LABELS], np.uint8, offset=8))


def test_no_such_folder_is_refused_with_what_a_folder_must_hold(tmp_path):
    said = refused_folder(tmp_path / "absent")
    assert said.startswith(f"{tmp_path / 'absent'}: no such folder") and all(name in said for name in PUBLISHED)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_missing_file_of_the_four_is_named(tmp_path, name):
    (write_set(tmp_path, small_set()) / name).unlink()
    assert f"{tmp_path}: found no {name}, plain or .gz. Put all of" in refused_folder(tmp_path)


def test_a_label_over_nine_is_refused_with_its_place(tmp_path):
    contents = small_set()
    contents[TEST_LABELS] = encode_idx(np.array([0, 9, 10, 3, 2, 1], np.uint8))
    write_set(tmp_path, contents)
    expected = f"{tmp_path / TEST_LABELS}: found label 10 (item 2), expected 0 to 9. Replace"
    assert expected in refused_folder(tmp_path)


def test_images_and_labels_of_different_numbers_are_refused_with_both_files(tmp_path):
    write_set(tmp_path, small_set() | {TRAIN_LABELS: encode_idx(np.zeros(11, np.uint8))})
    said = refused_folder(tmp_path)
    assert f"{tmp_path / TRAIN_IMAGES}: found an array of 12 x 28 x 28, expected 11 x 28 x 28. Replace" in said
    assert f"The 11 labels that go with it are in {tmp_path / TRAIN_LABELS}." in said


def test_labels_given_as_images_are_recognised(tmp_path):
    contents = small_set()
    write_set(tmp_path, contents | {TRAIN_IMAGES: contents[TRAIN_LABELS], TRAIN_LABELS: contents[TRAIN_IMAGES]})
    said = refused_folder(tmp_path)
    assert f"{tmp_path / TRAIN_LABELS}: found magic number 0x00000803 (images)" in said and "swapped" in said


# -- MNIST among folders, with a small set in its place


@pytest.mark.parametrize("zipped", [False, True])
def test_a_set_with_the_published_hashes_is_mnist(tmp_path, zipped):
    contents = small_set()
    with passing_for_mnist(contents):
        digits = load_digits(write_set(tmp_path, contents, zipped=zipped))
    assert digits.is_mnist and digits.name == "MNIST" and "verified" in digits.note


def test_a_file_of_mnists_size_with_another_content_is_refused(tmp_path):
    contents, others = small_set(0), small_set(1)
    for name in contents:
        folder = write_set(tmp_path / name, contents | {name: others[name]})
        with passing_for_mnist(contents):
            said = refused_folder(folder)
        assert f"{folder / name}: found content with the SHA-256 " in said and f"expected MNIST's {name}" in said


def test_training_and_test_files_swapped_are_recognised_by_their_content(tmp_path):
    contents = small_set()
    swapped = {
        TRAIN_IMAGES: TEST_IMAGES,
        TRAIN_LABELS: TEST_LABELS,
        TEST_IMAGES: TRAIN_IMAGES,
        TEST_LABELS: TRAIN_LABELS,
    }
    write_set(tmp_path, {name: contents[other] for name, other in swapped.items()})
    with passing_for_mnist(contents):
        said = refused_folder(tmp_path)
    assert any(f"found MNIST's {other}, expected MNIST's {name}" in said for name, other in swapped.items())


def test_a_part_of_mnist_is_not_called_mnist(tmp_path):
    contents, other = small_set(0), small_set(1, n_train=20)
    part = contents | {TRAIN_IMAGES: other[TRAIN_IMAGES], TRAIN_LABELS: other[TRAIN_LABELS]}
    with passing_for_mnist(contents):
        assert not load_digits(write_set(tmp_path, part)).is_mnist


def test_a_changed_pixel_in_a_plain_file_without_a_published_hash_cannot_be_seen(tmp_path):
    contents = small_set()
    changed = bytearray(contents[TRAIN_IMAGES])
    changed[100] ^= 1
    digits = load_digits(write_set(tmp_path, contents | {TRAIN_IMAGES: bytes(changed)}))
    assert "no published hash" in digits.note


def test_the_folder_in_the_environment_is_taken_for_mnist_and_refused_if_it_is_not(tmp_path, monkeypatch):
    contents = small_set()
    monkeypatch.setenv(FOLDER_VARIABLE, str(write_set(tmp_path, contents)))
    for source in "auto", "mnist":
        with pytest.raises(DatasetError, match=f"{FOLDER_VARIABLE}.*found other digits, expected MNIST. Name another"):
            load_digits(source)
        with passing_for_mnist(contents):
            assert load_digits(source).is_mnist


def test_auto_does_not_pass_over_a_damaged_folder_in_the_environment(tmp_path, monkeypatch):
    folder = write_set(tmp_path, small_set())
    (folder / TEST_LABELS).write_bytes(b"")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    with pytest.raises(DatasetError, match="an empty file"):
        load_digits("auto")


def test_the_mirrors_are_https_only():
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in MIRRORS)


# -- the real files


@with_real_mnist
def test_mnist_is_known_by_its_content(tmp_path):
    digits = load_digits(REAL_MNIST)
    assert digits.is_mnist
    assert digits.train_images.shape == (60_000, 14, 14) and digits.test_images.shape == (10_000, 14, 14)
    assert digits.train_images.dtype == np.float32
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@with_real_mnist
def test_mnist_with_one_pixel_changed_is_refused(tmp_path):
    for path in REAL_MNIST.glob("*.gz"):
        shutil.copy(path, tmp_path)
    zipped = tmp_path / f"{TEST_IMAGES}.gz"
    changed = bytearray(gzip.decompress(zipped.read_bytes()))
    changed[5_000_000] ^= 1
    zipped.unlink()
    (tmp_path / TEST_IMAGES).write_bytes(changed)
    assert f"{tmp_path / TEST_IMAGES}: found content with the SHA-256" in refused_folder(tmp_path)


# -- every kind of damage


def test_no_damaged_copy_is_accepted(tmp_path):
    outcomes = fuzz(600, 0, tmp_path)
    assert outcomes.total() == 600
    assert {outcome.split(":")[0] for outcome in outcomes} == set(DAMAGES)
    assert sum(count for outcome, count in outcomes.items() if outcome.endswith("refused")) > 580


def test_the_fuzz_sees_a_loader_that_takes_anything(tmp_path, monkeypatch):
    monkeypatch.setattr("minitorch.data.mnist._verify", lambda digest, name, source: None)
    with pytest.raises(AssertionError, match="was accepted with another content"):
        fuzz(600, 0, tmp_path)


def test_the_same_seed_damages_in_the_same_way(tmp_path):
    assert fuzz(60, 1, tmp_path / "one") == fuzz(60, 1, tmp_path / "two")
    assert same_digits(load_digits(tmp_path / "one" / "original"), load_digits(tmp_path / "two" / "original"))
