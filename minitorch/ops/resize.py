"""Tensors of another size: padded, with elements repeated or dropped, weighted means of neighbours, or means of stretches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.accumulate import in_float32
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, to_array
from minitorch.ops.dims import along, shapes, whole
from minitorch.ops.images import plain_sizes, sizes
from minitorch.ops.index import Take
from minitorch.ops.joining import cat, stack
from minitorch.ops.pool import avg_pool2d, max_pool2d
from minitorch.ops.promotion import check_floats, held
from minitorch.ops.shape import Clone, Expand, clone, flip

_MODES = ("constant", "reflect", "replicate", "circular")  # of padding

# for how many dimensions of an image each mode is meant
DIMENSIONS: dict[str, tuple[int, ...]] = dict.fromkeys(("nearest", "nearest-exact", "area"), (1, 2, 3))
DIMENSIONS |= {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}


class Pad(Op):
    """a with `value` around it, `widths` (before, after) per dimension; a negative width crops.  da = the middle of g."""

    def forward(ctx, a: Any, widths: Any, value: Any) -> Any:
        ctx.widths = widths
        lengths = [n + before + after for n, (before, after) in zip(a.shape, widths)]
        if min(lengths) < 0:
            raise ValueError(f"pad: widths {widths} take away more than a tensor of shape {shapes(a)} has")
        out = array_module(a).full(lengths, value, a.dtype)
        out[_within(lengths, widths)] = a[_within(a.shape, [(-before, -after) for before, after in widths])]
        return out

    def backward(ctx, g: Any) -> Any:
        return Pad.apply(g, widths=tuple((-before, -after) for before, after in ctx.widths), value=0)


def _within(lengths: Sequence[int], widths: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    """The slices between edges of `widths` in dimensions of `lengths`; widths below 0 count as 0."""
    return tuple(slice(max(before, 0), n - max(after, 0)) for n, (before, after) in zip(lengths, widths))


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """`input` with more around it: `pad` has (before, after) for the last dimension, then the one before it, and so on.

    "constant" adds `value` (0), "reflect" the tensor mirrored at its edge elements, "replicate" the edge elements again,
    "circular" the elements from the other end. Negative widths crop. Raises ValueError for another mode, a `pad` that does not
    fit, and, where the mode is not "constant", for a `value` and an input not of one or two dimensions more than are padded.
    """
    if mode not in _MODES:
        raise ValueError(f"pad: expected mode {', '.join(map(repr, _MODES))}, got {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(f"pad: expected (before, after) for at most {input.ndim} dimensions, got {tuple(pad)}")
    widths = [whole("pad", "a width", width) for width in pad]
    pairs = tuple(zip(widths[::2], widths[1::2]))[::-1]
    if not pairs:
        return clone(input)
    if mode == "constant":
        fill = held("pad", value or 0, input.dtype)
        return Pad.apply(input, widths=((0, 0),) * (input.ndim - len(pairs)) + pairs, value=fill)
    if value:
        raise ValueError(f"pad: mode {mode!r} takes no value, got {value}")
    if len(pairs) > 3 or input.ndim - len(pairs) not in (1, 2):
        given = f"{tuple(pad)} for shape {shapes(input)}"
        raise ValueError(f"pad: mode {mode!r} pads the last 1, 2 or 3 dimensions behind one or two others, got {given}")
    for dim, (before, after) in zip(range(input.ndim - len(pairs), input.ndim), pairs):
        input = _extended(input, dim, before, after, mode)
    return input


def _extended(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    """`input` with more of itself on both sides of one dimension, then without what negative widths crop."""
    cropped = tuple((min(before, 0), min(after, 0)) if d == dim else (0, 0) for d in range(input.ndim))
    before, after, crops = max(before, 0), max(after, 0), any(map(any, cropped))
    if mode == "circular" and crops:  # PyTorch wraps around what is left
        return _extended(Pad.apply(input, widths=cropped, value=0), dim, before, after, mode)
    length = input.shape[dim]
    most = {"reflect": length - 1, "replicate": max(before, after) if length else 0, "circular": length}[mode]
    if max(before, after) > most:
        asked = f"{before} and {after} (shape {shapes(input)})"
        raise ValueError(f"pad: mode {mode!r} adds at most {most} to dim {dim} of length {length}, asked for {asked}")
    reach = {"reflect": (1, before + 1, length - 1 - after, length - 1), "replicate": (0, 1, length - 1, length)}
    starts = reach.get(mode, (length - before, length, 0, after))
    parts = [input[along(dim, slice(*starts[i : i + 2]))] for i in (0, 2)]
    if mode == "reflect":
        parts = [flip(part, dim) for part in parts]
    elif mode == "replicate":
        widths = zip(parts, (before, after))
        parts = [part.expand((*input.shape[:dim], width, *input.shape[dim + 1 :])) for part, width in widths]
    wider = cat([piece for piece, width in ((parts[0], before), (input, 1), (parts[1], after)) if width], dim)
    return Pad.apply(wider, widths=cropped, value=0) if crops else wider


# ---- means and interpolation ---------------------------------------------------------------------------------------------


@in_float32
def _means(input: Tensor, size: Sequence[int]) -> Tensor:
    """The means of stretches of the last dimensions, `size` of them; they cover a dimension, and may share elements."""
    for dim, count in enumerate(size, input.ndim - len(size)):
        length = input.shape[dim]
        ends = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        input = stack([input[along(dim, slice(start, end))].mean(dim) for start, end in ends], dim)
    return input


def _sizes(name: str, input: Tensor, output_size: Any) -> tuple[int, int]:
    """The rows and columns that an adaptive pooling makes of `input`; refuses what has none."""
    lengths = input.shape[-2:]
    if input.ndim not in (3, 4) or 0 in lengths:
        raise ValueError(f"{name}: expected images (..., channels, height, width), got shape {shapes(input)}")
    check_floats(name, input)
    asked = plain_sizes(output_size) * (1 if isinstance(output_size, (tuple, list)) else 2)
    if len(asked) == 2 and None in asked:
        output_size = tuple(n if size is None else size for n, size in zip(lengths, asked))
    return sizes(name, "output_size", output_size, 1)


@in_float32
def adaptive_avg_pool2d(input: Tensor, output_size: int | tuple[int | None, int | None] | None) -> Tensor:
    """The means of `output_size` stretches of rows and columns, of nearly equal length; None keeps a dimension's length.

    Output i of n averages from floor(i length / n) to ceil((i + 1) length / n), as in PyTorch. Raises ValueError for an image
    without rows or columns and for sizes below 1, TypeError for a tensor that is not floating-point.
    """
    size, lengths = _sizes("adaptive_avg_pool2d", input, output_size), input.shape[-2:]
    if lengths[0] % size[0] == 0 and lengths[1] % size[1] == 0:
        return avg_pool2d(input, (lengths[0] // size[0], lengths[1] // size[1]))
    return _means(input, size)


def adaptive_max_pool2d(
    input: Tensor, output_size: int | tuple[int | None, int | None] | None, return_indices: bool = False
) -> Tensor | Any:
    """The largest of each stretch of `adaptive_avg_pool2d`, and with `return_indices` where it lies, counted in rows, int64."""
    size, lengths = _sizes("adaptive_max_pool2d", input, output_size), input.shape[-2:]
    places = []
    for n, count in zip(lengths, size):  # stretches of one length: a shorter one repeats its last element
        starts, ends = np.arange(count) * n // count, -(-np.arange(1, count + 1) * n // count)
        places.append(np.minimum(starts[:, None] + np.arange((ends - starts).max()), ends[:, None] - 1).reshape(-1))
    xp, kernel = array_module(input.array), (len(places[0]) // size[0], len(places[1]) // size[1])
    if len(places[0]) > lengths[0] or len(places[1]) > lengths[1]:
        input = Take.apply(input, index=(..., xp.asarray(places[0][:, None]), xp.asarray(places[1])))
    if not return_indices:
        return max_pool2d(input, kernel)
    values, at = max_pool2d(input, kernel, return_indices=True)
    return values, wrap(xp.asarray((places[0][:, None] * lengths[1] + places[1]).reshape(-1))[at.array])


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., c r^2, h, w) to (..., c, h r, w r): each r^2 channels become a square of pixels (Shi et al. 2016).

    Raises ValueError if the channels do not divide.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: expected (..., channels x {r}^2, height, width), got shape {tuple(input.shape)}")
    if r == 1:
        return input.clone()
    *before, channels, height, width = input.shape
    split = input.reshape(math.prod(before), channels // (r * r), r, r, height, width).permute(0, 1, 4, 2, 5, 3)
    return split.reshape(*before, channels // (r * r), height * r, width * r)


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Images (n, channels, ...) of one to three dimensions enlarged or reduced to `size`, or by `scale_factor`.

    "nearest" and "nearest-exact" repeat or drop elements; "linear", "bilinear" and "trilinear" weigh the two neighbours along
    each dimension, "bicubic" four (Keys 1981, a = -0.75), "area" takes means as adaptive pooling does. With `align_corners`
    the corner pixels keep their places; with `recompute_scale_factor` the scale is that of the rounded sizes. Raises ValueError
    unless exactly one of `size` and `scale_factor` is given and the mode suits the dimensions, and for `antialias`.
    """
    mode, lengths, nearest = str(mode), input.shape[2:], str(mode).startswith("nearest")
    if antialias or mode not in DIMENSIONS:
        what = "antialias=False" if antialias else f"mode {', '.join(DIMENSIONS)}"
        raise ValueError(f"interpolate: expected {what}, got {antialias or mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: expected either size or scale_factor")
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor has a meaning with scale_factor only, not with size")
    if align_corners is not None and (nearest or mode == "area"):
        raise ValueError(f"interpolate: align_corners has a meaning for linear and cubic modes only, not for {mode!r}")
    if len(lengths) not in DIMENSIONS[mode] or 0 in input.shape[1:]:
        wanted = " or ".join(f"{k + 2} dimensions" for k in DIMENSIONS[mode])
        raise ValueError(f"interpolate: expected images (n, channels, ...) of {wanted} for {mode!r}, got shape {shapes(input)}")
    if not nearest:
        check_floats("interpolate", input)
    asked: Any = scale_factor if size is None else size
    each = tuple(asked) if isinstance(asked, (tuple, list)) else (asked,) * len(lengths)
    if len(each) != len(lengths):
        raise ValueError(f"interpolate: expected one number or {len(lengths)} for shape {shapes(input)}, got {asked}")
    if size is not None and not all(isinstance(n, (int, np.integer)) and n >= 1 for n in each):
        raise ValueError(f"interpolate: expected size to be whole numbers of at least 1, got {size!r}")
    out = tuple(int(n) if size is not None else math.floor(length * n) for length, n in zip(lengths, each))
    if min(out) < 1:
        raise ValueError(f"interpolate: nothing is left of {shapes(input)} at scale {scale_factor}")
    own = scale_factor is None or recompute_scale_factor  # the factors are what the lengths amount to
    factors = tuple(count / n if own else float(f) for count, n, f in zip(out, lengths, each))
    if nearest:
        return _nearest(input, out, factors, 0.5 if mode == "nearest-exact" else 0.0)
    if mode == "area":
        return _means(input, out)
    taps = _cubic if mode == "bicubic" else _linear
    if taps is _linear:  # as in PyTorch, a length that stays is copied for any factor
        factors = tuple(1.0 if count == n else f for count, n, f in zip(out, lengths, factors))
    return _weighted(input, [_matrix(taps, n, count, f, align_corners) for n, count, f in zip(lengths, out, factors)])


