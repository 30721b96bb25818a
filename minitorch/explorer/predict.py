"""One question before each step, of six kinds, with the answer that this pass has given and the reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.autograd.node import Leaf
from minitorch.explorer.card import Cards, place, summed_axes
from minitorch.explorer.recorder import Pass, Step
from minitorch.explorer.words import letters, nth, number, shape

LINES, OPERATION, GRADIENT = 0, 1, 2  # the parts of a card that may be shown before the answer


def question(i: int, run: Pass, cards: Cards) -> dict[Any, Any]:
    """The question before step `i`: what is asked, the options, which is right and why, and the parts of the card to show."""
    step, makers = run.steps[i], [_next, _shape, _count, _axes, _added, _sign]
    asked: list[dict[Any, Any]] = []
    for k in range(len(makers)):  # each step begins with another kind; how many arrive can always be asked
        asked = asked or makers[(i + k) % len(makers)](i, step, run, cards)
    options = list(dict.fromkeys([asked[0]["right"], *asked[0].pop("wrong")]))[:4]
    options.sort(key=lambda text: (len(text), text))
    if asked[0]["kind"] != "count":
        options = [options[k] for k in np.random.default_rng(i).permutation(len(options))]
    return asked[0] | {"right": options.index(asked[0]["right"]), "options": options}


def _asked(
    kind: str,
    ask: list[Any],
    right: str,
    wrong: list[str],
    why: str,
    show: tuple[Any, ...] = (LINES, OPERATION, GRADIENT),
    **more: Any,
) -> list[Any]:
    return [{"kind": kind, "ask": ask, "right": right, "wrong": wrong, "why": why, "show": list(show), **more}]


def _next(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    reached = [any(cards.rows.get(id(a.by), -1) < i for parts in other.parts for a in parts) for other in run.steps]
    records = [other.record for other, there in zip(run.steps[i:], reached[i:]) if there]
    names = [f"{record.node.title} {place(record)}, node {record.node.number}" for record in records]
    why = f"Gradients have arrived at all of these. The newest runs, node {step.record.node.number}: "
    why += "whatever could still send it one is newer, and has run."
    return _asked("next", ["Which row runs next?"], names[0], names[1:], why, ()) if len(names) > 1 else []


def _shape(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    for position, letter in enumerate(letters(type(step.record.node), len(step.rule.edges))):
        wanted = step.sent[position].grad.shape if position in step.sent else ()
        if len(wanted) > 1 and isinstance(step.rule.edges[position], Leaf) and step.record.inputs:
            others = [a.shape for a in (*step.record.inputs, *step.incoming) if isinstance(a, np.ndarray)]
            wrong = [shape(s) for s in (wanted[::-1], *others, (wanted[0], *wanted))]
            why = (
                f"A gradient has the shape of what it belongs to: {letter} is {shape(wanted)}, with one slope for each number."
            )
            hidden = cards.operation(step.record, letter)
            return _asked("shape", ["What shape will ", ["i", f"d{letter}"], " have?"], shape(wanted), wrong, why, op=hidden)
    return []


def _count(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    n = sum(len(parts) for parts in step.parts)
    why = f"Its output was used {'once' if n == 1 else f'{n} times'}, and each use sends one gradient."
    why = why if i else "The pass starts here, with the gradient of the loss with respect to itself, which is 1."
    ask = [f"How many gradients arrive at this {step.record.node.title} before its rule runs?"]
    return _asked("count", ask, str(n), ["1", "2", "3", "4"], why, (LINES, OPERATION))


def _axes(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    for position, letter in enumerate(letters(type(step.record.node), len(step.rule.edges))):
        if position in step.sent and np.shape(step.given[position]) != step.sent[position].grad.shape:
            given, kept = np.shape(step.given[position]), step.sent[position].grad.shape
            right = " and ".join(f"axis {a}" for a in summed_axes(given, kept))
            wrong = ["none", *(f"axis {a}" for a in range(len(given))), "axis 0 and axis 1"]
            ask = [f"The rule gives a gradient of shape {shape(given)} for ", ["i", letter], f" {shape(kept)}. "]
            why = f"Forward copied {letter} along {right}; each copy has its own gradient, and they add up."
            return _asked("axes", [*ask, "Over which axes is it summed?"], right, wrong, why)
    return []


def _added(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    for position, target in enumerate(run.targets.values()):
        k = next((k for k, arrival in enumerate(target.arrivals) if arrival.by is step), None)
        if k is not None and target.after is not None:
            both = ["stored: .grad was empty", "added (+=) to what is there"]
            right = both[k > 0 or target.before is not None]
            left = "" if target.before is None else ", and an earlier pass had left its own"
            why = f"It is the {nth(k)} of {len(target.arrivals)} in this pass{left}."
            ask = ["What happens to the gradient of ", ["b", target.name], "?"]
            return _asked("add", ask, right, both, why, leaf=position)
    return []


def _sign(i: int, step: Step, run: Pass, cards: Cards) -> list[Any]:
    g, names = step.incoming[0], letters(type(step.record.node), len(step.rule.edges))
    for position, arrival in sorted(step.sent.items()):
        d = arrival.grad
        if (
            len(step.incoming) > 1
            or d.shape != g.shape
            or not 0 < g.size <= 64
            or not np.isfinite(d).all()
            or d.dtype.kind == "c"
        ):
            continue
        at = tuple(int(k) for k in np.unravel_index(int(np.random.default_rng(i).integers(d.size)), d.shape))
        kinds = ["below 0", "0", "above 0"]
        inputs = [(n, a) for n, a in zip(names, step.record.inputs) if isinstance(a, np.ndarray) and a.shape == d.shape]
        told = ", ".join(f"{n} is {number(a[at])}" for n, a in [("g", g), *inputs])
        where = f" at {list(at)}" if at else ""
        ask = ["Is ", ["i", f"d{names[position]}"], f"{where} above 0, below 0, or 0?"]
        return _asked("sign", ask, kinds[int(np.sign(d[at])) + 1], kinds, f"It is {number(d[at], 4)}: {told}.")
    return []
