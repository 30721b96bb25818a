"""`Digits`: a set of handwritten digits, with a part for training and a part for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

MNIST: Final = "MNIST"


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
    return (
        f"{n_train:,} training and {n_test:,} test digits: sets of more than {min(n_train, n_test) // 2:,} pairs "
        "repeat digits within the training half or within the test half, never across"
    )
