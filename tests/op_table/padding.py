"""Padding with a constant or with more of the tensor."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table.row import Row, bad, case, spread

MATRIX, IMAGES = spread(2, 3), spread(1, 2, 3, 4)


def padded(x, pad, mode="constant", value=None):
    widths = [(0, 0)] * x.ndim
    for i in range(len(pad) // 2):
        widths[x.ndim - 1 - i] = tuple(pad[2 * i : 2 * i + 2])
    if mode == "circular":  # which crops first
        x = x[tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, widths))]
        widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    around = [(max(before, 0), max(after, 0)) for before, after in widths]
    name = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    whole = np.pad(x, around, name, **({"constant_values": value or 0} if mode == "constant" else {}))
    return whole[tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(whole.shape, widths))]


def around(mode):
    return [
        case(spread(2, 3, 4), (1, 2), mode=mode),
        case(IMAGES, (2, 0, 1, 2), mode=mode),
        case(IMAGES, (-1, 2, 1, -1), mode=mode),
        case(spread(1, 2, 3, 3), (1, 1, 2, 0, 0, 1), mode=mode),
        case(MATRIX, (1, 1), mode=mode),
        case(spread(0, 2, 3), (1, 2), mode=mode),
    ]


# fmt: off
ROWS = [
    Row("pad", F.pad, padded, [
        case(MATRIX, (1, 2)), case(MATRIX, (1, 0, 0, 2), value=1.5), case(MATRIX, (-1, 2)), case(MATRIX, (0, 0, -1, 1)), case(MATRIX, ()),
        case(spread(2, 1, 2), (1, 1, 0, 1, 2, 0)), case(spread(0, 2), (1, 1)), case(MATRIX, (-1, -2)),
        *around("reflect"), *around("replicate"), *around("circular")],
        bad=[bad(ValueError, "^pad: expected mode 'constant', 'reflect', 'replicate', 'circular', got 'mirror'", MATRIX, (1, 1), mode="mirror"),
             bad(ValueError, r"^pad: expected \(before, after\) for at most 2 dimensions, got \(1, 1, 1\)", MATRIX, (1, 1, 1)),
             bad(ValueError, r"^pad: .*at most 2 dimensions, got \(1, 1, 1, 1, 1, 1\)", MATRIX, (1,) * 6),
             bad(ValueError, r"^pad: widths .*\(-2, -2\).* take away more than a tensor of shape \(2, 3\) has", MATRIX, (-2, -2)),
             bad(ValueError, r"^pad: mode 'reflect' adds at most 2 to dim 1 of length 3, asked for 3 and 0 \(shape \(2, 3\)\)", MATRIX, (3, 0), "reflect"),
             bad(ValueError, r"^pad: mode 'circular' adds at most 3 to dim 1 of length 3, asked for 0 and 4", MATRIX, (0, 4), "circular"),
             bad(ValueError, r"^pad: mode 'replicate' adds at most 0 to dim 1 of length 0", spread(2, 0), (0, 4), "replicate"),
             bad(ValueError, "^pad: mode 'reflect' takes no value, got 1.5", MATRIX, (1, 1), "reflect", 1.5),
             bad(ValueError, r"^pad: mode 'reflect' pads the last .*, got \(1, 1, 0, 0\) for shape \(2, 3\)", MATRIX, (1, 1, 0, 0), "reflect"),
             bad(TypeError, "^pad: expected a width to be a whole number, got 1.5", MATRIX, (1.5, 1))]),
]
# fmt: on
