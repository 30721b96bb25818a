"""What figures were computed with."""

from __future__ import annotations

import os
import platform
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_info

import minitorch


def versions() -> dict[str, Any]:
    """What the figures were computed with."""
    blas = sorted(  # several where SciPy brings its own, found in an order that changes from one process to the next
        f"{info['internal_api']} {info['version']} ({info.get('architecture')})"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    )
    return {
        "minitorch": minitorch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "joblib": joblib.__version__,
        "blas": blas,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
