"""Factories: new tensors from numbers, shapes and random draws, with PyTorch's names.

All take `dtype`, `device` and `requires_grad`; without them, the defaults (`set_default_dtype`, `set_default_device`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device
from minitorch.conversion import new_array
from minitorch.ops.dims import wholes
from minitorch.ops.promotion import held
from minitorch.random import Generator, default_generator


def _sizes(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of `zeros(2, 3)` and of `zeros((2, 3))` alike."""
    shape = wholes(name, "each length", size)
    if any(n < 0 for n in shape):
        raise ValueError(f"{name}: expected lengths of 0 or more, got {shape}")
    return shape


def _made(array: np.ndarray, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A tensor of a fresh host array, on the device asked for."""
    result = wrap(backend.to_array(array, dtype and np.dtype(dtype), backend.as_device(device)))
    if requires_grad:
        result.requires_grad = True
    return result


def tensor(
    data: Any, *, dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested lists, an array or a tensor.

    Python's floats become the default dtype, its whole numbers int64; arrays, NumPy numbers and tensors keep their dtype. A
    tensor stays on its device. Raises ValueError for ragged lists and numbers that the dtype cannot hold, TypeError for what
    is not numeric, or not in native byte order and at most 64 bits.
    """
    result = wrap(new_array(data, dtype, device))
    result.requires_grad = requires_grad
    return result


def as_tensor(data: Any, dtype: np.dtype | None = None, device: Device | str | None = None) -> Tensor:
    """A tensor that shares the memory of `data`, an array or tensor, where dtype and device allow it."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if not backend.is_array(data):
        return tensor(data, dtype=dtype, device=device)
    if isinstance(data, np.ndarray):
        return from_numpy(data).to(device=backend.as_device(device), dtype=dtype)
    return wrap(data.view()).to(device=device, dtype=dtype)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A CPU tensor that shares the memory of `ndarray`, whatever the default device.

    Raises TypeError for anything but a NumPy array of numbers of up to 64 bits in this machine's byte order.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    backend.check_dtype("from_numpy", ndarray.dtype)
    return wrap(ndarray.view(np.ndarray))  # an array object of its own, by which the tape tells it from others


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array or tensor (`__dlpack__`), on the host or the GPU.

    Raises TypeError for an object without `__dlpack__` and for dtypes that minitorch has not.
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}")
    xp = np if ext_tensor.__dlpack_device__()[0] == 1 else backend.cupy()
    array = xp.from_dlpack(ext_tensor)
    backend.check_dtype("from_dlpack", array.dtype)
    return wrap(array)


def full(
    size: int | Sequence[int],
    fill_value: float,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of shape `size` with `fill_value` everywhere; its kind of number sets the dtype if none is given.

    Raises ValueError for a number that the dtype cannot hold.
    """
    shape = _sizes("full", (size,))
    if dtype is None:
        kinds = (((bool, np.bool_), backend.bool_), ((int, np.integer), backend.int64))
        dtype = next((dtype for kind, dtype in kinds if isinstance(fill_value, kind)), backend.get_default_dtype())
    where, dtype = backend.as_device(device), np.dtype(dtype)
    result = wrap(backend.module_of(where).full(shape, held("full", fill_value, dtype), dtype))
    result.requires_grad = requires_grad
    return result


def zeros(
    *size: int | Sequence[int], dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of shape `size`."""
    return full(
        _sizes("zeros", size), 0, dtype=dtype or backend.get_default_dtype(), device=device, requires_grad=requires_grad
    )


def ones(
    *size: int | Sequence[int], dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones of shape `size`."""
    return full(_sizes("ones", size), 1, dtype=dtype or backend.get_default_dtype(), device=device, requires_grad=requires_grad)


def empty(
    *size: int | Sequence[int], dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of shape `size` with whatever the memory held."""
    where = backend.as_device(device)
    array = backend.module_of(where).empty(_sizes("empty", size), np.dtype(dtype or backend.get_default_dtype()))
    result = wrap(array)
    result.requires_grad = requires_grad
    return result


def zeros_like(
    input: Tensor, *, dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape, dtype and device of `input`, unless said otherwise."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Tensor, *, dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape, dtype and device of `input`, unless said otherwise."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` in the shape, dtype and device of `input`, unless said otherwise."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def empty_like(
    input: Tensor, *, dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """Uninitialised, in the shape, dtype and device of `input`, unless said otherwise."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` (0) up to but without `end`, by `step`: int64 if all are whole, else the default dtype."""
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange: no step of {step} leads from {start} to {end}")
    if dtype is None:
        whole = all(isinstance(number, (int, np.integer)) for number in (start, end, step))
        dtype = backend.int64 if whole else backend.get_default_dtype()
    return _made(np.arange(start, end, step), dtype, device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers evenly from `start` to `end`, both included; raises ValueError for a bound with dimensions."""
    start, end = _bounds("linspace", start, end)
    return _made(np.linspace(start, end, steps), dtype or backend.get_default_dtype(), device, requires_grad)


def _bounds(name: str, *bounds: Any) -> tuple[Any, ...]:
    """Bounds as numbers; raises ValueError for a tensor with dimensions."""
    if any(getattr(bound, "ndim", 0) for bound in bounds):
        raise ValueError(f"{name}: expected numbers or 0-d tensors as bounds, got {' and '.join(map(str, bounds))}")
    return tuple(bound.item() if isinstance(bound, Tensor) else bound for bound in bounds)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the powers from `start` to `end`, evenly in `steps`; raises ValueError for a bound with dimensions."""
    bounds = _bounds("logspace", start, end)
    first, last = (float(bound) if np.dtype(dtype or float).kind == "f" else int(bound) for bound in bounds)
    return _made(
        np.power(float(base), np.linspace(first, last, steps)), dtype or backend.get_default_dtype(), device, requires_grad
    )


def range(
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` up to and including `end`, by `step`, in the default dtype; `arange` is the newer form."""
    start, end = (0, start) if end is None else (start, end)
    count = int((end - start) / step) + 1
    numbers = start + step * np.arange(count)
    return _made(numbers, dtype or backend.get_default_dtype(), device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The n by m (n) identity matrix."""
    return _made(np.eye(n, m), dtype or backend.get_default_dtype(), device, requires_grad)


def rand(
    *size: int | Sequence[int],
    generator: Generator | None = None,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform in [0, 1), drawn on the host."""
    dtype = np.dtype(dtype or backend.get_default_dtype())
    numbers = (generator or default_generator).numpy.random(_sizes("rand", size), _drawn_dtype("rand", dtype))
    if dtype == backend.float16:  # where all above 0.99976 would be rounded to 1
        numbers = np.minimum(numbers, 1 - 2.0**-11)
    return _made(numbers, dtype, device, requires_grad)


def randn(
    *size: int | Sequence[int],
    generator: Generator | None = None,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal, drawn on the host."""
    dtype = np.dtype(dtype or backend.get_default_dtype())
    numbers = (generator or default_generator).numpy.standard_normal(_sizes("randn", size), _drawn_dtype("randn", dtype))
    return _made(numbers, dtype, device, requires_grad)


def _drawn_dtype(name: str, dtype: np.dtype) -> np.dtype:
    """What NumPy can draw directly; other floating dtypes are cast from it."""
    if dtype.kind != "f":
        raise TypeError(f"{name}: expected a floating dtype, got {dtype}")
    return dtype if dtype in (backend.float32, backend.float64) else backend.float64


def randint(
    low: int = 0,
    high: int | Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: np.dtype | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from `low` (0) up to but without `high`, int64: `randint(10, (3,))` or `randint(5, 10, (3,))`."""
    top: Any = high  # a shape, if it is the second of two
    if size is None:
        low, top, size = 0, low, top
    elif high is None:
        low, top = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected a shape, got {size!r}")
    if top <= low:
        raise ValueError(f"randint: expected low < high, got {low} and {top}")
    numbers = (generator or default_generator).numpy.integers(low, top, _sizes("randint", (size,)))
    return _made(numbers, dtype or backend.int64, device, requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: np.dtype | None = None, device: Device | str | None = None
) -> Tensor:
    """0 to n - 1 in random order, int64."""
    return _made((generator or default_generator).numpy.permutation(n), dtype or backend.int64, device, False)


def rand_like(input: Tensor, **kwargs: Any) -> Tensor:
    """Uniform in [0, 1), in the shape, dtype and device of `input`, unless said otherwise."""
    return rand(input.shape, **{"dtype": input.dtype, "device": input.device, **kwargs})


def randn_like(input: Tensor, **kwargs: Any) -> Tensor:
    """Standard normal, in the shape, dtype and device of `input`, unless said otherwise."""
    return randn(input.shape, **{"dtype": input.dtype, "device": input.device, **kwargs})


def randint_like(input: Tensor, low: int = 0, high: int | None = None, **kwargs: Any) -> Tensor:
    """Whole numbers from `low` (0) up to but without `high`, in the shape and dtype of `input` unless said otherwise."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, **{"dtype": input.dtype, "device": input.device, **kwargs})


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element gives, else 0; raises ValueError for one outside [0, 1]."""
    if input.numel() and not 0 <= float(input.array.min()) <= float(input.array.max()) <= 1:
        raise ValueError(f"bernoulli: expected probabilities from 0 to 1 in a tensor of shape {tuple(input.shape)}")
    uniform = rand(input.shape, generator=generator, dtype=input.dtype, device=input.device)
    return wrap((uniform.array < input.array).astype(input.dtype))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A last dimension with 1 at the class that each integer names, else 0, int64.

    Raises ValueError for a class outside 0..num_classes - 1; without `num_classes` the largest class sets it.
    """
    if tensor.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected integers, got {tensor.dtype}")
    low, high = (int(tensor.array.min()), int(tensor.array.max())) if tensor.numel() else (0, -1)
    count = high + 1 if num_classes == -1 else num_classes
    if low < 0 or high >= count:
        raise ValueError(f"one_hot: a class of {low if low < 0 else high} outside 0..{count - 1}")
    xp = backend.array_module(tensor.array)
    return wrap((tensor.array[..., None] == xp.arange(count)).astype(backend.int64))
