"""The limits of the dtypes: `finfo(float32).max`, `iinfo(int64).max`; and which dtype two of them make."""

from __future__ import annotations

import numpy as np

from minitorch import backend


class finfo:
    """The limits of a floating dtype as Python numbers, of the default one if none is given; raises TypeError for integers."""

    dtype: str
    bits: int
    min: float
    max: float
    eps: float
    tiny: float
    smallest_normal: float

    def __init__(self, type: np.dtype | None = None) -> None:
        info = np.finfo(np.dtype(type or backend.get_default_dtype()))
        self.dtype, self.bits = str(info.dtype), int(info.bits)
        self.min, self.max, self.eps = float(info.min), float(info.max), float(info.eps)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution: float = float(info.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype; raises TypeError for a floating one."""

    dtype: str
    bits: int
    min: int
    max: int

    def __init__(self, type: np.dtype) -> None:
        if np.dtype(type).kind not in "iu":
            raise TypeError(f"iinfo: expected an integer dtype, got {np.dtype(type)}; use finfo")
        info = np.iinfo(np.dtype(type))
        self.dtype, self.bits, self.min, self.max = str(info.dtype), info.bits, int(info.min), int(info.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
