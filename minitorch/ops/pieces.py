"""What the rules of piecewise-linear operations share: one branch for each element, with a slope that its neighbours keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.choice import where


def zeroed(a: Any, mask: Any) -> Any:
    """`a`, but exactly 0 where `mask` holds: a product with 0 would make nan of an infinity there.

    Of arrays it is the bits of a number and those of 0 or -1: with a random mask 115,200 numbers take 0.04 ms, by `where` 0.4.
    """
    if isinstance(a, Tensor):
        return where(mask, 0.0, a)
    if a.dtype.itemsize > 8:  # complex128
        return array_module(a).where(mask, a.dtype.type(0), a)
    bits = np.dtype(f"int{8 * a.dtype.itemsize}")
    # in the memory order of the mask: a may be expanded, and its own says nothing; a leaf keeps it without a copy
    out = array_module(a).empty_like(mask, dtype=a.dtype)
    kept = out.view(bits)
    kept[...] = mask.view(backend.int8) - backend.int8.type(1)
    kept &= a.view(bits)
    return out


def flat(ctx: Op, g: Any) -> Any:
    """`g`, the gradient that the rule of `ctx` gives; recorded, with a derivative of 0 by the inputs of `ctx`.

    Which slope a piecewise-linear rule takes depends on its inputs, but a small change of them changes nothing: as in PyTorch
    the second derivative is 0, not an error.
    """
    if not isinstance(g, Tensor):
        return g
    inputs = [edge if isinstance(edge, Tensor) else _of_zeros(edge, g) for edge in ctx.edges if edge is not None]
    return Flat.apply(g, *inputs)


def _of_zeros(node: Any, like: Tensor) -> Tensor:
    """What `node` gave, for the tape alone: zeros that take no memory."""
    xp = array_module(like.array)
    return wrap(xp.broadcast_to(xp.zeros((), node.dtype), node.shape), node)


class Flat(Op):
    """a, whatever the inputs are.  da = g; by the inputs 0."""

    def forward(ctx, a: Any, *inputs: Any) -> Any:
        ctx.kinds: list[tuple[Any, Any]] = [(value.shape, value.dtype) for value in inputs]
        return a.copy()

    def backward(ctx, g: Any) -> Any:
        xp = array_module(g.array if isinstance(g, Tensor) else g)
        zeros = [xp.zeros(*kind) for kind in ctx.kinds]
        return g, *(map(wrap, zeros) if isinstance(g, Tensor) else zeros)


def nothing(g: Any) -> Any:
    """The gradient of a step: zeros in the place of `g`, also where that is infinite."""
    xp = array_module(g.array if isinstance(g, Tensor) else g)
    zeros = xp.zeros(g.shape, g.dtype)
    return Flat.apply(wrap(zeros), g) if isinstance(g, Tensor) else zeros
