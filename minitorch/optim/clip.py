"""What is done with gradients between passes: clearing and clipping them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

import numpy as np

from minitorch.accumulate import products, total
from minitorch.autograd import float_errors
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module


def clear(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Remove the gradients of `parameters`, or fill them with zeros."""
    for p in parameters:
        if set_to_none or p._grad is None:
            p._grad = None
        else:
            p._grad.detach_().zero_()


@float_errors.ignored()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float | str = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients in place by one factor, so that their common norm is at most `max_norm`; returns the norm before.

    The norm, of order `norm_type` (above 0; `inf`, as a number or text: the largest element), is that of all gradients as one
    vector; it is 0-d in their dtype (float32 for float16). Raises ValueError for a negative `max_norm` or an order of 0 or
    less, RuntimeError for a NaN or infinite norm if `error_if_nonfinite`; else, as in PyTorch, an infinite norm turns finite
    gradients to 0, and NaN turns all to NaN.
    """
    norm_type = float(norm_type)
    if not max_norm >= 0 or not norm_type > 0:
        given = f"max_norm={max_norm}, norm_type={norm_type}"
        raise ValueError(f"clip_grad_norm_: expected max_norm >= 0 and norm_type > 0, got {given}")
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return wrap(np.zeros((), np.float32))
    xp = array_module(grads[0])
    total = _norm(xp, xp.stack([_norm(xp, grad, norm_type) for grad in grads]), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        said = f"the norm of order {norm_type} of {len(grads)} gradients is {total.item()}"
        raise RuntimeError(f"clip_grad_norm_: {said}; find the NaN or infinity, or pass error_if_nonfinite=False")
    # on a GPU the factor stays there: asking whether it is below 1 would wait for the device
    factor = xp.minimum(xp.divide(float(max_norm), xp.add(total, 1e-6)), 1.0)
    for grad in grads:
        xp.multiply(grad, factor.astype(grad.dtype) if grad.dtype.itemsize > 2 else factor, out=grad, casting="same_kind")
        mark_changed(grad, "clip_grad_norm_")
    return wrap(xp.asarray(total))


@float_errors.ignored()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of the gradients to [-clip_value, clip_value], in place; raises ValueError for a negative value."""
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: expected clip_value >= 0, got {clip_value}")
    for grad in _gradients("clip_grad_value_", parameters):
        array_module(grad).clip(grad, -float(clip_value), float(clip_value), out=grad)
        mark_changed(grad, "clip_grad_value_")


def _gradients(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not tensors and isinstance(parameters, GeneratorType):
        warnings.warn(f"{name}: the generator of parameters is empty or used up: nothing is clipped", stacklevel=4)
    return [tensor._grad.array for tensor in tensors if tensor._grad is not None]


def _norm(xp: Any, array: Any, order: float) -> Any:
    """The norm of all elements, without the copies of `linalg.norm`."""
    flat = array.reshape(-1)
    if flat.dtype.itemsize == 2:
        flat = flat.astype(np.float32)  # squares of float16 overflow from 256
    if order == 2:
        return xp.sqrt(xp.asarray(products(flat.conj() if flat.dtype.kind == "c" else flat, flat)).real)
    if order == math.inf:
        return xp.abs(flat).max() if flat.size else xp.zeros((), array.dtype)
    return xp.power(total(xp.power(xp.abs(flat), order), (0,)), 1 / order)
