"""Convolutions, against loops over every output element."""

from __future__ import annotations

import minitorch.functional as F
from tests.op_table import naive
from tests.op_table.row import Row, bad, case, spread

IMAGES, FILTERS, BIAS = spread(2, 2, 4, 5), spread(3, 2, 2, 3, seed=1), spread(3, seed=2)
BACK = spread(2, 3, 1, 1, seed=1)


def conv(x, w, biased=False, **parameters):
    return case(spread(*x), spread(*w, seed=1), *([spread(w[0], seed=2)] if biased else []), **parameters)


def transposed(x, w, biased=False, **parameters):
    filters = w[1] * parameters.get("groups", 1)
    return case(spread(*x), spread(*w, seed=1), *([spread(filters, seed=2)] if biased else []), **parameters)


# fmt: off
ROWS = [
    Row("conv2d", F.conv2d, naive.conv2d, [
        conv((1, 2, 3, 3), (2, 2, 2, 2), biased=True),
        conv((2, 1, 3, 4), (1, 1, 2, 3)),
        conv((1, 1, 5, 4), (2, 1, 2, 2), stride=2, biased=True),
        conv((1, 1, 4, 5), (1, 1, 3, 2), stride=(1, 2), padding=(1, 0)),
        conv((1, 1, 5, 5), (1, 1, 2, 3), dilation=(2, 1), padding=1),
        conv((1, 1, 6, 5), (1, 1, 2, 2), stride=(3, 2), dilation=(1, 3), padding=(0, 2)),
        conv((1, 2, 3, 3), (2, 1, 2, 2), groups=2, biased=True),
        conv((1, 4, 3, 3), (4, 2, 2, 2), groups=2, stride=2, padding=1),
        conv((1, 2, 3, 3), (4, 1, 2, 1), groups=2),
        conv((1, 1, 3, 4), (1, 1, 3, 2), padding="same"),
        conv((1, 1, 4, 4), (1, 1, 2, 2), padding="same", dilation=(1, 2)),
        conv((1, 1, 3, 2), (1, 1, 2, 1), padding="same"),  # one row of zeros, below
        conv((1, 1, 2, 3), (1, 1, 1, 2), padding="same"),  # one column, on the right
        conv((1, 1, 3, 3), (1, 1, 2, 2), padding="valid"),
        conv((1, 1, 2, 2), (1, 1, 1, 1), padding=1),
        conv((2, 3, 3), (2, 2, 2, 1), biased=True),
        conv((0, 1, 3, 3), (2, 1, 2, 2), biased=True),
    ], bad=[
        bad(ValueError, r"^conv2d: expected input .*; got input \(4, 5\), weight \(3, 2, 2, 3\), bias None", IMAGES[0, 0], FILTERS),
        bad(ValueError, r"^conv2d: .*weight \(out, in / groups, kh, kw\); got .*weight \(2, 2, 3\)", IMAGES, FILTERS[0]),
        bad(ValueError, r"^conv2d: the weight takes 2 channels, the input has 3 \(input \(2, 3, 4, 5\), weight \(3, 2, 2, 3\)",
            spread(2, 3, 4, 5), FILTERS),
        bad(ValueError, r"^conv2d: expected a bias of shape \(3,\) \(.*bias \(2,\)\)", IMAGES, FILTERS, spread(2)),
        bad(ValueError, r"^conv2d: the weight takes 4 channels, the input has 2 ", IMAGES, spread(4, 2, 2, 3), groups=2),
        bad(ValueError, r"^conv2d: the filters of weight \(3, 1, 2, 3\) do not divide into 2 groups", IMAGES, spread(3, 1, 2, 3), groups=2),
        bad(ValueError, r"^conv2d: .*0 groups", IMAGES, FILTERS, groups=0),
        bad(ValueError, r"^conv2d: expected at least one channel and one filter; got input \(2, 0, 4, 5\), weight \(3, 0, 2, 3\)",
            IMAGES[:, :0], FILTERS[:, :0]),
        bad(ValueError, r"^conv2d: expected at least one channel and one filter; got .*weight \(0, 2, 2, 3\)", IMAGES, FILTERS[:0]),
        bad(ValueError, r"^conv2d: a filter of \(5, 3\) .* does not fit into an image of \(4, 5\) .*input \(2, 2, 4, 5\), weight "
            r"\(3, 2, 5, 3\)", IMAGES, spread(3, 2, 5, 3)),
        bad(ValueError, r"^conv2d: a filter .* dilation \(4, 1\) does not fit", IMAGES, FILTERS, dilation=(4, 1)),
        bad(ValueError, r"^conv2d: padding 'same' needs a stride of 1, got \(2, 2\)", IMAGES, FILTERS, stride=2, padding="same"),
        bad(ValueError, r"^conv2d: expected padding to be numbers, 'same' or 'valid', got 'full'", IMAGES, FILTERS, padding="full"),
        bad(ValueError, r"^conv2d: expected stride .* at least 1, got 0", IMAGES, FILTERS, stride=0),
        bad(ValueError, r"^conv2d: expected stride .* got \(1, 2, 3\)", IMAGES, FILTERS, stride=(1, 2, 3)),
        bad(ValueError, r"^conv2d: expected dilation .* got 0", IMAGES, FILTERS, dilation=0),
        bad(ValueError, r"^conv2d: expected padding .* got -1", IMAGES, FILTERS, padding=-1),
        bad(TypeError, r"^conv2d: expected one floating dtype, got float32, float64 \(input", IMAGES.astype("f"), FILTERS),
        bad(TypeError, r"^conv2d: expected one floating dtype, got int64", IMAGES.astype(int), FILTERS.astype(int)),
    ]),
    Row("conv_transpose2d", F.conv_transpose2d, naive.conv_transpose2d, [
        transposed((1, 2, 2, 3), (2, 2, 2, 2), biased=True),
        transposed((2, 1, 2, 2), (1, 1, 2, 3)),
        transposed((1, 1, 2, 3), (1, 2, 2, 2), stride=2, biased=True),
        transposed((1, 1, 2, 2), (1, 1, 3, 2), stride=(1, 2), padding=(1, 0), output_padding=(0, 1)),
        transposed((1, 1, 2, 2), (1, 1, 2, 2), stride=3, output_padding=2),
        transposed((1, 1, 3, 2), (1, 1, 2, 2), dilation=(2, 1), padding=1, output_padding=(1, 0)),
        transposed((1, 2, 2, 2), (2, 1, 2, 2), groups=2, biased=True),
        transposed((1, 4, 2, 2), (4, 1, 2, 1), groups=2, stride=2),
        transposed((1, 2, 2), (1, 2, 2, 2), biased=True),
        transposed((0, 1, 2, 2), (1, 2, 2, 2), biased=True),
        transposed((1, 1, 5, 5), (1, 1, 2, 2)),
        transposed((1, 1, 6, 6), (1, 1, 2, 2), dilation=2, padding=1, output_padding=(1, 0)),
    ], bad=[
        bad(ValueError, r"^conv_transpose2d: expected input .*; got input \(1, 1\), weight \(2, 3, 1, 1\)", spread(1, 1), BACK),
        bad(ValueError, r"^conv_transpose2d: the weight takes 2 channels, the input has 3 ", spread(1, 3, 2, 2), BACK),
        bad(ValueError, r"^conv_transpose2d: expected a bias of shape \(3,\) \(.*bias \(2,\)\)", spread(1, 2, 2, 2), BACK, spread(2)),
        bad(ValueError, r"^conv_transpose2d: expected a bias of shape \(3,\) \(.*bias \(6,\)\)", spread(1, 2, 2, 2), BACK, spread(6)),
        bad(ValueError, r"^conv_transpose2d: the channels of weight \(2, 3, 1, 1\) do not divide into 3 groups", spread(1, 2, 2, 2), BACK, groups=3),
        bad(ValueError, r"^conv_transpose2d: output_padding \(2, 2\) must be smaller than stride \(2, 2\) or dilation \(1, 1\)",
            spread(1, 2, 2, 2), BACK, stride=2, output_padding=2),
        bad(ValueError, r"^conv_transpose2d: nothing is left of an output of \(0, 0\) \(input \(1, 2, 2, 2\), weight \(2, 3, 1, 1\)\)",
            spread(1, 2, 2, 2), BACK, padding=1),
        bad(ValueError, r"^conv_transpose2d: expected stride .* got 0", spread(1, 2, 2, 2), BACK, stride=0),
        bad(TypeError, r"^conv_transpose2d: expected one floating dtype, got float32, float64", spread(1, 2, 2, 2).astype("f"), BACK),
    ]),
]
# fmt: on
