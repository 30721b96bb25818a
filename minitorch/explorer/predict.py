"""One question before each step, of six kinds, with the answer that this pass has given and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.node import Leaf
from minitorch.explorer.card import Cards, where
from minitorch.explorer.words import letters, nth, number, shape

KINDS = ["next", "shape", "count", "axes", "add", "sign"]
SHOWN = {"next": list[int](), "count": [0, 1]}  # parts of the card (lines, operation, gradient) that hide the answer


def question(i: int, cards: Cards) -> dict[Any, Any]:
    """The question before step `i`: what is asked, the options, which is right and why, and the parts of the card to show."""
    asked: dict[str, Any] = {}
    for kind, *rest in _questions(i, cards):
        asked.setdefault(kind, rest)
    # each step begins with another kind; "how many arrive" can always be asked
    kind = next(kind for kind in KINDS[i % 6 :] + KINDS if kind in asked)
    ask, right, wrong, why, *more = asked[kind]
    options = sorted(list(dict.fromkeys([right, *wrong]))[:4], key=lambda text: (len(text), text))
    if kind != "count":
        options = [options[k] for k in np.random.default_rng(i).permutation(len(options))]
    told = {"kind": kind, "ask": ask, "options": options, "right": options.index(right), "why": why}
    return told | {"show": SHOWN.get(kind, [0, 1, 2]), **(more[0] if more else {})}


def _questions(i: int, cards: Cards) -> Iterator[tuple[Any, ...]]:
    """What can be asked: the kind, the question, the right answer, others, and why."""
    step = cards.steps[i]
    node, n = step.record.node, sum(map(len, step.parts))
    names = letters(type(node), len(node.edges))

    reached = [other.record for other in cards.steps[i:] if min(cards.due(other)) < i]
    rows = [f"{record.node.title} {where(record)}, node {record.node.number}" for record in reached]
    if len(rows) > 1:
        why = f"Gradients have arrived at all of these. The newest runs, node {node.number}: "
        why += "every node that sends it one is newer, and has run."
        yield "next", ["Which row runs next?"], rows[0], rows[1:], why

    ask: list[Any] = [f"How many gradients arrive at this {node.title} before its rule runs?"]
    why = f"Its output was used {'once' if n == 1 else f'{n} times'}, and each use sends one gradient."
    start = "The pass starts here, with the gradient of the loss with respect to itself, which is 1."
    yield "count", ask, str(n), ["1", "2", "3", "4"], why if i else start

    for position, arrival in sorted(step.sent.items()):
        letter, kept, given = names[position], arrival.grad.shape, np.shape(step.given[position])
        if len(kept) > 1 and isinstance(arrival.edge, Leaf) and step.record.inputs:
            others = [a.shape for a in (*step.record.inputs, *step.incoming) if isinstance(a, np.ndarray)]
            wrong = [shape(s) for s in (kept[::-1], *others, (kept[0], *kept))]
            why = f"A gradient has the shape of what it belongs to: {letter} is {shape(kept)}, with one slope for each number."
            yield "shape", ["What shape will ", ["i", f"d{letter}"], " have?"], shape(kept), wrong, why, {"letter": letter}
        if given != kept:
            right = " and ".join(f"axis {a}" for a in broadcast_dims(given, kept) or ())
            wrong = ["none", *(f"axis {a}" for a in range(len(given))), "axis 0 and axis 1"]
            ask = [f"The rule gives a gradient of shape {shape(given)} for ", ["i", letter], f" {shape(kept)}. "]
            why = f"Forward copied {letter} along {right}; each copy has its own gradient, and they add up."
            yield "axes", [*ask, "Over which axes is it summed?"], right, wrong, why

    for position, target in enumerate(cards.targets.values()):
        k = next((k for k, arrival in enumerate(target.arrivals) if arrival.by is step), None)
        if k is not None and target.after is not None:
            both = ["stored: .grad was empty", "added (+=) to what is there"]
            left = "" if target.before is None else ", and an earlier pass had left its own"
            why = f"It is the {nth(k)} of {len(target.arrivals)} in this pass{left}."
            ask = ["What happens to the gradient of ", ["b", target.name], "?"]
            yield "add", ask, both[k > 0 or target.before is not None], both, why, {"leaf": position}

    g = step.incoming[0]
    for position, arrival in sorted(step.sent.items()):
        d = arrival.grad
        if len(step.incoming) == 1 and d.shape == g.shape and 0 < g.size <= 64 and np.isfinite(d).all() and d.dtype.kind == "f":
            at = tuple(int(k) for k in np.unravel_index(int(np.random.default_rng(i).integers(d.size)), d.shape))
            kinds = ["below 0", "0", "above 0"]
            inputs = [(n, a) for n, a in zip(names, step.record.inputs) if isinstance(a, np.ndarray) and a.shape == d.shape]
            told = ", ".join(f"{n} is {number(a[at])}" for n, a in [("g", g), *inputs])
            ask = ["Is ", ["i", f"d{names[position]}"], f" at {list(at)}" if at else "", " above 0, below 0, or 0?"]
            yield "sign", ask, kinds[int(np.sign(d[at])) + 1], kinds, f"It is {number(d[at])}: {told}."
