"""Every public differentiable operation, one row each: `ROWS`.

A row says what to call, what to call it on, what an independent formula in NumPy makes of it, what PyTorch calls it, and which
inputs it must refuse. `test_ops.py` and `parity/test_ops_parity.py` try every row in every way there is.
"""

import importlib
import pkgutil
from collections.abc import Callable

import pytest

from tests.op_table.row import Case, Row

# every module here that has rows, the families in the order of their names
FAMILIES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
ROWS: list[Row] = [row for family in FAMILIES for row in getattr(family, "ROWS", ())]


def every_case_of(rows: list[Row]) -> Callable[[Callable[[Row, Case], None]], Callable[[Row], None]]:
    """Makes a test of one row and one case a pytest test of each of `rows`, which goes through its cases."""

    def decorate(test: Callable[[Row, Case], None]) -> Callable[[Row], None]:
        def through_cases(row: Row) -> None:
            for position, case in enumerate(row.cases):
                try:
                    test(row, case)
                except Exception as reason:
                    raise AssertionError(f"{row.name}, case {position}: {case}: {reason}") from reason

        through_cases.__name__ = test.__name__
        return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])(through_cases)

    return decorate


every_case = every_case_of(ROWS)
