"""``ndarray``: host memory behind the interface of ``cupy.ndarray``.

What follows from the data alone is here; operators, ufunc and function dispatch and the remaining methods are attached
by ``_operators`` and ``_functions``.
"""

import pickle

import numpy as np

from . import _traffic
from ._indexing import host_index
from ._surface import CLASSES

DTYPES = frozenset("?bhilqBHILQefdFD")
_PLAIN = frozenset({int, float, bool, complex, str, type(None), type(Ellipsis), type, slice})


class Flags:
    """CuPy's three flags. There is no ``writeable``: a device array cannot be locked."""

    def __init__(self, c_contiguous: bool, f_contiguous: bool, owndata: bool) -> None:
        self.c_contiguous = c_contiguous
        self.f_contiguous = f_contiguous
        self.owndata = owndata
        self.fnc = f_contiguous and not c_contiguous
        self.forc = f_contiguous or c_contiguous

    def __getitem__(self, name: str) -> bool:
        if name not in ("C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA"):
            raise KeyError(f"{name} is not defined for cupy.ndarray.flags")
        return getattr(self, name.lower())


class MemoryPointer:
    """The address of an array's first element."""

    device_id = 0

    def __init__(self, ptr: int) -> None:
        self.ptr = ptr


class ndarray:
    """A wrapper, not a subclass: ``np.asarray`` cannot be refused by a subclass of ``numpy.ndarray``."""

    __slots__ = ("__weakref__", "_base", "_host")
    __module__ = "cupy"
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        if memptr is not None or strides is not None:
            raise NotImplementedError("cupy.ndarray(memptr=, strides=) is not modelled by the stand-in")
        self._host = np.empty(shape, supported(np.dtype(dtype)), order)
        self._base = None

    # What can be asked without waiting for the device.
    base = property(lambda self: self._base)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    data = property(lambda self: MemoryPointer(self._host.__array_interface__["data"][0]))
    T = property(lambda self: self if self._host.ndim < 2 else adopt(self._host.T, [self]))
    mT = property(lambda self: adopt(self._host.mT, [self]))
    real = property(lambda self: self if self._host.dtype.kind != "c" else adopt(self._host.real, [self]))
    imag = property(lambda self: adopt(self._host.imag, [self]))

    @property
    def shape(self):
        return self._host.shape

    @shape.setter
    def shape(self, shape):
        view = self._host.reshape(shape)
        if not np.may_share_memory(view, self._host):
            raise AttributeError("incompatible shape for a non-contiguous array")
        self._host = view

    @property
    def flags(self):
        flags = self._host.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, self._base is None)

    @property
    def device(self):
        from ._cuda import Device

        return Device(0)

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        if not self._host.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._host)))

    def __getattr__(self, name):
        if name in CLASSES["ndarray"]["methods"] or name in CLASSES["ndarray"]["attributes"]:
            raise NotImplementedError(f"cupy.ndarray.{name} exists, but the stand-in does not model it")
        raise AttributeError(f"'ndarray' object has no attribute {name!r}")

    # What copies to the host.
    def get(self, stream=None, order="C", out=None, blocking=True):
        _traffic.sync("copying a device array to the host")
        if out is None:
            return np.array(self._host, order=order)
        if not isinstance(out, np.ndarray) or out.dtype != self.dtype:
            raise TypeError(f"{self.dtype} array cannot be obtained from CuPy into {type(out)}")
        np.copyto(out, self._host)
        return out

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def tobytes(self, order="C"):
        return self.get().tobytes(order)

    def dump(self, file):
        pickle.dump(self, file, -1)

    def dumps(self):
        return pickle.dumps(self, -1)

    def __reduce__(self):
        from ._creation import array

        return array, (self.get(order="A"),)

    def __bool__(self):
        if self.size > 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    def __complex__(self):
        return complex(self.get())

    def __repr__(self):
        return repr(self.get())

    def __str__(self):
        return str(self.get())

    def __format__(self, spec):
        return format(self.get(), spec)

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly."
        )

    # What copies on the device or to it.
    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype or arr.shape != self.shape:
            raise TypeError(f"set() needs a NumPy array of {self.dtype} and shape {self.shape}")
        _traffic.upload()
        self._host[...] = arr

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if casting is not None or subok is not None:
            raise TypeError("casting is not supported yet")
        with np.errstate(all="ignore"):
            result = self._host.astype(supported(np.dtype(dtype)), order=order, copy=bool(copy))
        return self if result is self._host else new(result)

    def squeeze(self, axis=None):
        view = self._host.squeeze(axis)
        return self if view.ndim == self._host.ndim else adopt(view, [self])

    def __copy__(self):
        return new(self._host.copy())

    def __deepcopy__(self, memo):
        return new(self._host.copy())

    def __getitem__(self, index):
        key, advanced = host_index(index, ndarray)
        if advanced:
            return new(np.array(self._host[key], order="C"))
        return new(self._host[key], self if self._base is None else self._base)

    def __setitem__(self, index, value):
        key, advanced = host_index(index, ndarray)
        if type(value) is ndarray:
            value = value._host
            if (advanced or _is_moved(value, self._host[key])) and np.shares_memory(value, self._host):
                raise ValueError("CuPy reads and writes the same memory here in any order; assign a copy")
        elif not np.isscalar(value):
            # CuPy copies host values in fancy assignment without a word, and refuses them in a basic one.
            raise (TypeError if advanced else ValueError)(f"{type(value)} cannot be assigned to a device array")
        with np.errstate(all="ignore"):
            self._host[key] = value


