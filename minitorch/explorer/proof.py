"""Is a rule right on the numbers that it was given? Asked of the operation's own values, moved a little in one direction.

The complex step (see `minitorch.autograd.gradcheck`) subtracts nothing, so it tells to rounding. Where an operation is not
analytic (abs, floor, comparisons of sizes) central differences tell to half of the digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import is_array
from minitorch.explorer.terms import fitted

COMPLEX, CENTRAL, UNKNOWN, WRONG = "complex step", "central difference", "not checked", "wrong"


class Proof(NamedTuple):
    """How a rule was checked, how far off it was, relative to the sizes of what adds up, and what else there is to say."""

    way: str
    error: float | None = None
    note: str = ""


NOT_YET: Final = Proof(UNKNOWN)


class Input(NamedTuple):
    """The place, in recorded parameters, of the input at `position`."""

    position: int


def replaced(value: Any, change: Any) -> Any:
    """`value` with each array and `Input` in nested tuples, lists, dictionaries and tensors put through `change`."""
    if isinstance(value, Tensor):
        return wrap(replaced(value.array, change))
    if isinstance(value, dict):
        return {key: replaced(entry, change) for key, entry in value.items()}
    if type(value) in (tuple, list):
        return type(value)(replaced(entry, change) for entry in value)
    return change(value) if is_array(value) or isinstance(value, Input) else value


def prove(step: Any) -> Proof:
    """Compare the slope of the operation's values with the rule's gradients, in float64, in one random direction."""
    record, wanted = step.record, sorted(step.sent)
    if not record.inputs:
        return Proof(UNKNOWN, note="it ran before the block, so its inputs were not seen")
    arrays = [*step.incoming, *(step.sent[i].grad for i in wanted), *filter(is_array, [*record.inputs, *record.outputs])]
    if any(array.dtype.kind == "c" for array in arrays):
        return Proof(UNKNOWN, note="complex numbers have no single slope")
    if not all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f"):
        return Proof(UNKNOWN, note="some of its numbers are not finite")
    if record.parameters.get("padding_idx") is not None:
        return Proof(UNKNOWN, note="its rule gives no gradient at padding_idx, on purpose")
    if not wanted:
        return Proof(UNKNOWN, note="none of its gradients was asked for")
    generator = np.random.default_rng(0)
    moves = {i: generator.standard_normal(record.inputs[i].shape) for i in wanted}
    weights = [g.astype(np.float64) for g in step.incoming]
    try:
        parts = [moves[i] * grad for i, grad in zip(wanted, _rule_in_float64(step, weights, wanted))]
    except Exception as reason:
        return Proof(UNKNOWN, note=f"it does not run in float64: {reason}")
    shown = sum(float((moves[i] * step.sent[i].grad).sum()) for i in wanted)
    said = sum(float(part.sum()) for part in parts)
    # where the gradients cancel, as a softmax's of equal g do, what is left is rounding, to be measured by the size of g
    size = sum(float(np.abs(part).sum()) for part in parts) + 1e-3 * sum(float(np.abs(g).sum()) for g in weights) or 1.0
    rounding = max(float(np.finfo(step.sent[i].grad.dtype).eps) for i in wanted)
    if abs(shown - said) > 1e4 * rounding * size:
        return Proof(WRONG, abs(shown - said) / size, "the gradient is not what the rule gives in float64")
    note = "" if rounding < 1e-15 else f"in float64; the pass rounds to {rounding:.0e}"
    with np.errstate(all="ignore"):
        try:
            h = 1e-30
            error = abs(_dot(weights, _values(step, moves, 1j * h), "imag") / h - said) / size
        except Exception:
            error = np.inf  # not made for complex numbers
        if error <= 1e-12:
            return Proof(COMPLEX, error, note)
        h = 1e-6
        middle, up, down = (_dot(weights, _values(step, moves, shift), "real") for shift in (0, h, -h))
    if abs((up - middle) - (middle - down)) / h > 1e-4 * size:
        return Proof(UNKNOWN, note="these numbers lie at a kink, where the slopes to both sides differ")
    error = abs((up - down) / (2 * h) - said) / size
    if error <= 1e-6:
        return Proof(CENTRAL, error, f"{record.node.title} is not analytic" + (f"; {note}" if note else ""))
    return Proof(WRONG, error, "the operation's values say something else")


def _dot(weights: list[np.ndarray], values: Sequence[Any], part: str) -> float:
    return sum(float((weight * getattr(np.asarray(value), part)).sum()) for weight, value in zip(weights, values))


def _ready(step: Any, change: Any) -> tuple[Op, list[Any], dict[Any, Any]]:
    """A fresh node, and what the operation ran on with each floating-point array put through `change(array, position)`."""
    record = step.record
    node = type(record.node)()
    node.saved, node.edges = (), step.rule.edges

    def changed(value: Any, position: int | None = None) -> Any:
        if isinstance(value, Input):
            return inputs[value.position]
        return change(value, position) if is_array(value) and value.dtype.kind == "f" else value

    inputs = [changed(value, i) for i, value in enumerate(record.inputs)]
    return node, inputs, replaced(record.parameters, changed)


def _values(step: Any, moves: dict[int, np.ndarray], shift: complex) -> Sequence[Any]:
    """The outputs with the inputs moved by `shift` times `moves`."""
    kind = np.result_type(np.float64, type(shift))
    node, inputs, parameters = _ready(step, lambda a, i: np.array(a.astype(kind) + (shift * moves[i] if i in moves else 0)))
    out = node.forward(*inputs, **parameters)
    outs = out if type(out) is tuple else (out,)
    return [out for out in outs if np.asarray(out).dtype.kind in "fc"]


def _rule_in_float64(step: Any, weights: list[Any], wanted: list[int]) -> list[np.ndarray]:
    node, inputs, parameters = _ready(step, lambda a, i: a.astype(np.float64))
    node.forward(*inputs, **parameters)
    node.saved = tuple(np.asarray(entry) if isinstance(entry, np.generic) else entry for entry in node.saved)
    grads = node.backward(*weights)
    grads = grads if type(grads) is tuple else (grads,)
    return [fitted(grads[i], step.sent[i].grad.shape, np.float64) for i in wanted]
