"""How the page says numbers, shapes and formulas. A piece of the page is text, or a list: tag and classes, then its pieces."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from minitorch.autograd.formulas import formula as formula_of

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
ORDINALS: Final = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_MARK = re.compile(r"(\^\([^)]*\)|\^-?\w+|\bd?[a-z]\d?\b)")


def signed(text: str) -> str:
    """The text of a number with a true minus sign."""
    return text.replace("-", MINUS)


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, a true minus sign, and an exponent only where it saves space."""
    value = float(value)
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "NaN" if value != value else MINUS * (value < 0) + "∞"
    size = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -4 < size < 6:
        text = f"{value:.{max(0, digits - 1 - size)}f}"
    else:
        text = re.sub(r"e([+-])0*(\d)", lambda m: "e" + m[1].strip("+") + m[2], f"{value:.{min(digits, 3) - 2}e}")
    return signed(text)


def numbers(values: Iterable[float]) -> list[str]:
    """Numbers of one array, all with the places after the point that give the largest three digits."""
    values = [float(value) for value in values]
    finite = [abs(value) for value in values if math.isfinite(value)]
    most = max(finite, default=0.0)
    if most and not 1e-6 < most < 1e6:
        return [number(value) for value in values]
    places = 0 if all(value == int(value) for value in finite) else max(0, min(9, 2 - math.floor(math.log10(most))))
    return [number(value) if not math.isfinite(value) else signed(f"{value + 0.0:.{places}f}") for value in values]


def norm(*arrays: Any) -> float:
    """The square root of the sum of squares, in float64."""
    return math.sqrt(sum(float((np.abs(np.asarray(a, np.result_type(a, np.float64))) ** 2).sum()) for a in arrays))


def shape(lengths: Sequence[int]) -> str:
    """A shape as it is written on the page."""
    return f"({', '.join(map(str, lengths))})" if len(lengths) else "scalar"


def nth(k: int) -> str:
    """First, second, and so on, from 0."""
    return ORDINALS[k] if k < len(ORDINALS) else f"{k + 1}th"


def tail(name: str) -> str:
    """A name, of which the page shows the last 18 characters."""
    return name if len(name) <= 18 else f"\N{HORIZONTAL ELLIPSIS}{name[-17:]}"


def count(n: int, word: str) -> str:
    """`n` of something."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def formula(text: str) -> list[Any]:
    """A formula with its letters in italics and its exponents raised."""
    pieces = _MARK.split(text)
    pieces[::2] = (re.sub(r"(^| )- |-(?=\d|$)", rf"\1{MINUS} ", piece) for piece in pieces[::2])
    marks = (["sup" if mark[0] == "^" else "i", signed(mark.lstrip("^"))] for mark in pieces[1::2])
    return ["span", *(piece for pair in zip(pieces[::2], [*marks, ""]) for piece in pair if piece)]


def letters(operation: Any, inputs: int) -> list[str]:
    """What the rules call the inputs of an operation: the names of forward's parameters."""
    found = list(inspect.signature(operation.forward).parameters.values())[1:]
    named = [parameter.name for parameter in found if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    return named[:inputs] if len(named) >= inputs else [f"a{i + 1}" for i in range(inputs)]


def said_of(operation: Any) -> str:
    """What an operation computes, without what is said of the letters."""
    said = re.split(r", (?:for|as|in|computed|with|without|no|exact|which|over|the first) |[:;] ", formula_of(operation)[0])[0]
    return re.sub(r"^[a-z] = |`", "", said)


def rules_of(operation: Any, inputs: int) -> list[str]:
    """For each input its derivative; one is said of all where an operation takes any number."""
    rules = {letter: rule.replace("`", "") for letter, rule in formula_of(operation)[1].items()}
    alike = next(iter(rules.values()), "") if len(rules) == 1 else ""
    return [rules.get(letter, alike if letter[0] == "a" else "") for letter in letters(operation, inputs)]
