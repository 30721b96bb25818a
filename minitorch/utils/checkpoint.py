"""`torch.utils.checkpoint`: a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """`function(*args)`; PyTorch computes it anew in the backward pass to save memory, which is kept here."""
    return function(*args, **kwargs)
