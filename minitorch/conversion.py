"""Conversion between tensors and numbers, lists and NumPy arrays: the part of `Tensor` without gradients."""

from __future__ import annotations

import math
import sys
from typing import Any, Final, overload

import numpy as np

from minitorch import backend, printing
from minitorch.autograd.float_errors import ignored
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.views import logical_layout, owner_of
from minitorch.backend import Device

NO_GRAD_KEPT: Final = (
    "the .grad of a tensor that is not a leaf is not kept during backward(); call retain_grad() on it before, or read the "
    ".grad of the leaf you mean"
)


class Size(tuple[int, ...]):
    """The lengths of the dimensions: a tuple that prints as `torch.Size([2, 3])` and has `numel()`."""

    __slots__ = ()

    def numel(self: Any) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __add__(self, other: tuple[Any, ...]) -> Size:  # a Size again, as in PyTorch
        return Size(tuple.__add__(self, other))


class UntypedStorage:
    """The memory that a tensor shares with its views."""

    def __init__(self, array: Any) -> None:
        self._array = owner_of(array)

    def nbytes(self) -> int:
        """The number of bytes, which is also what `sys.getsizeof` says, nearly."""
        return self._array.nbytes

    __sizeof__ = nbytes

    def data_ptr(self) -> int:
        """Where the memory begins: equal for two tensors that share it."""
        return self._array.ctypes.data if isinstance(self._array, np.ndarray) else self._array.data.ptr


class Conversion:
    """Conversion of a tensor to a number, lists, an array, an index, or text; `self` is a `Tensor`."""

    __slots__ = ()

    array: Any

    @property
    def is_cuda(self: Any) -> bool:
        """Whether the memory lies on a GPU."""
        return self.device.type == "cuda"

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the length of one dimension."""
        return Size(self.array.shape) if dim is None else self.array.shape[dim]

    def numel(self: Any) -> int:
        """The number of elements."""
        return int(self.array.size)

    nelement = numel

    def element_size(self) -> int:
        """The number of bytes of one element."""
        return self.array.itemsize

    def data_ptr(self: Any) -> int:
        """Where the first element lies in memory, in bytes; a view of the first element lies there, too."""
        return self.array.data.ptr if self.is_cuda else self.array.ctypes.data

    def untyped_storage(self) -> UntypedStorage:
        """The memory that the tensor shares with its views."""
        return UntypedStorage(self.array)

    @overload
    def stride(self, dim: None = None) -> tuple[int, ...]: ...
    @overload
    def stride(self, dim: int) -> int: ...

    def stride(self, dim: int | None = None) -> tuple[int, ...] | int:
        """Steps between neighbours along each dimension, in elements; channels-last images report those of C order."""
        layout = logical_layout(self)
        steps = tuple(step // layout.itemsize for step in layout.strides)
        return steps if dim is None else steps[dim]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in C order without gaps, as images do that lie channels-last; the same for any format."""
        return bool(logical_layout(self).flags.c_contiguous)

    def is_floating_point(self: Any) -> bool:
        """Whether the dtype is floating."""
        return self.array.dtype.kind == "f"

    def numpy(self: Any, *, force: bool = False) -> np.ndarray:
        """The array, sharing memory; raises TypeError on a GPU, unless `force`, and RuntimeError for lost gradients.

        Under `no_grad` a tensor that requires a gradient is taken too.
        """
        if force:
            return backend.to_array(self.array, None, backend.CPU)
        if self.requires_grad and mode.recording:
            raise RuntimeError("numpy(): this tensor requires a gradient, which NumPy would lose; call detach().numpy()")
        if self.is_cuda:
            raise TypeError("numpy(): this tensor lies on cuda:0; call cpu().numpy(), which copies it to the host")
        return self.array

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if copy is False and dtype is not None and array.dtype != dtype:
            raise ValueError(f"__array__: a change from {array.dtype} to {dtype} needs a copy")
        return np.array(array, dtype=dtype, copy=True) if copy else np.asarray(array, dtype=dtype)

    def __dlpack__(self: Any, **options: Any) -> Any:
        """The memory for another library (`torch.from_dlpack(t)`), not copied; raises BufferError if it requires a gradient."""
        if self.requires_grad:
            raise BufferError("__dlpack__: this tensor requires a gradient, which would be lost; export its detach()")
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The device in DLPack's numbers: (1, 0) is the host."""
        return self.array.__dlpack_device__()

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """What a function of PyTorch does with these tensors: it calls minitorch's of the same name, or raises TypeError."""
        name, given = function.__name__, {key: x for key, x in (kwargs or {}).items() if key != "_stacklevel"}
        for x in (*args, *given.values()):
            for each in x if isinstance(x, (list, tuple)) else [x]:
                if hasattr(each, "__torch_function__") and not isinstance(each, Conversion):
                    raise TypeError(f"{name} of PyTorch got tensors of PyTorch and of minitorch: convert with from_dlpack")
        for place in ("minitorch.functional", "minitorch"):  # which import this module
            if callable(ours := getattr(sys.modules[place], name, None)):
                return ours(*args, **given)
        raise TypeError(f"{name} of PyTorch got a tensor of minitorch, which has no function of this name")

    def item(self: Any) -> float | Any:
        """The value of a one-element tensor as a Python number; raises ValueError for any other."""
        if self.array.size != 1:
            raise ValueError(f"item: expected one element, this tensor has shape {tuple(self.shape)}")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested Python lists (a number for a 0-d tensor)."""
        return self.array.tolist()

    def __complex__(self) -> complex:
        return complex(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self: Any) -> int:
        if self.array.dtype.kind not in "iu":
            raise TypeError(f"__index__: only an integer tensor is an index, this one is {self.dtype}")
        return int(self.item())

    def __bool__(self: Any) -> bool:
        if self.array.size != 1:
            raise ValueError(f"bool(): the truth of a tensor of shape {tuple(self.shape)} is ambiguous; use .any() or .all()")
        return bool(self.item())

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len(): a 0-d tensor has no length")
        return self.array.shape[0]

    def __contains__(self, value: Any) -> bool:
        return bool((self.array == (value.array if isinstance(value, Conversion) else value)).any())

    def __repr__(self: Any) -> str:
        notes = ["requires_grad=True" if self.grad_fn is None else f"grad_fn=<{self.grad_fn.name()}>"]
        device = ["device='cuda:0'"] if self.is_cuda else []
        return printing.text_of(self.array, device, notes if self.requires_grad else [], backend.get_default_dtype())

    def __format__(self, spec: str) -> str:
        """Format the number of a 0-d tensor, or with a `spec` of any one-element tensor; other tensors as `repr`."""
        return format(self.item(), spec) if spec or not self.array.ndim else repr(self)


def new_array(data: Any, dtype: np.dtype | None, device: Device | str | None) -> Any:
    """A new array with the values of `data`, in `dtype` or by default their own."""
    if isinstance(data, Conversion):
        data, device = data.array, data.device if device is None else device
    elif not backend.is_array(data):
        data, dtype = _from_numbers(data, dtype)
    elif not isinstance(data, np.ndarray) and device is None:
        device = backend.CUDA
    dtype = data.dtype if dtype is None else np.dtype(dtype)
    for each in (data.dtype, dtype):
        backend.check_dtype("tensor", each)
    with ignored():  # too large for float32 is infinite
        new = backend.to_array(data, dtype, backend.as_device(device))
    return new.copy() if new is data else new


def _from_numbers(data: Any, dtype: np.dtype | None) -> tuple[np.ndarray, np.dtype | None]:
    """A number or nested sequences as an array, and the dtype for the tensor: Python's fractions take the default one."""
    try:
        host = np.asarray(_unwrapped(data))
    except ValueError as reason:
        raise ValueError(f"tensor: nested sequences of unequal lengths: {reason}") from None
    if host.dtype == backend.float64 and host.size and abs(host).max() >= 2**63:
        exact = np.asarray(_unwrapped(data), object)  # NumPy makes floats of whole numbers, some of which have 64 bits
        host = exact if all(isinstance(number, int) for number in exact.flat) else host
    if dtype is None and host.dtype == backend.float64 and not _holds(data, host.dtype):
        dtype = backend.get_default_dtype()
    elif dtype is None and host.dtype == backend.complex128 and not _holds(data, host.dtype):
        dtype = np.promote_types(backend.get_default_dtype(), backend.complex64)
    elif dtype is None and host.dtype.kind == "i" and host.dtype != backend.int64 and not _holds(data, host.dtype):
        dtype = backend.int64  # Python integers, for which NumPy uses 32 bits on some platforms
    if host.dtype.kind == "c" and dtype is not None and np.dtype(dtype).kind != "c":
        raise TypeError(f"tensor: complex numbers do not fit into {np.dtype(dtype)}")
    kind = np.dtype(dtype or (backend.int64 if host.dtype.kind in "iuO" else host.dtype))
    whole = host.dtype.kind == "O" and all(isinstance(number, int) for number in host.flat)  # of more than 64 bits
    if kind.kind in "iu" and host.dtype != kind and (host.dtype.kind in "fiu" or whole) and host.size:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        for number in (host.min(), host.max()):
            if not (low or -high) <= number <= high:  # also true for nan; small negative ones wrap around in unsigned dtypes
                raise ValueError(f"tensor: the number {number} does not fit into {kind}, from {low} to {high}")
    return host.astype(kind) if whole else host, dtype


