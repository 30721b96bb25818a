"""What the page is given: the arrays, and every pass with its rows, lanes, leaves and loss terms, in the page's own words."""

from __future__ import annotations

import itertools
from html import escape
from typing import Any, Final

import numpy as np

from minitorch.explorer.card import parts, question
from minitorch.explorer.leaves import shelved, size, swatch
from minitorch.explorer.recorder import Pass, Recorder, Step
from minitorch.explorer.words import MINUS, TIMES, decimals, finite, fixed, more, nth, number, reading, shape, tail

FREE: Final = -1  # the target of a lane without a gradient
HEADS: Final = ["step", "", "module and operation", "", "output", "parameters"]
WAITS: Final = """0 of 1: gradients that have arrived, of those expected.
A row may run when all of its gradients are there; the newest such row runs next."""


def page_data(recorder: Recorder, title: str) -> dict[Any, Any]:
    """Everything the page shows: the passes, or, where none has run, the tape alone."""
    tape = {node: step for node, step in reversed(recorder.records.items()) if hasattr(node, "_number")}
    passes = [run for run in recorder.passes if run.steps] or [Pass(steps=tape)]
    uses = dict(step.group for step in recorder.records.values() if step.group)  # the last use of each
    for step in (step for run in passes for step in run.steps.values()):
        name, use = step.group or ("", 1)
        own = f"{name}, {nth(use - 1)} use" if uses.get(name, 1) > 1 else name
        step.fold = step.where if step.made_by else own
    return {"title": title, "passes": [_pass(run, recorder) for run in passes]}


def _pass(run: Pass, recorder: Recorder) -> dict[Any, Any]:
    steps, targets = list(run.steps.values()), list(run.targets.values())
    leaves = [shelved(target, run, i) for i, target in enumerate(targets)]
    rows = [_row(step, run, leaves) for step in steps]
    laid = _laid_out(steps, rows)
    if not steps[0].incoming:
        none = ["div.foot", "No backward has run: this is the tape as the forward pass left it, newest first."]
        empty = ["div.f", ["h2", "no gradients"], ["span.dim", "call backward() in the block to see them"]]
        return {"rows": rows, "leaves": [], "shelf": empty, "foot": none, "forward": 1} | laid
    whose = ".grad" if all(target.after is not None for target in targets) else "gradient"
    legend = _sum_of_terms(run, recorder)
    made = f"size (log) and what it is made of{', by loss term' if legend else ''}; tick: size of the sum"
    title = ["h2", f"{whose} of {len(leaves)} {'leaf' if len(leaves) == 1 else 'leaves'}"]
    shelf = ["div.f", title, ["span.dim", made], ["span.far", *legend]]
    bad = [("forward", step) for step in steps if not finite(*step.outputs)][-1:]
    bad += [("backward", step) for step in steps if not finite(*step.given)][:1]
    told = [f"{way} in {step.node.title} {step.where}, step {step.row + 1}. " for way, step in bad]
    foot: list[Any] = ["div.foot", ["p", ["b.down", "The first NaN or infinity: ", *told] if told else ""], WAITS]
    return {"rows": rows, "leaves": leaves, "shelf": shelf, "foot": foot} | laid


def _row(step: Step, run: Pass, leaves: list[Any]) -> dict[Any, Any]:
    """A row of the tape, and its card."""
    node, targets = step.node, list(run.targets)
    named = zip(reading(type(node), len(node.edges))[0], node.edges)
    ends = [(letter, leaves[targets.index(edge)]) for letter, edge in named if edge in run.targets]
    chips = [["span.chip", leaf["name"] if len(leaf["name"]) < 3 else letter, *leaf["marks"]] for letter, leaf in ends[:3]]
    chips += more(len(ends) - 3)
    line, value = size(*step.incoming)
    bad = not finite(*step.incoming, *step.outputs)
    return {
        "op": node.title,
        "at": step.where,
        "n": node.number,
        "cells": [["span", tail(step.where)], ["span.op", node.title], ["span.dim", shape(node.shape)], ["span", *chips]],
        "size": [["b.down", value] if bad else value, line],
        "due": sorted(arrival.by.row for parts in step.parts for arrival in parts),
        "leaves": [leaves.index(leaf) for _, leaf in ends],
        "card": parts(step, run),
        "q": question(step, run) if step.incoming else None,
    }


def _sum_of_terms(run: Pass, recorder: Recorder) -> list[Any]:
    """The loss as the sum of its terms, in numbers that add up as printed; it is the legend of the terms' colours."""
    if not run.terms:
        return []
    (root,) = run.start.sent.values()
    total = recorder.records[root.edge].outputs[0].item()
    least = decimals(np.array([total, *(term.value for term in run.terms)]))
    tried = range(max(6, least), max(6, least) + 4) if least >= 0 else ()
    sums = {places: sum(term.weight * round(term.value, places) for term in run.terms) for places in tried}
    places = next((places for places, added in sums.items() if round(added, places) == round(total, places)), -1)
    pieces: list[Any] = [f"loss {fixed(total, places)} {'=' if places > 0 else 'made of'} "]
    for t, term in enumerate(run.terms):
        sign = f"{MINUS} " if term.weight < 0 else "+ " if t else ""
        weight = "" if abs(term.weight) == 1 else f"{number(abs(term.weight))} {TIMES} "
        pieces += [sign + weight, swatch(t), f"{term.name} {fixed(term.value, places)} "]
    return pieces


