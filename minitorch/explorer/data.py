"""What the page is given: the arrays, and every pass with its rows, lanes, leaves and loss terms, in the page's own words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.autograd.op import Op
from minitorch.explorer.card import Cards, lines, place
from minitorch.explorer.lanes import lanes
from minitorch.explorer.layers import layered
from minitorch.explorer.leaves import size, target_data, term_class
from minitorch.explorer.pictures import Arrays
from minitorch.explorer.predict import question
from minitorch.explorer.recorder import Pass, Recorder, Step, end_of
from minitorch.explorer.words import MINUS, TIMES, letters, nth, shape, signed, tail


def page_data(recorder: Recorder, title: str) -> dict[Any, Any]:
    """Everything the page shows."""
    arrays = Arrays()
    passes = [_pass(run, recorder, arrays) for run in recorder.passes if run.steps] or [_forward(recorder, arrays)]
    return {"title": title, "passes": passes, "arrays": arrays.entries}


def _forward(recorder: Recorder, arrays: Arrays) -> dict[Any, Any]:
    """The tape alone, newest first, where no backward pass has run."""
    records = [record for record in recorder.records.values() if hasattr(record.node, "_number")]
    steps = [Step(record, record.node, [], []) for record in reversed(records)]
    cards = Cards(steps, {}, arrays, _uses(recorder))
    rows = [_row(step, cards, []) | {"card": [lines(step.record), cards.operation(step.record)]} for step in steps]
    foot = ["div.foot.note", "No backward has run: this is the tape as the forward pass left it, newest first."]
    shelf = ["div.f", ["h2", "no gradients"], ["span.dim", "call backward() in the block to see them"]]
    return {"rows": rows, "leaves": [], "shelf": shelf, "foot": foot, "forward": 1} | _laid_out(rows, steps, cards)


def _pass(run: Pass, recorder: Recorder, arrays: Arrays) -> dict[Any, Any]:
    cards = Cards(run.steps, run.targets, arrays, _uses(recorder))
    leaves = [target_data(target, run, cards, i) for i, target in enumerate(run.targets.values())]
    rows = []
    for i, step in enumerate(run.steps):
        numbers = [a for a in (*step.incoming, *step.record.outputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        line, value = size(*step.incoming)
        bad = not all(np.isfinite(a).all() for a in numbers)
        row = _row(step, cards, leaves) | {"card": cards.parts(i), "size": [["b.down", value] if bad else value, line]}
        due = sorted(cards.rows.get(id(arrival.by), -1) for parts in step.parts for arrival in parts)
        rows.append(row | {"due": due, "q": question(i, run, cards)})
    laid = _laid_out(rows, run.steps, cards)
    legend = _sum_of_terms(run, recorder)
    by = ", by the loss term that asked for it" if legend else ""
    made = f"size (log) and what it is made of{by}; tick: size of the sum"
    whose = ".grad" if all(target.after is not None for target in run.targets.values()) else "gradient"
    title = f"{whose} of {'the leaf' if len(leaves) == 1 else f'the {len(leaves)} leaves'}"
    shelf = ["div.f", ["h2", title], ["span.dim", made], ["span.far", *([legend] if legend else [])]]
    waits = "0 of 1: gradients that have arrived, of those expected. "
    waits += "A row may run when all of its gradients are there; the newest such row runs next."
    foot = ["div.foot", *_not_finite(run), _values(run, cards) or ["div.note", waits]]
    return {"rows": rows, "leaves": leaves, "shelf": shelf, "foot": foot} | laid


def _not_finite(run: Pass) -> list[Any]:
    """Where the first NaN or infinity came up, forward and backward."""

    def wrong(arrays: list[Any]) -> bool:
        return any(not np.isfinite(a).all() for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fc")

    told = []
    forward = [i for i, step in enumerate(run.steps) if wrong(step.record.outputs)]
    backward = [i for i, step in enumerate(run.steps) if wrong(step.given)]
    for way, i in [("forward", forward[-1:]), ("backward", backward[:1])]:
        for step in (run.steps[k] for k in i):
            told.append(f"{way} in {step.record.node.title} {place(step.record)}, step {i[0] + 1}")
    return [["div.note", ["b.down", "The first NaN or infinity: "], "; ".join(told)]] if told else []


def _uses(recorder: Recorder) -> dict[str, int]:
    """How often each module that folds was used."""
    uses: dict[str, int] = {}
    for record in recorder.records.values():
        if record.group:
            uses[record.group[0]] = max(uses.get(record.group[0], 0), record.group[1])
    return uses


def _row(step: Step, cards: Cards, leaves: list[Any]) -> dict[Any, Any]:
    """A row of the tape and the head of its card."""
    record, where = step.record, place(step.record)
    shapes = record.node.shape if isinstance(record.node.shape, list) else [record.node.shape]
    names = letters(type(record.node), len(step.rule.edges))
    positions = {target: i for i, target in enumerate(cards.targets)}
    ends = [(name, positions[edge]) for name, edge in zip(names, step.rule.edges) if edge in positions]
    chips = []
    for letter, i in ends[:3]:
        name = leaves[i]["name"]
        chips.append(["span.chip", name if len(name) < 3 else letter, *leaves[i]["marks"]])
    op = record.node.title
    cells = [["span", tail(where)], ["span.op", op], ["span.dim", " ".join(map(shape, shapes))], ["span", *chips]]
    top = ["div.title", ["h2", op], ["span.dim", where], ["span.dim.far", f"node {record.node.number} on the tape"]]
    return {"title": f"{op} {where}", "cells": cells, "top": top, "leaves": [i for _, i in ends], "size": [], "due": []}


def _laid_out(rows: list[dict[Any, Any]], steps: list[Step], cards: Cards) -> dict[Any, Any]:
    """Lanes, and the stretches of rows that fold into one: [name, first row, last row]."""
    sources = []
    for i, step in enumerate(steps):
        ends = (end_of(edge)[0] for edge in step.rule.edges if edge is not None)
        sources.append([cards.nodes[end] for end in ends if cards.nodes.get(end, -1) > i])
    places, edges = lanes(sources)
    groups: list[list[Any]] = []
    before: Any = ()
    for i, (row, step, lane) in enumerate(zip(rows, steps, places)):
        key = step.record.made_by, step.record.group
        if key != before:
            name = "" if groups or step.record.group else "loss"
            if step.record.made_by is not None:
                name = f"rule of {step.record.made_by.record.node.title}"
            elif step.record.group:
                name, use = step.record.group
                uses = cards.uses[name]
                name = tail(name)
                name += f", {nth(use - 1)} use" if uses > 1 else ""
            groups.append([name, i, i])
        before = key
        groups[-1][2] = i
        row |= {"lane": lane, "grp": len(groups) - 1}
    if len(groups) == 1:
        groups[0][0] = ""
    units = [i if len(groups) == 1 else row["grp"] for i, row in enumerate(rows)]
    operations = [step.record.node.title for step in steps]
    names = operations if len(groups) == 1 else [name if b > a else rows[a]["title"] for name, a, b in groups]
    joined: list[set[int]] = [set() for _ in names]
    for i, targets in enumerate(sources):
        joined[units[i]] |= {units[target] for target in targets} - {units[i]}
    marks = [[a, name.removesuffix(" use")] for name, a, b in groups if name and b > a]
    if len(rows) <= 12:
        marks = [[i, name] for i, name in enumerate(operations)]
    last = ["span", "size of ", ["i", "g"], ", log"] if steps[0].incoming else ""
    head: list[Any] = ["div.row.top"]
    head += [["span", piece] for piece in ("step", "", "module and operation", "", "output", "parameters", last)]
    drawn = {"map": layered(names, joined), "units": units, "lanes": max(1, *places)}
    return {"edges": edges, "groups": groups, "marks": marks, "head": head, **drawn}


def _sum_of_terms(run: Pass, recorder: Recorder) -> list[Any]:
    """The loss as the sum of its terms, in numbers that add up as printed; it is the legend of the terms' colours."""
    root, terms = run.roots[0][0], run.terms
    if len(terms) < 2 or root not in recorder.records:
        return []
    total = float(recorder.records[root].outputs[0].reshape(-1)[0])
    weights = [f"{abs(term.weight):.4g}" for term in terms]
    digits, values, added = 3, [term.value for term in terms], math.nan
    for digits in range(3, 8):
        values = [round(term.value, digits) for term in terms]
        added = sum(math.copysign(float(weight), term.weight) * value for weight, term, value in zip(weights, terms, values))
        if round(added, digits) == round(total, digits):
            break
    pieces: list[Any] = ["span", signed(f"loss {total:.{digits}f} ")]
    for t, (term, weight, value) in enumerate(zip(terms, weights, values)):
        grouped = [weight != "1" and 0 <= o < len(terms) and terms[o].weight == term.weight for o in (t - 1, t + 1)]
        sign = "+ " if t else "= " if round(added, digits) == round(total, digits) else "made of "
        if term.weight < 0 and not grouped[0]:
            sign = f"{MINUS} " if t else f"{sign}{MINUS}"
        opening = "" if weight == "1" or grouped[0] else f"{weight} {TIMES} {'(' if grouped[1] else ''}"
        end = ")" if grouped == [True, False] else ""
        pieces += [sign + opening, [f"span.sw.{term_class(t)}"], f"{term.name} {signed(f'{value:.{digits}f}')}{end} "]
    return pieces


