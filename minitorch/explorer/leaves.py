"""What arrives for `.grad`: at each leaf the contributions, the sums so far, and what each loss term has sent."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from minitorch.explorer.card import Cards, place
from minitorch.explorer.pictures import largest, tiled
from minitorch.explorer.recorder import Arrival, Pass, Target
from minitorch.explorer.words import TIMES, count, norm, nth, number, signed, tail

WINDOWS: Final = (3, 3), (2, 3), (1, 3), (1, 2), (1, 1)  # shapes of the few numbers that are printed of a sum


def target_data(target: Target, run: Pass, cards: Cards, position: int) -> dict[Any, Any]:
    """A leaf as the shelf shows it after each arrival, with the cards that it opens."""
    lengths = [] if target.before is None else [("Left by an earlier pass", [("t3", norm(target.before))])]
    entry: dict[str, Any] = {"name": target.name, "left": int(target.before is not None), "uses": [], "cards": []}
    name = tail(target.name)
    entry["states"] = [state(name, target.before, lengths)]
    for k, (arrival, total) in enumerate(zip(target.arrivals, target.totals)):
        lengths.append((f"Contribution {k + 1}", [(term_class(t), norm(part)) for t, part in enumerate(arrival.terms)]))
        entry["states"].append(state(name, total if target.before is None else target.before + total, lengths))
        entry["cards"].append(target_card(target, run, cards, k, lengths))
        entry["uses"].append(cards.rows.get(id(arrival.by), -1))
    entry["marks"] = squares(entry["uses"], position)
    return entry


def squares(uses: list[int], leaf: int) -> list[Any]:
    """One square for each use of a leaf, filled when its gradient has arrived; a count where there are many."""
    if len(uses) > 4:
        return [f"{TIMES}{len(uses)}"]
    return [{"after": row, "l": leaf, "0": ["span.sq"], "1": ["span.sq.full"]} for row in uses]


def state(name: str, held: np.ndarray | None, lengths: list[Any]) -> list[Any]:
    """The row of a leaf on the shelf: its name, its size on a log line and in digits, and what it is made of."""
    if held is None:
        return [["span.name", name], ["span.size"], ["span.num", "None"], ["span.no"]]
    line, value = size(held)
    return [
        ["span.name", name],
        line,
        ["span.num", value],
        {"bars": end_to_end(lengths), "tick": tick(lengths, held) if len(lengths) > 1 else 0},
    ]


def term_class(t: int) -> str:
    """The colour of a loss term: three, and grey for all others."""
    return f"t{min(t, 3)}"


def size(*arrays: np.ndarray) -> list[Any]:
    """The norm of arrays as a line, log10 from 0.01 to 100, and in three digits."""
    value = norm(*arrays)
    length = (math.log10(value) + 2) / 4 if 0 < value < math.inf else 0.0
    return [["span.size", {"bars": [["t3", 0, round(100 * min(max(length, 0.0), 1.0), 1), 0]]}], number(value)]


def end_to_end(lengths: list[Any]) -> list[Any]:
    """Contributions laid end to end, each in its terms: (class, left, width, whether a contribution begins), in percent."""
    whole, left, bars = sum(value for _, parts in lengths for _, value in parts), 0.0, []
    for _, parts in lengths if 0 < whole < math.inf else ():
        begins = left > 0
        for kind, value in parts:
            if value > 0:
                bars.append([kind, round(left, 2), round(100 * value / whole, 2), int(begins)])
                begins = False
            left += 100 * value / whole
    return bars


def tick(lengths: list[Any], total: np.ndarray) -> float:
    """Where on that line the norm of the sum lies, in percent."""
    whole = sum(value for _, parts in lengths for _, value in parts)
    return round(100 * norm(total) / whole, 2) if 0 < whole < math.inf else 0.0


# ---- the card of a leaf --------------------------------------------------------------------------------------------------


def target_card(target: Target, run: Pass, cards: Cards, k: int, lengths: list[Any]) -> list[Any]:
    """How contribution `k` becomes part of the sum: pictures, numbers, lengths; and once all are there the loss terms."""
    uses, arrival, total = len(target.arrivals), target.arrivals[k], target.totals[k]
    last, name = k == uses - 1, ["b", target.name]
    pieces: list[Any] = ["div.leafcard"]
    said: list[Any]
    if k == 0:
        what = "the only contribution" if uses == 1 else f"the first of {uses} contributions"
        if target.before is None or not last:
            said = ["div.dim", source(arrival, cards), f", size {number(norm(total), 4)}"]
            shown = ["div.g", cards.arrays.picture(total, w=420, h=160)]
            pieces += [["div.title", ["h2", f"{target.title}: {what}"]], shown, said]
    else:
        kind = "weight" if target.leaf.shape and len(target.leaf.shape) > 1 else "parameter"
        read = "Both uses read" if uses == 2 else f"All {uses} uses read"
        paths = "both paths" if uses == 2 else "every path"
        said = [
            f"{read} the same {count(total.size, 'number')} of ",
            name,
            ". Nudge one of them, and the loss changes along ",
        ]
        said += [paths, ". So ", ["b", f"backward adds: .grad += contribution {k + 1}"], ". It does not overwrite."]
        title = f"One {kind}, used {'twice' if uses == 2 else f'{uses} times'}: its gradient is a sum"
        was = ("Contribution 1", source(target.arrivals[0], cards)) if k == 1 else ("Already there", f"the sum of {k}")
        end = (target.title, "the sum of both" if k == 1 else f"the sum of {k + 1}")
        panels = [(*was, target.totals[k - 1]), (f"Contribution {k + 1}, arriving now", source(arrival, cards), arrival.grad)]
        pieces += [["div.title", ["h2", title]], ["p", *said], sum_of([*panels, (*end, total)], cards)]
    if target.before is not None and last:
        said = ["An earlier pass left its gradient in ", ["b", target.title], ", and nobody emptied it. "]
        said += [["b", "Backward adds to what is there."], " zero_grad() before the pass would have emptied it."]
        panels = [("Left by an earlier pass", f"in {target.title}", target.before), ("This pass", "what has arrived", total)]
        panels.append((target.title, "the sum", target.before + total))
        pieces += [["div.title", ["h2", ".grad was not empty: backward adds to it"]], ["p", *said], sum_of(panels, cards)]
    held = total if target.before is None else target.before + total
    if last and target.after is not None and not np.allclose(held, target.after, rtol=1e-3, atol=1e-30, equal_nan=True):
        pieces.append(["p", ["b.down", f"A hook changed it: {target.title} has size {number(norm(target.after))} now."]])
    if len(lengths) > 1:
        pieces.append(waterfall(lengths, held, len(run.terms) > 1))
    return pieces + (terms_table(target, run) if last and len(run.terms) > 1 else [])


def source(arrival: Arrival, cards: Cards) -> str:
    """Where a contribution comes from."""
    if arrival.by is None:
        return "where the pass starts"
    name, use = arrival.by.record.group or ("", 1)
    whose = f"{name}, {nth(use - 1)} use" if cards.uses.get(name, 1) > 1 else place(arrival.by.record)
    return f"from {whose}, step {cards.rows[id(arrival.by)] + 1}"


def sum_of(panels: list[Any], cards: Cards) -> list[Any]:
    """Two arrays and their sum as pictures on one scale of colour, and a few of their numbers."""
    arrays = [array for _, _, array in panels]
    most, pick = max(map(largest, arrays)), picked(*arrays)
    shown = {"w": 196, "h": 96, "most": most, "heat": 1} | ({"box": pick[0]} if pick and arrays[0].size > 9 else {})
    pieces: list[Any] = ["div.three"]
    for j, (title, said, array) in enumerate(panels):
        head = ["h3.now" if j == 1 else "h3", title]
        pieces += [["div.o", " +="[j]], ["div", head, ["div.dim", said], cards.arrays.picture(array, **shown)]][j == 0 :]
    captions: list[Any] = [
        ["the outlined numbers" if "box" in shown else "in numbers"],
        [["span.down", "orange"], " below 0, "],
    ]
    captions[1].append(["span", ["span.up", "blue"], " above"])
    for j, (caption, rows) in enumerate(
        zip([*captions, [f"one scale of colour: ±{number(most, 2)}"]], pick[1] if pick else [])
    ):
        cells = (["tr", *([f"td.{ {signed('-'): 'down', '+': 'up'}.get(t[0], 'dim') }", t] for t in row)] for row in rows)
        sign, numbers = ["div.o", " +="[j]], ["div", ["div.dim", *caption], ["table.nums", *cells]]
        pieces += [sign, numbers][j == 0 :]
    return pieces


def waterfall(lengths: list[Any], held: np.ndarray, several: bool) -> list[Any]:
    """The last contributions end to end, and their sum, which is shorter where they point different ways."""
    head = [
        "h3",
        "How large" + (", and which loss asked for it " if several else " "),
        ["span.dim", "laid end to end, one scale"],
    ]
    pieces: list[Any] = ["div.fall", head]
    whole, left, first = sum(v for _, parts in lengths for _, v in parts), 0.0, max(0, len(lengths) - 6)
    for j, (title, parts) in enumerate(lengths):
        share = 100 * sum(v for _, v in parts) / (whole or 1)
        bars = [[kind, at, width, 0] for kind, at, width, _ in end_to_end(lengths) if left - 0.01 <= at < left + share - 0.005]
        keys = [piece for kind, v in parts if v for piece in ([f"span.sw.{kind}"], f"{number(v)} ")]
        if j >= first:
            pieces += [["div.now" if j == len(lengths) - 1 else "div", title], ["div", *keys], {"bars": bars}]
        left += share
    less = whole - norm(held)
    note = f"{number(less)} less than end to end: they do not point the same way" if less > 0.005 * whole else ""
    bar = {"bars": [["tk", 0, tick(lengths, held), 0]]}
    return [*pieces, ["b", "their sum"], ["div", number(norm(held))], bar, ["div.dim.less", note]]


def terms_table(target: Target, run: Pass) -> list[Any]:
    """For each loss term the size of its part of what this pass brought, its share, and its direction."""
    whole = target.whole()
    parts = [sum(np.asarray(a.terms[t], whole.dtype) for a in target.arrivals) for t in range(len(run.terms))]
    square, dots = norm(whole) ** 2, [float(np.vdot(whole, part).real) for part in parts]
    shares = adding_up([100 * dot / square if square else 0.0 for dot in dots])
    rows: list[Any] = [
        ["tr", ["td", "loss term"], ["td", "size of its part"], ["td", "share of the sum"], ["td", "cosine with the sum"]]
    ]
    for t, (term, part, share, dot) in enumerate(zip(run.terms, parts, shares, dots)):
        cosine = dot / (math.sqrt(square) * norm(part) or 1.0)
        weight = f" {TIMES} {term.weight:.4g}" if abs(term.weight) != 1 else ""
        texts = [number(norm(part)), signed(f"{share:+.1f} %"), signed(f"{cosine:+.2f}")]
        rows.append(["tr", ["td", [f"span.sw.{term_class(t)}"], term.name + weight], *(["td", text] for text in texts)])
    return [["table.terms", *rows]]


def adding_up(values: list[float]) -> list[float]:
    """The values rounded to one place so that they add up to their rounded sum."""
    if not all(map(math.isfinite, values)):
        return [math.nan for _ in values]
    whole = [math.floor(value * 10) for value in values]
    missing = round(sum(values) * 10) - sum(whole)
    for i in sorted(range(len(values)), key=lambda i: whole[i] - values[i] * 10)[:missing]:
        whole[i] += 1
    return [value / 10 for value in whole]


def picked(a: np.ndarray, b: np.ndarray, total: np.ndarray) -> tuple[list[int], list[Any]] | None:
    """(tile, row, column, height, width) of a few numbers of a + b = total, and the numbers, which add up as printed.

    Those whose signs differ come first; None if no number adds up when rounded, or one is not finite.
    """
    if total.dtype.kind != "f" or not total.size or not all(np.isfinite(x).all() for x in (a, b, total)):
        return None
    stacks = [tiled(np.asarray(x, np.float64))[:200] for x in (a, b, total)]
    most = max(float(np.abs(x).max()) for x in stacks)
    digits = max(0, 2 - math.floor(math.log10(most))) if most else 0
    if most >= 1e6 or digits > 8:
        return None
    rounded = [np.round(x * 10.0**digits) for x in stacks]
    fits, mixed = rounded[0] + rounded[1] == rounded[2], rounded[0] * rounded[1] < 0
    for window in WINDOWS:
        if fits.shape[1] < window[0] or fits.shape[2] < window[1]:
            continue
        good, differ = (np.lib.stride_tricks.sliding_window_view(x, window, (1, 2)) for x in (fits, mixed))
        score = np.where(good.all((-1, -2)), 1 + differ.sum((-1, -2)), 0)
        if score.any():
            tile, row, column = (int(i) for i in np.unravel_index(int(score.argmax()), score.shape))
            cut = np.s_[tile, row : row + window[0], column : column + window[1]]
            texts = [
                [[signed(f"{v / 10.0**digits:+.{digits}f}") if v else "0" for v in line] for line in x[cut]] for x in rounded
            ]
            return [tile, row, column, *window], texts
    return None
