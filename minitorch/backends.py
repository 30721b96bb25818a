"""`torch.backends`: queries and settings that scripts use. Settings are stored without effect: NumPy has no such switches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minitorch import cuda as _gpu


class Backend:
    """A library behind PyTorch: whether it is available, and its settings."""

    enabled: bool = True
    benchmark: bool = False
    deterministic: bool = True
    allow_tf32: bool = False

    def __init__(self, is_available: Callable[[], bool], matmul: Any = None) -> None:
        self.is_available: Callable[[], bool] = is_available
        self.is_built: Callable[[], bool] = is_available
        self.matmul: Any = matmul

    def version(self) -> None:
        """The library's version: unknown, so None."""


cudnn: Final = Backend(_gpu.is_available)
cuda: Final = Backend(_gpu.is_available, matmul=Backend(_gpu.is_available))
mps: Final = Backend(lambda: False)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Does nothing: on a CPU every operation is deterministic, whatever `mode` is."""


def set_float32_matmul_precision(precision: str) -> None:
    """Check the name of a precision; float32 products are always computed in float32. Raises ValueError for another name."""
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: expected 'highest', 'high' or 'medium', got {precision!r}")
