"""CuPy's functions and array methods: NumPy's, gated by CuPy's parameter lists and with device arrays in and out."""

import functools
import types

import numpy as np

from . import _traffic
from ._array import adopt, ndarray, unwrap
from ._surface import CLASSES, HOST_ONLY, MODULES, Parameters
from ._ufuncs import matmul, ufunc

# What waits for the device because a size depends on values or values are checked ("synchronize!" in CuPy's sources);
# counted once a call, though some wait more than once.
# fmt: off
SYNCS = {
    "nonzero", "flatnonzero", "argwhere", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
    "union1d", "intersect1d", "setdiff1d", "setxor1d", "bincount", "histogram", "histogram2d", "histogramdd", "compress",
    "extract", "place", "putmask", "choose", "delete", "trim_zeros", "nanmax", "nanmin", "ravel_multi_index",
    "asarray_chkfinite", "array_repr", "array_str", "array2string", "save", "savez", "savez_compressed", "savetxt", "tofile",
}
# fmt: on
UPLOADS = {"frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "genfromtxt", "load", "loadtxt"}
# The others give new arrays in C order, whatever their inputs' order.
# fmt: off
KEEPS_ORDER = {
    "copy", "reshape", "ravel", "flatten", "empty", "empty_like", "zeros", "zeros_like", "ones", "ones_like", "full",
    "full_like", "asfortranarray", "astype", "eye",
}
# fmt: on
# NumPy answers with a Python number, CuPy with a 0-d array.
ZERO_DIM = {"allclose", "array_equal", "array_equiv", "count_nonzero"}
# What needs no device array. The others take none but device arrays: CuPy has no ``sum`` of a list.
# fmt: off
WITHOUT_ARRAY = UPLOADS | {
    "zeros", "ones", "empty", "full", "eye", "identity", "tri", "linspace", "logspace", "indices", "diag_indices",
    "tril_indices", "triu_indices", "mask_indices", "ix_", "meshgrid", "bartlett", "blackman", "hamming", "hanning",
    "kaiser", "fftfreq", "rfftfreq", "base_repr", "binary_repr", "isscalar", "can_cast", "result_type", "min_scalar_type",
    "common_type", "iscomplexobj", "isrealobj", "ndim", "shape", "size",
}
# fmt: on
SPECIAL: dict[tuple[str, str], object] = {
    ("cupy", "ndarray"): ndarray,
    ("cupy", "ufunc"): ufunc,
    ("cupy", "matmul"): matmul,
    ("cupy.linalg", "matmul"): matmul,
}


def special(module: str):
    """Register the decorated function as ``module``'s, in place of one made from NumPy's."""

    def register(function):
        SPECIAL[module, function.__name__] = function
        return function

    return register


class SurfaceModule(types.ModuleType):
    """A module of the real CuPy: its names come from the surface, one by one as they are asked for."""

    def __getattr__(self, name):
        value = resolve(self.__name__, name)
        setattr(self, name, value)
        return value

    def __dir__(self):
        return names(self.__name__)


def names(module: str) -> list[str]:
    """The public names of the real module."""
    return sorted(name for kind in MODULES[module].values() for name in kind)


@functools.cache
def resolve(module: str, name: str):
    """``module.name``; AttributeError if CuPy lacks it, NotImplementedError if only the stand-in does."""
    surface = MODULES.get(module, {})
    if (module, name) in SPECIAL:
        return SPECIAL[module, name]
    numpy_module = np
    for part in module.split(".")[1:]:
        numpy_module = getattr(numpy_module, part, None)
    if name in surface.get("numpy", ()):
        return getattr(numpy_module, name)
    numpy_value = getattr(numpy_module, name, None)
    if numpy_value is not None and name in surface.get("ufuncs", ()):
        return ufunc(name, surface["ufuncs"][name])
    if numpy_value is not None and name in surface.get("functions", ()):
        return gated(f"{module}.{name}", surface["functions"][name], numpy_value)
    if any(name in kind for kind in surface.values()):
        raise NotImplementedError(f"{module}.{name} exists, but the stand-in does not model it")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def gated(path: str, text: str, numpy_function, method: bool = False):
    """``numpy_function`` with the parameters ``text``; a method takes the array before them."""
    name = path.rpartition(".")[2]
    parameters = Parameters(name, ("self, " if method and text else "self" if method else "") + text)

    def call(*args, **kwargs):
        positional, named = parameters.bind(args, kwargs)
        # A device array where a host number belongs stays as it is: without __index__, NumPy refuses it as CuPy does.
        kinds = parameters.required + [parameters.rest] * (len(positional) - len(parameters.required))
        positional = [value if kind in HOST_ONLY else unwrap(value) for kind, value in zip(kinds, positional)]
        named = {kind: value if kind in HOST_ONLY else unwrap(value) for kind, value in named.items()}
        if name in SYNCS:
            _traffic.sync(f"{name}()")
        elif name in UPLOADS:
            _traffic.upload()
        arrays = list(device_arrays((args, *kwargs.values())))
        if not arrays and name not in WITHOUT_ARRAY:
            raise TypeError(f"{path}() needs a cupy.ndarray, not {', '.join(str(type(value)) for value in args)}")
        with np.errstate(all="ignore"):
            result = numpy_function(*positional, **named)
        if name in ZERO_DIM and not isinstance(result, np.ndarray):
            result = np.asarray(result)
        return adopt(result, arrays, name in KEEPS_ORDER)

    call.__name__ = call.__qualname__ = name
    return call


def device_arrays(values):
    """The device arrays in ``values``, at any depth."""
    for value in values:
        if type(value) is ndarray:
            yield value
        elif type(value) is tuple or type(value) is list:
            yield from device_arrays(value)


def _attach_methods() -> None:
    for name, text in CLASSES["ndarray"]["methods"].items():
        if name not in vars(ndarray):
            numpy_method = getattr(np.ndarray, name, None) or getattr(np, name, None)
            if numpy_method is not None:
                setattr(ndarray, name, gated(f"ndarray.{name}", text, numpy_method, method=True))


_attach_methods()
