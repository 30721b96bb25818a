"""Factories: new tensors from numbers, shapes and ranges, with PyTorch's names; those that draw are in `sampling.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device
from minitorch.conversion import new_array
from minitorch.ops.dims import wholes
from minitorch.ops.promotion import dtype_of, held

if TYPE_CHECKING:
    from typing_extensions import Unpack  # type checkers know it without its being installed


class Options(TypedDict, total=False):
    """The options of every factory: the dtype, the device, and whether the tensor requires a gradient."""

    dtype: np.dtype | None
    device: Device | str | None
    requires_grad: bool


class SizeOptions(Options, total=False):
    """The options of `zeros` and the others, whose shape may also be given by name, as in PyTorch."""

    size: int | Sequence[int]


class LikeOptions(Options, total=False):
    """The options of `zeros_like` and the others; the order in memory is always that of a new tensor."""

    memory_format: Any


def settled(name: str, options: Options, dtype: np.dtype | None = None) -> tuple[np.dtype, Device]:
    """The dtype and device, with `dtype` or else the default one if none is given; raises TypeError for another keyword."""
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"{name}: there is no keyword {', '.join(sorted(unknown))}")
    dtype = np.dtype(options.get("dtype") or dtype or backend.get_default_dtype())
    backend.check_dtype(name, dtype)
    return dtype, backend.as_device(options.get("device"))


def options_like(input: Tensor, options: Any) -> Options:
    """`options`, with the dtype and the device of `input` where they are not given."""
    dtype, device = options.get("dtype") or input.dtype, options.get("device") or input.device
    given = {name: value for name, value in options.items() if name != "memory_format"}
    return cast(Options, {**given, "dtype": dtype, "device": device})


def made(name: str, array: np.ndarray, options: Options, dtype: np.dtype | None = None) -> Tensor:
    """A tensor from a new host array, with the given options."""
    return _requiring(backend.to_array(array, *settled(name, options, dtype)), options)


def _requiring(array: Any, options: Any) -> Tensor:
    tensor, asked = wrap(array), options.get("requires_grad")
    if not (asked is None or isinstance(asked, bool)):
        raise TypeError(f"expected requires_grad to be True or False, got {asked!r:.40} ({type(asked).__name__})")
    tensor.requires_grad = bool(asked)
    return tensor


def sizes_of(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape from `zeros(2, 3)` or `zeros((2, 3))`."""
    shape = wholes(name, "each length", size)
    if any(n < 0 for n in shape):
        raise ValueError(f"{name}: expected lengths of 0 or more, got {shape}")
    return shape