def _laid_out(steps: list[Step], rows: list[dict[Any, Any]]) -> dict[Any, Any]:
    """Lanes, the stretches of rows that fold into one, [name, first row, last row], and the map of these."""
    places = {step.node: i for i, step in enumerate(steps)}
    ends = [[places.get(edge.as_source()[0], -1) for edge in step.node.edges if edge is not None] for step in steps]
    sources = [[j for j in targets if j > i] for i, targets in enumerate(ends)]
    held, edges = lanes(sources)
    titles = [step.node.title for step in steps]
    folded = [list(each) for _, each in itertools.groupby(range(len(rows)), lambda i: (steps[i].made_by, steps[i].fold))]
    if len(folded) == 1:  # no modules: each row stands for itself
        folded, boxes = [[i] for i in range(len(rows))], titles
    else:
        names = [tail(steps[a].fold) or "loss" * (a == 0) for a, *_ in folded]
        boxes = [name if more else f"{titles[a]} {steps[a].where}" for name, (a, *more) in zip(names, folded)]
    for g, i in ((g, i) for g, members in enumerate(folded) for i in members):
        rows[i] |= {"lane": held[i], "grp": g}
    joined: list[set[int]] = [set() for _ in boxes]
    for row, targets in zip(rows, sources):
        joined[row["grp"]] |= {rows[target]["grp"] for target in targets} - {row["grp"]}
    groups = [[name * (len(members) > 1), members[0], members[-1]] for name, members in zip(boxes, folded)]
    marks = [[a, name.removesuffix(" use")] for name, a, _ in groups if name]
    marks = [[i, title] for i, title in enumerate(titles)] if len(rows) <= 12 else marks
    last = ["span.last", ["span", "size of ", ["i", "g"], ", log"] if steps[0].incoming else ""]
    drawn = {"map": layered(boxes, joined), "lanes": max(1, *held), "edges": edges, "groups": groups}
    return {"marks": marks, "head": ["div.row.heads", *(["span", head] for head in HEADS), last], **drawn}


def lanes(sources: list[list[int]]) -> tuple[list[int], list[tuple[int, int, int]]]:
    """The lane of each row, and (from row, to row, lane between them) for each edge, as `git log --graph` draws commits.

    `sources[row]` are rows further down. A lane is taken where an edge begins and is free again at the row where it ends. The
    edge that goes furthest stays in the row's own lane; the others, nearest first, take the leftmost free ones.
    """
    leads = [FREE] * (1 + sum(map(len, sources)))  # by lane, the row that it leads to
    places, edges = [], []
    for row, targets in enumerate(sources):
        own = leads.index(row if row in leads else FREE)
        leads[:] = [FREE if end == row else end for end in leads]
        places.append(own)
        for target in sorted(set(targets), reverse=True):
            lane = leads.index(target) if target in leads else own if leads[own] == FREE else leads.index(FREE)
            leads[lane] = target
            edges.append((row, target, lane))
    return places, edges


def layered(names: list[str], sources: list[set[int]]) -> str:
    """An SVG of boxes and the gradients between them, each box as many layers down as its longest path from the loss."""
    level, above = [0] * len(names), [list[int]() for _ in names]
    for i, targets in enumerate(sources):
        for j in targets:
            level[j] = max(level[j], level[i] + 1)
            above[j].append(i)
    x, drawn = [0.0] * len(names), []
    for layer in range(max(level) + 1):
        row = [i for i in range(len(names)) if level[i] == layer]
        row.sort(key=lambda i: sum(x[j] for j in above[i]) / (len(above[i]) or 1))
        for k, i in enumerate(row):
            x[i] = 536 * (k + 0.5) / len(row)
    y = [28 + 64 * layer for layer in level]
    for i, j in ((i, j) for i, targets in enumerate(sources) for j in sorted(targets)):
        bow = 120 if level[j] > level[i] + 1 and abs(x[i] - x[j]) < 40 else 0  # past the boxes between
        middle = f"{x[i] + bow:.0f} {y[i] + 32} {x[j] + bow:.0f} {y[j] - 32}"
        drawn.append(f'<path d="M{x[i]:.0f} {y[i] + 12}C{middle} {x[j]:.0f} {y[j] - 12}"/>')
    for i, name in enumerate(names):
        half = 4 * len(name) + 10
        box = f'<rect fill="var(--bg)" x="{x[i] - half:.0f}" y="{y[i] - 12}" width="{2 * half}" height="24" rx="3"/>'
        text = f'<text x="{x[i]:.0f}" y="{y[i] + 4}" fill="currentColor" stroke="none">{escape(name)}</text>'
        drawn.append(f'<g id="m{i}">{box}{text}</g>')
    look = 'class="map dim" fill="none" stroke="currentColor" text-anchor="middle"'
    return f'<svg {look} width="536" height="{max(y) + 40}">{"".join(drawn)}</svg>'
