"""CuPy's functions that cannot be made from NumPy's: the way to the device and back, and some that differ."""

import importlib

import numpy as np
from numpy.lib.array_utils import byte_bounds

from . import _cupyx as cupyx
from . import _traffic
from ._array import adopt, ndarray, new, supported, unwrap
from ._functions import device_arrays, special
from ._ufuncs import operand


@special("cupy")
def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    """A device array; from the host it is a copy to the device, in C order unless ``obj`` is in F order."""
    if subok:
        raise NotImplementedError
    dtype = None if dtype is None else supported(np.dtype(dtype))
    order = order or "K"
    if type(obj) is ndarray:
        return adopt(np.array(obj._host, dtype, copy=copy, order=order, ndmin=ndmin), [obj], keep_order=True)
    if next(device_arrays([obj]), None) is not None:
        if not _only_arrays(obj):
            raise TypeError("a sequence that mixes device arrays with other things cannot become a device array")
        return new(np.array(unwrap(obj), dtype, order="C", ndmin=ndmin))
    host = np.array(obj, dtype, copy=None, ndmin=ndmin)
    supported(host.dtype)
    _traffic.upload()
    if order in "KA":
        order = "F" if host.flags.fnc else "C"
    return new(np.array(host, order=order))


def _only_arrays(obj) -> bool:
    if isinstance(obj, (list, tuple)):
        return all(map(_only_arrays, obj))
    return type(obj) is ndarray


@special("cupy")
def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, copy, order)


@special("cupy")
def asanyarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, copy, order)


@special("cupy")
def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    """The host array: a copy that waits for the device, or ``a`` itself if it is on the host."""
    if type(a) is ndarray:
        return a.get(order=order, out=out)
    result = np.asarray(a, order=order)
    if out is None:
        return result
    out[...] = result
    return out


@special("cupy")
def get_array_module(*args):
    return importlib.import_module(__package__) if any(type(arg) is ndarray for arg in args) else np


@special("cupy")
def is_available():
    return True


@special("cupy")
def arange(start, stop=None, step=1, dtype=None):
    host = np.arange(start, dtype=dtype) if stop is None else np.arange(start, stop, step, dtype)
    supported(host.dtype)
    return new(host)


@special("cupy")
def clip(a, a_min, a_max, out=None):
    """By CuPy's kernel, which passes over a bound that is nan; it has none for complex numbers."""
    kind = a.dtype.kind
    if kind == "c" or (kind == "b" and (a_min is None or a_max is None)):
        raise TypeError(f"Wrong type ({a.dtype}, {type(a_min)}, {type(a_max)}) of arguments for cupy_clip")
    least, most = (
        (-np.inf, np.inf) if kind == "f" else (False, True) if kind == "b" else (np.iinfo(a.dtype).min, np.iinfo(a.dtype).max)
    )
    x, low, high = a._host, operand(least if a_min is None else a_min), operand(most if a_max is None else a_max)
    host = np.where(low > high, high, np.where(x < low, low, np.where(x > high, high, x))).astype(np.result_type(x, low, high))
    if out is None:
        return new(host)
    np.copyto(out._host, host)
    return out


ndarray.clip = lambda self, min=None, max=None, out=None: clip(self, min, max, out)


def _argsort(self, axis=-1, kind=None):
    """Stable, and nan last; but the radix sort of a vector puts nans first whose sign is set, as that of a processor's 0 / 0."""
    if kind not in (None, "stable"):
        raise ValueError(f"unsupported kind {kind!r}")
    order = self._host.argsort(axis, kind="stable")
    if self.ndim == 1 and self.dtype.kind == "f":
        first = (np.isnan(self._host) & np.signbit(self._host))[order]
        order = np.concatenate([order[first], order[~first]])
    return new(np.asarray(order, order="C"))


ndarray.argsort = _argsort


@special("cupy")
def copyto(dst, src, casting="same_kind", where=None):
    if type(dst) is not ndarray:
        raise TypeError(f"copyto() writes into a cupy.ndarray, not {type(dst)}")
    np.copyto(dst._host, unwrap(src), casting, True if where is None else unwrap(where))


