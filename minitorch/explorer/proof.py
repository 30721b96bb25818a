"""Checks of a rule on the numbers it was given: is it right, and what has each term of the loss sent through it?

A rule is compared with the operation's own values when inputs move a little in one direction. The complex step subtracts
nothing and is exact to rounding; for operations that are not analytic (abs, floor, comparisons) central differences give half
of the digits. A rule is linear in its incoming gradient, so it is run again on each loss term's part alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from minitorch.autograd.differences import complex_step
from minitorch.autograd.node import Leaf
from minitorch.autograd.tensor import wrap
from minitorch.autograd.trial import Trial, is_floating
from minitorch.ops.arithmetic import Add, Div, Mul, Neg, Sub

COMPLEX, CENTRAL, UNKNOWN, WRONG = "complex step", "central difference", "not checked", "wrong"


class Proof(NamedTuple):
    """How a rule was checked, its error relative to the sizes of what is added up, and a remark."""

    way: str
    error: float | None = None
    note: str = ""


NOT_YET: Final = Proof(UNKNOWN)


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
    for step in run.steps:
        trial, reason = None, _hindrance(step)
        try:
            trial = None if reason else _trial(step)
        except Exception as error:
            reason = f"it does not run in float64: {error}"
        step.proof = _proved(step, trial) if trial else Proof(UNKNOWN, note=reason)
        if step not in inside and step.sent and (trial is None or len(run.terms) < 2):
            run.terms = []  # there is only one, or what this step sends is unknown
        elif step not in inside and trial:
            _pass_on(step, trial, len(run.terms))
    for arrival in (arrival for target in run.targets.values() for arrival in target.arrivals if not run.terms):
        arrival.terms = [arrival.grad]


# ---- is it right? --------------------------------------------------------------------------------------------------------


def _hindrance(step: Any) -> str:
    record = step.record
    if not record.inputs:
        return "it ran before the block, so its inputs were not seen"
    if not step.sent:
        return "none of its gradients was asked for"
    arrays = [a for a in (*step.incoming, *record.inputs, *record.outputs) if isinstance(a, np.ndarray)]
    return "complex numbers have no single slope" if any(array.dtype.kind == "c" for array in arrays) else ""


def _trial(step: Any) -> Trial:
    """The operation and its rule, run again in float64 on what it was given."""
    node = step.record.node
    inputs = [wrap(a).requires_grad_() if i in step.sent else a for i, a in enumerate(step.record.inputs)]
    trial = Trial(getattr(node, "function", None) or type(node), tuple(inputs), step.record.parameters)
    trial.gradients(_flat(step.incoming, trial))
    return trial


def _flat(grads: list[Any], trial: Trial) -> np.ndarray:
    return trial.first.flat(tuple(grads)).astype(np.float64)


def _proved(step: Any, trial: Trial) -> Proof:
    """Compare the slope of the operation's values with the rule's gradients, in float64, in one random direction."""
    sent, weights, given = step.sent, _flat(step.incoming, trial), step.record.parameters
    if not all(np.isfinite(a).all() for a in (weights, *trial.inputs, *trial.first.results) if is_floating(a)):
        return Proof(UNKNOWN, note="some of its numbers are not finite")
    if given.get("padding_idx") is not None:
        return Proof(UNKNOWN, note="its rule gives no gradient at padding_idx, on purpose")
    if "place" in given:
        return Proof(UNKNOWN, note="it writes into the memory of its input, and cannot be run again")
    moves = {i: trial.generator.standard_normal(sent[i].grad.shape) for i in sorted(sent)}
    parts = [moves[i] * grad for i, grad in trial.gradients(weights).items()]
    said, shown = sum(float(part.sum()) for part in parts), sum(float((moves[i] * sent[i].grad).sum()) for i in moves)
    # where the gradients cancel, as a softmax's of equal g do, what is left is rounding, to be measured by the size of g
    size = sum(float(np.abs(part).sum()) for part in parts) + 1e-3 * float(np.abs(weights).sum()) or 1.0
    rounding = max(float(np.finfo(arrival.grad.dtype).eps) for arrival in sent.values())
    if not abs(shown - said) <= 1e4 * rounding * size:
        return Proof(WRONG, abs(shown - said) / size, "the gradient is not what the rule gives in float64")
    note = "" if rounding < 1e-15 else f"in float64; the pass rounds to {rounding:.6g}"

    def values(step: np.ndarray) -> np.ndarray:
        moved = [a.astype(step.dtype) + step[0] * moves.get(i, 0) if is_floating(a) else a for i, a in enumerate(trial.inputs)]
        return np.atleast_1d(trial.on(moved).values() @ weights)

    try:
        error = abs(float(complex_step(values, np.zeros(1), (0,))[0][0]) - said) / size
    except Exception:
        error = np.inf  # not made for complex numbers
    if error <= 1e-12:
        return Proof(COMPLEX, error, note)
    h = 1e-6
    middle, up, down = (float(values(np.array([shift]))[0]) for shift in (0.0, h, -h))
    if abs((up - middle) - (middle - down)) / h > 1e-4 * size:
        return Proof(UNKNOWN, note="these numbers lie at a kink, where the slopes to both sides differ")
    error = abs((up - down) / (2 * h) - said) / size
    if error <= 1e-6:
        return Proof(CENTRAL, error, f"{step.record.node.title} is not analytic" + (f"; {note}" if note else ""))
    return Proof(WRONG, error, "the operation's values say something else")


# ---- which term of the loss sent it? -------------------------------------------------------------------------------------


def _split(run: Any, named: dict[Any, str]) -> set[Any]:
    """Find the terms of the loss if it is a sum of scalars, split what the sum sends them, and return the steps of the sum."""
    inside: set[Any] = set()
    if len(run.roots) != 1 or run.roots[0].grad.size != 1 or run.roots[0].grad.dtype.kind != "f":
        return inside
    frontier = list(run.roots)
    for step in run.steps:
        arrivals = [arrival for parts in step.parts for arrival in parts]
        if step.record.node not in named and _adds_scalars(step) and all(arrival in frontier for arrival in arrivals):
            frontier = [arrival for arrival in frontier if arrival not in arrivals] + list(step.sent.values())
            inside.add(step)
    edges = list(dict.fromkeys(arrival.edge for arrival in frontier))
    missing = [name for edge, name in named.items() if edge not in edges]
    if missing:
        raise ValueError(f"explore: the loss is not a sum in which {', '.join(map(repr, missing))} is a term")
    run.terms = [_term(edge, [arrival for arrival in frontier if arrival.edge is edge], run, named) for edge in edges]
    for arrival in frontier:
        arrival.terms = [arrival.grad * float(edge is arrival.edge) for edge in edges]
    return inside


def _adds_scalars(step: Any) -> bool:
    """Whether it adds scalars, or multiplies or divides one by a constant."""
    wanted = [i for i, edge in enumerate(step.record.node.edges) if edge is not None]
    kind, inputs = type(step.record.node), step.record.inputs
    adds = kind in (Add, Sub, Neg) or (kind is Mul and len(wanted) == 1) or (kind is Div and wanted == [0])
    return bool(adds and inputs and all(np.size(value) == 1 for value in inputs))


def _term(edge: Any, arrivals: list[Any], run: Any, named: dict[Any, str]) -> Term:
    record = next((step.record for step in run.steps if step.record.node is edge), None)
    by, said = arrivals[0].by, record.place.lines[0].run if record and record.place.lines else ""
    name = named.get(edge) or (by.record.place.names[arrivals[0].position] if by else "")
    name = name or (said if 0 < len(said) <= 40 else getattr(edge, "title", "leaf"))
    value = edge.variable.array if isinstance(edge, Leaf) else record.outputs[0] if record and record.outputs else np.nan
    weight = sum(float(arrival.grad.item()) for arrival in arrivals) / (float(run.roots[0].grad.item()) or 1.0)
    return Term(name, float(f"{weight:.6g}"), float(np.asarray(value).reshape(-1)[0]))


def _pass_on(step: Any, trial: Trial, terms: int) -> None:
    for t in range(terms):
        zeros = map(np.zeros, map(np.shape, step.incoming))
        given = [sum((arrival.terms[t] for arrival in parts), zero) for parts, zero in zip(step.parts, zeros)]
        parts = trial.gradients(_flat(given, trial))
        for position, arrival in step.sent.items():
            arrival.terms.append(parts[position])
