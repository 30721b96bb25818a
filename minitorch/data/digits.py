"""`Digits`: a set of handwritten digits, with a part for training and a part for testing; and the embedded one.

The embedded digits are UCI's: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository (1998), https://doi.org/10.24432/C50P49, licensed CC BY 4.0: the 1,797 images in scikit-learn, in its order.
``uci_digits/README.md`` says how the files were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from minitorch.data.idx import read_idx

MNIST: Final = "MNIST"
_FOLDER = Path(__file__).parent / "uci_digits"
_N_TRAIN = 906  # the labels repeat one form fourteen times; here the eighth copy begins


@dataclass(frozen=True, eq=False)
class Digits:
    """Training and test digits, with the name to show them under and, in ``note``, a sentence that describes them.

    Images are ``(n, 14, 14)`` float32 grey levels from 0 (paper) to 255 (ink), labels ``(n,)`` int64 from 0 to 9.
    """

    name: str
    note: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @property
    def is_mnist(self) -> bool:
        """Whether these are MNIST by content, so that results can be compared with the reports'."""
        return self.name == MNIST


def repeats_note(n_train: int, n_test: int) -> str:
    """A text that says from which size on pair sets repeat digits (`pairs.draw_pairs`)."""
    sets = f"{n_train:,} training and {n_test:,} test digits: sets of more than {min(n_train, n_test) // 2:,} pairs"
    return f"{sets} repeat digits within the training half or within the test half, never across"


def load_uci() -> Digits:
    """Return the embedded digits in MNIST's format: 906 for training and 891 for testing, by other writers."""
    images = enlarge(read_idx(_FOLDER / "images-idx3-ubyte.gz", (None, 8, 8)))
    labels = read_idx(_FOLDER / "labels-idx1-ubyte.gz", (len(images),)).astype(np.int64)
    note = f"UCI's 8x8 handwritten digits enlarged to 14x14, not MNIST; {repeats_note(_N_TRAIN, len(labels) - _N_TRAIN)}."
    return Digits("UCI digits (not MNIST)", note, images[:_N_TRAIN], labels[:_N_TRAIN], images[_N_TRAIN:], labels[_N_TRAIN:])


def enlarge(images: np.ndarray) -> np.ndarray:
    """Bring ``(n, 8, 8)`` grey levels 0..16 to ``(n, 14, 14)`` float32 grey levels 0..255: 10x10 in a frame of 2.

    MNIST's digits fill 20x20 of 28x28, that is 10x10 of 14x14. The interpolation is bilinear with pixels as areas: PyTorch's
    ``align_corners=False``, and Pillow's way.
    """
    source = ((np.arange(10) + 0.5) * 0.8 - 0.5).clip(0, 7)  # the centres of the ten pixels, in coordinates of the eight
    weights = (1 - np.abs(source[:, None] - np.arange(8))).clip(0)
    return np.pad(weights @ images @ weights.T * (255 / 16), ((0, 0), (2, 2), (2, 2))).astype(np.float32)
