"""The formulas of the operations, read from their docstrings: what an operation computes, and its derivative by each input.

A docstring says `tanh a.  da = g (1 - tanh^2 a).`: first y, then for each input of `forward`, by its name there, its gradient,
where g is that of y. Derivatives are separated by commas or semicolons, and the last ends with its sentence.
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


def formula(op: type) -> tuple[str, dict[str, str]]:
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
        right = " ".join(re.split(r"\.(?:\s|$)|  ", part[left.end() :])[0].split())
        right = _SOURCE.sub("", right).removesuffix(" and").rstrip(" ,;:")
        waiting.append(left[1])
        if right:  # `da = db = 0` gives both the same
            found |= {name: right for name in waiting if name in names}
            waiting = []
    return " ".join(y.split("  ")[0].split()).rstrip(".:"), found


def written(op: type) -> str:
    """The formula of an operation in a line, as docstrings have it."""
    y, derivatives = formula(op)
    return f"{y}.  {', '.join(f'd{name} = {value}' for name, value in derivatives.items())}"


def operations_of(function: FunctionType) -> list[Any]:
    """The operations that a function applies by name, of those that say how they are differentiated."""
    function = inspect.unwrap(function)
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    return [value for value in named if hasattr(value, "derivatives") and isinstance(value, type) and formula(value)[1]]


def show_in_help(namespaces: Iterable[Any]) -> None:
    """End the docstring of each public function that applies operations with their formulas, for `help` to show."""
    values = {id(value): value for names in namespaces for name, value in vars(names).items() if name[0] != "_"}
    for function in values.values():
        if isinstance(function, FunctionType) and function.__doc__ and (operations := operations_of(function)):
            lines = "".join(f"\n    {op.__name__}: {written(op)}" for op in operations)
            function.__doc__ = f"{inspect.cleandoc(function.__doc__)}\n\nWhat it runs, and the derivatives:\n{lines}\n"
