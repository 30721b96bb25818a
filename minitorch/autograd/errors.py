"""Errors raised inside an operation, completed with what NumPy cannot know: the operation and its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from minitorch import backend
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.tensor import Tensor

# What wrong inputs, and mistakes in a rule, raise.
EXPLAINED: Final = (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError)


def in_forward(reason: Exception, node: Any, arrays: list[Any]) -> Exception:
    """The same kind of error, saying which operation failed on which inputs."""
    given = [value for value in arrays if backend.is_array(value)]
    devices = [str(backend.device_of(array)) for array in given]
    if len(set(devices)) > 1:
        said = f"expected all tensors on one device, got {', '.join(devices)}; move them with .to()"
        return _caused(RuntimeError(f"{node.title}: {said}"), reason)
    if str(reason).startswith(node.title + ":"):
        return reason
    return _reworded(reason, f"{node.title}: {reason} (inputs: {described(arrays)})")


def in_backward(reason: Exception, node: Any, grads: Sequence[Any]) -> Exception:
    """The same kind of error, saying which operation's rule failed, on which gradient and which saved arrays."""
    if str(reason).startswith((node.title + ":", node.title + ".backward:")):
        return reason
    given = "gradient: " if len(grads) == 1 else "gradients: "
    saved = described(node.saved) if type(node.saved) is tuple and node.saved else "nothing"
    return _reworded(reason, f"{node.title}.backward: {reason} ({given}{described(grads)}; saved: {saved})")


def saved_no_tuple(node: Any) -> TypeError:
    """The error for an operation whose `forward` saved something other than a tuple."""
    kind = type(node.saved).__name__
    return TypeError(f"{node.title}: ctx.saved must be a tuple of arrays, got {kind}; write `ctx.saved = (a,)`")


def is_step(node: Any, out: Any) -> bool:
    """True in a complex step; elsewhere raises TypeError for a complex result that would have a gradient."""
    if not mode.complex_step:
        said = f"{out.dtype} results have no gradients; use no_grad() or detach()"
        raise TypeError(f"{node.title}: {said} (shape {tuple(out.shape)})")
    return True


def described(values: Any) -> str:
    """Shape and dtype of each array or tensor, and what else is among them, for a message."""
    return ", ".join(
        f"{tuple(value.shape)} {value.dtype}" if backend.is_array(value) or isinstance(value, Tensor) else repr(value)
        for value in values
    )


def _reworded(reason: Exception, message: str) -> Exception:
    try:
        return _caused(type(reason)(message), reason)
    except TypeError:  # some of NumPy's subclasses are not made from a message
        builtin = next(kind for kind in type(reason).__mro__ if kind.__module__ == "builtins")
        return _caused(builtin(message), reason)


def _caused(error: Exception, reason: Exception) -> Exception:
    error.__cause__ = reason
    return error