@special("cupy")
def einsum(*operands, **kwargs):
    wrong = kwargs.keys() - {"dtype", "optimize"}
    if wrong:
        raise TypeError(f"Did not understand the following kwargs: {sorted(wrong)}")
    with np.errstate(all="ignore"):
        return adopt(np.einsum(*unwrap(operands), **kwargs), list(device_arrays(operands)))


@special("cupy")
def repeat(a, repeats, axis=None):
    if type(a) is not ndarray:
        raise TypeError(f"repeat() needs a cupy.ndarray, not {type(a)}")
    if type(repeats) is ndarray:
        _traffic.sync("repeat() with an array of repeats")
    return adopt(a._host.repeat(unwrap(repeats), axis), [])


@special("cupy")
def unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True):
    """Stricter: CuPy's rows (`axis`) are compared by their differences, wrong for infinities, each with several waits."""
    if axis is not None:
        raise NotImplementedError("unique(axis=) of CuPy is wrong for infinities and refuses booleans")
    if type(ar) is not ndarray:
        raise TypeError(f"unique() needs a cupy.ndarray, not {type(ar)}")
    _traffic.sync("unique()")
    return adopt(np.unique(ar._host, return_index, return_inverse, return_counts, equal_nan=equal_nan), [])


@special("cupy")
def where(condition, x=None, y=None):
    if type(condition) is not ndarray:
        wrong = TypeError if isinstance(condition, (np.ndarray, list, tuple)) else AttributeError
        raise wrong(f"where() needs a cupy.ndarray as its condition, not {type(condition)}")
    if (x is None) != (y is None):
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    if x is None:
        return condition.nonzero()
    return adopt(np.where(condition._host, unwrap(x), unwrap(y)), [])


@special("cupy.linalg")
def solve(a, b):
    """CuPy's broadcasts no stacks."""
    if type(b) is ndarray and b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return _factored(np.linalg.solve, a, b)


@special("cupy.linalg")
def cholesky(a):
    return _factored(np.linalg.cholesky, a)


def _factored(function, *arrays):
    """Unless ``cupyx.errstate`` asks for it, CuPy does not wait for what the factors say, such as of a singular matrix."""
    if any(type(array) is not ndarray for array in arrays):
        raise TypeError(f"{function.__name__}() needs cupy.ndarray, not {', '.join(str(type(array)) for array in arrays)}")
    if cupyx.linalg == "raise":
        _traffic.sync(f"{function.__name__}() in errstate(linalg='raise')")
    try:
        return new(function(*(array._host for array in arrays)))
    except np.linalg.LinAlgError:
        if cupyx.linalg == "raise":
            raise np.linalg.LinAlgError("Error reported by a routine in cuSOLVER. devInfo = [1]. Please refer to ...") from None
        return new(np.full_like(arrays[-1]._host, np.nan))


@special("cupy.lib.stride_tricks")
def as_strided(x, shape=None, strides=None):
    """A view that is not one to CuPy: its ``base`` is None. Stricter: one that leaves its memory raises ValueError."""
    if type(x) is not ndarray:
        raise TypeError(f"as_strided() needs a cupy.ndarray, not {type(x)}")
    view = np.lib.stride_tricks.as_strided(x._host, shape, strides)
    memory, owner = x._host, x._host
    while owner is not None:  # NumPy puts an object of its own between a strided view and its array
        memory, owner = (owner if isinstance(owner, np.ndarray) else memory), getattr(owner, "base", None)
    low, high = byte_bounds(memory)
    if view.size and not low <= byte_bounds(view)[0] <= byte_bounds(view)[1] <= high:
        raise ValueError(f"as_strided(shape={shape}, strides={strides}) reaches outside the array of shape {x.shape}")
    return new(view)


@special("cupy.lib.stride_tricks")
def sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    """As CuPy's, which uploads ``window_shape`` and reads it back, one wait for each number; ``base`` is None."""
    if writeable:
        raise NotImplementedError("Writeable views are not supported.")
    if type(x) is not ndarray:
        x = array(x)
    view = np.lib.stride_tricks.sliding_window_view(x._host, window_shape, axis)
    _traffic.upload()
    for _ in range(np.size(window_shape)):
        _traffic.sync("sliding_window_view()")
    return new(view)