def array_of_sizes_or_values(given: tuple[Any, ...], device: Device | str | None) -> Any:
    """The array of `Tensor(*given)`, in the default dtype: zeros of a shape, a sequence's values, or a tensor's memory."""
    dtype, where = backend.get_default_dtype(), backend.as_device(device)
    values = given[0] if len(given) == 1 else None
    if isinstance(values, Conversion):
        return values.array.view()
    if isinstance(values, (list, tuple, range, np.ndarray)) and not isinstance(values, Size) and np.ndim(values):
        return new_array(values, dtype, device)
    sizes = values if isinstance(values, Size) else given or (0,)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 0 for n in sizes):
        wanted = "whole numbers, as the lengths of dimensions, or one sequence of values"
        got = f"{', '.join(map(repr, given))}; tensor() takes a number, a dtype and requires_grad"
        raise TypeError(f"Tensor: expected {wanted}, got {got}")
    return backend.module_of(where).zeros(tuple(int(n) for n in sizes), dtype)


_PLAIN = {float, int, bool}  # lists of these types alone need no further inspection


def _unwrapped(data: Any) -> Any:
    """Nested sequences with each tensor in them replaced by its values, or by a number if it has one element, as in PyTorch."""
    if isinstance(data, Conversion):
        return backend.to_array(data.array, None, backend.CPU)
    if isinstance(data, (list, tuple)) and not _PLAIN.issuperset(map(type, data)):
        entries = [_unwrapped(entry) for entry in data]
        return [x.reshape(()) if isinstance(was, Conversion) and x.size == 1 else x for x, was in zip(entries, data)]
    return data


def _holds(data: Any, dtype: np.dtype) -> bool:
    """Whether nested sequences contain a NumPy number, array or tensor of `dtype`; Python numbers have no dtype."""
    if isinstance(data, (list, tuple)):
        return not _PLAIN.issuperset(map(type, data)) and any(_holds(entry, dtype) for entry in data)
    return hasattr(data, "dtype") and data.dtype == dtype
