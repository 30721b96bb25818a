"""`torch.cuda`: whether there is a GPU that CuPy can use, and the functions that scripts call."""

from __future__ import annotations

from typing import Any, Final

from minitorch import amp as amp
from minitorch import backend
from minitorch.random import manual_seed as manual_seed
from minitorch.tensor_types import CUDA_TYPES as _TYPES


def is_available() -> bool:
    """Whether tensors can be put on a GPU; never raises."""
    try:
        backend.cupy()
    except RuntimeError:
        return False
    return True


def device_count() -> int:
    """The number of GPUs minitorch can use: 0 or 1."""
    return int(is_available())


def current_device() -> int:
    """The number of the GPU in use: 0, since at most one is used; raises RuntimeError if there is no usable GPU."""
    backend.cupy()
    return 0


def set_device(device: Any) -> None:
    """Use the GPU `device`, the first or none if negative; raises ValueError for another, RuntimeError without a usable GPU."""
    if isinstance(device, int) and device < 0:
        return
    backend.cupy()
    if backend.as_device(f"cuda:{device}" if isinstance(device, int) else device) != backend.CUDA:
        raise ValueError(f"cuda.set_device: expected the first GPU, since at most one is used, got {device!r}")


def synchronize() -> None:
    """Wait until the GPU has finished, as timing requires; raises RuntimeError if there is no usable GPU."""
    backend.cupy().cuda.Device().synchronize()


def get_device_name(device: Any = None) -> str:
    """The name of the GPU; raises RuntimeError if there is no usable GPU."""
    return backend.cupy().cuda.runtime.getDeviceProperties(0)["name"].decode()


def empty_cache() -> None:
    """Release the memory that CuPy keeps for reuse; does nothing without a GPU."""
    if is_available():
        backend.cupy().get_default_memory_pool().free_all_blocks()


manual_seed_all: Final = manual_seed  # since at most one GPU is used
FloatTensor: Final = _TYPES["Float"]
DoubleTensor: Final = _TYPES["Double"]
HalfTensor: Final = _TYPES["Half"]
LongTensor: Final = _TYPES["Long"]
IntTensor: Final = _TYPES["Int"]
ByteTensor: Final = _TYPES["Byte"]
BoolTensor: Final = _TYPES["Bool"]