# ---- from numbers, arrays and other libraries' tensors -------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: np.dtype | None = None, device: Device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested lists, an array or a tensor.

    Python floats get the default dtype, whole numbers int64; arrays, NumPy numbers and tensors keep their dtype. Raises
    ValueError for ragged lists and numbers that the dtype cannot hold, TypeError for data that are no numbers of up to 64 bits.
    """
    return _requiring(new_array(data, dtype, device), {"requires_grad": requires_grad})


def as_tensor(data: Any, dtype: np.dtype | None = None, device: Device | str | None = None) -> Tensor:
    """A tensor that shares the memory of `data`, an array or tensor, if dtype and device allow it; else a copy."""
    if isinstance(data, np.ndarray):
        data, device = from_numpy(data), backend.as_device(device)
    elif backend.is_array(data):
        data = wrap(data.view())
    return data.to(device=device, dtype=dtype) if isinstance(data, Tensor) else tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A CPU tensor that shares the memory of `ndarray`; raises TypeError for what is no array of numbers of up to 64 bits."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    backend.check_dtype("from_numpy", ndarray.dtype)
    return wrap(ndarray.view(np.ndarray))  # a new array object, which the tape can tell from others


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's, on the host or the GPU; raises TypeError without `__dlpack__`."""
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}")
    array = (np if ext_tensor.__dlpack_device__()[0] == 1 else backend.cupy()).from_dlpack(ext_tensor)
    backend.check_dtype("from_dlpack", array.dtype)
    return wrap(array)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each integer as a vector with 1 at that class and 0 elsewhere, int64; ValueError for one outside 0..num_classes - 1."""
    if tensor.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected integers, got {tensor.dtype}")
    low, high = (int(tensor.array.min()), int(tensor.array.max())) if tensor.numel() else (0, -1)
    count = high + 1 if num_classes == -1 else num_classes
    if low < 0 or high >= count:
        where = "below 0" if num_classes == -1 else f"outside 0..{count - 1}"
        raise ValueError(f"one_hot: a class of {low if low < 0 else high} {where}, in shape {tuple(tensor.shape)}")
    return wrap((tensor.array[..., None] == backend.array_module(tensor.array).arange(count)).astype(backend.int64))


# ---- from a shape --------------------------------------------------------------------------------------------------------


def _filled(name: str, size: tuple[Any, ...], number: Any, options: Options, dtype: np.dtype | None = None) -> Tensor:
    dtype, device = settled(name, options, dtype)
    return _requiring(backend.module_of(device).full(sizes_of(name, size), held(name, number, dtype), dtype), options)


def full(size: int | Sequence[int], fill_value: complex, **options: Unpack[Options]) -> Tensor:
    """A tensor of shape `size` filled with `fill_value`, which decides the default dtype (bool, int64, floating, complex)."""
    return _filled("full", (size,), fill_value, options, dtype_of(fill_value))


def zeros(*sizes: int | Sequence[int], **options: Unpack[SizeOptions]) -> Tensor:
    """Zeros of shape `sizes`."""
    return _filled("zeros", sizes, 0, options)


def ones(*sizes: int | Sequence[int], **options: Unpack[SizeOptions]) -> Tensor:
    """Ones of shape `sizes`."""
    return _filled("ones", sizes, 1, options)


def empty(*sizes: int | Sequence[int], **options: Unpack[SizeOptions]) -> Tensor:
    """An uninitialised tensor of shape `sizes`."""
    dtype, device = settled("empty", options)
    return _requiring(backend.module_of(device).empty(sizes_of("empty", sizes), dtype), options)


def zeros_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """Zeros with the shape of `input` and, by default, its dtype and device."""
    return zeros(input.shape, **options_like(input, options))


def ones_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """Ones with the shape of `input` and, by default, its dtype and device."""
    return ones(input.shape, **options_like(input, options))


def full_like(input: Tensor, fill_value: complex, **options: Unpack[LikeOptions]) -> Tensor:
    """A tensor of `fill_value` with the shape of `input` and, by default, its dtype and device."""
    return full(input.shape, fill_value, **options_like(input, options))


def empty_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """An uninitialised tensor with the shape of `input` and, by default, its dtype and device."""
    return empty(input.shape, **options_like(input, options))


def eye(n: int, m: int | None = None, **options: Unpack[Options]) -> Tensor:
    """The (n, m) identity matrix; `m` defaults to `n`."""
    return made("eye", np.eye(n, m), options)


# ---- ranges --------------------------------------------------------------------------------------------------------------


def arange(start: float | None = None, end: float | None = None, step: float = 1, **options: Unpack[Options]) -> Tensor:
    """The numbers from `start` (default 0) to `end`, which is excluded, by `step`: int64 if all are whole, else floating."""
    start, end = _reached("arange", 0 if None in (start, end) else start, start if end is None else end, step)
    whole = all(isinstance(number, (int, np.integer)) for number in (start, end, step))
    if whole:
        start, end = (held("arange", number, backend.int64) for number in (start, end))
    return made("arange", np.arange(start, end, step), options, backend.int64 if whole else None)


def _reached(name: str, start: Any, end: Any, step: Any) -> tuple[Any, Any]:
    """`start` and `end`; raises ValueError unless steps of `step` lead from the one to the other."""
    if end is None or step == 0 or (end - start) * step < 0:
        raise ValueError(f"{name}: no step of {step} leads from {start} to {end}")
    return start, end


def range(start: float = 0, end: float | None = None, step: float = 1, **options: Unpack[Options]) -> Tensor:
    """The numbers from `start` to `end`, included, by `step`, in the default dtype; PyTorch recommends `arange`."""
    start, end = _reached("range", 0 if end is None else start, start if end is None else end, step)
    return made("range", start + step * np.arange(int((end - start) / step) + 1), options)


def linspace(start: float, end: float, steps: int, **options: Unpack[Options]) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included; ValueError for one that integers cannot hold."""
    for bound in (start, end):
        held("linspace", bound, settled("linspace", options)[0])
    return made("linspace", np.linspace(start, end, steps), options)


def logspace(start: float, end: float, steps: int, base: float = 10.0, **options: Unpack[Options]) -> Tensor:
    """`base` to the power of `steps` evenly spaced numbers."""
    whole = np.dtype(options.get("dtype") or float).kind != "f"
    first, last = (int(bound) if whole else float(bound) for bound in (start, end))
    return made("logspace", np.power(float(base), np.linspace(first, last, steps)), options)
