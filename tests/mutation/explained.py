"""Why each mutant that no test kills changes nothing that a user could see."""

from __future__ import annotations

Place = tuple[str, str, str, str]

# The sentence, and the mutants it speaks of, as "file function: code before -> code after". The code is what `mutants.change`
# says of it, so that an entry holds when lines move or are laid out anew, and no longer when the expression itself changes.
# fmt: off
REASONS: dict[str, list[str]] = {
    "The node of an output has one edge, so the first is the last.": [
        "autograd/outputs.py Output.name: self.edges[0] -> self.edges[-1]",
        "autograd/outputs.py Output._origin: self.edges[0] -> self.edges[-1]",
        "autograd/outputs.py Output.backward: self.edges[0] -> self.edges[-1]",
        "autograd/outputs.py Output.as_source: self.edges[0] -> self.edges[-1]",
        "autograd/outputs.py Output.title: self.edges[0] -> self.edges[-1]",
    ],
    "Numbers of nodes are compared with each other alone, so that it does not matter where they start.": [
        "autograd/node.py : itertools.count(1) -> itertools.count(2)",
        "autograd/node.py : itertools.count(1) -> itertools.count(0)",
    ],
    "Operations whose output is a view have one input, so the first is the last.": [
        "autograd/op.py Op.apply: inputs[0] -> inputs[-1]",
    ],
    "Numbers of nodes start at 1, and what was never changed must only have none above those.": [
        "autograd/changes.py check_unchanged: _changed.get(id(owner), (0, '')) -> _changed.get(id(owner), (1, ''))",
        "autograd/changes.py check_unchanged: _changed.get(id(owner), (0, '')) -> _changed.get(id(owner), (-1, ''))",
    ],
    "The inner choice only keeps 0 from being raised to a negative power where the outer one does not take it; any power that is not negative will do there.": [
        "ops/arithmetic.py Pow.backward: where(b == 0, 1.0, b - 1) -> where(b == 0, 2.0, b - 1)",
        "ops/arithmetic.py Pow.backward: where(b == 0, 1.0, b - 1) -> where(b == 0, 0.0, b - 1)",
    ],
    "The inner choice only keeps the logarithm from 0 where the outer one does not take it; any number above 0 will do there.": [
        "ops/arithmetic.py Pow.backward: where(flat, 1.0, a) -> where(flat, 2.0, a)",
    ],
    "Both ways give Python's quotient; that of the operator is quicker.": [
        "ops/arithmetic.py FloorDivide.forward: whole or _on_host(a, b) -> whole and _on_host(a, b)",
    ],
    "Nothing that is left has no sign, which is asked first, and over 0 another formula is taken.": [
        "ops/arithmetic.py _parts: rest < 0 -> rest <= 0",
        "ops/arithmetic.py _parts: b < 0 -> b <= 0",
    ],
    "No dtype has 3 bytes, and numbers of 4 are added in a copy of their own dtype.": [
        "ops/indices.py add_at: out.dtype.itemsize < 4 -> out.dtype.itemsize <= 4",
        "ops/indices.py add_at: out.dtype.itemsize < 4 -> out.dtype.itemsize < 5",
        "ops/indices.py add_at: out.dtype.itemsize < 4 -> out.dtype.itemsize < 3",
    ],
    "A base of 0 was dealt with above.": [
        "ops/arithmetic.py Pow.backward: a > 0 -> a >= 0",
    ],
    "With the rows first a band has one stretch for all images, so the first is the last.": [
        "ops/im2col.py weigh: part[:, 0] -> part[:, -1]",
    ],
    "A number has no gradient, and its dimensions are read for the gradient alone.": [
        "ops/index.py SetItem.forward: getattr(b, 'ndim', 0) -> getattr(b, 'ndim', 1)",
        "ops/index.py SetItem.forward: getattr(b, 'ndim', 0) -> getattr(b, 'ndim', -1)",
    ],
    "With equal numbers of dimensions there is none to put in front, and the reshape changes nothing.": [
        "ops/index.py SetItem.backward: more > 0 -> more >= 0",
        "ops/index.py SetItem.backward: more > 0 -> more > -1",
    ],
    "More dimensions of length one than needed are summed away by the engine, as those that were broadcast.": [
        "ops/index.py SetItem.backward: ctx.ndim_b - len(db.shape) -> ctx.ndim_b + len(db.shape)",
    ],
    "Both ways give the same sums; which is quicker depends on the shape.": [
        "ops/reduce.py channel_sums: g.ndim == 2 or is_channels_last(g) -> g.ndim == 2 and is_channels_last(g)",
        "ops/reduce.py channel_sums: g.ndim == 2 or is_channels_last(g) -> g.ndim == 1 or is_channels_last(g)",
        "ops/row_norm.py _dots: a.shape[1] > 16 * PRODUCT -> a.shape[1] >= 16 * PRODUCT",
        "ops/row_norm.py _dots: 16 * PRODUCT -> 17 * PRODUCT",
        "ops/row_norm.py _dots: 16 * PRODUCT -> 15 * PRODUCT",
        "ops/row_norm.py _dots: 16 * PRODUCT -> 16 / PRODUCT",
        "ops/row_norm.py _dots: 16 * PRODUCT -> 16 + PRODUCT",
        "ops/row_norm.py _layer_gradients: len(sums) > 1 -> len(sums) >= 1",
        "ops/row_norm.py _layer_gradients: len(sums) > 1 -> len(sums) > 0",
    ],
    "The filter of one row reads every row of the image and none below it, whatever the dilation between its rows would be.": [
        "ops/im2col.py gathered: ((0, 0), window.padding[1]) -> ((0, 1), window.padding[1])",
        "ops/im2col.py gathered: (1, window.dilation[1]) -> (2, window.dilation[1])",
        "ops/im2col.py gathered: (1, window.dilation[1]) -> (0, window.dilation[1])",
    ],
    "There is one group, and one stretch for all images, so the first is the last.": [
        "ops/im2col.py gathered: patches[0, 0] -> patches[-1, 0]",
        "ops/im2col.py gathered: patches[0, 0] -> patches[0, -1]",
    ],
    "The memory order of what is multiplied decides about time alone.": [
        "ops/pool.py Unpool.forward: if last:\n    a = channels_last(a) -> if not last:\n    a = channels_last(a)",
    ],
    "Both ways give the same; on a GPU one starts fewer kernels.": [
        "ops/pool.py Unpool.forward: xp is not np -> not xp is not np",
    ],
    "No place that is named lies in the padding, so that its value is never picked.": [
        "ops/pool.py Pick.forward: window.pad(a, 0) -> window.pad(a, 1)",
        "ops/pool.py Pick.forward: window.pad(a, 0) -> window.pad(a, -1)",
    ],
    "A cast that copies gives the same numbers.": [
        "ops/promotion.py matched: a.astype(common, copy=False) -> a.astype(common, copy=True)",
        "ops/promotion.py matched: b.astype(common, copy=False) -> b.astype(common, copy=True)",
        "autograd/hooks.py run_hooks: answer.array.astype(grad.dtype, copy=False) -> answer.array.astype(grad.dtype, copy=True)",
        "ops/choice.py _in_one_dtype: a.astype(common, copy=False) -> a.astype(common, copy=True)",
        "ops/indices.py places: entry.astype(backend.int64, copy=False) -> entry.astype(backend.int64, copy=True)",
        "ops/indices.py rows: at.astype(backend.int64, copy=False) -> at.astype(backend.int64, copy=True)",
        "ops/indices.py add_at: index[0].astype(backend.int64, copy=False) -> index[0].astype(backend.int64, copy=True)",
    ],
    "Adding up, for places named several times, is right for those named once as well; it only takes longer.": [
        "ops/index.py ScatterAlong.forward: index.shape[dim] == 1 -> index.shape[dim] == 0",
        "ops/index.py Slice.backward: AddAt.apply(g, index=ctx.index, shape=ctx.shape_in, once=True) -> AddAt.apply(g, index=ctx.index, shape=ctx.shape_in, once=False)",
        "ops/index.py AddAt.forward: once or not any(map(is_integers, index)) -> once and (not any(map(is_integers, index)))",
    ],
    "In a rule, the gradient itself in place of a copy: the engine copies what it keeps.": [
        "ops/shape.py To.forward: moved is not a -> moved is a",
    ],
    "How many images are worked on at a time decides about time and memory alone.": [
        "ops/im2col.py bands: max(1, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize)) -> max(2, slab(xp) // max(1, places * out[1] * band * window.groups * x.itemsize))",
        "ops/im2col.py bands: max(1, places * out[1] * band * window.groups * x.itemsize) -> max(2, places * out[1] * band * window.groups * x.itemsize)",
        "ops/im2col.py bands: max(1, places * out[1] * band * window.groups * x.itemsize) -> max(0, places * out[1] * band * window.groups * x.itemsize)",
        "ops/im2col.py bands: places * out[1] -> places * out[0]",
        "ops/im2col.py spread: xp is np -> not xp is np",
        "ops/im2col.py spread: -ROWS // oh -> -ROWS * oh",
    ],
    "Copying pixels place by place, and patches as they are, lays out the same numbers; what is quicker depends on the channels.": [
        "ops/im2col.py bands: each == 1 -> each != 1",
        "ops/im2col.py bands: each == 1 -> each == 2",
        "ops/im2col.py bands: each == 1 -> each == 0",
    ],
    "The dimension in between is that of the channels of a group, of which there is one here.": [
        "ops/im2col.py bands: rows.shape[4:] -> rows.shape[3:]",
    ],
    "Of four dimensions the last but one is number 2.": [
        "ops/im2col.py bands: rows.reshape(window.groups, 1, band, math.prod(rows.shape[4:])).swapaxes(-1, -2) -> rows.reshape(window.groups, 1, band, math.prod(rows.shape[4:])).swapaxes(-1, 2)",
    ],
    "How many columns are worked on at a time decides about time and memory alone.": [
        "ops/im2col.py spread: max(1, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize)) -> max(2, 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize))",
        "ops/im2col.py spread: 2 * slab(xp) -> 1 * slab(xp)",
        "ops/im2col.py spread: 2 * slab(xp) -> 2 / slab(xp)",
        "ops/im2col.py spread: 2 * slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize) -> 2 + slab(xp) // max(1, min(images, n) * oh * kh * channels * groups * y.itemsize)",
        "ops/im2col.py spread: max(1, min(images, n) * oh * kh * channels * groups * y.itemsize) -> max(2, min(images, n) * oh * kh * channels * groups * y.itemsize)",
    ],
    "A slice of one element has it at any step.": [
        "ops/im2col.py meetings: at[1] - at[0] if len(at) > 1 else 1 -> at[1] - at[0] if len(at) > 1 else 2",
    ],
    "A matrix of indices has two dimensions, the second of which is the last.": [
        "ops/choice.py nonzero: array_module(input.array).stack(found, -1) -> array_module(input.array).stack(found, 1)",
    ],
    "Numbers of nodes start at 1, and are compared with that of the last change alone.": [
        "autograd/changes.py : _latest = 0 -> _latest = 1",
        "autograd/changes.py : _latest = 0 -> _latest = -1",
    ],
    "A change takes a number of its own, so that none is equal to that of a node.": [
        "autograd/changes.py check_saved: _latest > node._number -> _latest >= node._number",
        "autograd/changes.py check_unchanged: number > node._number -> number >= node._number",
    ],
    "A leaf has no rule, so that its place in the order is never asked for.": [
        "autograd/node.py Leaf.__init__: self._number, self.edges, self.saved = (0, (), ()) -> self._number, self.edges, self.saved = (1, (), ())",
        "autograd/node.py Leaf.__init__: self._number, self.edges, self.saved = (0, (), ()) -> self._number, self.edges, self.saved = (-1, (), ())",
    ],
    "An input that has a node is tied to it before the constants are looked at, and what is not recorded has no rule that reads them.": [
        "autograd/op.py Op.apply: raw, wanted, constants = (True, False, False) -> raw, wanted, constants = (True, False, True)",
        "autograd/op.py Op.apply: recorded and constants -> recorded or constants",
    ],
    "Without edges nothing is recorded, and no rule will read what is computed for it.": [
        "autograd/op.py Op.needs: ctx.edges[position] is not None if ctx.edges else False -> ctx.edges[position] is not None if ctx.edges else True",
    ],
    "The inner choice only keeps the exponential from overflow where the outer one does not take it.": [
        "ops/activation.py Elu.backward: where(bent, a, 0.0) -> where(bent, a, 1.0)",
        "ops/activation.py Elu.backward: where(bent, a, 0.0) -> where(bent, a, -1.0)",
    ],
    "The decorator reads `inplace`, and calls the function without it.": [
        "ops/activation.py relu: input: Tensor, inplace: bool=False -> input: Tensor, inplace: bool=True",
    ],
    "Two arrays are of one dtype by then, and a whole number beside an array of floats divides as the float does.": [
        "ops/arithmetic.py Div.forward: getattr(a, 'dtype', backend.bool_).kind in 'biu' and getattr(b, 'dtype', backend.bool_).kind in 'biu' -> getattr(a, 'dtype', backend.bool_).kind in 'biu' or getattr(b, 'dtype', backend.bool_).kind in 'biu'",
    ],
    "The two never hold at once.": [
        "ops/arithmetic.py _whole_power: (base == 1) | (base == -1) -> (base == 1) ^ (base == -1)",
        "ops/reduce.py MaxOver.backward: (a == out) | (a != a) -> (a == out) ^ (a != a)",
    ],
    "The first coefficient of every denominator is 1.": [
        "ops/erf.py _ratio: x * q[0] -> x / q[0]",
    ],
    "A formula is not used beyond its bounds, and e^(-29^2) is 0.": [
        "ops/erf.py _near: array_module(x).minimum(abs(x), 0.5) -> array_module(x).minimum(abs(x), 1.5)",
        "ops/erf.py _beyond: xp.clip(size, 0.46875, 4.0) -> xp.clip(size, -0.53125, 4.0)",
        "ops/erf.py _beyond: xp.clip(size, 0.46875, 4.0) -> xp.clip(size, 0.46875, 5.0)",
        "ops/erf.py _beyond: xp.clip(size, 0.46875, 30.0) -> xp.clip(size, -0.53125, 30.0)",
        "ops/erf.py _beyond: xp.clip(size, 0.46875, 30.0) -> xp.clip(size, 0.46875, 31.0)",
        "ops/erf.py _beyond: xp.clip(size, 0.46875, 30.0) -> xp.clip(size, 0.46875, 29.0)",
        "ops/erf.py _beyond: xp.clip(size, 4.0, 30.0) -> xp.clip(size, 3.0, 30.0)",
        "ops/erf.py _beyond: xp.clip(size, 4.0, 30.0) -> xp.clip(size, 4.0, 31.0)",
        "ops/erf.py _beyond: xp.clip(size, 4.0, 30.0) -> xp.clip(size, 4.0, 29.0)",
    ],
    "By their bits and by NumPy's function the same elements are chosen; which is quicker depends on the number.": [
        "ops/choice.py selected: type(condition) is not np.ndarray or condition.size < 2 ** 14 or dtype.itemsize not in BITS -> type(condition) is not np.ndarray and condition.size < 2 ** 14 or dtype.itemsize not in BITS",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size <= 2 ** 14",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size < 1 ** 14",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size < 2 * 14",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size < 2 + 14",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size < 2 ** 15",
        "ops/choice.py selected: condition.size < 2 ** 14 -> condition.size < 2 ** 13",
    ],
    "At the bound itself both formulas give the same number.": [
        "ops/erf.py _beyond: size > 4 -> size >= 4",
        "ops/erf.py _erf: size <= 0.46875 -> size < 0.46875",
        "ops/erf.py _erfc: size <= 0.46875 -> size < 0.46875",
    ],
    "All have one shape, or as many rows, so that any stands for the first.": [
        "ops/im2col.py correlate: parts[0].shape -> parts[-1].shape",
        "ops/strips.py strips: arrays[0] -> arrays[-1]",
        "ops/strips.py passes: arrays[0] -> arrays[-1]",
    ],
    "Filters of one channel each are convolutions of groups too: both ways give the same sums.": [
        "ops/im2col.py spread: channels * groups -> channels + groups",
        "ops/im2col.py spread: is_depthwise(channels * groups, w.shape[0], window) -> is_depthwise(channels * groups, w.shape[1], window)",
    ],
    "Where arrays are cut decides about time and memory, and at most about the last digit of a sum.": [
        "ops/im2col.py slabs: max(1, slab(array_module(most)) * len(most) // max(1, most.nbytes)) -> max(2, slab(array_module(most)) * len(most) // max(1, most.nbytes))",
        "ops/im2col.py slabs: slab(array_module(most)) * len(most) // max(1, most.nbytes) -> slab(array_module(most)) + len(most) // max(1, most.nbytes)",
        "ops/im2col.py slabs: slab(array_module(most)) * len(most) // max(1, most.nbytes) -> slab(array_module(most)) * len(most) * max(1, most.nbytes)",
        "ops/im2col.py slabs: max(1, most.nbytes) -> max(2, most.nbytes)",
        "ops/strips.py strips: first.shape[d] > 1 -> first.shape[d] > 2",
        "ops/strips.py strips: first.size <= most -> first.size < most",
        "ops/strips.py along: first.size <= least -> first.size < least",
        "ops/strips.py each_row: first.size <= PIECE -> first.size < PIECE",
        "ops/strips.py each: first.size <= PIECE -> first.size < PIECE",
        "ops/strips.py each: operands[0] -> operands[-1]",
        "ops/strips.py each: exact and get_num_threads() == 1 -> exact or get_num_threads() == 1",
        "ops/strips.py each: get_num_threads() == 1 -> get_num_threads() == 0",
        "ops/strips.py each: get_num_threads() == 1 -> get_num_threads() != 1",
        "ops/strips.py each: get_num_threads() == 1 -> get_num_threads() == 2",
        "ops/strips.py each: step // array.itemsize -> step * array.itemsize",
        "ops/strips.py each: len({tuple((step // array.itemsize for step in array.strides)) for array in (*arrays, out)}) > 1 -> len({tuple((step // array.itemsize for step in array.strides)) for array in (*arrays, out)}) > 2",
        "ops/strips.py strips: first.strides[d] if first.shape[d] > 1 else 0 -> first.strides[d] if first.shape[d] > 1 else 1",
        "ops/strips.py strips: first.strides[d] if first.shape[d] > 1 else 0 -> first.strides[d] if first.shape[d] > 1 else -1",
    ],
    "Of one dimension, or of one element along it, the first is the last.": [
        "ops/im2col.py _rows_of: (:, 0, i, j) -> (:, -1, i, j)",
        "ops/row_norm.py _layer_gradients: sums[0] -> sums[-1]",
        "ops/strips.py strips: cut(0, [array.reshape(-1) for array in arrays], most) -> cut(-1, [array.reshape(-1) for array in arrays], most)",
        "ops/row_norm.py _dots: (a[:, None, :] @ b[:, :, None])[:, 0] -> (a[:, None, :] @ b[:, :, None])[:, -1]",
        "ops/pool.py added: parts[0] -> parts[-1]",
    ],
    "Every row of the image holds the same numbers.": [
        "ops/im2col.py _rows_of: at_pixels(w[:, 0, i, j], 1, window.out[1]) -> at_pixels(w[:, 0, i, j], 2, window.out[1])",
        "ops/im2col.py _rows_of: at_pixels(w[:, 0, i, j], 1, window.out[1])[0] -> at_pixels(w[:, 0, i, j], 1, window.out[1])[-1]",
    ],
    "By places in memory and by an index the same elements are read, or added to, in the same order; which is quicker depends on their number.": [
        "ops/index.py Gather.forward: array_module(a) is np -> not array_module(a) is np",
        "ops/index.py Gather.forward: array_module(a) is np and index.size >= FEW and a.flags.c_contiguous -> array_module(a) is np or (index.size >= FEW and a.flags.c_contiguous)",
        "ops/index.py Gather.forward: index.size >= FEW -> index.size < FEW",
        "ops/index.py Gather.forward: index.size >= FEW -> index.size > FEW",
        "ops/indices.py add_at: xp is np -> not xp is np",
        "ops/indices.py add_at: xp is np and values.size >= FEW -> xp is np or values.size >= FEW",
        "ops/indices.py add_at: values.size >= FEW -> values.size < FEW",
        "ops/indices.py add_at: values.size >= FEW -> values.size > FEW",
        "ops/indices.py add_at: xp is np and len(index) == 1 and is_integers(index[0]) and (out.dtype.char in 'fd') and (values.size >= FEW) -> xp is np and len(index) == 1 and is_integers(index[0]) and (out.dtype.char in 'fd') and (values.size > FEW)",
        "ops/indices.py add_at: xp is np and values.size >= FEW -> xp is np and values.size > FEW",
        "ops/index.py Take.forward: len(index) == 1 -> len(index) == 0",
        "ops/indices.py rows: type(a) is not np.ndarray -> not type(a) is not np.ndarray",
        "ops/indices.py rows: type(a) is not np.ndarray or not a.flags.c_contiguous -> type(a) is not np.ndarray and (not a.flags.c_contiguous)",
        "ops/indices.py rows: not a.flags.c_contiguous -> a.flags.c_contiguous",
    ],
    "An index of one entry: the first is the last.": [
        "ops/index.py Take.forward: rows(a, index[0]) -> rows(a, index[-1])",
        "ops/index.py Take.forward: is_integers(index[0]) -> is_integers(index[-1])",
        "ops/indices.py add_at: is_integers(index[0]) -> is_integers(index[-1])",
        "ops/indices.py add_at: index[0].astype -> index[-1].astype",
    ],
    "`nonzero` of one dimension gives one array: the first is the last.": [
        "ops/indices.py _add_rows: first.nonzero()[0] -> first.nonzero()[-1]",
        "ops/indices.py _add_rows: (~first).nonzero()[0] -> (~first).nonzero()[-1]",
    ],
    "All arrays of an index are of one library.": [
        "ops/indices.py places: named[0] -> named[-1]",
    ],
    "Where no entry is negative, the correction of negative ones changes nothing.": [
        "ops/indices.py places: entry.min() < 0 -> entry.min() <= 0",
        "ops/indices.py places: entry.min() < 0 -> entry.min() < 1",
    ],
    "The inner choice only keeps the quotient from 0 where the outer one does not take it.": [
        "ops/inverses.py _reciprocal: where(x == 0, 1.0, x) -> where(x == 0, 2.0, x)",
    ],
    "The matrices are square.": [
        "ops/inverses.py _identity: array.shape[-1] -> array.shape[-2]",
    ],
    "No sizes at all are as little negative as one of 1.": [
        "ops/joining.py split: min(sizes, default=0) -> min(sizes, default=1)",
    ],
    "The whole image in one sum, and added up window by window, are the same sums; which is quicker depends on the window.": [
        "ops/pool.py is_whole: shape[2:] -> shape[3:]",
        "ops/pool.py is_whole: shape[2:] -> shape[1:]",
    ],
    "Equal ranks were dealt with above.": [
        "ops/promotion.py _promoted: _RANK[a.kind] > _RANK[b.kind] -> _RANK[a.kind] >= _RANK[b.kind]",
    ],
    "Twice the lowest number of a dtype is a multiple of how many numbers it has.": [
        "ops/promotion.py wrapped: number - low -> number + low",
    ],
    "The gates have two dimensions, the second of which is the last.": [
        "ops/recurrent.py _lstm: chunk(z, 4, -1) -> chunk(z, 4, 1)",
        "ops/recurrent.py _gru: chunk(x, 3, -1) -> chunk(x, 3, 1)",
        "ops/recurrent.py _gru: chunk(y, 3, -1) -> chunk(y, 3, 1)",
    ],
    "A stretch that ends beyond the last element ends there.": [
        "ops/resize.py _within: max(after, 0) -> max(after, -1)",
    ],
    "Any divisor of the number of pixels may be side by side, and an image of one pixel does not come here; it decides about time alone.": [
        "ops/row_norm.py _planes: range(1, pixels + 1) -> range(2, pixels + 1)",
        "ops/row_norm.py _planes: pixels + 1 -> pixels + 2",
        "ops/row_norm.py _planes: pixels % k == 0 and (k == pixels or k * c >= LANES) -> pixels % k == 0 or (k == pixels or k * c >= LANES)",
        "ops/row_norm.py _planes: k == pixels -> k != pixels",
        "ops/row_norm.py _planes: k * c >= LANES -> k * c < LANES",
        "ops/row_norm.py _planes: k * c >= LANES -> k * c > LANES",
        "ops/row_norm.py _planes: k * c >= LANES -> k / c >= LANES",
        "ops/row_norm.py _planes: k * c >= LANES -> k + c >= LANES",
    ],
    "The quotient is whole.": [
        "ops/strips.py each: step // array.itemsize -> step / array.itemsize",
        "ops/row_norm.py _group_means: planes.shape[1] * planes.shape[2] // groups -> planes.shape[1] * planes.shape[2] / groups",
        "ops/row_norm.py _spread: planes.shape[2] // c -> planes.shape[2] / c",
    ],
    "A dimension of length one, and the one before it, are repeated into the same order.": [
        "ops/row_norm.py _spread: channels[:, None].repeat(planes.shape[2] // c, 1) -> channels[:, None].repeat(planes.shape[2] // c, 0)",
    ],
    "Only the dtype of the result is read.": [
        "ops/strips.py each: value[:0] -> value[:1]",
        "ops/strips.py each: value[:0] -> value[:-1]",
    ],
}
# fmt: on


def place(mutant: str) -> Place:
    """The file, the function, the code before and the code after of an entry."""
    where, _, change = mutant.partition(": ")
    file, _, function = where.partition(" ")
    before, _, after = change.partition(" -> ")
    return f"minitorch/{file}", function, before, after


EXPLAINED: dict[Place, str] = {place(mutant): sentence for sentence, mutants in REASONS.items() for mutant in mutants}
