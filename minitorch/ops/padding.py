"""Padding: a constant, or more of the tensor itself, around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.dims import along, shapes
from minitorch.ops.dims import whole as whole_number
from minitorch.ops.joining import cat
from minitorch.ops.shape import clone, flip

_MODES = ("constant", "reflect", "replicate", "circular")


class Pad(Op):
    """a with `value` around it, `widths` (before, after) per dimension; a negative width crops.  da = the middle of g."""

    def forward(ctx, a: Any, widths: Any, value: Any) -> Any:
        ctx.widths = widths
        lengths = [n + before + after for n, (before, after) in zip(a.shape, widths)]
        if min(lengths, default=0) < 0:
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
    "circular" the elements from the other end. Negative widths crop. Raises ValueError for an odd or too long `pad`, for
    another mode, and, where the mode is not "constant", for a `value`, for an input that is not one or two dimensions more
    than are padded, and for widths beyond what the tensor has.
    """
    if mode not in _MODES:
        raise ValueError(f"pad: expected mode {', '.join(map(repr, _MODES))}, got {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(f"pad: expected (before, after) for at most {input.ndim} dimensions, got {tuple(pad)}")
    widths = [whole_number("pad", "a width", width) for width in pad]
    pairs = tuple(zip(widths[::2], widths[1::2]))[::-1]
    if not pairs:
        return clone(input)
    if mode == "constant":
        return Pad.apply(input, widths=((0, 0),) * (input.ndim - len(pairs)) + pairs, value=0 if value is None else value)
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
    whole = cat([piece for piece, width in ((parts[0], before), (input, 1), (parts[1], after)) if width], dim)
    return Pad.apply(whole, widths=cropped, value=0) if crops else whole
