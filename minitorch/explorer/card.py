"""The card of a step: line, operation, gradient that arrives, each rule and where its result goes, proof; and the question
before it, of one of six kinds, with the answer that this pass has given and the reason."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.node import Leaf
from minitorch.explorer.proof import UNKNOWN, WRONG
from minitorch.explorer.recorder import Arrival, Pass, Step
from minitorch.explorer.words import (
    TIMES,
    addition,
    drawn,
    finite,
    formula,
    largest,
    more,
    norm,
    nth,
    number,
    picture,
    reading,
    shape,
)

KINDS = ["next", "shape", "count", "axes", "add", "sign"]  # of questions
SHOWN = {"next": list[int](), "count": [0, 1]}  # parts of the card (lines, operation, gradient) that hide the answer


def parts(step: Step, run: Pass) -> list[Any]:
    """The parts of a card: lines and operation and, if the rule has run, gradient, rules and proof."""
    lines = ["div.code", *step.lines] if step.lines else ["span.dim", "it ran before the block"]
    shown: list[Any] = [["Your line", lines], ["The operation", *_operation(step)]]
    if step.incoming:
        rules: list[Any] = [_rule(step, run, each) for each in sorted(step.sent)]
        letters = reading(type(step.node), len(step.node.edges))[0]
        arrays = [not step.inputs or isinstance(step.inputs[i], np.ndarray) for i in range(len(letters))]
        others = [letter for i, letter in enumerate(letters) if i not in step.sent and arrays[i]]
        rules += [["div.dim", f"No gradient was asked for: {', '.join(others)}"]] if others else []
        marks = {UNKNOWN: [["span.dim", "? "], "Not checked"], WRONG: [["b.down", "✗ "], "The rule does not hold"]}
        way, error, note = step.proof
        right = [["b.now", "✓ "], f"Checked on these numbers by {way}: error {number(error or 0)}"]
        proof = ["div", *marks.get(way, right), ["span.dim", f" ({note})"] if note else ""]
        shown += [_gradient(step), ["The rule for each input, and where it goes", *rules], ["Is it right?", proof]]
    return [["div.part", ["div.side", label], ["div", *content]] for label, *content in shown]


def _operation(step: Step) -> list[Any]:
    """What the operation computes, with shapes under its letters, and what is odd about its output."""
    letters, said, _ = reading(type(step.node), len(step.inputs))
    under = {letter: shape(value.shape) for letter, value in zip(letters, step.inputs) if isinstance(value, np.ndarray)}
    words = re.split(rf"(?<!\^)(?<!\^-)\b((?:{'|'.join(letters) or '$'})(?:\^T)?)(?!\w)", said)
    words += [letter for letter in under if not {letter, letter + "^T"} & set(words)]
    pieces: list[Any] = [["span", ["i", "y"], ["small", shape(step.node.shape)]], "="]
    for word in filter(str.strip, words):
        letter = word.removesuffix("^T")
        below = [[f"small.of-{letter}", under.pop(letter)]] if letter in under else []
        pieces.append(["span", formula(word.strip()), *below])
    content: list[Any] = [["div.f.sum", *pieces]]
    if step.node.title == "relu" and step.outputs:
        dead = number(100 * (step.outputs[0] == 0).mean())
        content.append(["div.dim", f"{dead} % of its outputs are 0; no gradient passes there"])
    wrong = next((a[~np.isfinite(a)][0] for a in step.outputs if not finite(a)), None)
    if wrong is not None:
        begins = finite(*step.inputs)
        said = f"{number(wrong)} in its output: " + ("it begins here" if begins else "one of its inputs had it")
        content.append(["div.down", said])
        content += [picture(a, grey=1) for a in step.inputs if begins and isinstance(a, np.ndarray)]
    return content


def _gradient(step: Step) -> list[Any]:
    """The gradient that arrives at each output, with its parts if it is a sum."""
    content: list[Any] = [["div.down", "A hook changed it: it is not what arrived."]] if step.hooked else []
    for k, (g, parts) in enumerate(zip(step.incoming, step.parts)):
        if len(step.incoming) > 1:
            content.append(["div.dim", f"of output {k + 1}" + ("" if parts else ": none came, so it is 0")])
        most = max((largest(arrival.grad) for arrival in parts), default=0.0)
        for arrival in parts if len(parts) > 1 else ():
            said = ["span.dim", *_sender(arrival), f", size {number(norm(arrival.grad))}"]
            content.append(["div.f", picture(arrival.grad, most, w=200, h=40), said])
        about: list[Any] = ["div.dim", "their sum " * (len(parts) > 1), f"{shape(g.shape)}, size {number(norm(g))}"]
        if not finite(g):
            about.append(["span.down", ", not all of it is finite"])
        elif g.size > 1 and g.dtype.kind != "c":
            low, high = ([f"b.{'down' if v < 0 else 'up'}", number(v)] for v in (g.min(), g.max()))
            zeros = f"{number(100 * (g == 0).mean())} % of it is 0{' (blank)' * (g.size > 64)}"
            about += [", from ", low, " to ", high, ", ", zeros, drawn(g)]
        content += [picture(g, w=300, h=120), about]
    came = list(itertools.chain(*step.parts))
    of = [f": a sum of {len(came)}"] if len(came) > 1 else [", ", *_sender(came[0])] if came else []
    return [["span", "Gradient arriving, ", ["i", "g"], *of], *content]


def _sender(arrival: Arrival) -> list[Any]:
    by = arrival.by
    return ["where the pass starts"] if by.row < 0 else ["from ", ["b", by.node.title], f" {by.where}"]


def _rule(step: Step, run: Pass, position: int) -> list[Any]:
    """The rule for one input, its result, what the engine sums that over, and where it goes."""
    letters, _, rules = reading(type(step.node), len(step.node.edges))
    kept, given, letter, said = step.sent[position].grad, np.asarray(step.given[position]), letters[position], rules[position]
    known = {"g": step.incoming[0]} if len(step.incoming) == 1 else {}
    known |= {name: a for name, a in zip(letters, step.inputs) if isinstance(a, np.ndarray)}
    if any(given.shape == g.shape and np.array_equal(given, g) for g in step.incoming):
        pieces, shapes = list[Any](), [["i", "g"], f" itself, {shape(given.shape)}"]
    else:
        pieces, shapes = _product(said, known, given)
    rule = ["span.r", formula(f"d{letter} = {said}" if said else f"d{letter}")]
    whole = [["div.f", rule, ["span.dim", *shapes], ["span.dim", f"size {number(norm(given))}"]], ["div.f", *pieces]]
    un = _summed(step, position, given, letter) if given.shape != kept.shape else []
    return ["div.send", ["div", *whole], ["div", *_goes(step, run, position)], ["div", {"style": "grid-column:1/-1"}, *un]]


def _product(said: str, known: dict[str, np.ndarray], result: np.ndarray) -> tuple[list[Any], list[Any]]:
    """The result of a rule as a picture, with its shape; a product is drawn at one scale, so shapes can be compared."""
    words = said.split()
    factors = [known.get(word.removesuffix("^T"), np.zeros((1, 1, 1))) for word in words]
    if not 2 <= len(words) <= 3 or max(a.ndim for a in (*factors, result)) > 2:
        return [picture(result, w=270)], [shape(result.shape)]
    turned = [word.endswith("^T") for word in words]
    shapes = [a.shape[::-1] if t else a.shape for a, t in zip(factors, turned)]
    matrices = any(turned) or len({*shapes, result.shape}) > 1
    matrices = matrices and all(len(a) == len(b) == 2 and a[1] == b[0] for a, b in itertools.pairwise(shapes))
    sign = "·" if matrices and result.shape == (shapes[0][0], shapes[-1][1]) else TIMES
    sizes = [(1, 1, *s)[-2:] for s in (*shapes, result.shape)]
    scale = round(min(6, (270 - 24 * len(sizes)) / sum(w for _, w in sizes), 60 / max(h for h, _ in sizes)), 3)
    pieces: list[Any] = []
    for word, a, t in zip(words, factors, turned):  # gradients alone have colour
        pieces += [sign, picture(a, px=scale, grey=int(word[0] != "g"), turn=int(t))]
    own = picture(result, **({"px": scale} if scale < 6 else {}))
    return [*pieces[1:], "=", own], [f" {sign} ".join(map(shape, shapes)), f" → {shape(result.shape)}"]


def _goes(step: Step, run: Pass, position: int) -> list[Any]:
    """Where the result of a rule goes, and how many have arrived there by then."""
    arrival = step.sent[position]
    node = arrival.edge.as_source()[0]
    if isinstance(node, Leaf):
        target = run.targets[node]
        k = target.arrivals.index(arrival)
        how = "returned by grad()" if target.after is None else "added (+=)" if k else "stored"
        how += " beside an earlier pass's" if target.before is not None else ""
        return [["b", target.title], ["div.dim", f"{nth(k)} of {len(target.arrivals)}: {how}"]]
    goal = run.steps.get(node)
    if goal is None:
        return [["span.dim", f"{node.title}, whose rule was not needed"]]
    came = list(itertools.chain(*goal.parts))
    there = sum(a.by.row < step.row or (a.by is step and a.position <= position) for a in came)
    more = "" if there < len(came) else ": it runs next" if goal.row == step.row + 1 else ": it may run"
    return [["b", node.title], f" {goal.where}", ["div.dim", f"{there} of {len(came)} arrived{more}"]]


def _summed(step: Step, position: int, given: np.ndarray, letter: str) -> list[Any]:
    """What the engine does where an input was broadcast: forward copied it, so backward adds the copies' gradients."""
    kept = step.sent[position].grad
    axes: tuple[int, ...] = broadcast_dims(given.shape, kept.shape) or ()
    over = f"summed over {'axis' if len(axes) == 1 else 'axes'} {' and '.join(map(str, axes))}: "
    change = ["b.now", f"{over}{shape(given.shape)} → {shape(kept.shape)}, size {number(norm(kept))}"]
    said = ["div", f"{shape(given.shape)} does not fit ", ["i", letter], f" {shape(kept.shape)}, so it is ", change]
    if given.ndim != 2 or max(given.shape) > 6 or not given.size or not step.inputs:
        return [said, ["div.f", picture(given, w=270), "→", picture(kept, w=270)]]
    value, arrow, fit = step.inputs[position], ["div.o", "→" if axes == (1,) else "↓"], {"style": "width:min-content"}
    way = "place" if len(axes) > 1 else "column" if axes == (1,) else "row"
    copied = [["div.box", picture(value, grey=1)], arrow, ["div.box.dim", picture(np.broadcast_to(value, given.shape))]]
    added = [["div.box", picture(given)], arrow, ["div.box.now", picture(kept)]]
    forward = ["div", ["h3", f"Forward: copied to every {way}"], ["div", fit, *copied]]
    backward = ["div", ["h3.now", f"Backward: every {way} added up"], ["div", fit, *added]]
    sums = [addition(each) for each in (given.T if axes == (0,) else given if axes == (1,) else [given.ravel()])]
    told = [["span", f"{a} = ", ["b.now", b]] for a, b in sums if a]
    return [said, ["div.f", forward, backward], ["div.f.dim", *told, *more((len(sums) - len(told)) * bool(told))]]


def question(step: Step, run: Pass) -> dict[Any, Any]:
    """The question before a step: what is asked, the options, which is right and why, and the parts of the card to show."""
    asked = {kind: rest for kind, *rest in reversed([*_questions(step, run)])}  # the first of each kind
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
    if any(arrival.by.row < 0 for parts in step.parts for arrival in parts):
        one = step.incoming[0].size == 1 and step.incoming[0].item() == 1
        why = "The pass starts here, with the gradient "
        why += "of the loss with respect to itself, which is 1." if one else "that it was given."
    yield "count", ask, str(n), ["1", "2", "3", "4"], why

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
            own, ask = shape(d.shape), ["What shape will ", ["i", f"d{letter}"], " have?"]
            why = f"A gradient has the shape of what it belongs to: {letter} is {own}, with one slope for each number."
            yield "shape", ask, own, wrong, why, {"letter": letter}
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
