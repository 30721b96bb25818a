"""What the rules of piecewise-linear operations share: one branch for each element, with a slope that its neighbours keep."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.ops.choice import BITS, where
from minitorch.ops.strips import passes
from minitorch.threads import CHEAP, run


def masked(a: Any, mask: Any, out: Any = None) -> Any:
    """`a` where `mask` holds, else exactly 0: a product with 0 would make nan of an infinity there.

    On arrays the bits are multiplied as integers: with a random mask 115,200 numbers take 0.04 ms, by `where` 0.4.
    """
    if isinstance(a, Tensor):
        return where(mask, a, 0.0)
    xp, bits = array_module(a), BITS.get(a.dtype.itemsize)

    def keep(out: Any, a: Any, mask: Any) -> None:
        out[...] = mask  # with this conversion inside the product 1.1 to 1.7 times as long
        out *= a

    if out is None:  # in the memory order of the mask: a may be expanded, and its own says nothing; a leaf keeps it uncopied
        out = xp.empty_like(mask, dtype=a.dtype)
    if bits is None:  # complex128
        out[...] = xp.where(mask, a, 0)
    elif a.shape != out.shape:
        keep(out.view(bits), a.view(bits), mask)
    else:
        run(keep, passes(out.view(bits), a.view(bits), mask), CHEAP)
    return out


def flat(ctx: Op, g: Any) -> Any:
    """`g`, the gradient from the rule of `ctx`; if it is recorded, its derivative by the inputs of `ctx` is 0.

    Which slope a piecewise-linear rule takes depends on its inputs, but a small change of them changes nothing: as in PyTorch
    the second derivative is 0, not an error.
    """
    if not isinstance(g, Tensor):
        return g
    inputs = [edge if isinstance(edge, Tensor) else _of_zeros(edge, g) for edge in ctx.edges if edge is not None]
    return Flat.apply(g, *inputs)


def _of_zeros(node: Any, like: Tensor) -> Tensor:
    """Zeros without memory in place of the output of `node`, for the tape only."""
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
    zeros = array_module(g.array if isinstance(g, Tensor) else g).zeros(g.shape, g.dtype)
    return Flat.apply(wrap(zeros), g) if isinstance(g, Tensor) else zeros
