"""CuPy's ufuncs: NumPy's loops with CuPy's shorter list of keywords and methods, and results in C order."""

import numpy as np

from ._array import ndarray, new, supported, unwrap
from ._indexing import host_index

# What atomicAdd and its kin take on the device, where an integer array is among the indices.
_AT_DTYPES = {
    "add": "ilqILQefd",
    "subtract": "iI",
    "maximum": "ilqILQfd",
    "minimum": "ilqILQfd",
    "bitwise_and": "ilqILQ",
    "bitwise_or": "ilqILQ",
    "bitwise_xor": "ilqILQ",
}
COMPARISONS = frozenset({np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal})
SCALARS = frozenset({int, float, bool, complex})


def _floor_divide(a, b):
    return np.floor_divide(a, b) if np.result_type(a, b).kind in "biu" else np.floor(np.true_divide(a, b))


def _remainder(a, b):
    return np.remainder(a, b) if np.result_type(a, b).kind in "biu" else a - _floor_divide(a, b) * b


def _power(a, b):
    """Whole numbers to negative powers are 1 / a^|b| without its fraction, where NumPy raises ValueError."""
    if np.result_type(a, b).kind not in "biu":
        return np.power(a, b)
    inverse = np.where((np.abs(a) == 1) & (np.asarray(b) < 0), np.power(a, np.abs(b)), 0)
    return np.where(np.asarray(b) < 0, inverse, np.power(a, np.maximum(b, 0))).astype(np.result_type(a, b))


# What CuPy's kernels compute in another way than NumPy's loops, where the two differ by more than rounding.
_KERNELS = {"floor_divide": _floor_divide, "remainder": _remainder, "mod": _remainder, "power": _power}


def operand(value):
    """The host value of a ufunc's operand: a device array, a Python scalar or a NumPy scalar, else TypeError."""
    kind = type(value)
    if kind is ndarray:
        return value._host
    if kind in SCALARS or isinstance(value, (np.generic, int, float, complex)):
        return value
    raise TypeError(f"Unsupported type {kind}")


def result_of(value) -> ndarray:
    """A ufunc's fresh result, which NumPy gives as a scalar where it is 0-d."""
    array = np.asarray(value)
    supported(array.dtype)
    return new(array)


