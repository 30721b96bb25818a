"""The dtype in which operands are combined, by PyTorch's rules; NumPy's would turn int64 + float32 into float64.

bool < integers < floats; a Python number or a 0-d tensor does not widen a larger tensor of its own kind; and a floating
function of integers gives the default dtype.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.grad_mode import mode

_NUMBERS = (float, int)
# fmt: off
REAL = {  # functions that order numbers, and others that PyTorch has for real ones only
    "adaptive_max_pool2d", "amax", "amin", "argmax", "argmin", "argsort", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "cdist", "celu", "clamp", "clamp_max", "clamp_min", "contrastive_loss",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "elu", "ge", "gelu", "group_norm", "gt", "hardshrink",
    "hardsigmoid", "hardswish", "hardtanh", "huber_loss", "instance_norm", "kl_div", "layer_norm", "le", "leaky_relu",
    "log_softmax", "logsigmoid", "lt", "margin_ranking_loss", "max", "max_pool1d", "max_pool2d", "maximum", "median", "min",
    "minimum", "mish", "mode", "mse_loss", "prelu", "relu", "relu6", "rnn_relu_cell", "round", "scaled_dot_product_attention",
    "selu", "sign", "smooth_l1_loss", "softmax", "softmin", "softplus", "softshrink", "sort", "threshold", "topk", "unique",
}
# fmt: on
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def matched(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, arrays or numbers, in the dtype that PyTorch would compute in."""
    try:
        if type(b) in _NUMBERS:  # fast path: 2.3 us for x * 0.1 of 1,000 elements, 3.7 us by the code below
            if a.dtype.kind in "fc":
                return a, b
        elif a.dtype is b.dtype:
            return a, b
    except AttributeError:
        pass
    if not backend.is_array(a) and not backend.is_array(b):  # NumPy makes scalars of 0-d results inside a rule
        if isinstance(a, np.generic):
            a = np.asarray(a)
        elif isinstance(b, np.generic):
            b = np.asarray(b)
    if not backend.is_array(a):
        return _with_number(b, a)[::-1]
    if not backend.is_array(b):
        return _with_number(a, b)
    common = result_type(a, b)
    return a.astype(common, copy=False), b.astype(common, copy=False)


def result_type(*operands: Any) -> np.dtype:
    """The dtype in which PyTorch combines operands: those with dimensions decide, then 0-d ones, then numbers, by kind."""
    arrays = [value for value in operands if backend.is_array(value)]
    numbers = [dtype_of(value) for value in operands if not backend.is_array(value)]
    groups = [array.dtype for array in arrays if array.ndim], [array.dtype for array in arrays if not array.ndim], numbers
    result: Any = None
    for common in (functools.reduce(_promoted, group) for group in groups if group):
        if result is None or _RANK[common.kind] > _RANK[result.kind]:
            result = np.promote_types(result, backend.complex64) if result is not None and result.kind == "f" else common
    return result


def dtype_of(number: Any) -> np.dtype:
    """The dtype of a number alone; raises TypeError for anything else."""
    kind = "b" if isinstance(number, (bool, np.bool_)) else np.dtype(type(number)).kind
    if kind not in _RANK:
        raise TypeError(f"expected a tensor or a number, got {type(number).__name__}")
    default = backend.get_default_dtype()
    return {"b": backend.bool_, "f": default, "c": np.promote_types(default, backend.complex64)}.get(kind, backend.int64)


def _promoted(a: np.dtype, b: np.dtype) -> np.dtype:
    """The common dtype of operands of equal rank: the larger kind, in its own width; within a kind NumPy's rule."""
    if _RANK[a.kind] == _RANK[b.kind] or {a.kind, b.kind} == {"c", "f"}:
        return np.promote_types(a, b)
    return a if _RANK[a.kind] > _RANK[b.kind] else b


def _with_number(array: Any, number: Any) -> tuple[Any, Any]:
    if isinstance(number, np.generic):
        number = number.item()  # a NumPy scalar would widen: float32 * np.float64 is float64
    if not isinstance(number, (bool, int, float, complex)):
        raise TypeError(f"expected a tensor or a number, got {type(number).__name__}")
    if not backend.is_array(array):
        raise TypeError(f"expected a tensor, got {type(array).__name__}")
    kind = array.dtype.kind
    if isinstance(number, float) and kind in "biu":
        array = array.astype(backend.get_default_dtype())
    elif isinstance(number, complex) and kind in "biu":
        array = array.astype(dtype_of(number))
    elif isinstance(number, int) and not isinstance(number, bool) and kind in "biu":
        array = array.astype(backend.int64) if kind == "b" else array
        number = wrapped(number, array.dtype)
    return array, number


@functools.lru_cache
def _limits(dtype: np.dtype) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def wrapped(number: int, dtype: np.dtype) -> int:
    """A whole number for arithmetic in an integer `dtype`, wrapped round if too large; ValueError beyond all dtypes."""
    low, high = _limits(dtype)
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"the whole number {number} fits into no integer dtype")
    return (number - low) % (high - low + 1) + low


def held(name: str, number: Any, dtype: np.dtype) -> Any:
    """A number to be kept in an array of `dtype`: cut to a whole one, wrapped as in PyTorch; ValueError if it does not fit.

    Raises TypeError for anything else, from which NumPy would make a number (None is nan, "2" is 2, 1j is 0).
    """
    if type(number) is float and dtype.kind == "f":
        return number
    if getattr(number, "ndim", None) == 0:
        number = number.item()  # a NumPy scalar would widen
    if not isinstance(number, (bool, int, float, complex)) or (isinstance(number, complex) and dtype.kind != "c"):
        raise TypeError(
            f"{name}: expected a number that a tensor of {dtype} can hold, got {number!r:.40} ({type(number).__name__})"
        )
    if dtype.kind not in "iu" or isinstance(number, (bool, complex)):
        return number
    low, high = _limits(dtype)
    if not (low or -high) <= number <= high:  # true of a nan as well
        raise ValueError(f"{name}: the number {number} cannot be kept in a tensor of {dtype}, from {low} to {high}")
    return wrapped(int(number), dtype)


def check_real(name: str, value: Any) -> None:
    """Raise TypeError for complex numbers; in a complex step they stand for real ones."""
    dtype = getattr(value, "dtype", value)
    if (getattr(dtype, "kind", "") == "c" or type(value) is complex) and not mode.complex_step:
        raise TypeError(f"{name}: expected real numbers, got {dtype}")


def check_floats(name: str, value: Any) -> None:
    """Raise TypeError for whole numbers and booleans."""
    if value.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point tensor, got {value.dtype}; convert it with .float()")


def array_of(a: Any) -> Any:
    """`a`, an array, or what NumPy makes of a 0-d result inside a rule, as one; raises TypeError for anything else."""
    if isinstance(a, np.generic):
        return np.asarray(a)
    if not backend.is_array(a):
        raise TypeError(f"expected a tensor, got {type(a).__name__}")
    return a


def floating(a: Any) -> Any:
    """`a`, integers and booleans as the default float dtype."""
    a = array_of(a)
    return a if a.dtype.kind in "fc" else a.astype(backend.get_default_dtype())
