"""The terms of a loss, and what each of them sends to every leaf.

A loss is split where it is a sum of scalars: through add, sub, neg, and mul and div by a constant. A rule is linear in the
gradient that arrives, so each term's gradients are found by running the recorded rules again from that term alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.node import Leaf
from minitorch.autograd.outputs import Output
from minitorch.autograd.tensor import Tensor
from minitorch.backend import CPU, array_module, is_array, to_array
from minitorch.ops.arithmetic import Add, Div, Mul, Neg, Sub


class Term(NamedTuple):
    """One summand of a loss: `weight` times `value`, which is the value of `edge`, a node or a leaf."""

    name: str
    weight: float
    value: float
    edge: Any
    seeds: list[tuple[Any, int | None, float]]  # (node, position of its input, weight): where the sum hands it its gradient


def terms_of(ended: Any, records: dict[Any, Any], named: dict[str, Tensor]) -> list[Term]:
    """The summands of what a pass started from; none if that is not one real scalar.

    Raises ValueError if a tensor in `named` is not one of them.
    """
    if len(ended.roots) != 1 or ended.roots[0][1].size != 1 or ended.roots[0][1].dtype.kind != "f":
        return []
    names = {tensor.node: name for name, tensor in named.items()}
    found: dict[Any, Term] = {}
    for term in _split(ended.roots[0][0], 1.0, "", (None, None), records, names):
        same = found.get(term.edge)
        found[term.edge] = term._replace(weight=term.weight + same.weight, seeds=term.seeds + same.seeds) if same else term
    missing = [name for edge, name in names.items() if edge not in found]
    if missing:
        raise ValueError(f"explore: the loss is not a sum in which {', '.join(map(repr, missing))} is a term")
    return list(found.values())


def _split(
    edge: Any, weight: float, name: str, by: tuple[Any, ...], records: dict[Any, Any], names: dict[Any, Any]
) -> Iterator[Term]:
    record = None if isinstance(edge, Output) else records.get(edge)
    if record is not None and edge not in names and all(np.size(value) == 1 for value in record.inputs):
        constants = [float(np.asarray(value).item()) for value in record.inputs]
        wanted = [i for i, source in enumerate(edge.edges) if source is not None]
        factors: Any = {Add: (1, 1), Sub: (1, -1), Neg: (-1,)}.get(type(edge))
        if type(edge) is Mul and len(wanted) == 1:
            factors = constants[1], constants[0]
        elif type(edge) is Div and wanted == [0]:
            factors = (1 / constants[1] if constants[1] else np.inf,)
        if factors is not None:
            for i in wanted:
                yield from _split(edge.edges[i], weight * factors[i], record.names[i], (edge, i), records, names)
            return
    value = edge.variable.array if isinstance(edge, Leaf) else record.outputs[0] if record is not None else np.nan
    line = record.lines[0] if record is not None and record.lines else None
    said = line.text[line.start : line.stop] if line else ""
    called: Any = names.get(edge) or name or (said if 0 < len(said) <= 40 else getattr(edge, "title", "leaf"))
    yield Term(called, weight, float(np.asarray(value).reshape(-1)[0]), edge, [(*by, weight)])


def add_parts(ended: Any) -> None:
    """Give every arrival at a leaf of the pass its `terms`: arrays that add up to its gradient."""
    start = ended.roots[0][1]
    arrivals = [arrival for target in ended.targets.values() for arrival in target.arrivals]
    for arrival in arrivals:
        arrival.terms = [arrival.grad] if len(ended.terms) < 2 else [np.zeros_like(arrival.grad) for _ in ended.terms]
    for t, term in enumerate(ended.terms[:0] if len(ended.terms) < 2 else ended.terms):
        pending: dict[Any, dict[int, Any]] = {}
        for node, position, weight in term.seeds:
            seed = array_module(start).asarray(start * start.dtype.type(weight))
            if isinstance(term.edge, Leaf):
                for arrival in arrivals:
                    if arrival.position == position and (arrival.by and arrival.by.record.node) is node:
                        arrival.terms[t] = arrival.terms[t] + host(seed)
            else:
                _add(pending, term.edge, seed)
        for step in ended.steps:
            incoming = pending.pop(step.record.node, None)
            if incoming is not None:
                _run_again(step, incoming, pending, t)


def _add(pending: dict[Any, Any], edge: Any, grad: Any) -> None:
    node, place = (edge.edges[0], edge.position) if isinstance(edge, Output) else (edge, 0)
    there = pending.setdefault(node, {})
    there[place] = there[place] + grad if place in there else grad


def _run_again(step: Any, incoming: dict[int, Any], pending: dict[Any, Any], t: int) -> None:
    like = next(iter(incoming.values()))
    zeros = [array_module(like).zeros(g.shape, g.dtype) for g in step.incoming]
    grads = step.rule.backward(*(incoming.get(i, zero) for i, zero in enumerate(zeros)))
    grads = grads if type(grads) is tuple else (grads,)
    for position, arrival in step.sent.items():
        grad, edge = fitted(grads[position], arrival.grad.shape, arrival.grad.dtype), step.rule.edges[position]
        if not isinstance(edge, Leaf):
            _add(pending, edge, grad)
        elif arrival.terms:
            arrival.terms[t] = arrival.terms[t] + host(grad)


def host(value: Any) -> Any:
    """A copy on the host, in its own memory order, of an array or a tensor's array; any other value as it is."""
    array = value.array if isinstance(value, Tensor) else value
    return np.array(to_array(array, None, CPU), order="K") if is_array(array) else array


def fitted(grad: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A rule's answer with the shape and dtype of its input, as the engine makes it."""
    if not is_array(grad):
        grad = np.asarray(grad)
    extra = grad.ndim - len(shape)
    axes = tuple(i for i in range(grad.ndim) if i < extra or shape[i - extra] != grad.shape[i])
    return (grad.sum(axes) if axes else grad).reshape(shape).astype(dtype)
