"""`torchvision.datasets.MNIST` and `FashionMNIST`, from the files that minitorch finds, downloads or includes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.creation import from_numpy
from minitorch.data.digits import load_uci
from minitorch.data.download import DownloadError
from minitorch.data.mnist import PUBLISHED, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, mnist_arrays, read_folder
from minitorch.utils.data import Dataset


class MNIST(Dataset[tuple[Any, Any]]):
    """Handwritten digits: sample i is (image, label); before `transform` an image is a (28, 28) uint8 array, not a PIL image.

    The four files are looked for in `root` and `root/MNIST/raw` (torchvision's folder), then as by `load_digits`, which
    downloads them once. Without them the embedded digits are used, with a warning. `data` (n, 28, 28) uint8 and `targets` (n,)
    int64 are tensors. `download` has no effect.
    """

    _names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    classes: Any = [f"{digit} - {name}" for digit, name in enumerate(_names)]
    class_to_idx: Any = property(lambda self: {name: label for label, name in enumerate(self.classes)})

    def __init__(
        self,
        root: str | os.PathLike[str] = "data",
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.root: Any = root
        self.train: bool = train
        self.transform: Any = transform
        self.target_transform: Any = target_transform
        folders = (Path(root), Path(root) / type(self).__name__ / "raw")
        there = [each for each in folders if any((each / f"{n}{end}").exists() for n in PUBLISHED for end in ("", ".gz"))]
        try:
            arrays = read_folder(there[0])[0] if there else self._published()
            images, labels = (TRAIN_IMAGES, TRAIN_LABELS) if train else (TEST_IMAGES, TEST_LABELS)
            self.data: Tensor = from_numpy(arrays[images])
            self.targets: Tensor = from_numpy(arrays[labels].astype(np.int64))
        except DownloadError as error:
            digits = load_uci()
            warnings.warn(f"{error}\n\n{type(self).__name__} is not available. Used instead: {digits.note}", stacklevel=2)
            small = digits.train_images if train else digits.test_images
            self.data = from_numpy(small.repeat(2, 1).repeat(2, 2).round().astype(np.uint8))
            self.targets = from_numpy(digits.train_labels if train else digits.test_labels)

    def _published(self) -> dict[str, np.ndarray]:
        return mnist_arrays()

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, label = self.data.array[index], int(self.targets.array[index])
        image = image if self.transform is None else self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    def __len__(self) -> int:
        return len(self.data)

    # names of older versions
    train_data: Any = property(lambda self: self.data)
    test_data: Any = train_data
    train_labels: Any = property(lambda self: self.targets)
    test_labels: Any = train_labels

    def __repr__(self) -> str:
        return f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n    Root location: {self.root}"


class FashionMNIST(MNIST):
    """Images of clothes from the four files in `root` or `root/FashionMNIST/raw`; if missing, digits, with a warning."""

    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]

    def _published(self) -> dict[str, np.ndarray]:
        folder = Path(self.root, "FashionMNIST", "raw")
        raise DownloadError(f"FashionMNIST: minitorch does not download it. Put its four files into {folder}.")


__all__ = ["MNIST", "FashionMNIST"]