class ufunc:
    """One of CuPy's ufuncs, ``entry`` being its line of the surface, such as ``"2 1 bcfiu at reduce"``."""

    __slots__ = ("__name__", "_kinds", "_methods", "_numpy", "name", "nargs", "nin", "nout")
    __module__ = "cupy"

    def __init__(self, name: str, entry: str) -> None:
        nin, nout, kinds, *methods = entry.split()
        self.name = self.__name__ = f"cupy_{name}"
        self.nin, self.nout, self.nargs = int(nin), int(nout), int(nin) + int(nout)
        self._kinds = kinds
        self._methods = methods
        self._numpy = getattr(np, name)
        if not isinstance(self._numpy, np.ufunc):
            raise NotImplementedError(f"cupy.{name} is a ufunc and numpy.{name} is not: the stand-in does not model it")

    def __repr__(self):
        return f"<ufunc {self.name!r}>"

    def __call__(self, *args, out=None, dtype=None, casting="same_kind", **wrong):
        if wrong:
            raise TypeError(f"Wrong arguments {list(wrong)} of {self.name!r}, which takes out, dtype and casting")
        nin = self.nin
        if not nin <= len(args) <= self.nargs:
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {nin} or {self.nargs} "
                f"(with outputs), but given {len(args)}."
            )
        if len(args) > nin:
            if out is not None:
                raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
            out = args[nin:]
        inputs = [operand(value) for value in args[:nin]]
        for value in inputs if self._numpy not in COMPARISONS else ():
            if type(value) is int and value and (whole := np.result_type(*inputs)).kind in "iu":
                np.asarray(value, whole)  # OverflowError if it does not fit
        if "c" not in self._kinds:
            self._refuse_complex(inputs)
        with np.errstate(all="ignore"):
            if out is not None:
                return self._into(inputs, out if isinstance(out, tuple) else (out,), dtype, casting)
            if dtype is None and self._numpy.__name__ in _KERNELS:
                return result_of(np.asarray(_KERNELS[self._numpy.__name__](*inputs), order="C"))
            result = self._numpy(*inputs, dtype=dtype, casting=casting, order="C")
        return result_of(result) if self.nout == 1 else tuple(map(result_of, result))

    def _into(self, inputs, outs, dtype, casting):
        if len(outs) != self.nout:
            raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
        if not all(out is None or type(out) is ndarray for out in outs):
            raise TypeError(f"Outputs of {self.name!r} must be cupy.ndarray, not {[type(out) for out in outs]}")
        hosts = tuple(None if out is None else out._host for out in outs)
        results = self._numpy(*inputs, out=hosts, dtype=dtype, casting=casting, order="C")
        results = results if self.nout > 1 else (results,)
        given = tuple(result_of(result) if out is None else out for out, result in zip(outs, results))
        return given if self.nout > 1 else given[0]

    def _refuse_complex(self, inputs):
        if any(np.iscomplexobj(value) for value in inputs):
            raise TypeError(f"Wrong type (complex) of arguments for {self.name}")

    def outer(self, A, B, **kwargs):
        """Apply to all pairs of elements of ``A`` and ``B``."""
        return self(A.reshape(A.shape + (1,) * B.ndim), B.reshape((1,) * A.ndim + B.shape), **kwargs)

    def at(self, a, indices, b=None):
        """``a[indices] = ufunc(a[indices], b)``, repeated indices counting each time."""
        self._require("at")
        host, values = operand(a), operand(b)
        key, _ = host_index(indices, ndarray)
        integer_arrays = any(isinstance(item, np.ndarray) and item.dtype.kind != "b" for item in key)
        if integer_arrays and host.dtype.char not in _AT_DTYPES[self._numpy.__name__]:
            raise TypeError(f"{self.name}.at does not support {host.dtype}")
        with np.errstate(all="ignore"):
            self._numpy.at(host, key, values)

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        """``add`` and ``multiply`` only."""
        return self._method("reduce", array)(axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def accumulate(self, array, axis=0, dtype=None, out=None):
        """``add`` and ``multiply`` only."""
        return self._method("accumulate", array)(axis=axis, dtype=dtype, out=out)

    def reduceat(self, array, indices, axis=0, dtype=None, out=None):
        """``add`` only."""
        self._require("reduceat")
        into = None if out is None else operand(out)
        result = self._numpy.reduceat(operand(array), unwrap(indices), axis, dtype, into)
        return new(result) if out is None else out

    def _require(self, method):
        if method not in self._methods:
            raise NotImplementedError(f"`{self.name}.{method}` is not supported yet")

    def _method(self, method, array):
        self._require(method)
        operand(array)
        name = {"reduce": ("sum", "prod"), "accumulate": ("cumsum", "cumprod")}[method][self._numpy is np.multiply]
        return getattr(array, name)


def matmul(*args, axes=None, axis=None, keepdims=False, casting="same_kind", dtype=None, signature=None, order="K", out=None):
    """CuPy's generalised ufunc, without the keywords nobody gives."""
    if axes is not None or axis is not None or keepdims or signature is not None or order != "K":
        raise NotImplementedError("the stand-in's matmul takes out, dtype and casting only")
    if len(args) != 2:
        raise TypeError(f"matmul takes 2 arrays, but given {len(args)}")
    out = out[0] if isinstance(out, tuple) else out
    for value in args if out is None else (*args, out):
        if type(value) is not ndarray:
            raise TypeError(f"matmul takes cupy.ndarray only, not {type(value)}")
    a, b = (value._host for value in args)
    with np.errstate(all="ignore"):
        if out is None:
            return result_of(np.matmul(a, b, dtype=dtype, casting=casting, order="C"))
        np.matmul(a, b, out._host, dtype=dtype, casting=casting)
    return out