def _values(run: Pass, cards: Cards) -> list[Any]:
    """For a tape of a few small arrays all of them: name, shape, value, gradient, and the row at which that is complete."""
    named = {edge: name for step in run.steps for name, edge in zip(step.record.names, step.rule.edges) if name and edge}
    rows: list[Any] = []
    for i, step in enumerate(run.steps):
        if len(step.record.outputs) != 1 or not step.record.inputs:
            return []
        name = named.get(step.record.node, step.record.node.title if i else "loss")
        rows.append((name, step.record.outputs[0], step.incoming[0], i - 1))
    for step in reversed(run.steps):
        for name, value, edge in zip(step.record.names, step.record.inputs, step.rule.edges):
            known = not name or any(name == row[0] for row in rows) or isinstance(edge and end_of(edge)[0], Op)
            if isinstance(value, np.ndarray) and not known:
                target = run.targets.get(edge)
                last = cards.rows.get(id(target.arrivals[-1].by), -1) if target else -1
                rows.append((name, value, target and target.totals[-1], last))
    small = all(value.ndim <= 2 and max(value.shape, default=1) <= 4 for _, value, _, _ in rows)
    if not small or sum(value.shape[0] if value.ndim > 1 else 1 for _, value, _, _ in rows) > 22:
        return []
    table: list[Any] = ["table.values", ["tr", *(["th.dim", text] for text in ("name", "shape", "value", "gradient so far"))]]
    for name, value, g, row in rows:
        there = ["td", cards.arrays.picture(g)] if g is not None else ["td.dim", "not asked for"]
        grad = {"after": row, "0": ["td.dim", "none yet"], "1": there} if g is not None else there
        table.append(["tr", ["td", name], ["td.dim", shape(value.shape)], ["td", cards.arrays.picture(value, grey=1)], grad])
    return table
