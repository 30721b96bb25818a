"""The formula sheet, docs/formulas.md, made from the operations themselves.

python -m tests.check.formula_sheet          # writes it anew
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from pathlib import Path

import minitorch.ops
from minitorch.autograd.description import formula
from minitorch.autograd.op import Op

FILE = Path(__file__).parents[2] / "docs" / "formulas.md"
HEAD = """\
# The formulas

Every operation of minitorch that has a derivative: what it computes, and what the gradient of each of its inputs is, where g is
the gradient of the result. The letters are the names of the inputs in the operation's `forward`, and the source is where both
passes stand side by side. `minitorch.ops.elementwise.Tanh.derivatives()` gives a row as a dictionary, and
`help(minitorch.tanh)` ends with it.

This page is made from the docstrings, by `python -m tests.check.formula_sheet`; a test compares the two.
"""


def operations() -> list[type[Op]]:
    """Every operation of minitorch that has a rule, in the order of the files."""
    for each in pkgutil.iter_modules(minitorch.ops.__path__):
        importlib.import_module(f"minitorch.ops.{each.name}")
    found, waiting = [], [Op]
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        found += [op for op in below if op.__module__.startswith("minitorch.ops.") and "<locals>" not in op.__qualname__]
    with_rule = [op for op in set(found) if op.backward is not Op.backward and op.__doc__]
    return sorted(with_rule, key=lambda op: (op.__module__, line(op)))


def line(op: type[Op]) -> int:
    """Where an operation begins in its file."""
    return inspect.getsourcelines(op)[1]


def sheet() -> str:
    """The page."""
    parts = [HEAD]
    for module, family in itertools.groupby(operations(), key=lambda op: op.__module__):
        path = module.replace(".", "/") + ".py"
        parts.append(f"\n## {module.rpartition('.')[2]}\n\n| operation | y | derivatives | source |\n|---|---|---|---|\n")
        for op in family:
            y, derivatives = formula(op)
            given = "<br>".join(f"`d{name} = {shown(value)}`" for name, value in derivatives.items())
            source = f"[{path.rpartition('/')[2]}:{line(op)}](../{path}#L{line(op)})"
            parts.append(f"| {op.__name__} | `{shown(y)}` | {given} | {source} |\n")
    return "".join(parts)


def shown(text: str) -> str:
    """As code within a table: without marks of code of its own, and bars that do not end the cell."""
    return text.replace("`", "").replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(sheet(), encoding="utf-8")
    print(FILE)
