"""The limits of the dtypes: `finfo(float32).max`, `iinfo(int64).max`."""

from __future__ import annotations

import numpy as np

from minitorch import backend


class finfo:
    """The limits of a floating dtype (by default the default dtype) as Python numbers; raises ValueError for integers."""

    def __init__(self, type: np.dtype | None = None) -> None:
        info = np.finfo(np.dtype(type or backend.get_default_dtype()))
        self.dtype: str = str(info.dtype)
        self.bits: int = int(info.bits)
        self.min: float = float(info.min)
        self.max: float = float(info.max)
        self.eps: float = float(info.eps)
        self.tiny: float = float(info.tiny)
        self.smallest_normal: float = self.tiny
        self.resolution: float = float(info.resolution)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name):g}" for name in ("resolution", "min", "max", "eps"))
        return f"finfo({shown}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype; raises TypeError for a floating one."""

    def __init__(self, type: np.dtype) -> None:
        if np.dtype(type).kind not in "iu":
            raise TypeError(f"iinfo: expected an integer dtype, got {np.dtype(type)}; use finfo")
        info = np.iinfo(np.dtype(type))
        self.dtype: str = str(info.dtype)
        self.bits: int = info.bits
        self.min: int = int(info.min)
        self.max: int = int(info.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
