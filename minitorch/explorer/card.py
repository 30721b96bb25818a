"""The card of a step: line, operation, gradient that arrives, each rule and where its result goes, proof."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from typing import Any

import numpy as np

from minitorch.autograd.node import Leaf
from minitorch.explorer.pictures import Arrays, largest, tiled
from minitorch.explorer.proof import UNKNOWN, WRONG
from minitorch.explorer.recorder import Arrival, Record, Step, Target, end_of
from minitorch.explorer.words import MINUS, TIMES, formula, letters, norm, nth, number, numbers, rules_of, said_of, shape

WIDE, HIGH = 270, 60  # pixels that the pictures of a rule may take


def place(record: Record) -> str:
    """Where an operation stands: its module, the rule that recorded it, or the user's line."""
    if record.made_by is not None:
        return f"rule of {record.made_by.record.node.title}"
    return record.module or (f"line {record.lines[0].number}" if record.lines else "before")


def called(record: Record) -> list[Any]:
    """An operation by name and place."""
    return ["span", ["b", record.node.title], f" {place(record)}"]


def part(label: Any, *content: Any) -> list[Any]:
    """One part of the card."""
    return ["div.part", ["div.side", label], ["div", *content]]


def lines(record: Record) -> list[Any]:
    """The user's lines that led here, the outermost first, and the line before the innermost."""
    shown: list[Any] = []
    for k, line in reversed(list(enumerate(record.lines))):
        if k == 0 and line.before:
            shown += [["code.dim", f"{line.file}:{line.number - 1}"], ["code.dim", line.before]]
        run = ["b" if k == 0 else "span", line.text[line.start : line.stop]]
        code = ["code", line.text[: line.start], run, line.text[line.stop :]]
        shown += [["code.dim", f"{line.file}:{line.number}"], code]
    return part("Your line", ["div.code", *shown] if shown else ["span.dim", "it ran before the block"])


def statistics(g: np.ndarray) -> list[Any]:
    """Shape, size and zeros of a gradient."""
    zero = f"{100 * float((g == 0).mean()):.1f} %" if g.size else "none"
    pairs = ("shape", shape(g.shape)), ("size (norm)", number(norm(g), 4)), ("exactly 0", zero)
    return ["dl", *(piece for name, value in pairs for piece in (["dt", name], ["dd", value]))]


def extent(g: np.ndarray) -> list[Any]:
    """The smallest and the largest number under a picture."""
    if not g.size or g.dtype.kind == "c":
        return ["div"]
    if not np.isfinite(g).all():
        return ["div.down", "not all of it is finite"]
    low, high = ([f"b.{'down' if v < 0 else 'up'}", ("+" if v > 0 else "") + number(v)] for v in (g.min(), g.max()))
    return ["div.dim", low, " to ", high, ", blank is 0"]


def proof(step: Step) -> list[Any]:
    """How the rule was checked on these numbers."""
    found = step.proof
    mark = {UNKNOWN: ["span.dim", "? "], WRONG: ["b.down", "✗ "]}.get(found.way, ["b.now", "✓ "])
    said = f"Checked on these numbers by {found.way}: error {number(found.error or 0, 3)}"
    said = {UNKNOWN: f"Not checked: {found.note}", WRONG: f"The rule does not hold: {found.note}"}.get(found.way, said)
    more = found.note if found.way not in (UNKNOWN, WRONG) else ""
    return part("Is it right?", ["div", mark, said, ["span.dim", f" ({more})"] if more else ""])


