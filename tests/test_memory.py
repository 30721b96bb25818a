"""How much freed memory the process keeps."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

# 1,000 MiB in blocks of 10, freed; what is left beyond the memory before, in MiB
FREES_A_GIGABYTE = """
import minitorch, numpy as np
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 // 2**20
before = resident()
blocks = [np.ones(10 * 2**18, np.float32) for _ in range(100)]
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or not os.path.exists("/proc/self/statm"), reason="glibc of Linux only")
def test_memory_of_large_arrays_is_kept_within_bounds_when_they_are_freed():

    done = subprocess.run([sys.executable, "-c", FREES_A_GIGABYTE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200
