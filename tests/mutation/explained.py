"""Why each mutant that no test kills changes nothing that a user could see."""

from __future__ import annotations

Place = tuple[str, str, str, str]

# The sentence, and the mutants it speaks of: (file, function, code before, code after). The code is what `mutants.change` says of
# it, so that an entry holds when lines move or are laid out anew, and no longer when the expression itself changes.
REASONS: list[tuple[str, list[Place]]] = [
    (
        "The node of an output has one edge, so the first is the last.",
        [
            ("minitorch/autograd/outputs.py", "Output.name", "self.edges[0]", "self.edges[-1]"),
            ("minitorch/autograd/outputs.py", "Output._origin", "self.edges[0]", "self.edges[-1]"),
        ],
    ),
    (
        "Numbers of nodes are compared with each other alone, so that it does not matter where they start.",
        [
            ("minitorch/autograd/node.py", "", "itertools.count(1)", "itertools.count(2)"),
            ("minitorch/autograd/node.py", "", "itertools.count(1)", "itertools.count(0)"),
        ],
    ),
    (
        "Operations whose output is a view have one input, so the first is the last.",
        [
            ("minitorch/autograd/op.py", "Op.apply", "inputs[0]", "inputs[-1]"),
        ],
    ),
    (
        "Numbers of nodes start at 1, and what was never changed must only have none above those.",
        [
            (
                "minitorch/autograd/changes.py",
                "check_unchanged",
                "_changed.get(id(owner), (0, ''))",
                "_changed.get(id(owner), (1, ''))",
            ),
            (
                "minitorch/autograd/changes.py",
                "check_unchanged",
                "_changed.get(id(owner), (0, ''))",
                "_changed.get(id(owner), (-1, ''))",
            ),
        ],
    ),
    (
        "The inner choice only keeps 0 from being raised to a negative power where the outer one does not take it; any power that is not negative will do there.",
        [
            ("minitorch/ops/arithmetic.py", "Pow.backward", "where(b == 0, 1.0, b - 1)", "where(b == 0, 2.0, b - 1)"),
            ("minitorch/ops/arithmetic.py", "Pow.backward", "where(b == 0, 1.0, b - 1)", "where(b == 0, 0.0, b - 1)"),
        ],
    ),
    (
        "The inner choice only keeps the logarithm from 0 where the outer one does not take it; any number above 0 will do there.",
        [
            ("minitorch/ops/arithmetic.py", "Pow.backward", "where(flat, 1.0, a)", "where(flat, 2.0, a)"),
        ],
    ),
    (
        "A base of 0 was dealt with above.",
        [
            ("minitorch/ops/arithmetic.py", "Pow.backward", "a > 0", "a >= 0"),
        ],
    ),
    (
        "With the rows first a band has one stretch for all images, so the first is the last.",
        [
            ("minitorch/ops/im2col.py", "weigh", "part[:, 0]", "part[:, -1]"),
        ],
    ),
    (
        "A number has no gradient, and its dimensions are read for the gradient alone.",
        [
            ("minitorch/ops/index.py", "SetItem.forward", "getattr(b, 'ndim', 0)", "getattr(b, 'ndim', 1)"),
            ("minitorch/ops/index.py", "SetItem.forward", "getattr(b, 'ndim', 0)", "getattr(b, 'ndim', -1)"),
        ],
    ),
    (
        "With equal numbers of dimensions there is none to put in front, and the reshape changes nothing.",
        [
            ("minitorch/ops/index.py", "SetItem.backward", "more > 0", "more >= 0"),
        ],
    ),
    (
        "More dimensions of length one than needed are summed away by the engine, as those that were broadcast.",
        [
            ("minitorch/ops/index.py", "SetItem.backward", "ctx.ndim_b - len(db.shape)", "ctx.ndim_b + len(db.shape)"),
        ],
    ),
    (
        "Both ways give the same sums; which is quicker depends on the shape.",
        [
            (
                "minitorch/ops/reduce.py",
                "channel_sums",
                "g.ndim == 2 or is_channels_last(g)",
                "g.ndim == 2 and is_channels_last(g)",
            ),
        ],
    ),
    (
        "The filter of one row reads every row of the image and none below it, whatever the dilation between its rows would be.",
        [
            ("minitorch/ops/im2col.py", "gathered", "((0, 0), window.padding[1])", "((0, 1), window.padding[1])"),
            ("minitorch/ops/im2col.py", "gathered", "(1, window.dilation[1])", "(2, window.dilation[1])"),
            ("minitorch/ops/im2col.py", "gathered", "(1, window.dilation[1])", "(0, window.dilation[1])"),
        ],
    ),
    (
        "There is one group, and one stretch for all images, so the first is the last.",
        [
            ("minitorch/ops/im2col.py", "gathered", "patches[0, 0]", "patches[-1, 0]"),
            ("minitorch/ops/im2col.py", "gathered", "patches[0, 0]", "patches[0, -1]"),
        ],
    ),
    (
        "The memory order of what is multiplied decides about time alone.",
        [
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "if last:\n    a = channels_last(a)",
                "if not last:\n    a = channels_last(a)",
            ),
        ],
    ),
    (
        "No place that is named lies in the padding, so that its value is never picked.",
        [
            ("minitorch/ops/pool.py", "Pick.forward", "window.pad(a, 0)", "window.pad(a, 1)"),
            ("minitorch/ops/pool.py", "Pick.forward", "window.pad(a, 0)", "window.pad(a, -1)"),
        ],
    ),
    (
        "Whether a cast to the same dtype copies does not matter: an operation writes to neither operand.",
        [
            ("minitorch/ops/promotion.py", "matched", "a.astype(common, copy=False)", "a.astype(common, copy=True)"),
            ("minitorch/ops/promotion.py", "matched", "b.astype(common, copy=False)", "b.astype(common, copy=True)"),
        ],
    ),
    (
        "Adding up, for places named several times, is right for those named once as well; it only takes longer.",
        [
            ("minitorch/ops/index.py", "ScatterAlong.forward", "index.shape[dim] == 1", "index.shape[dim] == 0"),
        ],
    ),
    (
        "In a rule, the gradient itself in place of a copy: the engine copies what it keeps.",
        [
            ("minitorch/ops/shape.py", "To.forward", "moved is not a", "moved is a"),
        ],
    ),
    (
        "How many images are worked on at a time decides about time and memory alone.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
                "max(2, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "max(1, places * out[1] * band * window.groups * x.itemsize)",
                "max(2, places * out[1] * band * window.groups * x.itemsize)",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "max(1, places * out[1] * band * window.groups * x.itemsize)",
                "max(0, places * out[1] * band * window.groups * x.itemsize)",
            ),
            ("minitorch/ops/im2col.py", "bands", "places * out[1]", "places * out[0]"),
            ("minitorch/ops/im2col.py", "spread", "xp is np", "not xp is np"),
            ("minitorch/ops/im2col.py", "spread", "-ROWS // oh", "-ROWS * oh"),
            ("minitorch/ops/im2col.py", "spread", "max(1, n)", "max(2, n)"),
        ],
    ),
    (
        "Copying pixels place by place, and patches as they are, lays out the same numbers; what is quicker depends on the channels.",
        [
            ("minitorch/ops/im2col.py", "bands", "each == 1", "each != 1"),
            ("minitorch/ops/im2col.py", "bands", "each == 1", "each == 2"),
            ("minitorch/ops/im2col.py", "bands", "each == 1", "each == 0"),
        ],
    ),
    (
        "The dimension in between is that of the channels of a group, of which there is one here.",
        [
            ("minitorch/ops/im2col.py", "bands", "rows.shape[4:]", "rows.shape[3:]"),
        ],
    ),
    (
        "Of four dimensions the last but one is number 2.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "rows.reshape(window.groups, 1, band, math.prod(rows.shape[4:])).swapaxes(-1, -2)",
                "rows.reshape(window.groups, 1, band, math.prod(rows.shape[4:])).swapaxes(-1, 2)",
            ),
        ],
    ),
    (
        "How many columns are worked on at a time decides about time and memory alone.",
        [
            (
                "minitorch/ops/im2col.py",
                "spread",
                "max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "max(2, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
            ("minitorch/ops/im2col.py", "spread", "2 * slab(xp)", "1 * slab(xp)"),
            ("minitorch/ops/im2col.py", "spread", "2 * slab(xp)", "2 / slab(xp)"),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize)",
                "2 + slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize)",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "max(1, min(images, n) * oh * kh * channels * groups * y.itemsize)",
                "max(2, min(images, n) * oh * kh * channels * groups * y.itemsize)",
            ),
        ],
    ),
    (
        "A slice of one element has it at any step.",
        [
            (
                "minitorch/ops/im2col.py",
                "meetings",
                "at[1] - at[0] if len(at) > 1 else 1",
                "at[1] - at[0] if len(at) > 1 else 2",
            ),
        ],
    ),
    (
        "A matrix of indices has two dimensions, the second of which is the last.",
        [
            (
                "minitorch/ops/choice.py",
                "nonzero",
                "array_module(input.array).stack(found, -1)",
                "array_module(input.array).stack(found, 1)",
            ),
        ],
    ),
]

EXPLAINED: dict[Place, str] = {place: sentence for sentence, places in REASONS for place in places}
