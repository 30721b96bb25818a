"""`torch.jit` and `torch.compile`: there is no compiler, so functions and modules are returned unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class ScriptModule:
    """Nothing is an instance: a module stays what it is."""


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return `obj`, a function, class or module, unchanged; PyTorch's further arguments have no effect."""
    return obj


def trace(func: Callable[..., Any], example_inputs: Any = None, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return `func` unchanged: unlike in PyTorch it keeps its branches and takes any input."""
    return func


def compile(model: Callable[..., Any] | None = None, **kwargs: Any) -> Callable[..., Any]:
    """Return `model`, a module or function, unchanged; also a decorator, with or without brackets."""
    return (lambda function: function) if model is None else model
