"""Keeps freed memory in the process, instead of returning it to the system array by array.

glibc gives every block above 128 KiB its own mapping and unmaps it when it is freed, so the kernel maps each large temporary of
a training step again, page by page. With higher thresholds (`LARGEST` is the highest that every 64-bit glibc accepts) the same
memory is reused. Without glibc nothing is done; the environment variable MINITORCH_KEEP_MEMORY=0 switches this off.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
LARGEST: Final = 2**25  # 32 MiB
KEPT: Final = 2**27  # 128 MiB


def keep_freed_memory() -> bool:
    """Raise glibc's thresholds so that freed memory is kept; returns False if that is switched off or impossible."""
    if os.environ.get("MINITORCH_KEEP_MEMORY") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGEST) and mallopt(_M_TRIM_THRESHOLD, KEPT))
