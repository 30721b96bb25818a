"""What arrives for `.grad`: at each leaf the contributions, the sums so far, and what each loss term has sent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.explorer.recorder import Arrival, Pass, Target
from minitorch.explorer.words import (
    MINUS,
    TIMES,
    decimals,
    drawn,
    finite,
    fixed,
    largest,
    norm,
    nth,
    number,
    picture,
    tail,
    tiled,
)

Lengths = list[tuple[str, list[tuple[int, float]]]]  # of contributions: the title, and each term's number and norm


def shelved(target: Target, run: Pass, position: int) -> dict[Any, Any]:
    """A leaf as the shelf shows it after each arrival, with the cards that it opens."""
    left, uses = target.before is not None, [arrival.by.row for arrival in target.arrivals]
    lengths: Lengths = [("Left by an earlier pass", [(3, norm(target.before))])] if left else []
    name, cards = ["span.name", tail(target.name)], []
    none = [name, ["span"], ["span.num", "None"], ["span", {"style": "border-top-width:1px"}]]
    states = [[name, *size(target.before), _bars(lengths)] if left else none]
    for k, (arrival, total) in enumerate(zip(target.arrivals, target.totals)):
        lengths.append((f"Contribution {k + 1}", [(t, norm(part)) for t, part in enumerate(arrival.terms)]))
        held = target.before + total if left else total
        more = [_waterfall(lengths, held)] if len(lengths) > 1 else []
        tick = [["i.tick", {"style": f"left:{_share(lengths, norm(held))}%"}]] if more else []
        known = target.after if k == len(uses) - 1 and target.after is not None else held  # a hook may have changed it
        states.append([name, *size(known), _bars(lengths) + tick])
        cards.append(["div", *_card(target, k, held), *more])
    cards[-1] += _terms(target, run) if run.terms else []
    marks = [{"use": row, "l": position} for row in uses] if len(uses) < 5 else [f"{TIMES}{len(uses)}"]
    return {"name": target.name, "left": int(left), "uses": uses, "states": states, "cards": cards, "marks": marks}


def size(*arrays: np.ndarray | None) -> list[Any]:
    """The norm of arrays as a line, log10 from 0.01 to 100, and in digits."""
    value = norm(*arrays)
    length = 25 * min(max(math.log10(value) + 2, 0.0), 4.0) if 0 < value < math.inf else 0.0
    return [["span.bars.size", bar("line", round(length, 1))], ["span.num", number(value)]]


def bar(color: str, percent: float, tag: str = "i") -> list[Any]:
    """A part of a bar, in percent of its length."""
    return [tag, {"style": f"width:{percent}%;background:var(--{color})"}]


def swatch(t: int) -> list[Any]:
    """The colour of a loss term: three, and grey for all others."""
    return ["span.sw", {"style": f"background:var(--t{min(t, 3)})"}]


def _share(lengths: Lengths, value: float) -> float:
    """A length in percent of all contributions laid end to end."""
    whole = sum(own for _, parts in lengths for _, own in parts)
    return round(100 * value / whole, 2) if 0 < whole < math.inf else 0.0


def _bars(lengths: Lengths, only: range | None = None) -> list[Any]:
    """Contributions laid end to end, each in its terms, with a gap between two; or some of them in their place."""
    bars: list[Any] = ["div.bars"]
    for j, (_, parts) in enumerate(lengths):
        for t, value in parts:
            color, tag = f"t{min(t, 3)}" if only is None or j in only else "", "i.gap" if only is None and j > 0 == t else "i"
            bars += [bar(color, _share(lengths, value), tag)] if value > 0 else []
    return bars


def _waterfall(lengths: Lengths, held: np.ndarray) -> list[Any]:
    """The last contributions end to end, and their sum, which is shorter where they point different ways."""
    colours = ", in the loss terms' colours" * any(len(parts) > 1 for _, parts in lengths)
    pieces: list[Any] = ["div.fall", ["h3", "How large ", ["span.dim", f"laid end to end{colours}"]]]
    whole, shown = norm(held), np.array([v for _, parts in lengths for _, v in parts])
    places = decimals(shown, np.array(whole))  # of each, so that the difference below is that of what is printed
    first = len(lengths) - 6 if len(lengths) > 7 else 0
    if first:
        before = sum(round(v, places) if places >= 0 else v for _, parts in lengths[:first] for _, v in parts)
        pieces += [["div.dim", f"the {first} before these"], ["div", fixed(before, places)], _bars(lengths, range(first))]
    for j, (title, parts) in list(enumerate(lengths))[first:]:
        keys = [piece for t, v in parts if v for piece in (swatch(t), f"{fixed(v, places)} ")] or [fixed(0.0, places)]
        pieces += [["div.now" if j == len(lengths) - 1 else "div", title], ["div", *keys], _bars(lengths, range(j, j + 1))]
    less = float(shown.sum()) - whole if places < 0 else float(shown.round(places).sum() - round(whole, places))
    note = f"{fixed(less, places)} less than end to end: they do not point the same way" if less > 0.005 * whole else ""
    drawn = ["div.bars", bar("ink", _share(lengths, whole))]
    return [*pieces, ["b", "their sum"], ["div", fixed(whole, places)], ["div", drawn, ["div.dim", note]]]


def _terms(target: Target, run: Pass) -> list[Any]:
    """For each loss term the size of its part of what this pass brought, its share, and its direction."""
    parts = [np.sum([arrival.terms[t] for arrival in target.arrivals], axis=0).ravel() for t in range(len(run.terms))]
    whole, shown = np.sum(parts, axis=0), parts[:4]  # there is room for four cosines
    heads = ["loss term", "size of its part", "share of the sum", "cosine with the sum", *map(swatch, range(len(shown)))]
    rows: list[Any] = [heads]
    for t, (term, part) in enumerate(zip(run.terms, parts)):
        share = _ratio(100 * np.vdot(whole, part), norm(whole) ** 2, "\N{NO-BREAK SPACE}%")
        cosines = [_ratio(np.vdot(part, v), norm(part) * norm(v)) for v in (whole, *shown)]
        name = ["span", swatch(t), term.name + (f" {TIMES} {number(term.weight)}" if term.weight != 1 else "")]
        rows.append([name, number(norm(part)), share, *cosines])
    table = ["table.terms", *(["tr", ["th", name], *(["td", cell] for cell in cells)] for name, *cells in rows)]
    few = "Cosines are given with the first four terms; from the fourth on, all terms are grey."
    return [table, ["div.dim", few]] if len(parts) > 4 else [table]


def _ratio(part: Any, whole: float, unit: str = "") -> str:
    """A share or a cosine; a dash where there is none, because what it would be of is 0."""
    return number(float(part) / whole) + unit if whole else "\N{EN DASH}"


def _card(target: Target, k: int, held: np.ndarray) -> list[Any]:
    """How contribution `k` becomes part of the sum: pictures and numbers."""
    uses, arrival, total, pieces = len(target.arrivals), target.arrivals[k], target.totals[k], list[Any]()
    last = k == uses - 1
    if k:
        kind = "weight" if total.ndim > 1 else "parameter"
        title = f"One {kind}, used {'twice' if uses == 2 else f'{uses} times'}: its gradient is a sum"
        read = f"{'Both' if uses == 2 else f'All {uses}'} uses read the same {total.size:,} number{'s' * (total.size != 1)} of "
        then: list[Any] = [". Nudge one of them, and the loss changes along every path. So "]
        into = ".grad" if target.after is not None else "the gradient"
        then += [["b", f"backward adds: {into} += contribution {k + 1}"], ". It does not overwrite."]
        before = ("Contribution 1", _source(target.arrivals[0])) if k == 1 else (f"The first {k}", "their sum")
        now = f"Contribution {k + 1}, arriving now", _source(arrival), arrival.grad
        panels = [(*before, target.totals[k - 1]), now, (target.title, "the sum", total)]
        pieces += [["h2.title", title], ["p", read, ["b", target.name], *then], _sum_of(panels)]
    elif target.before is None or not last:
        title = f"{target.title}: the {'only' if last else nth(k)} contribution"
        said: list[Any] = ["div.dim", f"{_source(arrival)}, size {number(norm(total))}{drawn(total)}"]
        pieces += [["h2.title", title], picture(total, w=420, h=160), said]
    if target.before is not None and last:
        said = ["p", "An earlier pass left its gradient in ", ["b", target.title], ", and it was not emptied. "]
        said += [["b", "Backward adds to what is there."], " zero_grad() before the pass would have emptied it."]
        panels = [("Left by an earlier pass", "before this one", target.before), ("This pass", "what has arrived", total)]
        panels.append((target.title, "the sum", held))
        pieces += [["h2.title", ".grad was not empty: backward adds to it"], said, _sum_of(panels)]
    if last and target.after is not None and not np.allclose(held, target.after, rtol=1e-3, atol=1e-30, equal_nan=True):
        pieces.append(["p.down", f"A hook changed it: {target.title} has size {number(norm(target.after))} now."])
    return pieces


def _source(arrival: Arrival) -> str:
    """Where a contribution comes from."""
    by = arrival.by
    return f"from {by.fold if ' use' in by.fold else by.where}, step {by.row + 1}" if by.row >= 0 else "where the pass starts"


def _sum_of(panels: list[Any]) -> list[Any]:
    """Two arrays and their sum as pictures on one scale of colour, and a few of their numbers."""
    arrays = [array for _, _, array in panels]
    most, (window, texts) = max(map(largest, arrays)), _picked(*arrays)
    look: dict[str, Any] = {"w": 196, "h": 96, "heat": 1} | (
        {"box": window} if window and np.prod(window[3:]) < arrays[0].size else {}
    )
    signs: list[Any] = [["span.down", "orange"], " below 0, ", ["span.up", "blue"], " above"]
    notes = [["the outlined numbers" if "box" in look else "in numbers"], signs, [f"colours: ±{number(most)}"]]
    columns = list[Any]()
    for j, (title, said, array) in enumerate(panels):
        column = ["div", ["h3.now" if j == 1 else "h3", title], ["div.dim", said], picture(array, most, **look)]
        if texts:
            rows = (["tr", *([f"td.{'down' if t[0] == MINUS else 'up'}", t] for t in row)] for row in texts[j])
            column += [["div.dim", *notes[j]], ["table.nums", *rows]]
        columns += [["div.o", " +="[j]], column][j == 0 :]
    return ["div.three", *columns]


def _picked(a: np.ndarray, b: np.ndarray, total: np.ndarray) -> tuple[list[int], list[Any]]:
    """(tile, row, column, height, width) of some numbers that add up as printed, if possible of both signs, and the numbers."""
    places = decimals(a, b, total)
    if places < 0 or total.dtype.kind != "f" or not total.size or not finite(a, b, total):
        return [], []
    stacks = [tiled(np.asarray(x, np.float64))[:200] for x in (a, b, total)]
    first, second, both = (np.rint(x * 10.0**places) for x in stacks)
    for window in (3, 3), (2, 3), (1, 3), (1, 2), (1, 1):
        window = tuple(map(min, window, (3, 3 - (places > 6)), both.shape[1:]))  # three long numbers have no room side by side
        fits = np.lib.stride_tricks.sliding_window_view(first + second == both, window, (1, 2)).all((-1, -2))
        mixed = np.lib.stride_tricks.sliding_window_view(first * second < 0, window, (1, 2)).sum((-1, -2))
        if fits.any():
            tile, row, column = map(int, np.unravel_index(int((fits * (1 + mixed)).argmax()), fits.shape))
            cut = np.s_[tile, row : row + window[0], column : column + window[1]]
            return [tile, row, column, *window], [[[fixed(v, places, "+") for v in line] for line in x[cut]] for x in stacks]
    return [], []
