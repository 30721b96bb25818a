"""Why each mutant that no test kills changes nothing that a user could see."""

from __future__ import annotations

Place = tuple[str, str, str, str]

# The sentence, and the mutants it speaks of: (file, function, line before, line after).
REASONS: list[tuple[str, list[Place]]] = [
    (
        "The node of an output has one edge, so the first is the last.",
        [
            ("minitorch/autograd/backward.py", "_Pass.gather", "node = output.edges[0]", "node = output.edges[-1]"),
            ("minitorch/autograd/op.py", "Output.name", "return self.edges[0].name", "return self.edges[-1].name"),
            ("minitorch/autograd/op.py", "Output._origin", "return self.edges[0]._origin", "return self.edges[-1]._origin"),
        ],
    ),
    (
        "Where to stop looking for shared memory is a matter of time alone: beyond it a gradient is copied, which is always right.",
        [
            (
                "minitorch/autograd/backward.py",
                "_is_alone",
                "if grad is incoming or type(incoming) is list or len(siblings) > 8:",
                "if grad is incoming or type(incoming) is list or len(siblings) >= 8:",
            ),
            (
                "minitorch/autograd/backward.py",
                "_is_alone",
                "if grad is incoming or type(incoming) is list or len(siblings) > 8:",
                "if grad is incoming or type(incoming) is list or len(siblings) > 9:",
            ),
            (
                "minitorch/autograd/backward.py",
                "_is_alone",
                "if grad is incoming or type(incoming) is list or len(siblings) > 8:",
                "if grad is incoming or type(incoming) is list or len(siblings) > 7:",
            ),
        ],
    ),
    (
        "What a hook answers is kept by nobody else in the pass, so that a copy only takes time.",
        [
            (
                "minitorch/autograd/backward.py",
                "_hooked",
                "return answer if isinstance(grad, Tensor) else answer.array.astype(grad.dtype, copy=False)",
                "return answer if isinstance(grad, Tensor) else answer.array.astype(grad.dtype, copy=True)",
            ),
        ],
    ),
    (
        "Gradients arrive as arrays or as tensors, all of them alike, so that any one tells.",
        [
            (
                "minitorch/autograd/function.py",
                "FunctionNode.backward",
                "recorded = isinstance(grads[0], Tensor)",
                "recorded = isinstance(grads[-1], Tensor)",
            ),
        ],
    ),
    (
        "Numbers of nodes are compared with each other alone, so that it does not matter where they start.",
        [
            (
                "minitorch/autograd/op.py",
                "",
                "next_number = itertools.count(1).__next__",
                "next_number = itertools.count(2).__next__",
            ),
            (
                "minitorch/autograd/op.py",
                "",
                "next_number = itertools.count(1).__next__",
                "next_number = itertools.count(0).__next__",
            ),
        ],
    ),
    (
        "Operations whose output is a view have one input, so the first is the last.",
        [
            (
                "minitorch/autograd/op.py",
                "Op.apply",
                "result._viewed = inputs[0]._viewed = True",
                "result._viewed = inputs[-1]._viewed = True",
            ),
        ],
    ),
    (
        "Numbers of nodes start at 1, and what was never changed must only have none above those.",
        [
            (
                "minitorch/autograd/op.py",
                "check_unchanged",
                'number, by = _changed.get(id(owner), (0, ""))',
                'number, by = _changed.get(id(owner), (1, ""))',
            ),
            (
                "minitorch/autograd/op.py",
                "check_unchanged",
                'number, by = _changed.get(id(owner), (0, ""))',
                'number, by = _changed.get(id(owner), (-1, ""))',
            ),
        ],
    ),
    (
        "A change and a node never have the same number, which is drawn anew for each.",
        [
            ("minitorch/autograd/op.py", "check_unchanged", "if number > node.number:", "if number >= node.number:"),
        ],
    ),
    (
        "The inner choice only keeps e^a from overflowing where the outer one does not take it; any small number will do there, and at 0 itself a is that number.",
        [
            (
                "minitorch/ops/activation.py",
                "Elu.backward",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, 0.0, a))))",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a >= 0, 0.0, a))))",
            ),
            (
                "minitorch/ops/activation.py",
                "Elu.backward",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, 0.0, a))))",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 1, 0.0, a))))",
            ),
            (
                "minitorch/ops/activation.py",
                "Elu.backward",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, 0.0, a))))",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, 1.0, a))))",
            ),
            (
                "minitorch/ops/activation.py",
                "Elu.backward",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, 0.0, a))))",
                "return where(a > 0, g * ctx.scale, g * (ctx.scale * ctx.alpha * exp(where(a > 0, -1.0, a))))",
            ),
        ],
    ),
    (
        "The inner choice only keeps 0 from being raised to a negative power where the outer one does not take it; any power that is not negative will do there.",
        [
            (
                "minitorch/ops/arithmetic.py",
                "Pow.backward",
                "da = g * where(b == 0, 0.0, b * a ** where(b == 0, 1.0, b - 1))",
                "da = g * where(b == 0, 0.0, b * a ** where(b == 0, 2.0, b - 1))",
            ),
            (
                "minitorch/ops/arithmetic.py",
                "Pow.backward",
                "da = g * where(b == 0, 0.0, b * a ** where(b == 0, 1.0, b - 1))",
                "da = g * where(b == 0, 0.0, b * a ** where(b == 0, 0.0, b - 1))",
            ),
        ],
    ),
    (
        "The inner choice only keeps the logarithm from 0 where the outer one does not take it; any number above 0 will do there.",
        [
            (
                "minitorch/ops/arithmetic.py",
                "Pow.backward",
                "db = where(flat, 0.0, g * out * log(where(flat, 1.0, a)))",
                "db = where(flat, 0.0, g * out * log(where(flat, 2.0, a)))",
            ),
        ],
    ),
    (
        "A base of 0 was dealt with above.",
        [
            (
                "minitorch/ops/arithmetic.py",
                "Pow.backward",
                "db = g * out * (math.log(a) if a > 0 else math.nan)",
                "db = g * out * (math.log(a) if a >= 0 else math.nan)",
            ),
        ],
    ),
    (
        "Of the shape of y the height and width alone are read, which stay the first two.",
        [
            (
                "minitorch/ops/conv.py",
                "ConvWeight.forward",
                "for stretch, parts in bands(padded(x, window.padding), kernel, window, y.shape[1:3], rows_first=True):",
                "for stretch, parts in bands(padded(x, window.padding), kernel, window, y.shape[1:4], rows_first=True):",
            ),
        ],
    ),
    (
        "With the rows first a band has one stretch for all images, so the first is the last.",
        [
            (
                "minitorch/ops/conv.py",
                "ConvWeight.forward",
                "total[:, k * band : (k + 1) * band] += part[:, 0].swapaxes(-1, -2) @ rows",
                "total[:, k * band : (k + 1) * band] += part[:, -1].swapaxes(-1, -2) @ rows",
            ),
        ],
    ),
    (
        "Where nothing is to be cut off the slice is the whole, so that leaving it out only spares making a view.",
        [
            (
                "minitorch/ops/conv.py",
                "cropped",
                "return y if tuple(y.shape[2:]) == size else y[:, :, : size[0], : size[1]]",
                "return y if tuple(y.shape[3:]) == size else y[:, :, : size[0], : size[1]]",
            ),
            (
                "minitorch/ops/conv.py",
                "cropped",
                "return y if tuple(y.shape[2:]) == size else y[:, :, : size[0], : size[1]]",
                "return y if tuple(y.shape[1:]) == size else y[:, :, : size[0], : size[1]]",
            ),
        ],
    ),
    (
        "A number has no gradient, and its dimensions are read for the gradient alone.",
        [
            (
                "minitorch/ops/index.py",
                "SetItem.forward",
                'ctx.index, ctx.ndim_b = index, getattr(b, "ndim", 0)',
                'ctx.index, ctx.ndim_b = index, getattr(b, "ndim", 1)',
            ),
            (
                "minitorch/ops/index.py",
                "SetItem.forward",
                'ctx.index, ctx.ndim_b = index, getattr(b, "ndim", 0)',
                'ctx.index, ctx.ndim_b = index, getattr(b, "ndim", -1)',
            ),
        ],
    ),
    (
        "With equal numbers of dimensions there is none to put in front, and the reshape changes nothing.",
        [
            (
                "minitorch/ops/index.py",
                "SetItem.backward",
                "if ctx.ndim_b > len(db.shape):  # b had more dimensions of length one than the place it was put in",
                "if ctx.ndim_b >= len(db.shape):  # b had more dimensions of length one than the place it was put in",
            ),
        ],
    ),
    (
        "More dimensions of length one than needed are summed away by the engine, as those that were broadcast.",
        [
            (
                "minitorch/ops/index.py",
                "SetItem.backward",
                "db = db.reshape((1,) * (ctx.ndim_b - len(db.shape)) + db.shape)",
                "db = db.reshape((1,) * (ctx.ndim_b + len(db.shape)) + db.shape)",
            ),
        ],
    ),
    (
        "NumPy works out a length from any negative number, not from -1 alone.",
        [
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "total += patches[0, 0].T @ beside[: len(own)].reshape(-1, kh * filters)",
                "total += patches[0, 0].T @ beside[: len(own)].reshape(-2, kh * filters)",
            ),
            (
                "minitorch/ops/norm.py",
                "Normalize.backward",
                "return dx, None if w is None else dw.reshape(w.shape), db.reshape(-1)",
                "return dx, None if w is None else dw.reshape(w.shape), db.reshape(-2)",
            ),
            (
                "minitorch/ops/reduce.py",
                "channel_sums",
                "rows = g if g.ndim == 2 else g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])",
                "rows = g if g.ndim == 2 else g.transpose(0, 2, 3, 1).reshape(-2, g.shape[1])",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "yield stretch, [block.reshape(window.groups, 1, -1, band)]",
                "yield stretch, [block.reshape(window.groups, 1, -2, band)]",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "yield stretch, [part.reshape(window.groups, images, -1, band) for part in some]",
                "yield stretch, [part.reshape(window.groups, images, -2, band) for part in some]",
            ),
            (
                "minitorch/ops/im2col.py",
                "grouped",
                "rows = y.reshape(-1, groups, y.shape[-1] // groups)",
                "rows = y.reshape(-2, groups, y.shape[-1] // groups)",
            ),
            (
                "minitorch/ops/im2col.py",
                "matrices",
                "return w.reshape(number, groups, -1, filters // groups)",
                "return w.reshape(number, groups, -2, filters // groups)",
            ),
            (
                "minitorch/ops/im2col.py",
                "correlate",
                "weights = xp.concatenate([weights, b.reshape(1, groups, 1, -1)], 2)",
                "weights = xp.concatenate([weights, b.reshape(1, groups, 1, -2)], 2)",
            ),
            (
                "minitorch/ops/shape.py",
                "at_pixels",
                "return channels.reshape(1, -1).repeat(height * width, 0).reshape(height, width, -1)",
                "return channels.reshape(1, -2).repeat(height * width, 0).reshape(height, width, -1)",
            ),
            (
                "minitorch/ops/shape.py",
                "at_pixels",
                "return channels.reshape(1, -1).repeat(height * width, 0).reshape(height, width, -1)",
                "return channels.reshape(1, -1).repeat(height * width, 0).reshape(height, width, -2)",
            ),
            (
                "minitorch/ops/im2col.py",
                "correlate",
                "rows = y[stretch].reshape(parts[0].shape[1], -1, groups, filters // groups).transpose(2, 0, 1, 3)",
                "rows = y[stretch].reshape(parts[0].shape[1], -2, groups, filters // groups).transpose(2, 0, 1, 3)",
            ),
        ],
    ),
    (
        "Both ways give the same sums; which is quicker depends on the shape.",
        [
            (
                "minitorch/ops/norm.py",
                "_sums",
                "return channel_sums(x) if dims == (0, *range(2, x.ndim)) else x.sum(dims)",
                "return channel_sums(x) if dims == (-1, *range(2, x.ndim)) else x.sum(dims)",
            ),
            (
                "minitorch/ops/norm.py",
                "_sums",
                "return channel_sums(x) if dims == (0, *range(2, x.ndim)) else x.sum(dims)",
                "return channel_sums(x) if dims == (0, *range(3, x.ndim)) else x.sum(dims)",
            ),
            (
                "minitorch/ops/reduce.py",
                "channel_sums",
                'if not isinstance(g, Tensor) and g.dtype.char in "fdFD" and (g.ndim == 2 or is_channels_last(g)):',
                'if not isinstance(g, Tensor) and g.dtype.char in "fdFD" and (g.ndim == 2 and is_channels_last(g)):',
            ),
        ],
    ),
    (
        "Adding up, for windows that overlap, is right for those that do not as well; it only takes longer.",
        [
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s <= d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s < d + (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s < d * (k + 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s < d * (k * 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s < d * (k - 0) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "overlapping = any(s < d * (k - 1) + 1 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
                "overlapping = any(s < d * (k - 1) + 2 for s, d, k in zip(window.stride, window.dilation, window.kernel))",
            ),
        ],
    ),
    (
        "Filling with zeros what is then overwritten takes longer and changes nothing; and a window as high as the image divided by the number of windows is one that fills it.",
        [
            (
                "minitorch/ops/pool.py",
                "Unpool.forward",
                "tiled = not overlapping and all(k * n == size for k, n, size in zip(window.kernel, window.out, shape[2:]))",
                "tiled = not overlapping and all(k / n == size for k, n, size in zip(window.kernel, window.out, shape[2:]))",
            ),
        ],
    ),
    (
        "The filter of one row reads every row of the image and none below it, whatever the dilation between its rows would be.",
        [
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "row = Window((1, window.stride[1]), ((0, 0), window.padding[1]), (1, window.dilation[1]), 1)",
                "row = Window((1, window.stride[1]), ((0, 1), window.padding[1]), (1, window.dilation[1]), 1)",
            ),
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "row = Window((1, window.stride[1]), ((0, 0), window.padding[1]), (1, window.dilation[1]), 1)",
                "row = Window((1, window.stride[1]), ((0, 0), window.padding[1]), (2, window.dilation[1]), 1)",
            ),
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "row = Window((1, window.stride[1]), ((0, 0), window.padding[1]), (1, window.dilation[1]), 1)",
                "row = Window((1, window.stride[1]), ((0, 0), window.padding[1]), (0, window.dilation[1]), 1)",
            ),
        ],
    ),
    (
        "There is one group, and one stretch for all images, so the first is the last.",
        [
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "total += patches[0, 0].T @ beside[: len(own)].reshape(-1, kh * filters)",
                "total += patches[-1, 0].T @ beside[: len(own)].reshape(-1, kh * filters)",
            ),
            (
                "minitorch/ops/im2col.py",
                "gathered",
                "total += patches[0, 0].T @ beside[: len(own)].reshape(-1, kh * filters)",
                "total += patches[0, -1].T @ beside[: len(own)].reshape(-1, kh * filters)",
            ),
        ],
    ),
    (
        "The memory order of what is multiplied decides about time alone.",
        [
            ("minitorch/ops/pool.py", "Unpool.forward", "if last:", "if not last:"),
        ],
    ),
    (
        "No place that is named lies in the padding, so that its value is never picked.",
        [
            (
                "minitorch/ops/pool.py",
                "Pick.forward",
                "for k, candidate in enumerate(window.positions(window.pad(a, 0))):",
                "for k, candidate in enumerate(window.positions(window.pad(a, 1))):",
            ),
            (
                "minitorch/ops/pool.py",
                "Pick.forward",
                "for k, candidate in enumerate(window.positions(window.pad(a, 0))):",
                "for k, candidate in enumerate(window.positions(window.pad(a, -1))):",
            ),
        ],
    ),
    (
        "Whether a cast to the same dtype copies does not matter: an operation writes to neither operand.",
        [
            (
                "minitorch/ops/promotion.py",
                "matched",
                "return a.astype(common, copy=False), b.astype(common, copy=False)",
                "return a.astype(common, copy=True), b.astype(common, copy=False)",
            ),
            (
                "minitorch/ops/promotion.py",
                "matched",
                "return a.astype(common, copy=False), b.astype(common, copy=False)",
                "return a.astype(common, copy=False), b.astype(common, copy=True)",
            ),
        ],
    ),
    (
        "This branch is for different ranks, of which one is greater.",
        [
            (
                "minitorch/ops/promotion.py",
                "promote_types",
                "winner, loser = (a, b) if rank_a > rank_b else (b, a)",
                "winner, loser = (a, b) if rank_a >= rank_b else (b, a)",
            ),
        ],
    ),
    (
        "What stands for the dims of a 0-d tensor is dropped below, whatever its number.",
        [
            (
                "minitorch/ops/reduce.py",
                "normalized_dims",
                "dims = tuple(d % ndim if ndim else 0 for d in dims)",
                "dims = tuple(d % ndim if ndim else 1 for d in dims)",
            ),
            (
                "minitorch/ops/reduce.py",
                "normalized_dims",
                "dims = tuple(d % ndim if ndim else 0 for d in dims)",
                "dims = tuple(d % ndim if ndim else -1 for d in dims)",
            ),
        ],
    ),
    (
        "Of two equal numbers either is the larger.",
        [
            ("minitorch/ops/reduce.py", "max_", "return a if a > b else b", "return a if a >= b else b"),
        ],
    ),
    (
        "Ones are made anew or taken from those at hand; these are as many as the limit.",
        [
            (
                "minitorch/ops/reduce.py",
                "ones",
                "return _some_ones(xp, dtype)[:count] if count <= SOME else xp.ones(count, dtype)",
                "return _some_ones(xp, dtype)[:count] if count < SOME else xp.ones(count, dtype)",
            ),
        ],
    ),
    (
        "Whatever is done to nan gives nan.",
        [
            (
                "minitorch/ops/reduce.py",
                "Mean.forward",
                "return total * math.nan  # PyTorch's answer for the mean of nothing",
                "return total / math.nan  # PyTorch's answer for the mean of nothing",
            ),
            (
                "minitorch/ops/reduce.py",
                "Mean.forward",
                "return total * math.nan  # PyTorch's answer for the mean of nothing",
                "return total + math.nan  # PyTorch's answer for the mean of nothing",
            ),
        ],
    ),
    (
        "The reshape that follows removes the dimension as well.",
        [
            (
                "minitorch/ops/reduce.py",
                "_product_of_others",
                "others = Prod.apply(square, dims=(len(square.shape) - 1,), keepdim=False).reshape(moved.shape)",
                "others = Prod.apply(square, dims=(len(square.shape) - 1,), keepdim=True).reshape(moved.shape)",
            ),
        ],
    ),
    (
        "Adding up, for places named several times, is right for those named once as well; it only takes longer.",
        [
            ("minitorch/ops/reduce.py", "ScatterAlong.forward", "if sizes[dim] == 1:", "if sizes[dim] == 0:"),
        ],
    ),
    (
        "Strides are equal only along dimensions of length one, where the order of memory is nobody's.",
        [
            (
                "minitorch/ops/shape.py",
                "is_channels_last",
                "return a.ndim == 4 and a.strides[1] < a.strides[3] and not a.flags.c_contiguous",
                "return a.ndim == 4 and a.strides[1] <= a.strides[3] and not a.flags.c_contiguous",
            ),
        ],
    ),
    (
        "Memory in the order n, h, w, c has the stride of c below those of both w and h; another order of these two alone takes a slower way to the same numbers.",
        [
            (
                "minitorch/ops/shape.py",
                "is_channels_last",
                "return a.ndim == 4 and a.strides[1] < a.strides[3] and not a.flags.c_contiguous",
                "return a.ndim == 4 and a.strides[1] < a.strides[2] and not a.flags.c_contiguous",
            ),
        ],
    ),
    (
        "A slice that ends beyond the last element ends there.",
        [
            (
                "minitorch/ops/shape.py",
                "Pad.forward",
                "inside.append(slice(builtins.max(-before, 0), n - builtins.max(-after, 0)))",
                "inside.append(slice(builtins.max(-before, 0), n - builtins.max(-after, -1)))",
            ),
            (
                "minitorch/ops/shape.py",
                "Pad.forward",
                "outside.append(slice(builtins.max(before, 0), builtins.max(before, 0) + n + builtins.min(before, 0) +",
                "outside.append(slice(builtins.max(before, 0), builtins.max(before, 0) + n + builtins.min(before, 0) -",
            ),
        ],
    ),
    (
        "In a rule, the gradient itself in place of a copy: the engine copies what it keeps.",
        [
            (
                "minitorch/ops/shape.py",
                "To.forward",
                "return moved if moved.dtype == dtype and moved is not a else moved.astype(dtype)",
                "return moved if moved.dtype == dtype and moved is a else moved.astype(dtype)",
            ),
        ],
    ),
    (
        "How many images are worked on at a time decides about time and memory alone.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "size = max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
                "size = max(2, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "size = max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
                "size = max(1, slab(xp) // max(2, places * out[1] * band * window.groups * x.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "size = max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
                "size = max(1, slab(xp) // max(0, places * out[1] * band * window.groups * x.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "size = max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
                "size = max(1, slab(xp) // max(1, places * out[0] * band * window.groups * x.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "images = -(-ROWS // oh) if xp is np else max(1, n)",
                "images = -(-ROWS // oh) if not xp is np else max(1, n)",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "images = -(-ROWS // oh) if xp is np else max(1, n)",
                "images = -(-ROWS * oh) if xp is np else max(1, n)",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "images = -(-ROWS // oh) if xp is np else max(1, n)",
                "images = -(-ROWS // oh) if xp is np else max(2, n)",
            ),
        ],
    ),
    (
        "Copying pixels place by place, and patches as they are, lays out the same numbers; what is quicker depends on the channels.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "if single and each == 1:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
                "if single and each != 1:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "if single and each == 1:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
                "if single and each == 2:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
            ),
            (
                "minitorch/ops/im2col.py",
                "bands",
                "if single and each == 1:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
                "if single and each == 0:  # neighbours in memory are pixels, so copy a row of them per place in the filter",
            ),
        ],
    ),
    (
        "The dimension in between is that of the channels of a group, of which there is one here.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "filled = xp.empty((window.groups, 1, band + one, math.prod(places_first.shape[4:])), x.dtype)",
                "filled = xp.empty((window.groups, 1, band + one, math.prod(places_first.shape[3:])), x.dtype)",
            ),
        ],
    ),
    (
        "The patches of all images are together here, in a dimension of length one, so the first is the last.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "filled[:, 0, :band].reshape(places_first.shape)[...] = places_first",
                "filled[:, -1, :band].reshape(places_first.shape)[...] = places_first",
            ),
        ],
    ),
    (
        "Of four dimensions the last but one is number 2.",
        [
            (
                "minitorch/ops/im2col.py",
                "bands",
                "yield stretch, [filled.swapaxes(-1, -2)]",
                "yield stretch, [filled.swapaxes(-1, 2)]",
            ),
        ],
    ),
    (
        "The bytes worked on at a time decide about time and memory alone.",
        [
            ("minitorch/ops/im2col.py", "slab", "return 2**19 if xp is np else 2**29", "return 2**18 if xp is np else 2**29"),
            ("minitorch/ops/im2col.py", "slab", "return 2**19 if xp is np else 2**29", "return 2**19 if xp is np else 3**29"),
            ("minitorch/ops/im2col.py", "slab", "return 2**19 if xp is np else 2**29", "return 2**19 if xp is np else 2**30"),
            ("minitorch/ops/im2col.py", "slab", "return 2**19 if xp is np else 2**29", "return 2**19 if xp is np else 2**28"),
        ],
    ),
    (
        "All bands of a filter have one shape, so that the first and the last say the same.",
        [
            (
                "minitorch/ops/im2col.py",
                "correlate",
                "if parts[0].shape[-1] > weights.shape[2]:",
                "if parts[-1].shape[-1] > weights.shape[2]:",
            ),
            (
                "minitorch/ops/im2col.py",
                "correlate",
                "rows = y[stretch].reshape(parts[0].shape[1], -1, groups, filters // groups).transpose(2, 0, 1, 3)",
                "rows = y[stretch].reshape(parts[-1].shape[1], -1, groups, filters // groups).transpose(2, 0, 1, 3)",
            ),
        ],
    ),
    (
        "How many columns are worked on at a time decides about time and memory alone.",
        [
            (
                "minitorch/ops/im2col.py",
                "spread",
                "across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "across = max(2, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "across = max(1, 1 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "across = max(1, 2 / slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "across = max(1, 2 + slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
            (
                "minitorch/ops/im2col.py",
                "spread",
                "across = max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
                "across = max(1, 2 * slab(xp) // max(2, min(images, n) * oh * kh * channels * groups * y.itemsize))",
            ),
        ],
    ),
    (
        "A slice of one element has it at any step.",
        [
            (
                "minitorch/ops/im2col.py",
                "meetings",
                "found.append(tuple(slice(at[0], at[-1] + 1, at[1] - at[0] if len(at) > 1 else 1) for at in zip(*pairs)))",
                "found.append(tuple(slice(at[0], at[-1] + 1, at[1] - at[0] if len(at) > 1 else 2) for at in zip(*pairs)))",
            ),
        ],
    ),
    (
        "Where the two are equal the outer choice has already given half to each.",
        [
            (
                "minitorch/ops/choice.py",
                "_to_the_larger",
                "return where(a == b, g * 0.5, where(a > b, g, 0.0)) if wanted else None",
                "return where(a == b, g * 0.5, where(a >= b, g, 0.0)) if wanted else None",
            ),
        ],
    ),
    (
        "A matrix of indices has two dimensions, the second of which is the last.",
        [
            (
                "minitorch/ops/choice.py",
                "nonzero",
                "return wrap(array_module(input.array).stack(found, -1)[:, : input.ndim])",
                "return wrap(array_module(input.array).stack(found, 1)[:, : input.ndim])",
            ),
        ],
    ),
]

EXPLAINED: dict[Place, str] = {place: sentence for sentence, places in REASONS for place in places}
