"""Mistakes planted into the rules of the engine's own operations, where they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch import Tensor
from minitorch.autograd.explain import diagnose
from minitorch.autograd.op import Op
from minitorch.autograd.trial import Trial
from tests.check.captured import Call

Answers = tuple[Any, ...]


def each(change: Callable[[Any], Any]) -> Callable[[Answers], Answers]:
    return lambda answers: tuple(None if answer is None else change(answer) for answer in answers)


def zeroed(ctx: Op, gs: tuple) -> tuple:
    for g in gs:
        if isinstance(g, np.ndarray):
            g *= 2
    return gs


# the kind that the mistake is to be called; alternatives are separated by |
AFTER: dict[str, Callable[[Answers], Any]] = {
    "factor": each(lambda a: a * 0.5),
    "factor ": each(lambda a: a * 3.0),
    "sign|swapped or sign": each(lambda a: a * -1.0),
    "returned None": lambda answers: None,
    "list": list,
    "count": lambda answers: (*answers, None),
    "zero": each(lambda a: a * 0.0),
    "float32": each(lambda a: np.asarray(a, np.float64)),
}
BEFORE: dict[str, Callable[[tuple], tuple]] = {
    "ignores g|zero": each(lambda g: g * 0 + 1),
    "g squared": each(lambda g: g * g),
    "adds to g": each(lambda g: g + 1),
    "sign of g|not linear": each(abs),
    "not linear": each(lambda g: g / (1 + g * g)),
}


def planted(call: Call) -> Iterator[tuple[str, type[Op]]]:
    """(kind, operation with that mistake) for all that fit."""
    right = call.op.backward

    def variant(backward: Any) -> type[Op]:
        return type(call.op.__name__, (call.op,), {"backward": backward, "__qualname__": f"<locals>.{call.op.__name__}"})

    def answers(ctx: Op, gs: tuple) -> tuple:
        result = right(ctx, *gs)
        return result if isinstance(result, tuple) else (result,)

    for kind, change in AFTER.items():
        yield kind.strip(), variant(lambda ctx, *gs, change=change: change(answers(ctx, gs)))
    for kind, change in BEFORE.items():
        yield kind, variant(lambda ctx, *gs, change=change: answers(ctx, change(gs)))
    yield "changes g", variant(lambda ctx, *gs: answers(ctx, zeroed(ctx, gs)))
    moving = [i for i, value in enumerate(call.inputs) if isinstance(value, Tensor) and value.requires_grad]
    if len(moving) == 2 and len(call.inputs) == 2:
        same = call.inputs[0].shape == call.inputs[1].shape
        kind = (
            "swapped|swapped or sign|of another|transposed|wrong factor"
            if same
            else "shapes swapped|swapped|shape|summed wrongly|not summed"
        )
        yield kind, variant(lambda ctx, *gs: answers(ctx, gs)[::-1])


def verdicts(call: Call, orders: int = 1) -> Iterator[tuple[str, str, str]]:
    """For each mistake: the kind it is, what it was called ("" if accepted), and the sentence.

    Left out are those that change no number: a gradient that is zero on these inputs hides them.
    """
    truth = diagnose(call.op, *call.inputs, orders=orders, **call.parameters)
    if truth is not None:  # these inputs cannot tell
        return
    for kind, op in planted(call):
        if kind not in ("float32", "changes g") and unchanged(call, op):
            continue
        found = diagnose(op, *call.inputs, orders=orders, **call.parameters)
        yield kind, "" if found is None else found.kind, str(found)


def unchanged(call: Call, op: type[Op]) -> bool:
    """Whether the rule still gives the same, as one does whose gradients sum to zero if a number is added to g."""
    one, two = (Trial(each, tuple(call.inputs), call.parameters) for each in (call.op, op))
    g = one.random()
    try:
        a, b = one.gradients(g), two.gradients(g)
        return all(np.allclose(a[i], b[i], rtol=1e-9, atol=1e-9) for i in one.places)
    except Exception:
        return False
