"""PyTorch's tensor types from before dtypes: `FloatTensor(2, 3)`, `LongTensor([1, 2])`, `x.type("torch.FloatTensor")`."""

from __future__ import annotations

import math
from typing import Any, Final, overload

import numpy as np

from minitorch import backend, creation
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.conversion import Size


class TensorType:
    """A dtype on a device: calling it makes a tensor, and `isinstance` tests for it, as with PyTorch's `FloatTensor`."""

    def __init__(self, kind: str, dtype: np.dtype, device: Device = backend.CPU) -> None:
        self.kind: str = kind
        self.__name__: str = f"{kind}Tensor"
        self.dtype: np.dtype = dtype
        self.device: Device = device

    def __call__(self, *data: Any) -> Tensor:
        """`FloatTensor(2, 3)` is uninitialised with that shape; `FloatTensor([1, 2])` holds these numbers."""
        if len(data) == 1 and not isinstance(data[0], (int, np.integer, Size)):
            return creation.tensor(data[0], dtype=self.dtype, device=self.device)
        return creation.empty(*(data or (0,)), dtype=self.dtype, device=self.device)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, Tensor) and value.dtype == self.dtype and value.device == self.device

    def __str__(self) -> str:
        return f"torch.{'' if self.device.type == 'cpu' else 'cuda.'}{self.__name__}"

    __repr__ = __str__


# `Any`, since type checkers take nothing else as the second argument of `isinstance`
HalfTensor: Final[Any] = TensorType("Half", backend.float16)
FloatTensor: Final[Any] = TensorType("Float", backend.float32)
DoubleTensor: Final[Any] = TensorType("Double", backend.float64)
ByteTensor: Final[Any] = TensorType("Byte", backend.uint8)
CharTensor: Final[Any] = TensorType("Char", backend.int8)
ShortTensor: Final[Any] = TensorType("Short", backend.int16)
IntTensor: Final[Any] = TensorType("Int", backend.int32)
LongTensor: Final[Any] = TensorType("Long", backend.int64)
BoolTensor: Final[Any] = TensorType("Bool", backend.bool_)
_TYPES = HalfTensor, FloatTensor, DoubleTensor, ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor
CUDA_TYPES: Final = {kind.kind: TensorType(kind.kind, kind.dtype, backend.CUDA) for kind in _TYPES}
_BY_NAME = {str(kind): kind for kind in (*_TYPES, *CUDA_TYPES.values())}


def set_default_tensor_type(t: TensorType | str) -> None:
    """Set the default dtype and device to those of a floating type, such as "torch.cuda.FloatTensor"."""
    kind = _BY_NAME.get(t) if isinstance(t, str) else t
    if kind is None:
        raise TypeError(f"set_default_tensor_type: expected a type such as 'torch.FloatTensor', got {t!r}")
    backend.set_default_dtype(kind.dtype)
    backend.set_default_device(kind.device)


@overload
def type_(input: Tensor) -> str: ...
@overload
def type_(input: Tensor, dtype: np.dtype | TensorType | str, non_blocking: bool = False) -> Tensor: ...


def type_(input: Tensor, dtype: np.dtype | TensorType | str | None = None, non_blocking: bool = False) -> Tensor | str:
    """The tensor in `dtype`, a dtype or a type such as "torch.cuda.FloatTensor"; without `dtype`, the name of its type."""
    if dtype is None:
        return next((name for name, kind in _BY_NAME.items() if kind.__instancecheck__(input)), f"torch.{input.dtype}")
    if dtype is Tensor or (isinstance(dtype, str) and dtype == "torch.Tensor"):
        return input.to(backend.CPU, backend.get_default_dtype())  # `Tensor` is a type in PyTorch's sense too: the default one
    kind: Any = _BY_NAME.get(dtype, dtype) if isinstance(dtype, str) else dtype
    return input.to(kind.device, kind.dtype) if isinstance(kind, TensorType) else input.to(dtype)


def new(input: Tensor, *data: Any) -> Tensor:
    """A tensor with this one's dtype and device: uninitialised with the given shape, or holding the given numbers."""
    return TensorType("", input.dtype, input.device)(*data)


def resize_(input: Tensor, *sizes: Any) -> Tensor:
    """Change the shape in place: surplus elements are dropped, and missing ones are uninitialised."""
    if input.requires_grad:
        raise RuntimeError(f"resize_: a tensor of shape {tuple(input.shape)} that requires a gradient cannot be resized")
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    count, flat = math.prod(shape), input.array.reshape(-1)
    if count > flat.size:
        flat = backend.array_module(flat).empty(count, flat.dtype)
        flat[: input.array.size] = input.array.reshape(-1)
    input.array = flat[:count].reshape(shape)
    return input


def pin_memory(input: Tensor, device: Device | str | None = None) -> Tensor:
    """Return the tensor itself: CuPy copies from ordinary memory."""
    return input