def _nearest(input: Tensor, out: tuple[int, ...], factors: tuple[float, ...], shift: float) -> Tensor:
    """The elements at floor((i + shift) / factor) of each dimension."""
    lengths = input.shape[2:]
    if not shift and len(out) == 2:  # as in PyTorch, twice the length, or the same, repeats elements for any factor
        factors = tuple(count / n if count in (n, 2 * n) else f for count, n, f in zip(out, lengths, factors))
    repeats = tuple(count // n for count, n in zip(out, lengths))
    if factors == repeats:  # whole repeats need no index, and their gradient is a plain sum
        apart = [k for n in lengths for k in (n, 1)]
        spread = [k for n, times in zip(lengths, repeats) for k in (n, times)]
        repeated = Expand.apply(input.reshape(*input.shape[:2], *apart), shape=(*input.shape[:2], *spread))
        return Clone.apply(repeated, shape=(*input.shape[:2], *out))
    xp, index = array_module(input.array), []
    for d, (count, factor, length) in enumerate(zip(out, factors, lengths)):
        at = np.floor((np.arange(count, dtype=np.float32) + np.float32(shift)) * np.float32(1 / factor)).astype(np.int64)
        index.append(xp.asarray(np.minimum(at, length - 1).reshape([-1 if i == d else 1 for i in range(len(out))])))
    return Take.apply(input, index=(slice(None), slice(None), *index))


@in_float32
def _weighted(input: Tensor, matrices: list[np.ndarray]) -> Tensor:
    """Each dimension of the images multiplied by its matrix (out, in)."""
    for dim, matrix in enumerate(matrices, 2):
        weights = wrap(to_array(matrix.T.astype(input.dtype), None, input.device))
        input = (input.transpose(dim, -1) @ weights).transpose(dim, -1)
    return input


def _matrix(taps: Callable[..., Any], length: int, count: int, factor: float, align_corners: bool | None) -> np.ndarray:
    """The matrix (count, length) of the weights with which the elements of a line become `count` new ones."""
    at = np.arange(count, dtype=np.float64)
    at = at * ((length - 1) / max(count - 1, 1)) if align_corners else (at + 0.5) / factor - 0.5
    matrix = np.zeros((count, length))
    for place, weight in taps(at):
        np.add.at(matrix, (np.arange(count), np.clip(place, 0, length - 1)), weight)
    return matrix


def _linear(at: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two neighbours of each position, and how near it is to them; before the first element only that."""
    at = np.maximum(at, 0)
    first = np.floor(at).astype(np.int64)
    return [(first, 1 - (at - first)), (first + 1, at - first)]


def _cubic(at: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The four neighbours of each position, and their weights in the cubic through them."""
    first = np.floor(at).astype(np.int64)
    return [(first + k - 1, weight) for k, weight in enumerate(cubic_weights(at - first))]


def cubic_weights(rest: Any, a: float = -0.75) -> list[Any]:
    """The weights of the pixels at -1, 0, 1 and 2 for a place at `rest`, from 0 to 1: cubics in the distance (Keys 1981)."""
    near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (rest, 1 - rest)]
    far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (rest + 1, 2 - rest)]
    return [far[0], *near, far[1]]
