"""Handwritten digits, and sets of pairs of them, as NumPy arrays.

>>> digits = load_digits("auto")  # MNIST, or the embedded UCI digits: digits.name says which
>>> train, test = normalise(*pair_sets(digits, 1000, rng=np.random.default_rng(0)))
"""

from minitorch.data.digits import Digits
from minitorch.data.download import DownloadError
from minitorch.data.idx import DatasetError, encode_idx, read_idx
from minitorch.data.mnist import load_digits
from minitorch.data.pairs import Pairs, draw_pairs, normalise, pair_sets

# fmt: off
__all__ = [
    "DatasetError", "Digits", "DownloadError", "Pairs", "draw_pairs", "encode_idx", "load_digits", "normalise", "pair_sets",
    "read_idx",
]
# fmt: on
