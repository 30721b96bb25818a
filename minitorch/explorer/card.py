"""The card of a step: line, operation, gradient that arrives, each rule and where its result goes, proof."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.node import Leaf
from minitorch.explorer.proof import UNKNOWN, WRONG
from minitorch.explorer.recorder import Arrival, Record, Step, Target
from minitorch.explorer.words import (
    TIMES,
    Arrays,
    addition,
    formula,
    largest,
    letters,
    norm,
    nth,
    number,
    rules_of,
    said_of,
    shape,
)


def where(record: Record) -> str:
    """Where an operation stands: the rule that recorded it, its module, or the user's line."""
    if record.made_by is not None:
        return f"rule of {record.made_by.record.node.title}"
    return record.place.module or (f"line {record.place.lines[0].number}" if record.place.lines else "before")


def tail(name: str) -> str:
    """A name; the page shows its last 18 characters."""
    return name if len(name) <= 18 else f"\N{HORIZONTAL ELLIPSIS}{name[-17:]}"


def shapes_of(node: Any) -> list[Any]:
    """The shapes of an operation's outputs."""
    return node.shape if isinstance(node.shape, list) else [node.shape]


def not_finite(array: Any) -> bool:
    """Whether there is a NaN or an infinity in it."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "fc" and not np.isfinite(array).all()


def part(label: Any, *content: Any) -> list[Any]:
    """One part of the card."""
    return ["div.part", ["div.side", label], ["div", *content]]


def lines(record: Record) -> list[Any]:
    """The user's lines that led here, the outermost first, and the line before the innermost."""
    shown: list[Any] = []
    for line in reversed(record.place.lines):
        last = line is record.place.lines[0]
        if last and line.before:
            shown += [["code.dim", f"{line.file}:{line.number - 1}"], ["code.dim", line.before]]
        code = ["code", line.head, ["b" if last else "span", line.run], line.tail]
        shown += [["code.dim", f"{line.file}:{line.number}"], code]
    return part("Your line", ["div.code", *shown] if shown else ["span.dim", "it ran before the block"])


def operation(record: Record, arrays: Arrays) -> list[Any]:
    """What the operation computes, with shapes under its letters, and what is odd about its output."""
    node, seen = record.node, set[str]()
    named = zip(letters(type(node), len(record.inputs)), record.inputs)
    under = {letter: shape(value.shape) for letter, value in named if isinstance(value, np.ndarray)}
    words = re.split(r"(\b[a-z]\d?(?:\^T)?(?!\w))", said_of(type(node)))
    pieces: list[Any] = [["span", ["i", "y"], ["small", ", ".join(map(shape, shapes_of(node)))]], "="]
    for word in words + [letter for letter in under if not {letter, letter + "^T"} & set(words)]:
        letter = word.removesuffix("^T")
        known = letter in under.keys() - seen
        seen.add(letter)
        pieces.append(["span", formula(word.strip()), *([[f"small.of-{letter}", under[letter]]] if known else [])])
    content: list[Any] = [["div.f.sum", *(piece for piece in pieces if piece != ["span", ["span"]])]]
    if node.title == "relu" and record.outputs:
        dead = number(100 * (record.outputs[0] == 0).mean())
        content.append(["div.dim", f"{dead} % of its outputs are 0; no gradient passes there"])
    wrong = next((a for a in record.outputs if not_finite(a)), None)
    if wrong is not None:
        begins = not any(map(not_finite, record.inputs))
        said = f"{number(wrong[~np.isfinite(wrong)][0])} in its output: "
        content.append(["div.down", said + ("it begins here" if begins else "one of its inputs had it")])
        content += [arrays.picture(a, grey=1) for a in record.inputs if begins and isinstance(a, np.ndarray)]
    return part("The operation", *content)


