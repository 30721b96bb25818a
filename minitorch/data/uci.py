"""The embedded digits: UCI's 8x8 handwritten digits, used if MNIST is not available.

E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (1998),
https://doi.org/10.24432/C50P49, licensed CC BY 4.0: the 1,797 images in scikit-learn, in its order.
``uci_digits/README.md`` says how the files were made.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minitorch.data.digits import Digits, repeats_note
from minitorch.data.idx import read_idx

_FOLDER = Path(__file__).parent / "uci_digits"
_N_TRAIN = 906  # the labels repeat one form fourteen times; here the eighth copy begins


def load_uci() -> Digits:
    """Return the embedded digits in MNIST's format (see `enlarge`): the first 906 for training, the other 891 for testing.

    No writer's form is split between the two. Each part has 84 to 92 digits of every class.
    """
    images = enlarge(read_idx(_FOLDER / "images-idx3-ubyte.gz", (None, 8, 8)))
    labels = read_idx(_FOLDER / "labels-idx1-ubyte.gz", (len(images),)).astype(np.int64)
    repeats = repeats_note(_N_TRAIN, len(labels) - _N_TRAIN)
    return Digits(
        name="UCI digits (not MNIST)",
        note=f"UCI's 8x8 handwritten digits enlarged to 14x14, not MNIST; {repeats}.",
        train_images=images[:_N_TRAIN],
        train_labels=labels[:_N_TRAIN],
        test_images=images[_N_TRAIN:],
        test_labels=labels[_N_TRAIN:],
    )


def enlarge(images: np.ndarray) -> np.ndarray:
    """Bring ``(n, 8, 8)`` grey levels 0..16 to ``(n, 14, 14)`` float32 grey levels 0..255: 10x10 in a frame of 2.

    MNIST's digits fill 20x20 of 28x28, thus 10x10 of 14x14. The interpolation is bilinear with pixels as areas: PyTorch's
    ``align_corners=False``, and Pillow's way.
    """
    source = ((np.arange(10) + 0.5) * 0.8 - 0.5).clip(0, 7)  # the centres of the ten pixels, in coordinates of the eight
    weights = (1 - np.abs(source[:, None] - np.arange(8))).clip(0)
    enlarged = weights @ images @ weights.T * (255 / 16)
    return np.pad(enlarged, ((0, 0), (2, 2), (2, 2))).astype(np.float32)
