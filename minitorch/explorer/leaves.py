"""What arrives for `.grad`: at each leaf the contributions, the sums so far, and what each loss term has sent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.explorer.card import Cards, tail, where
from minitorch.explorer.recorder import Arrival, Pass, Target
from minitorch.explorer.words import MINUS, TIMES, decimals, fixed, largest, norm, nth, number, tiled

Lengths = list[tuple[str, list[tuple[str, float]]]]  # of contributions: the title, and for each term its colour and norm


def target_data(target: Target, run: Pass, cards: Cards, position: int) -> dict[Any, Any]:
    """A leaf as the shelf shows it after each arrival, with the cards that it opens."""
    lengths: Lengths = [("Left by an earlier pass", [("t3", norm(target.before))])] if target.before is not None else []
    uses = [cards.rows.get(arrival.by, -1) for arrival in target.arrivals]
    states, told = [_state(target, target.before, lengths)], []
    for k, (arrival, total) in enumerate(zip(target.arrivals, target.totals)):
        lengths.append((f"Contribution {k + 1}", [(f"t{min(t, 3)}", norm(part)) for t, part in enumerate(arrival.terms)]))
        held = total if target.before is None else target.before + total
        states.append(_state(target, held, lengths))
        told.append(["div", *_card(target, cards, k, held), *([_waterfall(lengths, held)] if len(lengths) > 1 else [])])
    told[-1] += [_terms(target, run)] if run.terms else []
    marks = [{"use": row, "l": position} for row in uses] if len(uses) < 5 else [f"{TIMES}{len(uses)}"]
    left = int(target.before is not None)
    return {"name": target.name, "left": left, "uses": uses, "states": states, "cards": told, "marks": marks}


def size(*arrays: np.ndarray) -> list[Any]:
    """The norm of arrays as a line, log10 from 0.01 to 100, and in digits."""
    value = norm(*arrays)
    length = 25 * min(max(math.log10(value) + 2, 0.0), 4.0) if 0 < value < math.inf else 0.0
    return [["span.size", {"bars": [["t3", 0, round(length, 1), 0]]}], ["span.num", number(value)]]


def swatch(t: int) -> list[Any]:
    """The colour of a loss term: three, and grey for all others."""
    return [f"span.sw.t{min(t, 3)}"]


def _state(target: Target, held: np.ndarray | None, lengths: Lengths) -> list[Any]:
    """The row of a leaf on the shelf: its name, its size on a log line and in digits, and what it is made of."""
    name = ["span.name", tail(target.name)]
    if held is None:
        return [name, ["span.size"], ["span.num", "None"], ["span.no"]]
    return [name, *size(held), {"bars": _end_to_end(lengths), "tick": _share(lengths, norm(held)) * (len(lengths) > 1)}]


def _share(lengths: Lengths, value: float) -> float:
    """A length in percent of all contributions laid end to end."""
    whole = sum(own for _, parts in lengths for _, own in parts)
    return round(100 * value / whole, 2) if 0 < whole < math.inf else 0.0


def _end_to_end(lengths: Lengths, only: int | None = None) -> list[Any]:
    """Contributions laid end to end, each in its terms: (colour, left, width, whether a contribution begins), in percent."""
    bars, left = [], 0.0
    for j, (_, parts) in enumerate(lengths):
        for t, (kind, value) in enumerate(parts):
            if value > 0 and only in (None, j):
                bars.append([kind, round(left, 2), _share(lengths, value), int(j > 0 == t and only is None)])
            left += _share(lengths, value)
    return bars


# ---- the card of a leaf --------------------------------------------------------------------------------------------------


def _card(target: Target, cards: Cards, k: int, held: np.ndarray) -> list[Any]:
    """How contribution `k` becomes part of the sum: pictures and numbers."""
    uses, arrival, total, pieces = len(target.arrivals), target.arrivals[k], target.totals[k], list[Any]()
    last = k == uses - 1
    if k:
        kind = "weight" if len(target.leaf._shape) > 1 else "parameter"
        title = f"One {kind}, used {'twice' if uses == 2 else f'{uses} times'}: its gradient is a sum"
        read = f"{'Both' if uses == 2 else f'All {uses}'} uses read the same {total.size:,} number{'s' * (total.size != 1)} of "
        then: list[Any] = [". Nudge one of them, and the loss changes along every path. So "]
        then += [["b", f"backward adds: .grad += contribution {k + 1}"], ". It does not overwrite."]
        before = ("Contribution 1", _source(target.arrivals[0], cards)) if k == 1 else (f"The first {k}", "their sum")
        now = f"Contribution {k + 1}, arriving now", _source(arrival, cards), arrival.grad
        panels = [(*before, target.totals[k - 1]), now, (target.title, "the sum", total)]
        pieces += [["h2.title", title], ["p", read, ["b", target.name], *then], _sum_of(panels, cards)]
    elif target.before is None or not last:
        title = f"{target.title}: the {'only' if last else nth(k)} contribution"
        said: list[Any] = ["div.dim", f"{_source(arrival, cards)}, size {number(norm(total))}"]
        pieces += [["h2.title", title], cards.arrays.picture(total, w=420, h=160), said]
    if target.before is not None and last:
        said = ["p", "An earlier pass left its gradient in ", ["b", target.title], ", and it was not emptied. "]
        said += [["b", "Backward adds to what is there."], " zero_grad() before the pass would have emptied it."]
        panels = [("Left by an earlier pass", "before this one", target.before), ("This pass", "what has arrived", total)]
        panels.append((target.title, "the sum", held))
        pieces += [["h2.title", ".grad was not empty: backward adds to it"], said, _sum_of(panels, cards)]
    if last and target.after is not None and not np.allclose(held, target.after, rtol=1e-3, atol=1e-30, equal_nan=True):
        pieces.append(["p.down", f"A hook changed it: {target.title} has size {number(norm(target.after))} now."])
    return pieces


def _source(arrival: Arrival, cards: Cards) -> str:
    """Where a contribution comes from."""
    if arrival.by is None:
        return "where the pass starts"
    group = arrival.by.record.place.group
    whose = cards.name(group) if group and cards.uses[group[0]] > 1 else where(arrival.by.record)
    return f"from {whose}, step {cards.rows[arrival.by] + 1}"


def _sum_of(panels: list[Any], cards: Cards) -> list[Any]:
    """Two arrays and their sum as pictures on one scale of colour, and a few of their numbers."""
    arrays = [array for _, _, array in panels]
    most, (window, texts) = max(map(largest, arrays)), _picked(*arrays)
    look: dict[str, Any] = {"w": 196, "h": 96, "heat": 1} | ({"box": window} if arrays[0].size > 9 and window else {})
    signs: list[Any] = [["span.down", "orange"], " below 0, ", ["span.up", "blue"], " above"]
    notes = [["the outlined numbers" if "box" in look else "in numbers"], signs, [f"colours: ±{number(most)}"]]
    columns = list[Any]()
    for j, (title, said, array) in enumerate(panels):
        column = ["div", ["h3.now" if j == 1 else "h3", title], ["div.dim", said], cards.arrays.picture(array, most, **look)]
        if texts:
            rows = (["tr", *([f"td.{'down' if t[0] == MINUS else 'up'}", t] for t in row)] for row in texts[j])
            column += [["div.dim", *notes[j]], ["table.nums", *rows]]
        columns += [["div.o", " +="[j]], column][j == 0 :]
    return ["div.three", *columns]


def _picked(a: np.ndarray, b: np.ndarray, total: np.ndarray) -> tuple[list[int], list[Any]]:
    """(tile, row, column, height, width) of a few numbers of a + b = total, and the numbers, which add up as printed.

    Those whose signs differ come first; empty if no number adds up when rounded, or one is not finite.
    """
    places = decimals(a, b, total)
    if places < 0 or total.dtype.kind != "f" or not total.size or not all(np.isfinite(x).all() for x in (a, b, total)):
        return [], []
    stacks = [tiled(np.asarray(x, np.float64))[:200] for x in (a, b, total)]
    first, second, both = (np.rint(x * 10.0**places) for x in stacks)
    for height, width in (3, 3), (2, 3), (1, 3), (1, 2), (1, 1):
        window = min(height, both.shape[1]), min(width, both.shape[2])
        fits = np.lib.stride_tricks.sliding_window_view(first + second == both, window, (1, 2))
        mixed = np.lib.stride_tricks.sliding_window_view(first * second < 0, window, (1, 2))
        score = np.where(fits.all((-1, -2)), 1 + mixed.sum((-1, -2)), 0)
        if score.any():
            tile, row, column = map(int, np.unravel_index(int(score.argmax()), score.shape))
            cut = np.s_[tile, row : row + window[0], column : column + window[1]]
            return [tile, row, column, *window], [[[fixed(v, places, "+") for v in line] for line in x[cut]] for x in stacks]
    return [], []


def _waterfall(lengths: Lengths, held: np.ndarray) -> list[Any]:
    """The last contributions end to end, and their sum, which is shorter where they point different ways."""
    pieces: list[Any] = ["div.fall", ["h3", "How large ", ["span.dim", "laid end to end, in the loss terms' colours"]]]
    for j, (title, parts) in list(enumerate(lengths))[-6:]:
        keys = [piece for kind, v in parts if v for piece in ([f"span.sw.{kind}"], f"{number(v)} ")]
        pieces += [["div.now" if j == len(lengths) - 1 else "div", title], ["div", *keys], {"bars": _end_to_end(lengths, j)}]
    less = sum(v for _, parts in lengths for _, v in parts) - norm(held)
    note = f"{number(less)} less than end to end: they do not point the same way" if less > 0.005 * norm(held) else ""
    bar = {"bars": [["tk", 0, _share(lengths, norm(held)), 0]]}
    return [*pieces, ["b", "their sum"], ["div", number(norm(held))], ["div", bar, ["div.dim", note]]]


def _terms(target: Target, run: Pass) -> list[Any]:
    """For each loss term the size of its part of what this pass brought, its share, and its direction."""
    parts = [np.sum([arrival.terms[t] for arrival in target.arrivals], axis=0).ravel() for t in range(len(run.terms))]
    whole, shown = np.sum(parts, axis=0), parts[:4]  # there is room for four cosines
    heads = ["loss term", "size of its part", "share of the sum", "cosine with the sum", *map(swatch, range(len(shown)))]
    rows = [["tr", *(["td", head] for head in heads)]]
    for t, (term, part) in enumerate(zip(run.terms, parts)):
        share = 100 * float(np.vdot(whole, part)) / (norm(whole) ** 2 or 1.0)
        cosines = [float(np.vdot(part, v)) / (norm(part) * norm(v) or 1.0) for v in (whole, *shown)]
        weight = f" {TIMES} {number(term.weight)}" if term.weight != 1 else ""
        texts = [number(norm(part)), f"{number(share)} %", *map(number, cosines)]
        rows.append(["tr", ["td", swatch(t), term.name + weight], *(["td", text] for text in texts)])
    return ["table.terms", *rows]
