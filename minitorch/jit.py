"""`torch.jit` and `torch.compile`: there is no compiler here, so what is handed in is run as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """`obj`, a function, class or module, as it is; all further arguments are PyTorch's and change nothing."""
    return obj


def trace(func: Callable[..., Any], example_inputs: Any = None, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`func` as it is: unlike in PyTorch its branches stay, and any input fits."""
    return func


def compile(model: Callable[..., Any] | None = None, **kwargs: Any) -> Callable[..., Any]:
    """`model`, a module or function, as it is: nothing gets faster; as a decorator with or without brackets."""
    return (lambda function: function) if model is None else model
