"""Memory that nobody has written, made to show: nan in floats, 77 in integers, True in booleans."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

VALUES = {"f": np.nan, "c": np.nan, "i": 77, "u": 77, "b": True}


def poisoned(allocate: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """`allocate`, filling what it gives with a value that shows wherever it is read before it is written."""

    @functools.wraps(allocate)
    def filled(*args: Any, **kwargs: Any) -> np.ndarray:
        out = allocate(*args, **kwargs)
        if out.dtype.kind in VALUES:
            out.fill(VALUES[out.dtype.kind])
        return out

    return filled


def install() -> None:
    """Poison `np.empty` and `np.empty_like` for this process, and with them the stand-in of CuPy, which allocates by them."""
    for name in ("empty", "empty_like"):
        if not hasattr(getattr(np, name), "__wrapped__"):
            setattr(np, name, poisoned(getattr(np, name)))
