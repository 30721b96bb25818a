"""`torch.accelerator`: the GPU, if there is one that CuPy can use."""

from __future__ import annotations

from minitorch import backend
from minitorch.cuda import device_count as device_count
from minitorch.cuda import is_available as is_available
from minitorch.cuda import synchronize as synchronize


def current_accelerator(check_available: bool = False) -> backend.Device | None:
    """The device "cuda" if there is a usable GPU, else None."""
    return backend.CUDA if is_available() else None
