"""The GPU: whether there is one that CuPy can use."""

from __future__ import annotations

from minitorch import backend
from minitorch.random import manual_seed as manual_seed


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
