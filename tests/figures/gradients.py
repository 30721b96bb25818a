"""The table of operations: the largest error of any element of any gradient, family by family."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np

from minitorch.autograd import gradcheck, gradgradcheck
from tests import op_table
from tests.figures.figure import Figure, at_most
from tests.op_table.row import Case, Row

CHECKS: dict[int, Callable[..., bool]] = {1: gradcheck, 2: gradgradcheck}
BOUNDS = {"complex": 1e-12, "central": 1e-6}
METHODS = {"complex": "the complex step", "central": "central differences"}


def families() -> dict[str, Sequence[Row]]:
    """The rows of the table by the module they are in."""
    return {name: family.ROWS for name, family in vars(op_table).items() if isinstance(getattr(family, "ROWS", None), list)}


def error(row: Row, case: Case, order: int, mode: str) -> float:
    """The largest error that `gradcheck` or `gradgradcheck` compares, on the scale of its own tolerance, which is not applied.

    That is relative to the element's own derivative plus 1 (central differences: plus 0.1).
    """
    least = 1.0 if mode == "complex" else 0.1  # the ratio of atol to rtol
    found = []

    def measure(_: int, got: np.ndarray | None, expected: np.ndarray, *__: Any) -> None:
        found.append((np.abs((0 if got is None else got) - expected) / (least + np.abs(expected))).max(initial=0.0))

    with mock.patch.object(sys.modules[gradcheck.__module__], "_difference", measure):
        CHECKS[order](*row.function(case), mode=mode)
    return float(np.max(found))  # nan if one is; ValueError if nothing was compared


def figures(families: dict[str, Sequence[Row]]) -> Iterator[Figure]:
    """A line for each family and each method, over orders 1 and 2 and every case of every row."""
    for family, rows in families.items():
        by_mode = defaultdict(list)
        for row in rows:
            by_mode["complex" if row.analytic else "central"].append(row)
        for mode, of_mode in by_mode.items():
            found = [
                (error(row, case, order, mode), f"{row.name}, order {order}")
                for order in CHECKS
                for row in of_mode
                for case in row.cases
            ]
            worst, where = max(found, key=lambda one: (np.isnan(one[0]), one[0]))
            cases = f"{len(of_mode)} operation{'s' * (len(of_mode) > 1)}, {len(found) // len(CHECKS)} cases, orders 1 and 2"
            yield at_most(f"gradients, {family}, against {METHODS[mode]}", BOUNDS[mode], worst, cases, 0, where)