def _is_moved(source: np.ndarray, target: np.ndarray) -> bool:
    """Whether CuPy copies by cudaMemcpyAsync, which must not overlap, and not by a kernel, before which it copies the source."""
    alike = source.strides == target.strides and source.shape == target.shape and source.dtype == target.dtype
    return alike and target.flags.c_contiguous and source.__array_interface__["data"] != target.__array_interface__["data"]


def new(host: np.ndarray, base: ndarray | None = None) -> ndarray:
    """The device array over ``host``, a view of ``base`` if given."""
    array = ndarray.__new__(ndarray)
    array._host = host
    array._base = base
    return array


def supported(dtype: np.dtype) -> np.dtype:
    """``dtype``, or ValueError where CuPy has none such."""
    if dtype.char not in DTYPES:
        raise ValueError(f"Unsupported dtype {dtype}")
    return dtype


def unwrap(value):
    """``value`` for a NumPy call; a host array in it, at any depth, raises TypeError."""
    kind = type(value)
    if kind is ndarray:
        return value._host
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return kind(map(unwrap, value))
    if hasattr(kind, "__array__") and not isinstance(value, np.generic):
        raise TypeError(f"Unsupported type {kind}: device arrays do not mix with it; upload it with asarray() first")
    return value


def _is_view(result: np.ndarray, host: np.ndarray) -> bool:
    if result.size == 0:  # shares no byte with anything
        return result.base is host or result.base is host.base is not None
    return np.may_share_memory(result, host)


def adopt(result, inputs: list[ndarray], keep_order: bool = False):
    """What NumPy returned, as CuPy returns it: never a NumPy scalar, new arrays in C order, views with their base."""
    if type(result) is np.ndarray:
        for array in inputs:
            if result is array._host:
                return array
        if result.base is not None:
            for array in inputs:
                if _is_view(result, array._host):
                    return new(result, array if array._base is None else array._base)
        supported(result.dtype)
        return new(result if keep_order else np.asarray(result, order="C"))
    if isinstance(result, np.generic):
        return new(np.asarray(result, supported(result.dtype)))
    if isinstance(result, (tuple, list)):
        parts = [adopt(part, inputs, keep_order) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result
