"""Pooling and resizing of images, against loops over every window."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table import naive
from tests.op_table.row import Row, bad, case, spread

IMAGES = spread(1, 2, 4, 5)
SMALL, LARGE = spread(1, 1, 3, 4), spread(1, 1, 5, 6)
PLACES = spread(2, 3, 3, 2) * 1.37  # within an image and beyond it


def windows(*parameters):
    return [case(images, *kernel, **rest) for images, kernel, rest in parameters]


WINDOWS = windows(
    (IMAGES, (2,), {}),  # one column is left over
    (spread(2, 1, 4, 4), ((2, 1),), {}),
    (LARGE, ((3, 2),), {"stride": 2}),
    (SMALL, (3, 1), {}),
    (LARGE, (2, (1, 3)), {}),
    (SMALL, (2,), {"padding": 1}),
    (SMALL, ((2, 3),), {"stride": (2, 1), "padding": (0, 1)}),
    (LARGE, (2,), {"stride": 3, "ceil_mode": True}),
    (spread(1, 1, 5, 5), (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    (LARGE, (2,), {"stride": 6, "ceil_mode": True}),  # the next window would begin beyond the image
    (spread(1, 3, 4), (2,), {}),
    (spread(0, 1, 4, 4), (2,), {}),
)


def refused(name):
    return [
        bad(ValueError, rf"^{name}: expected images .*, got shape \(4, 5\)", IMAGES[0, 0], 2),
        bad(ValueError, rf"^{name}: a window of \(5, 5\) does not fit into \(4, 5\) .*\(input \(1, 2, 4, 5\)\)", IMAGES, 5),
        bad(ValueError, rf"^{name}: padding \(2, 2\) is more than half of the window \(3, 3\)", IMAGES, 3, padding=2),
        bad(ValueError, rf"^{name}: expected kernel_size .* got 0", IMAGES, 0),
        bad(ValueError, rf"^{name}: expected stride .* got 0", IMAGES, 2, 0),
        bad(ValueError, rf"^{name}: expected padding .* got -1", IMAGES, 2, padding=-1),
        bad(TypeError, rf"^{name}: expected a floating-point tensor, got int64", IMAGES.astype(int), 2),
    ]


# fmt: off
ROWS = [
    Row("max_pool2d", F.max_pool2d, naive.max_pool2d, [
        *WINDOWS,
        *windows((LARGE, (2,), {"dilation": 2, "stride": 1}), (LARGE, (2, 2), {"dilation": (1, 3), "padding": 1}),
                 (IMAGES, (2,), {"return_indices": True}),
                 (LARGE, (3,), {"stride": 2, "padding": 1, "dilation": 1, "return_indices": True, "ceil_mode": True}),
                 (spread(1, 3, 4), (2,), {"stride": (1, 2), "dilation": (2, 1), "return_indices": True}),
                 (spread(1, 1, 4, 4, low=-3.0, high=-1.0), (2,), {"padding": 1}),  # zeros would win
                 (spread(1, 1, 13, 1), ((3, 1),), {"stride": (6, 2), "dilation": (3, 1)}),  # windows that share a row
                 (spread(1, 4, 4, 5), (2,), {}),  # as many channels as rows: what is left over is a column
                 (spread(1, 1, 1, 17), ((1, 17),), {}), (spread(1, 1, 17, 16), ((17, 16),), {}))],
        bad=[*refused("max_pool2d"), bad(ValueError, r"^max_pool2d: expected dilation .* got 0", IMAGES, 2, dilation=0)]),
    Row("avg_pool2d", F.avg_pool2d, naive.avg_pool2d, [
        *WINDOWS,
        *windows((SMALL, (2,), {"padding": 1, "divisor_override": 3}), (LARGE, (2,), {"divisor_override": -2})),
        case(SMALL, (2, 3), stride=2, ceil_mode=True, uploads=1), case(LARGE, 3, stride=2, padding=1, ceil_mode=True, uploads=1),
        case(LARGE, 3, stride=2, padding=1, count_include_pad=False, uploads=1),
        case(LARGE, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False, uploads=1),
        case(SMALL, (2, 3), padding=(1, 0), count_include_pad=False, uploads=1)],
        bad=[*refused("avg_pool2d"), bad(ValueError, "^avg_pool2d: divisor_override must not be 0", IMAGES, 2, divisor_override=0)]),
    Row("adaptive_avg_pool2d", F.adaptive_avg_pool2d, naive.adaptive_avg_pool2d,
        torch=lambda torch, x, size: torch.nn.functional.adaptive_avg_pool2d(x, (None, None) if size is None else size), cases=[
        case(spread(1, 2, 4, 6), (2, 3)), case(spread(1, 2, 4, 6), 1), case(IMAGES, (3, 2)), case(SMALL, (None, 3)),
        case(SMALL, None), case(SMALL, (4, 6)), case(spread(2, 3, 4), 2)],
        bad=[bad(ValueError, r"^adaptive_avg_pool2d: expected images .*, got shape \(4, 5\)", IMAGES[0, 0], 2),
             bad(ValueError, r"^adaptive_avg_pool2d: .* got shape \(1, 1, 0, 3\)", np.ones((1, 1, 0, 3)), 2),
             bad(ValueError, r"^adaptive_avg_pool2d: expected output_size .* got 0", IMAGES, 0),
             bad(ValueError, r"^adaptive_avg_pool2d: expected output_size .* got \(2, 2, 2\)", IMAGES, (2, 2, 2)),
             bad(TypeError, "^adaptive_avg_pool2d: expected a floating-point tensor, got int64", IMAGES.astype(int), 3)]),
    Row("adaptive_max_pool2d", F.adaptive_max_pool2d, naive.adaptive_max_pool2d, [
        case(spread(1, 2, 4, 6), (2, 3)), case(IMAGES, (3, 2), return_indices=True, uploads=3), case(SMALL, (None, 3), uploads=2),
        case(spread(2, 3, 4), 2, uploads=2), case(spread(1, 1, 3, 6), (1, 2), return_indices=True, uploads=1), case(spread(0, 1, 4, 5), 3, uploads=2)],
        bad=[bad(ValueError, r"^adaptive_max_pool2d: expected images .*, got shape \(4, 5\)", IMAGES[0, 0], 2),
             bad(ValueError, r"^adaptive_max_pool2d: expected output_size .* got 0", IMAGES, 0),
             bad(TypeError, "^adaptive_max_pool2d: expected a floating-point tensor, got int64", IMAGES.astype(int), 3)]),
    Row("grid_sample", F.grid_sample, naive.grid_sample, [
        case(spread(2, 3, 4, 5), PLACES, align_corners=False), case(spread(2, 3, 4, 5), PLACES, align_corners=True), case(spread(2, 1, 1, 3), PLACES, align_corners=True),
        case(spread(1, 2, 2, 3, 2), spread(1, 2, 1, 2, 3) * 1.37, align_corners=False),
        *(case(spread(2, 1, 3, 2), PLACES, padding_mode=beyond, align_corners=corners) for beyond in ("border", "reflection") for corners in (False, True)),
        *(case(spread(2, 1, 4, 3), PLACES, "bicubic", beyond, corners) for beyond in ("zeros", "border", "reflection") for corners in (False, True)),
        case(spread(2, 2, 4, 3), PLACES, "nearest", align_corners=False), case(spread(2, 1, 1, 4), PLACES, "nearest", "reflection", True)],
        bad=[bad(ValueError, r"^grid_sample: expected a mode of \('bilinear', 'nearest', 'bicubic'\) .* got 'cubic' and 'zeros'", IMAGES, PLACES[:1], "cubic"),
             bad(ValueError, r"^grid_sample: expected input .* got .*\(1, 2, 2, 3, 2\) and \(1, 2, 1, 2, 3\)", spread(1, 2, 2, 3, 2), spread(1, 2, 1, 2, 3), "bicubic"),
             bad(ValueError, r"^grid_sample: expected .* got 'bilinear' and 'constant'", IMAGES, PLACES[:1], padding_mode="constant"),
             bad(ValueError, r"^grid_sample: expected input .* got .*\(1, 2, 4, 5\) and \(2, 3, 3, 2\)", IMAGES, PLACES),
             bad(TypeError, "^grid_sample: expected two tensors of one floating dtype, got int64 and float64", IMAGES.astype(int), PLACES[:1])],
        analytic=False),
    Row("affine_grid", F.affine_grid, naive.affine_grid, [
        case(spread(2, 2, 3), (2, 1, 3, 4), align_corners=False), case(spread(1, 3, 4), (1, 1, 2, 4, 3), True), case(spread(1, 2, 3), (1, 3, 2, 5), align_corners=True)],
        bad=[bad(ValueError, r"^affine_grid: expected theta \(n, 2, 3\) .* got \(1, 2, 3\) and \(2, 1, 3, 4\)", spread(1, 2, 3), (2, 1, 3, 4)),
             bad(TypeError, "^affine_grid: expected a floating-point tensor, got int64", np.ones((1, 2, 3), int), (1, 1, 2, 2))]),
    Row("affine_grid", F.affine_grid, naive.affine_grid, [case(spread(1, 2, 3), (1, 1, 1, 2), align_corners=True)], torch=None),  # warns there
    Row("interpolate", F.interpolate, naive.interpolate, [
        case(SMALL, scale_factor=2), case(SMALL, scale_factor=(2, 1)), case(SMALL, 6, uploads=2), case(SMALL, (6, 8)),
        case(SMALL, size=(2, 3), uploads=2), case(SMALL, scale_factor=1.5, uploads=2), case(SMALL, scale_factor=0.5, uploads=2),
        case(SMALL, scale_factor=(2.1, 2.2)), case(spread(1, 1, 3, 2), scale_factor=(2.1, 3.3), uploads=2),
        case(spread(1, 1, 2, 5), scale_factor=(1.0, 1.7), uploads=2), case(SMALL, size=(3, 4)),
        case(spread(1, 2, 5), scale_factor=1.3, uploads=1), case(spread(1, 1, 2, 3, 2), size=(3, 2, 4), uploads=3),
        case(SMALL, scale_factor=1.7, mode="nearest-exact", uploads=2), case(SMALL, scale_factor=2, mode="nearest-exact"),
        case(spread(1, 2, 5), 7, mode="linear", uploads=1), case(spread(1, 2, 5), scale_factor=1.3, mode="linear", align_corners=True, uploads=1),
        case(SMALL, scale_factor=2, mode="bilinear", uploads=2), case(SMALL, (2, 7), mode="bilinear", align_corners=True, uploads=2),
        case(SMALL, scale_factor=1.7, mode="bilinear", uploads=2), case(SMALL, (1, 1), mode="bilinear", align_corners=True, uploads=2),
        case(SMALL, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True, uploads=2),
        case(SMALL, scale_factor=1.7, mode="bicubic", uploads=2), case(SMALL, (5, 3), mode="bicubic", align_corners=True, uploads=2),
        case(SMALL, (2, 5), mode="area"), case(spread(1, 1, 2, 3, 2), (3, 2, 4), mode="trilinear", uploads=3)],
        bad=[bad(ValueError, "^interpolate: expected mode nearest, .*, trilinear, got 'lanczos'", SMALL, 2, mode="lanczos"),
             bad(ValueError, "^interpolate: align_corners has a meaning for linear and cubic modes only", SMALL, 2, align_corners=True),
             bad(ValueError, "^interpolate: recompute_scale_factor has a meaning with scale_factor only", SMALL, 2, recompute_scale_factor=True),
             bad(ValueError, r"^interpolate: expected one number or 2 for shape \(1, 1, 3, 4\), got \(2, 2, 2\)", SMALL, (2, 2, 2)),
             bad(ValueError, r"^interpolate: expected images .* of 4 dimensions for 'bilinear', got shape \(1, 2, 5\)", spread(1, 2, 5), 2, mode="bilinear"),
             bad(TypeError, "^interpolate: expected a floating-point tensor, got int64", np.ones((1, 1, 2, 2), int), 3, mode="bilinear"),
             bad(ValueError, "^interpolate: expected either size or scale_factor", SMALL),
             bad(ValueError, "^interpolate: expected either size or scale_factor", SMALL, 2, 2),
             bad(ValueError, r"^interpolate: expected images .*, got shape \(4, 5\)", IMAGES[0, 0], 2),
             bad(ValueError, r"^interpolate: expected size .* got 0", SMALL, 0),
             bad(ValueError, r"^interpolate: nothing is left of \(1, 1, 3, 4\) at scale 0.1", SMALL, scale_factor=0.1)]),
]
# fmt: on
