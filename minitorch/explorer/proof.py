"""Checks of a rule on the numbers it was given: is it right, and what has each term of the loss sent through it?

A rule is compared with the operation's own values when inputs move a little in one direction. The complex step subtracts
nothing and is exact to rounding; for operations that are not analytic (abs, floor, comparisons) central differences give half
of the digits. A rule is linear in its incoming gradient, so it is run again on each loss term's part alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.differences import complex_step
from minitorch.autograd.node import Leaf
from minitorch.autograd.tensor import wrap
from minitorch.autograd.trial import Trial, is_floating
from minitorch.explorer.words import finite
from minitorch.ops.arithmetic import Add, Div, Mul, Neg, Sub

COMPLEX, CENTRAL, UNKNOWN, WRONG = "complex step", "central difference", "not checked", "wrong"


class Proof(NamedTuple):
    """How a rule was checked, its error relative to the sizes of what is added up, and a remark."""

    way: str
    error: float | None = None
    note: str = ""


class Term(NamedTuple):
    """One summand of a loss: `weight` times `value`."""

    name: str
    weight: float
    value: float


def examine(run: Any, named: dict[Any, str]) -> None:
    """Check each rule of a pass on its numbers, and split what it sends by loss term.

    Raises ValueError if a node in `named` is not a term of the loss.
    """
    inside = _split(run, named)
    for step in run.steps.values():
        trial, reason = None, _hindrance(step)
        if not reason:
            try:  # the operation and its rule, run again in float64 on what it was given
                inputs = tuple(wrap(a).requires_grad_() if i in step.sent else a for i, a in enumerate(step.inputs))
                wide = {key: a.astype(np.float64) if is_floating(a) else a for key, a in step.parameters.items()}
                again = Trial(getattr(step.node, "function", None) or type(step.node), inputs, wide)
                again.gradients(again.first.flat(tuple(step.incoming)))
                trial = again
            except Exception as error:
                reason = f"it does not run in float64: {error}"
        step.proof = _proved(step, trial) if trial else Proof(UNKNOWN, None, reason)
        if step in inside or not step.sent:
            continue
        if trial is None or len(run.terms) < 2 or step.hooked:
            run.terms = []  # there is only one, or what this step sends of each is unknown
            continue
        for t in range(len(run.terms)):
            given = [sum((a.terms[t] for a in parts), np.zeros(g.shape)) for g, parts in zip(step.incoming, step.parts)]
            for position, part in trial.gradients(trial.first.flat(tuple(given))).items():
                step.sent[position].terms.append(part)
    for arrival in (arrival for target in run.targets.values() for arrival in target.arrivals if not run.terms):
        arrival.terms = [arrival.grad]


def _hindrance(step: Any) -> str:
    """Why a rule cannot be run again."""
    if not step.inputs:
        return "it ran before the block, so its inputs were not seen"
    arrays = [a for a in (*step.incoming, *step.inputs, *step.outputs) if isinstance(a, np.ndarray)]
    if any(array.dtype.kind == "c" for array in arrays):
        return "complex numbers have no single slope"
    return "" if step.sent else "none of its gradients was asked for"


def _proved(step: Any, trial: Trial) -> Proof:
    """Compare the slope of the operation's values with the rule's gradients, in float64, in one random direction."""
    sent, weights = step.sent, trial.first.flat(tuple(step.incoming)).astype(np.float64)
    results = [trial.first.results[j] for j in trial.first.outs]
    if not finite(weights, *trial.inputs, *results, *(arrival.grad for arrival in sent.values())):
        return Proof(UNKNOWN, None, "some of its numbers are not finite")
    if narrow := [a.dtype for a in map(np.asarray, results) if a.dtype != np.float64]:
        return Proof(UNKNOWN, None, f"it rounds to {narrow[0]}, so its values do not show small steps")
    if step.parameters.get("padding_idx") is not None:
        return Proof(UNKNOWN, None, "its rule gives no gradient at padding_idx, on purpose")
    if "place" in step.parameters:
        return Proof(UNKNOWN, None, "it writes into the memory of its input, and cannot be run again")
    moves = {i: trial.generator.standard_normal(sent[i].grad.shape) for i in sorted(sent)}
    parts = [moves[i] * grad for i, grad in trial.gradients(weights).items()]
    said, shown = sum(float(part.sum()) for part in parts), sum(float((moves[i] * sent[i].grad).sum()) for i in moves)
    # where the gradients cancel, as a softmax's of equal g do, what is left is rounding, to be measured by the size of g
    size = sum(float(np.abs(part).sum()) for part in parts) + 1e-3 * float(np.abs(weights).sum()) or 1.0
    rounding = max(float(np.finfo(arrival.grad.dtype).eps) for arrival in sent.values())
    if not abs(shown - said) <= 1e4 * rounding * size:
        return Proof(WRONG, abs(shown - said) / size, "the gradient is not what the rule gives in float64")

    def values(step: np.ndarray) -> np.ndarray:
        moved = [a.astype(step.dtype) + step[0] * moves.get(i, 0) if is_floating(a) else a for i, a in enumerate(trial.inputs)]
        return np.atleast_1d(trial.on(moved).values() @ weights)

    note = "" if rounding < 1e-15 else f"in float64; the pass rounds to {rounding:.6g}"
    try:
        error = abs(float(complex_step(values, np.zeros(1), (0,))[0][0]) - said) / size
    except Exception:
        error = np.inf  # not made for complex numbers
    if error <= 1e-12:
        return Proof(COMPLEX, error, note)
    below, middle, above = (float(values(np.array([step]))[0]) for step in (-1e-6, 0.0, 1e-6))
    if abs(above - middle - (middle - below)) > 1e-10 * size:
        return Proof(UNKNOWN, None, "these numbers lie at a kink, where the slopes to both sides differ")
    error = abs((above - below) / 2e-6 - said) / size
    if error <= 1e-6:
        return Proof(CENTRAL, error, "; ".join(filter(None, (f"{step.node.title} is not analytic", note))))
    return Proof(WRONG, error, "the operation's values say something else")


def _split(run: Any, named: dict[Any, str]) -> set[Any]:
    """Find the terms of the loss if it is a sum of scalars, split what the sum sends them, and return the steps of the sum."""
    inside: set[Any] = set()
    frontier = list(run.start.sent.values())
    if len(frontier) != 1 or frontier[0].grad.size != 1 or frontier[0].grad.dtype.kind != "f":
        return inside
    start = float(frontier[0].grad.item()) or 1.0
    for node, step in run.steps.items():
        # does it add scalars, or multiply or divide one by a constant?
        wanted, kind = [i for i, edge in enumerate(node.edges) if edge is not None], type(node)
        adds = kind in (Add, Sub, Neg) or (kind is Mul and len(wanted) == 1) or (kind is Div and wanted == [0])
        adds = adds and step.inputs and all(np.size(value) == 1 for value in step.inputs)
        arrivals = [arrival for parts in step.parts for arrival in parts]
        if adds and node not in named and all(arrival in frontier for arrival in arrivals):
            frontier = [arrival for arrival in frontier if arrival not in arrivals] + list(step.sent.values())
            inside.add(step)
    edges = list(dict.fromkeys(arrival.edge for arrival in frontier))
    missing = [name for edge, name in named.items() if edge not in edges]
    if missing:
        raise ValueError(f"explore: the loss is not a sum in which {', '.join(map(repr, missing))} is a term")
    for edge in edges:
        arrivals, step = [arrival for arrival in frontier if arrival.edge is edge], run.steps.get(edge)
        first, line = arrivals[0], step.source if step else ""
        name = named.get(edge) or (first.by.names[first.position] if first.by.names else "")
        name = name or (line if 0 < len(line) <= 40 else getattr(edge, "title", "leaf"))
        value = edge.variable.array if isinstance(edge, Leaf) else step.outputs[0] if step and step.outputs else np.nan
        weight = float(f"{sum(float(arrival.grad.item()) for arrival in arrivals) / start:.6g}")
        run.terms.append(Term(name, weight, float(np.asarray(value).reshape(-1)[0])))
    for arrival in frontier:
        arrival.terms = [arrival.grad * float(edge is arrival.edge) for edge in edges]
    return inside