class Cards:
    """Makes the cards of one pass."""

    steps: Any
    targets: Any
    arrays: Any
    uses: dict[str, int]

    def __init__(self, steps: list[Step], targets: dict[Any, Target], arrays: Arrays, uses: dict[str, int]) -> None:
        self.steps, self.targets, self.arrays, self.uses = steps, targets, arrays, uses
        self.rows: dict[int, int] = {id(step): i for i, step in enumerate(steps)}
        self.nodes: dict[Any, int] = {step.record.node: i for i, step in enumerate(steps)}

    def parts(self, i: int) -> list[list[Any]]:
        """Lines, operation, gradient, rules and proof of step `i`."""
        step = self.steps[i]
        return [lines(step.record), self.operation(step.record), self.gradient(step), self.rules(step, i), proof(step)]

    # ---- what was computed -----------------------------------------------------------------------------------------------

    def operation(self, record: Record, hidden: str = "") -> list[Any]:
        """What the operation computes, with shapes under its letters; the shape of the letter `hidden` is asked for."""
        said = said_of(type(record.node))
        inputs = zip(letters(type(record.node), len(record.inputs)), record.inputs)
        under = {letter: shape(value.shape) for letter, value in inputs if isinstance(value, np.ndarray)}
        outs = record.node.shape if isinstance(record.node.shape, list) else [record.node.shape]

        def symbol(word: str) -> list[Any]:
            letter = word.removesuffix("^T")
            return ["span", formula(word), ["small.now", "?"] if letter == hidden else ["small", under[letter]]]

        pieces: list[Any] = [["span", ["i", "y"], ["small", ", ".join(map(shape, outs))]], ["span", "="]]
        seen: set[Any] = set()
        for word in re.split(r"(\b[a-z]\d?(?:\^T)?(?!\w))", said):
            if word.removesuffix("^T") in under.keys() - seen:
                seen.add(word.removesuffix("^T"))
                pieces.append(symbol(word))
            elif word.strip():
                pieces.append(formula(word.strip()))
        pieces += [symbol(letter) for letter in under if letter not in seen]
        content = [["div.sum", *pieces]]
        out = record.outputs[0] if record.outputs else None
        if record.node.title == "relu" and out is not None and out.size:
            dead = 100 * float((out == 0).mean())
            content.append(["div.dim", f"{dead:.1f} % of its outputs are 0; no gradient passes there"])
        wrong = [o for o in record.outputs if isinstance(o, np.ndarray) and o.dtype.kind == "f" and not np.isfinite(o).all()]
        if wrong:
            clean = all(np.isfinite(v).all() for v in record.inputs if isinstance(v, np.ndarray) and v.dtype.kind == "f")
            first = number(wrong[0][~np.isfinite(wrong[0])][0])
            content.append(["div.down", f"{first} in its output: ", "it begins here" if clean else "one of its inputs had it"])
            pictures = [self.arrays.picture(v, grey=1, w=200) for v in record.inputs if isinstance(v, np.ndarray)]
            content.append(["div.g", *(pictures if clean else [])])
        return part("The operation", *content)

    # ---- what arrives ----------------------------------------------------------------------------------------------------

    def gradient(self, step: Step) -> list[Any]:
        """The gradient that arrives at each output, with its parts if it is a sum."""
        content: list[Any] = []
        for k, (g, parts) in enumerate(zip(step.incoming, step.parts)):
            if len(step.incoming) > 1:
                content.append(["div.dim", f"of output {k + 1}" + ("" if parts else ": none came, so it is 0")])
            if len(parts) > 1:
                most = max(largest(arrival.grad) for arrival in parts)
                for arrival in parts:
                    said = ["span.dim", *self.sender(arrival), f", size {number(norm(arrival.grad), 4)}"]
                    content.append(["div.f", self.arrays.picture(arrival.grad, w=200, h=40, most=most), said])
                content.append(["div.dim", "added up:"])
            under = [] if "t" in self.arrays.entry(g) else [extent(g)]
            content.append(["div.g", ["div", self.arrays.picture(g, w=300, h=120), *under], statistics(g)])
        came = [arrival for arrivals in step.parts for arrival in arrivals]
        of = [f": a sum of {len(came)}"] if len(came) > 1 else [", ", *self.sender(came[0])] if came else []
        return part(["span", "Gradient arriving, ", ["i", "g"], *of], *content)

    def sender(self, arrival: Arrival) -> list[Any]:
        """Who sent a gradient."""
        return ["from ", called(arrival.by.record)] if arrival.by is not None else ["where the pass starts"]

    # ---- the rules and where their results go ----------------------------------------------------------------------------

    def rules(self, step: Step, i: int) -> list[Any]:
        """For each input the rule, its result, what the engine sums it over, and where it goes."""
        names = letters(type(step.record.node), len(step.rule.edges))
        content = [self.rule(step, i, position, names) for position in sorted(step.sent)]
        return part("The rule for each input, and where it goes", *(content or [["div.dim", "nobody asked for its gradients"]]))

    def rule(self, step: Step, i: int, position: int, names: list[str]) -> list[Any]:
        """One rule."""
        arrival, given, letter = step.sent[position], np.asarray(step.given[position]), names[position]
        said = rules_of(type(step.record.node), len(names))[position]
        kept = arrival.grad
        of = ["div", ["div.r", formula(f"d{letter} = {said}") if said else formula(f"d{letter}")]]
        if len(said) < 8:
            of.append(["div.dim", f"size {number(norm(kept), 4)}"])
        known = {"g": step.incoming[0]} if len(step.incoming) == 1 else {}
        known |= {name: a for name, a in zip(names, step.record.inputs) if isinstance(a, np.ndarray)}
        more = "" if len(said) < 8 else f", size {number(norm(kept), 4)}"
        if any(given is g or (given.shape == g.shape and np.array_equal(given, g)) for g in step.incoming):
            picture: list[Any] = [["div.dim", ["i", "g"], f" itself, {shape(given.shape)}{more}"]]
        else:
            own: list[Any] = [["div.f", self.arrays.picture(given, w=WIDE, h=HIGH)], ["div.dim", shape(given.shape) + more]]
            picture = self.product(said, known, given) or own
        whole = ["div.send", of if len(said) < 8 else [f"{of[0]}.long", *of[1:]]]
        whole += [["div", *picture], ["div", *self.goes(step, i, position)]]
        if given.shape != kept.shape:
            whole.append(self.summed(position, step, given, letter))
        return whole

    def product(self, said: str, known: dict[str, np.ndarray], result: np.ndarray) -> list[Any] | None:
        """A product of at most three arrays as pictures at one scale, so that shapes are seen, and its shapes in words."""
        words = said.split()
        if not 2 <= len(words) <= 3 or any(word.removesuffix("^T") not in known for word in words) or result.ndim > 2:
            return None
        factors = [known[word.removesuffix("^T")] for word in words]
        turned = [word.endswith("^T") for word in words]
        if any(a.ndim > 2 or (t and a.ndim != 2) for a, t in zip(factors, turned)):
            return None
        shapes = [a.shape[::-1] if t else a.shape for a, t in zip(factors, turned)]
        pairs = list(itertools.pairwise(shapes))
        matrices = all(len(s) == 2 for s in shapes) and all(a[1] == b[0] for a, b in pairs)
        matrices = matrices and result.shape == (shapes[0][0], shapes[-1][1]) and (any(turned) or len(set(shapes)) > 1)
        sign = "·" if matrices else TIMES
        sizes = [(1, 1, *s)[-2:] for s in [*shapes, result.shape]]
        scale = round(min(6, (WIDE - 24 * len(sizes)) / sum(w for _, w in sizes), HIGH / max(h for h, _ in sizes)), 3)
        pieces: list[Any] = []
        for word, a, t in zip(words, factors, turned):
            look = ({} if word[0] == "g" else {"grey": 1}) | ({"turn": 1} if t else {})  # gradients alone have colour
            pieces += [["span", sign], self.arrays.picture(a, **look, px=scale)]
        texts = [shape(s) for s in shapes]
        shown: list[Any] = [x for text in texts for x in (f" {sign} ", text)][1:]
        end: Any = shape(result.shape)
        if matrices and len(shapes) == 2:
            (n, k), (_, m) = shapes
            shown = ["(", ["b", str(n)], f", {k}) · ({k}, ", ["b", str(m)], ")"]
            end = ["b", f"({n}, {m})"]
        picture = ["div.f", *pieces[1:], ["span", "="], self.arrays.picture(result, **({"px": scale} if scale < 6 else {}))]
        return [picture, ["div.dim", *shown, " → ", end]]

    def goes(self, step: Step, i: int, position: int) -> list[Any]:
        """Where the result of a rule goes, and how many have come there by then."""
        arrival, node = step.sent[position], end_of(step.rule.edges[position])[0]
        if isinstance(node, Leaf):
            target = self.targets[node]
            k = next(k for k, other in enumerate(target.arrivals) if other is arrival)
            how = "returned by grad()" if target.after is None else "added (+=)" if k else "stored"
            how += " beside an earlier pass's" if target.before is not None else ""
            return [["b", target.title], ["div.dim", f"{nth(k)} of {len(target.arrivals)}: {how}"]]
        row = self.nodes.get(node)
        if row is None:
            return [["span.dim", f"{node.title}, whose rule was not needed"]]
        came = [a for arrivals in self.steps[row].parts for a in arrivals]
        there = sum(self.rows.get(id(a.by), -1) < i or (a.by is step and a.position <= position) for a in came)
        more = "" if there < len(came) else ": it runs next" if row == i + 1 else ": it may run"
        return [["div", called(self.steps[row].record)], ["div.dim", f"{there} of {len(came)} arrived{more}"]]

    def summed(self, position: int, step: Step, given: np.ndarray, letter: str) -> list[Any]:
        """What the engine does where an input was broadcast: forward copied it, so backward adds the copies' gradients."""
        kept, value = step.sent[position].grad, step.record.inputs[position] if step.record.inputs else None
        axes = summed_axes(given.shape, kept.shape)
        over = f"summed over {'axis' if len(axes) == 1 else 'axes'} {' and '.join(map(str, axes))}"
        said = [shape(given.shape), " does not fit ", ["i", letter], f" {shape(kept.shape)}, so it is "]
        content = ["div.un", ["div", *said, ["b.now", f"{over}: {shape(given.shape)} → {shape(kept.shape)}"]]]
        small = given.ndim == 2 and max(given.shape) <= 8 and 0 < given.shape[1] <= 5 and axes in ([0], [1], [0, 1])
        if not small or value is None:
            sizes = {"w": WIDE, "h": HIGH}
            pictures = self.arrays.picture(given, **sizes), ["span", "→"], self.arrays.picture(kept, **sizes)
            return [*content, ["div.f", *pictures]]
        copies = np.broadcast_to(value, given.shape)
        way = {0: "row", 1: "column"}.get(axes[0]) if len(axes) == 1 else "place"
        arrow = "→" if axes == [1] else "↓"
        pairs = []
        for head, first, kind, last in [
            (["h3", f"Forward: copied to every {way}"], box(numbers_of(value, axes)), "dim", numbers_of(copies, [])),
            (["h3.now", f"Backward: every {way} added up"], box(numbers_of(given, [])), "now", numbers_of(kept, axes)),
        ]:
            pairs.append(["div", head, ["div.fit", first, [f"div.o.{kind}", arrow], box(last, kind)]])
        sums = []
        for column in given.T if axes == [0] else given if axes == [1] else [given.ravel()]:
            *texts, total = numbers([*column, column.sum()])
            if len(column) <= 6 and sum(as_number(text) for text in texts) == as_number(total):
                sums.append(["span", f"{' + '.join(texts)} = ".replace(f"+ {MINUS}", f"{MINUS} "), ["b.now", total]])
        return [*content, ["div.pair", *pairs], ["div.pair.dim", *sums]]


def as_number(text: str) -> Decimal:
    """What a number on the page says."""
    return Decimal(text.replace(MINUS, "-"))


def summed_axes(given: tuple[int, ...], kept: tuple[int, ...]) -> list[int]:
    """The axes over which a gradient of one shape is summed to fit another."""
    extra = len(given) - len(kept)
    return [i for i, length in enumerate(given) if i < extra or kept[i - extra] != length]


def numbers_of(array: np.ndarray, axes: list[int]) -> list[list[str]]:
    """The numbers of an array as the rows of a table: a column where it lies along axis 0 alone."""
    texts = numbers(array.ravel())
    width = 1 if axes == [1] else tiled(array).shape[2]
    return [texts[k : k + width] for k in range(0, len(texts), width)]


def box(rows: list[list[str]], kind: str = "plain") -> list[Any]:
    """Numbers in a frame."""
    return [f"table.nums.box.{kind}", *(["tr", *(["td", text] for text in row)] for row in rows)]
