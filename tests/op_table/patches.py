"""Patches as columns and back, against loops over every patch; channels as pixels and back."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table.naive import both
from tests.op_table.row import Row, bad, case, spread


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim == 3:
        return unfold(x[None], kernel_size, dilation, padding, stride)[0]
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(both, (kernel_size, dilation, padding, stride))
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    tall, wide = dh * (kh - 1) + 1, dw * (kw - 1) + 1
    patches = [
        x[:, :, i : i + tall : dh, j : j + wide : dw].reshape(len(x), x.shape[1] * kh * kw)
        for i in range(0, x.shape[2] - tall + 1, sh)
        for j in range(0, x.shape[3] - wide + 1, sw)
    ]
    return np.stack(patches, -1)


def fold(y, output_size, kernel_size, dilation=1, padding=0, stride=1):
    if y.ndim == 2:
        return fold(y[None], output_size, kernel_size, dilation, padding, stride)[0]
    (h, w), (kh, kw) = both(output_size), both(kernel_size)
    channels = y.shape[1] // (kh * kw)
    # each element of an image says which elements of the columns it becomes
    numbers = np.arange(1.0, channels * h * w + 1).reshape(1, channels, h, w)
    sources = unfold(numbers, kernel_size, dilation, padding, stride)[0]
    flat = [[column[sources == number].sum() for number in numbers.ravel()] for column in y]
    return np.array(flat, y.dtype).reshape(len(y), channels, h, w)


def pixel_shuffle(x, r):
    *before, channels, h, w = x.shape
    out = np.zeros((*before, channels // r**2, h * r, w * r), x.dtype)
    for c, i, j in np.ndindex(out.shape[-3:]):
        out[..., c, i, j] = x[..., c * r * r + i % r * r + j % r, i // r, j // r]
    return out


IMAGES = spread(1, 2, 3, 4)

# fmt: off
ROWS = [
    Row("unfold", F.unfold, unfold, [
        case(IMAGES, 2), case(IMAGES, (2, 3), padding=(1, 0), stride=(2, 1)), case(spread(2, 1, 5, 4), 2, dilation=(2, 1), stride=2, padding=1),
        case(spread(1, 3, 3), 2), case(spread(0, 1, 3, 3), 2)], torch=lambda torch, *given, **rest: torch.nn.functional.unfold(*given, **rest),
        bad=[bad(ValueError, r"^unfold: expected images .*, got shape \(3, 4\)", IMAGES[0, 0], 2),
             bad(ValueError, r"^unfold: patches of .* do not fit into \(3, 4\) \(input \(1, 2, 3, 4\)\)", IMAGES, 4),
             bad(ValueError, "^unfold: expected kernel_size .* got 0", IMAGES, 0)]),
    Row("fold", F.fold, fold, [
        case(spread(1, 8, 6), (3, 4), 2), case(spread(2, 4, 9), (5, 4), 2, dilation=(2, 1), stride=2, padding=1), case(spread(4, 4), 3, 2),
        case(spread(0, 4, 4), 3, 2)],
        bad=[bad(ValueError, r"^fold: expected columns \(n, channels x 4, 6\) for images of \(3, 4\) .*, got shape \(1, 8, 5\)", spread(1, 8, 5), (3, 4), 2),
             bad(ValueError, r"^fold: expected columns .*, got shape \(1, 7, 6\)", spread(1, 7, 6), (3, 4), 2)]),
    Row("pixel_shuffle", F.pixel_shuffle, pixel_shuffle, [case(spread(1, 8, 2, 3), 2), case(spread(9, 1, 2), 3), case(spread(2, 1, 2), 1)],
        bad=[bad(ValueError, r"^pixel_shuffle: expected \(..., channels x 3\^2, height, width\), got shape \(1, 2, 3, 4\)", IMAGES, 3)]),
    Row("pixel_shuffle", F.pixel_shuffle, pixel_shuffle, [case(spread(0, 4, 1, 1), 2)], torch=None),  # fails there
]
# fmt: on