class Cards:
    """Makes the cards of one pass, and knows where its steps are."""

    def __init__(self, steps: list[Step], targets: dict[Any, Target], arrays: Arrays, uses: dict[str, int]) -> None:
        self.steps: list[Step] = steps
        self.targets: dict[Any, Target] = targets
        self.arrays: Arrays = arrays
        self.uses: dict[str, int] = uses  # how often each module whose rows fold was used
        self.rows: dict[Any, int] = {step: i for i, step in enumerate(steps)}
        self.nodes: dict[Any, int] = {step.record.node: i for i, step in enumerate(steps)}

    def parts(self, i: int) -> list[list[Any]]:
        """Lines, operation, gradient, rules and proof of step `i`."""
        step = self.steps[i]
        rules: list[Any] = [self._rule(step, i, each) for each in sorted(step.sent)] or ["its gradients were not asked for"]
        marks = {UNKNOWN: [["span.dim", "? "], "Not checked"], WRONG: [["b.down", "✗ "], "The rule does not hold"]}
        way, error, note = step.proof
        right = [["b.now", "✓ "], f"Checked on these numbers by {way}: error {number(error or 0)}"]
        proof = [*marks.get(way, right), ["span.dim", f" ({note})"] if note else ""]
        shown = lines(step.record), operation(step.record, self.arrays), self._gradient(step)
        return [*shown, part("The rule for each input, and where it goes", *rules), part("Is it right?", ["div", *proof])]

    def name(self, group: tuple[str, int]) -> str:
        """The name of a module that folds, and which use of it if there are several."""
        return group[0] + (f", {nth(group[1] - 1)} use" if self.uses[group[0]] > 1 else "")

    def due(self, step: Step) -> list[int]:
        """The rows whose rules send a step its gradients; -1: the start of the pass."""
        return sorted(self.rows.get(arrival.by, -1) for parts in step.parts for arrival in parts)

    def _gradient(self, step: Step) -> list[Any]:
        """The gradient that arrives at each output, with its parts if it is a sum."""
        content: list[Any] = []
        for k, (g, parts) in enumerate(zip(step.incoming, step.parts)):
            if len(step.incoming) > 1:
                content.append(["div.dim", f"of output {k + 1}" + ("" if parts else ": none came, so it is 0")])
            most = max((largest(arrival.grad) for arrival in parts), default=0.0)
            for arrival in parts if len(parts) > 1 else ():
                said = ["span.dim", *self._sender(arrival), f", size {number(norm(arrival.grad))}"]
                content.append(["div.f", self.arrays.picture(arrival.grad, most, w=200, h=40), said])
            about: list[Any] = ["div.dim", "their sum " * (len(parts) > 1), f"{shape(g.shape)}, size {number(norm(g))}"]
            if not_finite(g):
                about.append(["span.down", ", not all of it is finite"])
            elif g.size > 1 and g.dtype.kind != "c":
                low, high = ([f"b.{'down' if v < 0 else 'up'}", number(v)] for v in (g.min(), g.max()))
                about += [", from ", low, " to ", high, f", {number(100 * (g == 0).mean())} % of it is 0 (blank)"]
            content += [self.arrays.picture(g, w=300, h=120), about]
        came = [arrival for parts in step.parts for arrival in parts]
        of = [f": a sum of {len(came)}"] if len(came) > 1 else [", ", *self._sender(came[0])] if came else []
        return part(["span", "Gradient arriving, ", ["i", "g"], *of], *content)

    def _sender(self, arrival: Arrival) -> list[Any]:
        if arrival.by is None:
            return ["where the pass starts"]
        return ["from ", ["b", arrival.by.record.node.title], f" {where(arrival.by.record)}"]

    def _rule(self, step: Step, i: int, position: int) -> list[Any]:
        """The rule for one input, its result, what the engine sums that over, and where it goes."""
        names = letters(type(step.record.node), len(step.record.node.edges))
        kept, given, letter = step.sent[position].grad, np.asarray(step.given[position]), names[position]
        said = rules_of(type(step.record.node), len(names))[position]
        known = {"g": step.incoming[0]} if len(step.incoming) == 1 else {}
        known |= {name: a for name, a in zip(names, step.record.inputs) if isinstance(a, np.ndarray)}
        if any(given.shape == g.shape and np.array_equal(given, g) for g in step.incoming):
            pieces, shapes = list[Any](), [["i", "g"], f" itself, {shape(given.shape)}"]
        else:
            pieces, shapes = self._product(said, known, given)
        rule = ["span.r", formula(f"d{letter} = {said}" if said else f"d{letter}")]
        whole = [["div.f", rule, ["span.dim", *shapes], ["span.dim", f"size {number(norm(kept))}"]], ["div.f", *pieces]]
        un = self._summed(position, step, given, letter) if given.shape != kept.shape else []
        return ["div.send", ["div", *whole], ["div", *self._goes(step, i, position)], ["div.un", *un]]

    def _product(self, said: str, known: dict[str, np.ndarray], result: np.ndarray) -> tuple[list[Any], list[Any]]:
        """The result of a rule as a picture, with its shape; a product is drawn at one scale, so shapes can be compared."""
        words = said.split()
        factors = [known.get(word.removesuffix("^T"), np.zeros((1, 1, 1))) for word in words]
        if not 2 <= len(words) <= 3 or max(a.ndim for a in (*factors, result)) > 2:
            return [self.arrays.picture(result, w=270)], [shape(result.shape)]
        turned = [word.endswith("^T") for word in words]
        shapes = [a.shape[::-1] if t else a.shape for a, t in zip(factors, turned)]
        matrices = any(turned) or len({*shapes, result.shape}) > 1
        matrices = matrices and all(len(a) == len(b) == 2 and a[1] == b[0] for a, b in itertools.pairwise(shapes))
        sign = "·" if matrices and result.shape == (shapes[0][0], shapes[-1][1]) else TIMES
        sizes = [(1, 1, *s)[-2:] for s in (*shapes, result.shape)]
        scale = round(min(6, (270 - 24 * len(sizes)) / sum(w for _, w in sizes), 60 / max(h for h, _ in sizes)), 3)
        pieces: list[Any] = []
        for word, a, t in zip(words, factors, turned):  # gradients alone have colour
            pieces += [sign, self.arrays.picture(a, px=scale, grey=int(word[0] != "g"), turn=int(t))]
        own = self.arrays.picture(result, **({"px": scale} if scale < 6 else {}))
        return [*pieces[1:], "=", own], [f" {sign} ".join(map(shape, shapes)), f" → {shape(result.shape)}"]

    def _goes(self, step: Step, i: int, position: int) -> list[Any]:
        """Where the result of a rule goes, and how many have arrived there by then."""
        arrival = step.sent[position]
        node = arrival.edge.as_source()[0]
        if isinstance(node, Leaf):
            target = self.targets[node]
            k = target.arrivals.index(arrival)
            how = "returned by grad()" if target.after is None else "added (+=)" if k else "stored"
            how += " beside an earlier pass's" if target.before is not None else ""
            return [["b", target.title], ["div.dim", f"{nth(k)} of {len(target.arrivals)}: {how}"]]
        row = self.nodes.get(node)
        if row is None:
            return [["span.dim", f"{node.title}, whose rule was not needed"]]
        came = [a for parts in self.steps[row].parts for a in parts]
        there = sum(self.rows.get(a.by, -1) < i or (a.by is step and a.position <= position) for a in came)
        more = "" if there < len(came) else ": it runs next" if row == i + 1 else ": it may run"
        return [["b", node.title], f" {where(self.steps[row].record)}", ["div.dim", f"{there} of {len(came)} arrived{more}"]]

    def _summed(self, position: int, step: Step, given: np.ndarray, letter: str) -> list[Any]:
        """What the engine does where an input was broadcast: forward copied it, so backward adds the copies' gradients."""
        kept, picture = step.sent[position].grad, self.arrays.picture
        axes = broadcast_dims(given.shape, kept.shape) or ()
        over = f"summed over {'axis' if len(axes) == 1 else 'axes'} {' and '.join(map(str, axes))}: "
        over += f"{shape(given.shape)} → {shape(kept.shape)}"
        said = [
            "div",
            f"{shape(given.shape)} does not fit ",
            ["i", letter],
            f" {shape(kept.shape)}, so it is ",
            ["b.now", over],
        ]
        if given.ndim != 2 or max(given.shape) > 6 or not given.size or not step.record.inputs:
            return [said, ["div.f", picture(given, w=270), "→", picture(kept, w=270)]]
        value, arrow = step.record.inputs[position], ["div.o", "→" if axes == (1,) else "↓"]
        way = "place" if len(axes) > 1 else ("row", "column")[axes[0]]
        copied = [["div.box", picture(value, grey=1)], arrow, ["div.box.dim", picture(np.broadcast_to(value, given.shape))]]
        added = [["div.box", picture(given)], arrow, ["div.box.now", picture(kept)]]
        forward = ["div", ["h3", f"Forward: copied to every {way}"], ["div.fit", *copied]]
        backward = ["div", ["h3.now", f"Backward: every {way} added up"], ["div.fit", *added]]
        sums = map(addition, given.T if axes == (0,) else given if axes == (1,) else [given.ravel()])
        return [said, ["div.f", forward, backward], ["div.f.dim", *(["span", f"{a} = ", ["b.now", b]] for a, b in sums if a)]]
