"""Division by zero, overflow and invalid operations are values (inf, nan), not warnings, as in PyTorch.

Operations, backward passes and optimizers run with NumPy's warnings of floating-point errors off. NumPy keeps that setting in a
context variable, which `np.errstate` sets and restores in 0.9 microseconds, too much for each operation of a small step;
setting the variable itself takes 0.2.
"""

from __future__ import annotations

import contextvars
from typing import Any

import numpy as np


class _ByName:
    """A slower stand-in for that variable through NumPy's own function, for a NumPy that keeps its setting elsewhere."""

    def set(self, value: dict[str, Any]) -> Any:
        return np.seterr(**value)

    reset = set


def _numpys_setting() -> tuple[Any, Any]:
    """The variable that holds how NumPy reports floating-point errors, and its value for no reports."""
    before = contextvars.copy_context()
    with np.errstate(all="ignore"):
        inside = contextvars.copy_context()
    changed = ((variable, value) for variable, value in inside.items() if before.get(variable) is not value)
    return next(changed, (_ByName(), {"all": "ignore"}))


reporting: Any
OFF: Any
reporting, OFF = _numpys_setting()


def ignored() -> np.errstate:
    """A block, or a decorator, within which floating-point errors are not reported."""
    return np.errstate(all="ignore")
