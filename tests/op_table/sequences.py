"""Convolution and pooling of sequences, against the loops over images, and pooling to a given size by maxima."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table import naive
from tests.op_table.row import Row, bad, case, spread

SEQUENCES, FILTERS, BACK = spread(2, 2, 5), spread(4, 2, 3, seed=1), spread(2, 3, 2, seed=1)
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


def adaptive_max_pool2d(x, output_size, return_indices=False):
    (h, w), (oh, ow) = x.shape[-2:], (n if size is None else size for n, size in zip(x.shape[-2:], naive.both(output_size)))
    out, places = np.zeros((*x.shape[:-2], oh, ow), x.dtype), np.zeros((*x.shape[:-2], oh, ow), int)
    for i, j in np.ndindex(oh, ow):
        rows, columns = slice(i * h // oh, -(-(i + 1) * h // oh)), slice(j * w // ow, -(-(j + 1) * w // ow))
        part = x[..., rows, columns].reshape(*x.shape[:-2], -1)
        best, wide = part.argmax(-1), columns.stop - columns.start
        out[..., i, j] = part.max(-1)
        places[..., i, j] = (rows.start + best // wide) * w + columns.start + best % wide
    return (out, places) if return_indices else out


def lp_pool2d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    kernel = naive.both(kernel_size)
    sums = naive.avg_pool2d(x**norm_type, kernel, stride, ceil_mode=ceil_mode) * (kernel[0] * kernel[1])
    return sums ** (1 / norm_type)


def lp_pool1d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    step = None if stride is None else (1, stride)
    return lp_pool2d(x[..., None, :], norm_type, (1, kernel_size), step, ceil_mode)[..., 0, :]


STEPS = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}
ABOVE = spread(1, 2, 5, low=0.5, high=2.0)
conv1d, conv_transpose1d = in_a_row(naive.conv2d, **STEPS), in_a_row(naive.conv_transpose2d, **STEPS)
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
    Row("conv_transpose1d", F.conv_transpose1d, conv_transpose1d, [
        case(SEQUENCES, BACK, spread(3, seed=2)), case(SEQUENCES, BACK, stride=2, padding=1, output_padding=1), case(spread(2, 3), BACK, dilation=2)],
        bad=[bad(ValueError, r"^conv_transpose1d: .*got shape \(1, 2, 4, 5\)", IMAGES, BACK),
             bad(ValueError, r"^conv_transpose1d: as of images of one row, conv_transpose2d: the weight takes 2 channels", spread(2, 3, 5), BACK)]),
    Row("max_pool1d", F.max_pool1d, max_pool1d, [
        case(SEQUENCES, 2), case(SEQUENCES, 3, stride=1, padding=1), case(spread(2, 5), 2, return_indices=True), case(SEQUENCES, 2, ceil_mode=True, dilation=2)],
        bad=[bad(ValueError, r"^max_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^max_pool1d: .*window of", SEQUENCES, 6),
             bad(ValueError, r"^max_pool1d: .*at least one channel and one element, got shape \(2, 0, 5\)", SEQUENCES[:, :0], 2)]),
    Row("avg_pool1d", F.avg_pool1d, avg_pool1d, [
        case(SEQUENCES, 2), case(SEQUENCES, 3, stride=2, padding=1), case(spread(2, 5), 2), case(SEQUENCES, 3, padding=1, count_include_pad=False, uploads=1)],
        bad=[bad(ValueError, r"^avg_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^avg_pool1d: .*window of", SEQUENCES, 6)]),
    Row("lp_pool1d", F.lp_pool1d, lp_pool1d, [case(ABOVE, 2, 2), case(ABOVE, 3.0, 3, stride=1), case(ABOVE[0], 1.0, 2, ceil_mode=True, uploads=1)],
        bad=[bad(ValueError, r"^lp_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2, 2)]),
    Row("lp_pool2d", F.lp_pool2d, lp_pool2d, [case(np.abs(IMAGES) + 0.1, 2, 2), case(np.abs(IMAGES) + 0.1, 3.0, (2, 3), stride=1)],
        analytic=False, bad=[bad(ValueError, "^lp_pool2d: expected kernel_size .* got 0", IMAGES, 2, 0)]),
    Row("adaptive_avg_pool1d", F.adaptive_avg_pool1d, in_a_row(naive.adaptive_avg_pool2d), [case(SEQUENCES, 1), case(SEQUENCES, 3)],
        bad=[bad(ValueError, r"^adaptive_avg_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^adaptive_avg_pool1d: .*got", SEQUENCES, 0)]),
    Row("adaptive_max_pool1d", F.adaptive_max_pool1d, in_a_row(adaptive_max_pool2d),
        [case(SEQUENCES, 1), case(SEQUENCES, 3), case(spread(2, 5), 2, return_indices=True)],
        bad=[bad(ValueError, r"^adaptive_max_pool1d: .*got shape \(1, 2, 4, 5\)", IMAGES, 2), bad(ValueError, "^adaptive_max_pool1d: .*got", SEQUENCES, 0)]),
    Row("adaptive_max_pool2d", F.adaptive_max_pool2d, adaptive_max_pool2d,
        [case(IMAGES, 2), case(IMAGES, (3, 2), return_indices=True), case(spread(2, 3, 4), (None, 3)), case(IMAGES, 1)],
        bad=[bad(ValueError, r"^adaptive_max_pool2d: expected images .*, got shape \(4, 5\)", IMAGES[0, 0], 2),
             bad(ValueError, r"^adaptive_max_pool2d: .* got shape \(1, 1, 0, 3\)", np.ones((1, 1, 0, 3)), 2),
             bad(ValueError, r"^adaptive_max_pool2d: expected output_size .* got 0", IMAGES, 0)]),
]
# fmt: on
