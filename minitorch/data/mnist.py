"""MNIST from a folder of its four files, or downloaded once into the user's cache; and `load_digits`, which chooses a set."""

from __future__ import annotations

import hashlib
import io
import math
import os
import sys
import warnings
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from minitorch.data.digits import MNIST, Digits, load_uci, repeats_note
from minitorch.data.download import DownloadError, fetch_first
from minitorch.data.idx import DatasetError, encode_idx, parse_idx, read_idx, refusal
from minitorch.files.atomic import atomic_write

FOLDER_VARIABLE: Final = "MINITORCH_MNIST"
_NOTE = "MNIST, 60,000 training and 10,000 test digits, verified by SHA-256."
MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)


class Published(NamedTuple):
    """The shape of one of MNIST's arrays, and the SHA-256 of its uncompressed file."""

    shape: tuple[int, ...]
    sha256: str


TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
PUBLISHED: Final = {  # smallest first, so that a mirror that fails is noticed early
    TEST_LABELS: Published((10_000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    TRAIN_LABELS: Published((60_000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    TEST_IMAGES: Published((10_000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    TRAIN_IMAGES: Published((60_000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
}


def load_digits(source: str | os.PathLike[str] = "auto") -> Digits:
    """Return the digits that ``source`` names: the meaning of ``--data``.

    ``"mnist"``: MNIST from the folder in the environment variable ``MINITORCH_MNIST`` or else from the user's cache,
    downloaded once and verified. ``"digits"``: the embedded UCI digits. ``"auto"``: MNIST, or with a warning the embedded
    digits if it can be neither found nor downloaded. Anything else: the path of a folder with four IDX files under MNIST's
    names. Raises `DatasetError` for files that cannot be used, `DownloadError` (a subclass) if ``"mnist"`` is not available.
    """
    if source == "digits":
        return load_uci()
    if source not in ("auto", "mnist"):
        return load_folder(source)
    try:
        return _digits(mnist_arrays())
    except DownloadError as error:
        if source == "mnist":
            raise
        digits = load_uci()
        warnings.warn(f"{error}\n\nMNIST is not available. Used instead: {digits.note}", stacklevel=2)
        return digits


def mnist_arrays() -> dict[str, np.ndarray]:
    """The four arrays of MNIST, by the names of their files: images (n, 28, 28) and labels (n,), uint8.

    Raises `DatasetError` if the content of the folder named by ``MINITORCH_MNIST`` is not MNIST, and `DownloadError` if none
    is named and MNIST is not in the user's cache and cannot be downloaded or written there.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        try:
            folder = cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            return {name: _cached(folder / f"{name}.gz", name) for name in PUBLISHED}
        except (OSError, RuntimeError) as error:  # no home, no permission, a full disk
            remedy = f"Name a folder that holds MNIST in {FOLDER_VARIABLE}, or move the cache with XDG_CACHE_HOME."
            raise DownloadError(f"MNIST cannot be kept in the user's cache: {error}. {remedy}") from error
    arrays, is_mnist = read_folder(Path(named))
    if not is_mnist:
        remedy = "Name another folder there, or ask for this one by its path."
        raise refusal(f"{named} ({FOLDER_VARIABLE})", "other digits", "MNIST", remedy)
    return arrays


def load_folder(folder: str | os.PathLike[str]) -> Digits:
    """Return the digits in a folder of four IDX files of 28x28 images under MNIST's names, plain or gzip.

    The set is called MNIST only if all four files have MNIST's content (SHA-256), else by the folder's name. Raises
    `DatasetError`, also for files with MNIST's size but other content, since they may be damaged.
    """
    folder = Path(folder)
    arrays, is_mnist = read_folder(folder)
    if is_mnist:
        return _digits(arrays)
    repeats = repeats_note(len(arrays[TRAIN_LABELS]), len(arrays[TEST_LABELS]))
    note = f"Digits of the folder {folder}, which are not MNIST and have no published hash; {repeats}."
    return _digits(arrays, f"digits of {folder.resolve().name} (not MNIST)", note)


def read_folder(folder: Path) -> tuple[dict[str, np.ndarray], bool]:
    """The four arrays in a folder, and whether they are MNIST's; raises as `load_folder` does."""
    if not os.path.isdir(folder):
        raise DatasetError(f"{folder}: no such folder. Give a folder with the files {', '.join(PUBLISHED)}.")
    paths = {name: _find(folder, name) for name in PUBLISHED}
    arrays = {}
    for labels, images in (TRAIN_LABELS, TRAIN_IMAGES), (TEST_LABELS, TEST_IMAGES):
        arrays[labels] = found = read_idx(paths[labels], (None,))
        if found.max() > 9:
            raise refusal(str(paths[labels]), f"label {found.max()} (item {found.argmax():,})", "0 to 9")
        try:
            arrays[images] = read_idx(paths[images], (len(found), 28, 28))
        except DatasetError as error:
            raise DatasetError(f"{error} The {len(found):,} labels that go with it are in {paths[labels]}.") from error

    digests = {name: _digest(array) for name, array in arrays.items()}
    of_mnist = [name for name in arrays if arrays[name].shape == PUBLISHED[name].shape or _published_name(digests[name])]
    for name in of_mnist:
        _verify(digests[name], name, str(paths[name]))
    return arrays, len(of_mnist) == len(PUBLISHED)


def cache_folder() -> Path:
    """Return the folder of the downloaded files in the user's cache; raises `RuntimeError` for a user without a home."""
    if sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "minitorch" / "mnist"


def average_2x2(images: np.ndarray) -> np.ndarray:
    """Average ``(n, 2h, 2w)`` uint8 images over squares of four pixels to ``(n, h, w)`` float32, without rounding."""
    rows = images[:, 0::2].astype(np.uint16) + images[:, 1::2]
    return (rows[:, :, 0::2] + rows[:, :, 1::2]) / np.float32(4)


def _digits(arrays: dict[str, np.ndarray], name: str = MNIST, note: str = _NOTE) -> Digits:
    train, test = average_2x2(arrays[TRAIN_IMAGES]), average_2x2(arrays[TEST_IMAGES])
    return Digits(name, note, train, arrays[TRAIN_LABELS].astype(np.int64), test, arrays[TEST_LABELS].astype(np.int64))


def _find(folder: Path, name: str) -> Path:
    for spelling in (name, name.replace("-idx", ".idx")):  # both spellings are in use
        for path in (folder / spelling, folder / f"{spelling}.gz"):
            if os.path.exists(path):
                return path
    raise DatasetError(f"{folder}: found no {name}, plain or .gz. Put all of {', '.join(PUBLISHED)} there.")


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(encode_idx(array)).hexdigest()


def _published_name(digest: str) -> str | None:
    return next((name for name, published in PUBLISHED.items() if published.sha256 == digest), None)


def _verify(digest: str, name: str, source: str) -> None:
    expected = PUBLISHED[name].sha256
    if digest != expected:
        real_name = _published_name(digest)
        found = f"MNIST's {real_name}" if real_name else f"content with the SHA-256 {digest}"
        remedy = "Replace the file with a fresh copy. (Another set of MNIST's size cannot be used: it may be a damaged MNIST.)"
        raise refusal(source, found, f"MNIST's {name}, {expected}", remedy)


def _cached(path: Path, name: str) -> np.ndarray:
    """Return an array of MNIST from the cache; a file that is missing or damaged there is downloaded first."""
    if path.exists():
        try:
            return _read_published(path, name)
        except DatasetError as error:
            print(f"{error} It is downloaded again.", file=sys.stderr)
    print(f"Downloading MNIST's {name} into {path.parent}, this once.", file=sys.stderr)
    shape = PUBLISHED[name].shape
    limit = math.prod(shape) + 1024  # its uncompressed size, and room for the headers of both formats

    def check(content: bytes, address: str) -> None:
        _verify(_digest(parse_idx(io.BytesIO(content), address, shape)), name, address)

    try:
        content = fetch_first([f"{mirror}{name}.gz" for mirror in MIRRORS], limit, check)
    except DownloadError as error:
        files = ", ".join(f"{each}.gz" for each in PUBLISHED)
        fetch = f"fetch the four files {files} from one of {', '.join(MIRRORS)} or from anybody who has them"
        put = f"put them into {path.parent}, or into any folder that you then name in {FOLDER_VARIABLE}."
        raise DownloadError(f"{path}: MNIST could not be downloaded. Tried:\n{error}\nBy hand: {fetch}, and {put}") from error
    with atomic_write(path) as file:
        file.write(content)
    return _read_published(path, name)


def _read_published(path: Path, name: str) -> np.ndarray:
    array = read_idx(path, PUBLISHED[name].shape)
    _verify(_digest(array), name, str(path))
    return array
