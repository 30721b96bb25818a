"""``cupy.random``: CuPy's methods and parameters over a stream that is neither CuPy's nor any of NumPy's."""

import numpy as np

from ._array import adopt, ndarray, new, unwrap
from ._functions import names
from ._surface import CLASSES, MODULES

_SALT = 0x66616B65  # with it, no seed gives the stream NumPy's Philox has for that seed


class _Stream:
    """A Philox stream, and the refusal of methods the real class lacks."""

    def __init__(self, seed=None) -> None:
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise TypeError(f"a seed must be an integer or None, not {type(seed)}")
        entropy = None if seed is None else [_SALT, int(seed)]
        self._numpy = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))

    def __getattr__(self, name):
        owner = type(self).__name__
        if name in CLASSES[owner]["methods"]:
            raise NotImplementedError(f"cupy.random.{owner}.{name} exists, but the stand-in does not model it")
        raise AttributeError(f"{owner!r} object has no attribute {name!r}")

    def _floats(self, method: str, size, dtype, out=None) -> ndarray:
        dtype = np.dtype(dtype)
        if dtype.char not in "fd":
            raise TypeError("cupy.random only supports float32 and float64")
        values = new(np.asarray(getattr(self._numpy, method)(size, dtype=dtype)))
        if out is None:
            return values
        if type(out) is not ndarray or out.dtype != dtype or out.shape != values.shape:
            raise TypeError(f"out must be a cupy.ndarray of {dtype} and shape {values.shape}")
        out[...] = values
        return out

    def _between(self, low, high, size, dtype) -> ndarray:
        if size is None:
            size = np.broadcast_shapes(np.shape(low), np.shape(high))
        values = self._floats("random", size, dtype)
        return (low + (high - low) * values).astype(dtype, copy=False)


class Generator(_Stream):
    """What ``default_rng`` gives; CuPy's has no ``normal``, ``permutation``, ``shuffle`` or ``choice``."""

    def random(self, size=None, dtype=np.float64, out=None):
        return self._floats("random", size, dtype, out)

    def standard_normal(self, size=None, dtype=np.float64, out=None):
        return self._floats("standard_normal", size, dtype, out)

    def uniform(self, low=0.0, high=1.0, size=None, dtype=np.float64):
        return self._between(low, high, size, dtype)

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        values = self._numpy.integers(unwrap(low), unwrap(high), size, np.dtype(dtype), endpoint)
        return adopt(np.asarray(values), [])

    def exponential(self, scale=1.0, size=None):
        return scale * self._floats("standard_exponential", size, np.float64)

    def binomial(self, n, p, size=None):
        return adopt(np.asarray(self._numpy.binomial(unwrap(n), unwrap(p), size)), [])


class RandomState(_Stream):
    """The legacy generator, behind the functions of ``cupy.random`` too."""

    def __init__(self, seed=None, method=None):
        super().__init__(seed)

    def seed(self, seed=None):
        super().__init__(seed)

    def random_sample(self, size=None, dtype=float):
        return self._floats("random", size, dtype)

    def standard_normal(self, size=None, dtype=float):
        return self._floats("standard_normal", size, dtype)

    def rand(self, *size, dtype=float):
        return self._floats("random", size, dtype)

    def randn(self, *size, dtype=float):
        return self._floats("standard_normal", size, dtype)

    def normal(self, loc=0.0, scale=1.0, size=None, dtype=float):
        if size is None:
            size = np.broadcast_shapes(np.shape(loc), np.shape(scale))
        return (loc + scale * self._floats("standard_normal", size, dtype)).astype(dtype, copy=False)

    def uniform(self, low=0.0, high=1.0, size=None, dtype=float):
        return self._between(low, high, size, dtype)

    def randint(self, low, high=None, size=None, dtype=int):
        values = self._numpy.integers(unwrap(low), unwrap(high), size, np.dtype(dtype))
        return adopt(np.asarray(values), [])

    def permutation(self, a):
        if isinstance(a, int):
            return new(self._numpy.permutation(a))
        return a[new(self._numpy.permutation(len(a)))]

    def shuffle(self, a):
        if type(a) is not ndarray:
            raise TypeError("The array must be cupy.ndarray")
        a[:] = a[new(self._numpy.permutation(len(a)))]

    def choice(self, a, size=None, replace=True, p=None):
        if size is None or p is not None:
            raise NotImplementedError("the stand-in's choice() needs a size and takes no p")
        population = a if isinstance(a, int) else unwrap(a)
        return new(np.asarray(self._numpy.choice(population, size, replace)))


def default_rng(seed=None):
    return Generator(seed)


_global = RandomState()


def __getattr__(name):
    functions = MODULES["cupy.random"]["functions"]
    if name in functions and hasattr(RandomState, name):
        return getattr(_global, name)
    if name in names("cupy.random"):
        raise NotImplementedError(f"cupy.random.{name} exists, but the stand-in does not model it")
    raise AttributeError(f"module 'cupy.random' has no attribute {name!r}")
