"""One question before each step, of six kinds, with the answer that this pass has given and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.node import Leaf
from minitorch.explorer.recorder import Pass, Step
from minitorch.explorer.words import nth, number, reading, shape

KINDS = ["next", "shape", "count", "axes", "add", "sign"]
SHOWN = {"next": list[int](), "count": [0, 1]}  # parts of the card (lines, operation, gradient) that hide the answer


def question(step: Step, run: Pass) -> dict[Any, Any]:
    """The question before a step: what is asked, the options, which is right and why, and the parts of the card to show."""
    asked: dict[str, Any] = {}
    for kind, *rest in _questions(step, run):
        asked.setdefault(kind, rest)
    # each step begins with another kind; "how many arrive" can always be asked
    kind = next(kind for kind in KINDS[step.row % 6 :] + KINDS if kind in asked)
    ask, right, wrong, why, *more = asked[kind]
    options = sorted(list(dict.fromkeys([right, *wrong]))[:4], key=lambda text: (len(text), text))
    if kind != "count":
        options = [options[k] for k in np.random.default_rng(step.row).permutation(len(options))]
    told = {"kind": kind, "ask": ask, "options": options, "right": options.index(right), "why": why}
    return told | {"show": SHOWN.get(kind, [0, 1, 2]), **(more[0] if more else {})}


def _questions(step: Step, run: Pass) -> Iterator[tuple[Any, ...]]:
    """What can be asked: the kind, the question, the right answer, others, and why."""
    node, row, n = step.node, step.row, sum(map(len, step.parts))
    letters = reading(type(node), len(node.edges))[0]
    reached = [s for s in run.steps.values() if s.row >= row and any(a.by.row < row for came in s.parts for a in came)]
    rows = [f"{other.node.title} {other.where}, node {other.node.number}" for other in reached]
    if len(rows) > 1:
        why = f"Gradients have arrived at all of these. The newest runs, node {node.number}: "
        why += "every node that sends it one is newer, and has run."
        yield "next", ["Which row runs next?"], rows[0], rows[1:], why

    ask: list[Any] = [f"How many gradients arrive at this {node.title} before its rule runs?"]
    why = f"Its output was used {'once' if n == 1 else f'{n} times'}, and each use sends one gradient."
    start = "The pass starts here, with the gradient of the loss with respect to itself, which is 1."
    yield "count", ask, str(n), ["1", "2", "3", "4"], why if row else start

    for position, target in enumerate(run.targets.values()):
        k = next((k for k, arrival in enumerate(target.arrivals) if arrival.by is step), None)
        if k is not None and target.after is not None:
            both = ["stored: .grad was empty", "added (+=) to what is there"]
            left = "" if target.before is None else ", and an earlier pass had left its own"
            why = f"It is the {nth(k)} of {len(target.arrivals)} in this pass{left}."
            ask = ["What happens to the gradient of ", ["b", target.name], "?"]
            yield "add", ask, both[k > 0 or target.before is not None], both, why, {"leaf": position}

    for position, arrival in sorted(step.sent.items()):
        letter, d, g, given = letters[position], arrival.grad, step.incoming[0], np.shape(step.given[position])
        known = {name: a for name, a in zip(letters, step.inputs) if isinstance(a, np.ndarray)}
        if d.ndim > 1 and isinstance(arrival.edge, Leaf) and step.inputs:
            wrong = [shape(s) for s in (d.shape[::-1], *(a.shape for a in known.values()), g.shape, (len(d), *d.shape))]
            why = (
                f"A gradient has the shape of what it belongs to: {letter} is {shape(d.shape)}, with one slope for each number."
            )
            yield "shape", ["What shape will ", ["i", f"d{letter}"], " have?"], shape(d.shape), wrong, why, {"letter": letter}
        if given != d.shape:
            right = " and ".join(f"axis {a}" for a in broadcast_dims(given, d.shape) or ())
            wrong = ["none", *(f"axis {a}" for a in range(len(given))), "axis 0 and axis 1"]
            ask = [f"The rule gives a gradient of shape {shape(given)} for ", ["i", letter], f" {shape(d.shape)}. "]
            why = f"Forward copied {letter} along {right}; each copy has its own gradient, and they add up."
            yield "axes", [*ask, "Over which axes is it summed?"], right, wrong, why
        if len(step.incoming) == 1 and d.shape == g.shape and 0 < g.size <= 64 and np.isfinite(d).all() and d.dtype.kind == "f":
            at = tuple(int(k) for k in np.unravel_index(int(np.random.default_rng(row).integers(d.size)), d.shape))
            kinds = ["below 0", "0", "above 0"]
            told = ", ".join(f"{name} is {number(a[at])}" for name, a in {"g": g, **known}.items() if a.shape == d.shape)
            ask = ["Is ", ["i", f"d{letter}"], f" at {list(at)}" if at else "", " above 0, below 0, or 0?"]
            yield "sign", ask, kinds[int(np.sign(d[at])) + 1], kinds, f"It is {number(d[at])}: {told}."
