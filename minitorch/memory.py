"""Freed memory stays with the process, instead of going back to the system array by array.

glibc gives every block of over 128 KiB its own mapping and unmaps it when it is freed, so each large temporary of a training
step is handed out by the kernel anew, page by page. With higher thresholds the same memory is used again: blocks up to
`LARGEST`, the highest threshold that every glibc of 64 bits accepts, and at most `KEPT` at the end of the heap. Elsewhere
nothing is done; the environment variable MINITORCH_KEEP_MEMORY=0 leaves the system's behaviour.
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
    """Raise glibc's thresholds so that freed memory is kept; False where that is switched off or cannot be done."""
    if os.environ.get("MINITORCH_KEEP_MEMORY") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGEST) and mallopt(_M_TRIM_THRESHOLD, KEPT))
