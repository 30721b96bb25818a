"""From a word or a path to a set of digits: the meaning of ``--data``."""

from __future__ import annotations

import os
import warnings

from minitorch.data.digits import Digits
from minitorch.data.download import DownloadError
from minitorch.data.mnist import load_folder, load_mnist
from minitorch.data.uci import load_uci


def load_digits(source: str | os.PathLike[str] = "auto") -> Digits:
    """Return the digits that ``source`` names.

    ``"mnist"``: MNIST from the folder in the environment variable ``MINITORCH_MNIST`` or else from the user's cache,
    downloaded once and verified. ``"digits"``: the embedded UCI digits. ``"auto"``: MNIST, or with a warning the embedded
    digits if it can be neither found nor downloaded. Anything else: the path of a folder with four IDX files under MNIST's
    names. Raises `DatasetError` for files that cannot be used, `DownloadError` (a subclass) if ``"mnist"`` is not available.
    """
    if source == "digits":
        return load_uci()
    if source == "mnist":
        return load_mnist()
    if source != "auto":
        return load_folder(source)
    try:
        return load_mnist()
    except DownloadError as error:
        digits = load_uci()
        warnings.warn(f"{error}\n\nMNIST is not available. Used instead: {digits.note}", stacklevel=2)
        return digits
