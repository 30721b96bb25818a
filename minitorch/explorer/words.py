"""How the page writes numbers, formulas and arrays. A piece of it is text, or a list: tag and classes, then its pieces."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, Final

import numpy as np

from minitorch.autograd.description import formula as formula_of

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
ORDINALS: Final = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
CELLS: Final = 2048  # of a picture; a larger array is shown by rows and columns evenly spread
MARK: Final = re.compile(r"(\^\([^)]*\)|\^-?\w+|\bd?[a-z]\d?\b)")


def number(value: float) -> str:
    """A number in six significant digits, with a true minus sign, and an exponent where that is shorter."""
    value = float(value) + 0.0  # turns -0 into 0
    if not math.isfinite(value):
        return "NaN" if value != value else MINUS * (value < 0) + "∞"
    digits, _, exponent = f"{value:.{'6g' if value == 0 or abs(value) >= 1e-3 else '5e'}}".partition("e")
    return (f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}" if exponent else digits).replace("-", MINUS)


def decimals(*arrays: np.ndarray) -> int:
    """The decimals of numbers that are shown as a sum: those that give the largest six digits; -1 for too many, or none."""
    most = max(map(largest, arrays))
    if not finite(*arrays) or (most and not 1e-6 < most < 1e6):
        return -1
    return 0 if all(np.array_equal(a, np.rint(a)) for a in arrays) else 5 - math.floor(math.log10(most))


def fixed(value: float, places: int, sign: str = "") -> str:
    """A number with `places` decimals, with -1 in six digits as it is; with `sign` "+" a plus is shown too."""
    return number(value) if places < 0 else f"{value + 0.0:{sign}.{places}f}".replace("-", MINUS)


def addition(values: np.ndarray) -> tuple[str, str]:
    """A few numbers as a sum, and what they add up to; two empty texts where they are many or do not add up as printed."""
    places, total = decimals(values, values.sum()), float(values.sum())
    if places < 0 or len(values) > 6 or np.rint(values * 10.0**places).sum() != np.rint(total * 10.0**places):
        return "", ""
    return " + ".join(fixed(v, places) for v in values).replace(f"+ {MINUS}", f"{MINUS} "), fixed(total, places)


def largest(array: np.ndarray) -> float:
    """The largest absolute value among the finite ones."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))


def finite(*arrays: Any) -> bool:
    """Whether no array holds a NaN or an infinity."""
    return all(np.isfinite(a).all() for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fc")


def norm(*arrays: Any) -> float:
    """The square root of the sum of squares, in float64; of numbers near 1, since squares may be too large or too small."""
    unit = max(map(largest, arrays), default=0.0) or 1.0
    return unit * math.hypot(*(float(np.linalg.norm(np.abs(a).astype(np.float64).ravel() / unit)) for a in arrays))


def shape(lengths: Any) -> str:
    """A shape as it is written on the page, or the shapes of several outputs."""
    if isinstance(lengths, list):
        return ", ".join(map(shape, lengths))
    return f"({', '.join(map(str, lengths))})" if lengths else "scalar"


def nth(k: int) -> str:
    """First, second, and so on, from 0."""
    return ORDINALS[k] if k < len(ORDINALS) else f"{k + 1}th"


def tail(name: str) -> str:
    """A name; the page shows its last 18 characters."""
    return name if len(name) <= 18 else f"\N{HORIZONTAL ELLIPSIS}{name[-17:]}"


def formula(text: str) -> list[Any]:
    """A formula with its letters in italics and its exponents raised."""
    pieces: list[Any] = MARK.split(text)
    pieces[::2] = (re.sub(r"(^| )- |-(?=\d|$)", rf"\1{MINUS} ", piece) for piece in pieces[::2])
    pieces[1::2] = (["sup" if mark[0] == "^" else "i", mark.lstrip("^").replace("-", MINUS)] for mark in pieces[1::2])
    return ["span", *filter(None, pieces)]


def reading(operation: Any, inputs: int) -> tuple[list[str], str, list[str]]:
    """What the formulas call the inputs of an operation, what it computes, and for each input the derivative.

    Without the remarks on letters; an operation with any number of inputs has one derivative for all.
    """
    found = list(inspect.signature(operation.forward).parameters.values())[1:]
    named = [parameter.name for parameter in found if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    letters = named[:inputs] if len(named) >= inputs else [f"a{i + 1}" for i in range(inputs)]
    said, rules = formula_of(operation)
    said = re.split(r", (?:for|as|in|computed|with|without|no|exact|which|over|the first) |[:;] ", said)[0]
    alike = next(iter(rules.values()), "") if len(rules) == 1 else ""
    derivatives = [rules.get(letter, alike if letter[0] == "a" else "").replace("`", "") for letter in letters]
    return letters, re.sub(r"^[a-z] = |`", "", said), derivatives


def more(count: int) -> list[Any]:
    """How many things of a kind are left out, if any."""
    return [["span.dim", f"+{count} more"]] if count > 0 else []


def drawn(array: np.ndarray) -> str:
    """How many numbers its picture shows, where those are not all."""
    count, size = int(np.prod(_cells(array)[0].shape)), array.size
    return f", {count:,} of {size:,} numbers drawn" if count < size else ""


def picture(array: np.ndarray, most: float = 0.0, **look: Any) -> dict[Any, Any]:
    """A piece of the page that shows `array`; `grey` for values, `turn` transposed, `most` for one scale over several."""
    own = largest(array)
    return {"d": array, **look} | ({"scale": round((own / most) ** 0.6, 4)} if most and own else {})


def tiled(array: np.ndarray) -> np.ndarray:
    """As a stack of matrices: the last two dimensions, one after the other for all others."""
    return array.reshape((-1, *(1, 1, *array.shape)[-2:])) if array.size else np.zeros((1, 1, 1))


def _cells(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that a picture shows, and all, as stacks of matrices."""
    real = tiled(np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64))
    _, height, width = real.shape
    rows = max(1, min(height, int(height / max(1.0, math.sqrt(height * width / CELLS)))))
    columns = min(width, CELLS // rows)
    cells = real[:, (np.arange(rows) * height // rows)[:, None], np.arange(columns) * width // columns]
    return cells[: max(1, CELLS // cells[0].size)], real


def described(array: np.ndarray) -> dict[Any, Any]:
    """Shape, the numbers of an array of at most 8 by 8, and a character a cell: 31 levels below 0, 0, 31 above, not finite."""
    cells, real = _cells(array)
    count, height, width = real.shape
    levels = np.sign(cells) * np.ceil(31 * (np.abs(cells) / (largest(array) or 1.0)) ** 0.6) + 31
    levels = np.where(np.isfinite(cells), levels, 63).astype(int)
    known = real[np.isfinite(real)]
    said = (f"from {number(known.min())} to {number(known.max())}" if known.size else "no finite number") + drawn(array)
    entry = {"s": array.shape, "d": real.shape, "c": cells.shape, "q": "".join(map(chr, levels.ravel() + 35)), "of": said}
    if count > 1 or max(height, width) > 8:
        return entry
    texts = [[number(value) for value in row] for row in real[0]]
    tails = {text: text[text.find(".") :] if "." in text else "" for row in texts for text in row}
    blank = re.sub(r"[^.]", "\u2007", max(tails.values(), key=len)).replace(".", "\u2008")  # as wide as digits, and the point
    return entry | {"t": [[text + blank[len(tails[text]) :] for text in row] for row in texts]}
