"""The formulas of the operations, read from their docstrings: what an operation computes, and its derivative by each input.

A docstring says `tanh a.  da = g (1 - tanh^2 a).`: first y, then the gradient of each input of `forward`, by parameter name,
where g is the gradient of y. Derivatives are separated by commas or semicolons, and the last one ends with a full stop.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from types import FunctionType
from typing import Any

_START = re.compile(r"(?<![^\s(])(?=d\w+(?:\[[^\]]*\])? (?:=|has) )")
_LEFT = re.compile(r"d(\w+)(?:\[[^\]]*\])? (?:=|has) ")
_SOURCE = re.compile(r"\s+\([^()]*\d{4}[^()]*\)$")  # where a formula comes from, such as (Ioffe & Szegedy 2015, section 3)


def formula(op: Any) -> tuple[str, dict[str, str]]:
    """What `op` computes, and, for each input of its forward that its docstring differentiates, the derivative."""
    paragraphs = inspect.cleandoc(op.__doc__ or "").split("\n\n")
    text = "  ".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    code = op.forward.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)]
    y, *parts = _START.split(text)
    found: dict[str, str] = {}
    waiting: list[str] = []
    for part in parts:
        left = _LEFT.match(part)
        assert left is not None  # parts were cut where it matches
        right = re.split(r"\.(?:\s|$)|  ", part[left.end() :])[0]
        right = _SOURCE.sub("", re.sub(r"(?:,? and|[,;:])?\s*$", "", " ".join(right.split())))
        waiting.append(left[1])
        if right:  # `da = db = 0` gives both the same
            found |= {name: right for name in waiting if name in names}
            waiting = []
    return " ".join(y.split("  ")[0].split()).rstrip(".:"), found


def operations_of(function: FunctionType, deep: bool = True) -> dict[str, Any]:
    """The operations that a function, or a private one that it calls, applies by name."""
    known = function.__globals__
    found: dict[str, Any] = {}
    named = [known.get(name) for name in function.__code__.co_names if name[0] == "_" or name[0].isupper()]
    for value in (*named, *(cell.cell_contents for cell in function.__closure__ or ())):
        value = getattr(value, "__wrapped__", value)
        op: Any = getattr(value, "__self__", value)  # a private name may be that of an operation's `apply`
        if hasattr(op, "derivatives") and op.__doc__:
            found[op.__name__] = op
        elif deep and type(value) is FunctionType:
            found |= operations_of(value, deep=False)
    return found


def show_in_help(namespaces: Iterable[Any]) -> None:
    """Add to each public function's docstring those of the operations it applies, so that `help` shows the derivatives.

    This is done for all at once when minitorch is imported, which takes a millisecond.
    """
    for public in {value for names in namespaces for value in vars(names).values() if type(value) is FunctionType}:
        shown = [f"{name}: {op.__doc__.strip()}" for name, op in operations_of(inspect.unwrap(public)).items()]
        if shown and public.__doc__:
            text = "".join("\n        " + each.replace("\n    ", "\n        ") for each in shown)
            public.__doc__ = f"{public.__doc__.rstrip()}\n\n    The operations it runs, with their derivatives:\n{text}"
