"""The GPU: whether there is one that CuPy can use, and what scripts ask of it."""

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


def synchronize() -> None:
    """Wait until the GPU has finished, which a fair timing needs; raises RuntimeError if there is no usable one."""
    backend.cupy().cuda.Device().synchronize()


def manual_seed_all(seed: int) -> None:
    """Seed the default generator, as `manual_seed`: there is one GPU at most."""
    manual_seed(seed)


def current_device() -> int:
    """The number of the GPU in use, 0; raises RuntimeError if there is no usable one."""
    backend.cupy()
    return 0


def set_device(device: Any) -> None:
    """Accept the one GPU there is; raises ValueError for another."""
    backend.device(f"cuda:{device}" if isinstance(device, int) else str(device))


def get_device_name(device: Any = None) -> str:
    """The name of the GPU; raises RuntimeError if there is no usable one."""
    return backend.cupy().cuda.runtime.getDeviceProperties(0)["name"].decode()


def empty_cache() -> None:
    """Give the memory that CuPy keeps for reuse back to the GPU; does nothing without one."""
    if is_available():
        backend.cupy().get_default_memory_pool().free_all_blocks()


FloatTensor: Final = _TYPES["Float"]
DoubleTensor: Final = _TYPES["Double"]
HalfTensor: Final = _TYPES["Half"]
LongTensor: Final = _TYPES["Long"]
IntTensor: Final = _TYPES["Int"]
ByteTensor: Final = _TYPES["Byte"]
BoolTensor: Final = _TYPES["Bool"]
