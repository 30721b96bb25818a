"""A strict stand-in for CuPy on machines without a GPU: the tests' third array library beside NumPy and CuPy.

It refuses what CuPy refuses, with CuPy's names, parameters, methods and exceptions (``surface.json``, read off the
real package), it computes with NumPy, and it counts what a GPU program pays for:

* ``syncs``: how often the host waited for the device (``float(x)``, ``x.get()``, ``if x``, a mask, ``nonzero``);
  ``forbid_sync()``: a context in which doing so raises AssertionError;
* ``h2d``: how many arrays were copied from the host to the device;
* ``install()``: a context in which ``import cupy`` finds this module.

Stricter than CuPy on purpose: host arrays are refused in every function and as indices, integers out of bounds and
strides that leave the memory raise, a broadcast view is read-only. Not modelled: kernels, streams, graphs, asynchronous
errors, other rounding, undefined results of repeated indices in an assignment. Asking for a name that CuPy has and the
stand-in does not raises NotImplementedError.
"""

import contextlib as _contextlib  # private, like the others: a name here is a name of CuPy
import sys as _sys

from . import _creation, _cupyx, _functions, _operators, _traffic
from . import _cuda as cuda
from . import _generators as random
from ._surface import VERSION as __version__
from ._traffic import forbid_sync

linalg = _functions.SurfaceModule("cupy.linalg")
fft = _functions.SurfaceModule("cupy.fft")
lib = _functions.SurfaceModule("cupy.lib")
lib.stride_tricks = _functions.SurfaceModule("cupy.lib.stride_tricks")


@_contextlib.contextmanager
def install():
    """While this context lasts, ``import cupy`` gives this module, and ``cupyx`` has ``errstate`` alone."""

    def ours(name):
        return name.partition(".")[0] in ("cupy", "cupyx")

    before = {name: module for name, module in _sys.modules.items() if ours(name)}
    for name in before:
        del _sys.modules[name]
    module = _sys.modules[__name__]
    _sys.modules.update(
        {
            "cupy": module,
            "cupy.cuda": cuda,
            "cupy.cuda.runtime": cuda.runtime,
            "cupy.random": random,
            "cupy.linalg": linalg,
            "cupy.fft": fft,
            "cupy.lib": lib,
            "cupy.lib.stride_tricks": lib.stride_tricks,
            "cupyx": _cupyx,
        }
    )
    try:
        yield module
    finally:
        for name in [name for name in _sys.modules if ours(name)]:
            del _sys.modules[name]
        _sys.modules.update(before)


def __getattr__(name):
    if name in ("syncs", "h2d"):
        return getattr(_traffic, name)
    value = globals()[name] = _functions.resolve("cupy", name)
    return value


def __dir__():
    return _functions.names("cupy")
