"""Convolution and pooling of sequences, against the loops over images."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table import naive
from tests.op_table.row import Row, bad, case, spread

SEQUENCES, FILTERS = spread(2, 2, 5), spread(4, 2, 3, seed=1)
IMAGES = spread(1, 2, 4, 5)


def in_a_row(on_images, **across):
    """The function of images on an image of one row; `across` has what each size is across it."""

    def on_sequences(x, *sizes, **options):
        wide = {
            name: (across[name], value) if name in across and value is not None else value for name, value in options.items()
        }
        arrays = [size[..., None, :] if isinstance(size, np.ndarray) and size.ndim > 1 else size for size in sizes]
        rows = [(1, size) if isinstance(size, int) else size for size in arrays]
        found = on_images(x[..., None, :], *rows, **wide)
        return tuple(part[..., 0, :] for part in found) if isinstance(found, tuple) else found[..., 0, :]

    return on_sequences


STEPS = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
conv1d = in_a_row(naive.conv2d, **STEPS)
max_pool1d, avg_pool1d = in_a_row(naive.max_pool2d, **STEPS), in_a_row(naive.avg_pool2d, **STEPS)

# fmt: off
ROWS = [
    Row("conv1d", F.conv1d, conv1d, [
        case(SEQUENCES, FILTERS, spread(4, seed=2)), case(SEQUENCES, FILTERS, stride=2, padding=1), case(spread(2, 5), FILTERS, dilation=2),
        case(SEQUENCES, spread(4, 1, 2, seed=1), groups=2)],
        bad=[bad(ValueError, r"^conv1d: expected sequences \(n, channels, length\), got shape \(1, 2, 4, 5\)", IMAGES, FILTERS),
             bad(ValueError, r"^conv1d: as of images of one row, conv2d: the weight takes 2 channels, the input has 3", spread(2, 3, 5), FILTERS),
             bad(ValueError, r"^conv1d: .*expected stride to be one whole number, got \(1, 2\)", SEQUENCES, FILTERS, stride=(1, 2))]),
    Row("conv1d", F.conv1d, lambda x, w, padding: conv1d(x, w, padding=1), [case(SEQUENCES, FILTERS, padding="same"), case(SEQUENCES, FILTERS, padding=(1,))]),
    Row("conv_transpose1d", F.conv_transpose1d, in_a_row(naive.conv_transpose2d, **STEPS), [
        case(SEQUENCES, spread(2, 3, 3, seed=1), spread(3, seed=2)), case(spread(2, 5), spread(2, 3, 2, seed=1), dilation=2),
        case(SEQUENCES, spread(2, 2, 3, seed=1), groups=2, stride=2, padding=1, output_padding=1)],
        bad=[bad(ValueError, r"^conv_transpose1d: expected sequences \(n, channels, length\), got shape \(1, 2, 4, 5\)", IMAGES, FILTERS),
             bad(ValueError, r"^conv_transpose1d: as of .*: the weight takes 4 channels, the input has 2", SEQUENCES, FILTERS),
             bad(ValueError, r"^conv_transpose1d: .*output_padding to be one whole number, got \(1, 2\)", SEQUENCES, FILTERS, output_padding=(1, 2))]),
    Row("max_pool1d", F.max_pool1d, max_pool1d, [
        case(SEQUENCES, 2), case(SEQUENCES, 3, stride=1, padding=1), case(spread(2, 5), 2, return_indices=True), case(SEQUENCES, 2, ceil_mode=True, dilation=2)],
        bad=[bad(ValueError, r"^max_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^max_pool1d: .*window of", SEQUENCES, 6),
             bad(ValueError, r"^max_pool1d: .*at least one channel and one element, got shape \(2, 0, 5\)", SEQUENCES[:, :0], 2)]),
    Row("avg_pool1d", F.avg_pool1d, avg_pool1d, [
        case(SEQUENCES, 2), case(SEQUENCES, 3, stride=2, padding=1), case(spread(2, 5), 2), case(SEQUENCES, 3, padding=1, count_include_pad=False, uploads=1)],
        bad=[bad(ValueError, r"^avg_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^avg_pool1d: .*window of", SEQUENCES, 6)]),
    Row("adaptive_avg_pool1d", F.adaptive_avg_pool1d, in_a_row(naive.adaptive_avg_pool2d), [case(SEQUENCES, 1), case(SEQUENCES, 3)],
        bad=[bad(ValueError, r"^adaptive_avg_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^adaptive_avg_pool1d: .*got", SEQUENCES, 0)]),
]
# fmt: on
