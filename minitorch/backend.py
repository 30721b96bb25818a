"""The only file that deals with two array libraries: NumPy, and CuPy where there is a GPU.

The other files ask it which library an array belongs to (`array_module`) and let it move data to a device (`to_array`). CuPy is
imported when a GPU is first used.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np

float16: Final = np.dtype("float16")
float32: Final = np.dtype("float32")
float64: Final = np.dtype("float64")
complex64: Final = np.dtype("complex64")
complex128: Final = np.dtype("complex128")
uint8: Final = np.dtype("uint8")
int8: Final = np.dtype("int8")
int16: Final = np.dtype("int16")
int32: Final = np.dtype("int32")
int64: Final = np.dtype("int64")
bool_: Final = np.dtype("bool")
bfloat16: Final = np.dtype([("bfloat16", "V2")])  # NumPy has none: scripts compare with the name, `check_dtype` refuses it


@dataclass(frozen=True)
class device:
    """Where a tensor's memory lives: `device("cpu")`, `device("cuda")` or `device("cuda", 0)`; ValueError for other names."""

    type: str
    index: int | None = None

    def __post_init__(self) -> None:
        kind, _, index = str(self.type).partition(":")
        number = index if self.index is None else str(self.index)
        if kind not in ("cpu", "cuda") or not (number or "0").isdecimal() or (kind == "cpu" and number not in ("", "0")):
            raise ValueError(f"device: expected 'cpu', 'cuda' or 'cuda:0', got {self.type!r} and {self.index}")
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", int(number or 0) if kind == "cuda" else None)

    def __str__(self) -> str:
        return "cpu" if self.type == "cpu" else f"cuda:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"


CPU: Final = device("cpu")
CUDA: Final = device("cuda")
Device: TypeAlias = device  # for annotations where a parameter is called `device`


class _ThreadDefaults(threading.local):
    """What factories of a thread use by default: the device, as in PyTorch."""

    device = CPU


_of_thread = _ThreadDefaults()
_default_dtype = float32  # of the whole process, as in PyTorch


def as_device(where: Device | str | None) -> Device:
    """The device named by `where`; None means the default one."""
    if where is None:
        return _of_thread.device
    return where if isinstance(where, device) else device(where)


def set_default_device(device: Device | str) -> None:
    """Make factories of this thread put new tensors on `device`; raises RuntimeError for a GPU that is not available."""
    where = as_device(device)
    module_of(where)
    _of_thread.device = where


def get_default_device() -> Device:
    """The device on which factories of this thread put new tensors."""
    return _of_thread.device


def set_default_dtype(dtype: np.dtype) -> None:
    """Set the default floating dtype of all threads (float32 at the start); raises TypeError unless it is floating."""
    global _default_dtype
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"set_default_dtype: expected a floating dtype, got {np.dtype(dtype)}")
    check_dtype("set_default_dtype", np.dtype(dtype))
    _default_dtype = np.dtype(dtype)


def get_default_dtype() -> np.dtype:
    """The dtype of floating tensors made without one."""
    return _default_dtype


class finfo:
    """The limits of a floating dtype (by default the default dtype) as Python numbers; raises ValueError for integers."""

    def __init__(self, type: np.dtype | None = None) -> None:
        info = np.finfo(np.dtype(type or get_default_dtype()))
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


iinfo: Final = np.iinfo


_computing: set[ModuleType] = set()  # libraries that have computed something: each transfer asks for one


def cupy(index: int | None = 0) -> ModuleType:
    """The module CuPy, after checking that it can compute; raises RuntimeError with the reason if it cannot."""
    if index:
        raise RuntimeError(f"device 'cuda:{index}' cannot be used: minitorch computes on one GPU, 'cuda:0'")
    try:
        import cupy as module

        if not module.cuda.is_available():
            raise RuntimeError("CuPy finds no CUDA device (see `nvidia-smi`)")
        if module not in _computing:  # that needs the compiler and its headers too, which an incomplete installation lacks
            module.arange(3).sum()
            _computing.add(module)
    except Exception as reason:  # ImportError, CUDARuntimeError, missing NVRTC: all mean the same to the caller
        remedy = "Install CuPy with the cuda12 or cuda13 extra on a machine with an NVIDIA GPU, or use device 'cpu'."
        raise RuntimeError(f"device 'cuda' cannot be used: {reason}. {remedy}") from reason
    return module


def array_module(array: Any) -> ModuleType:
    """The library `array` belongs to: NumPy, or CuPy if it lies on a GPU."""
    if type(array) is np.ndarray or isinstance(array, (np.ndarray, np.generic)):
        return np
    module = sys.modules.get("cupy")
    return module if module is not None and isinstance(array, module.ndarray) else np


@contextmanager
def linalg_errors(module: ModuleType, words: str) -> Iterator[None]:
    """A context in which CuPy too raises LinAlgError, with NumPy's `words`; it would not wait to see one otherwise."""
    try:
        if module is np:
            yield
        else:
            from cupyx import errstate

            with errstate(linalg="raise"):
                yield
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(words) from None


def module_of(where: Device) -> ModuleType:
    """The array library that computes on the device `where`."""
    return np if where.type == "cpu" else cupy(where.index)


def device_of(array: Any) -> Device:
    """The device `array` lies on."""
    return CPU if array_module(array) is np else CUDA


def is_array(value: Any) -> bool:
    """Whether `value` is an array of either library."""
    return isinstance(value, np.ndarray) or array_module(value) is not np


def to_array(data: Any, dtype: np.dtype | None, where: Device) -> Any:
    """`data` (an array of either library, or nested sequences of numbers) as an array on `where`; copies only if needed."""
    here = array_module(data)
    if where.type == "cuda":
        return cupy(where.index).asarray(data, dtype=dtype)
    return np.asarray(data if here is np else here.asnumpy(data), dtype=dtype)


def check_dtype(name: str, dtype: np.dtype) -> None:
    """Raise TypeError unless tensors can have `dtype`: numbers of up to 64 bits (complex: twice), in native byte order."""
    if dtype.kind not in "fciub":
        given = "bfloat16, which NumPy does not have: use float32" if dtype == bfloat16 else dtype
        raise TypeError(f"{name}: expected numbers, got {given}")
    if not dtype.isnative or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise TypeError(f"{name}: expected numbers of at most 64 bits in native byte order, got {dtype!r}")


def memory_of(array: Any) -> Any:
    """The object that owns the memory of `array`: the array itself, or what it is a view of."""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return array


def is_alone(grad: Any, like: Any) -> bool:
    """Whether the memory of `grad`, to which nothing else refers, belongs to it alone, and a view has the layout of `like`.

    Gradients of channels-last images are views: without a copy, average pooling of (16, 512, 7, 7) takes 0.14 of the time.
    """
    if grad.base is None:
        return True
    whole = grad.size == grad.base.size and grad.strides == like.strides
    own = getattr(grad.flags, "writeable", True)  # False if NumPy broadcast it; CuPy has no such flag
    return whole and own and _referred(grad) == _ONCE


def _referred(view: Any) -> int:
    return sys.getrefcount(view.base) if type(view.base) is np.ndarray else 0


_ONCE = _referred(np.empty(1)[:])  # the count for memory with a single view
