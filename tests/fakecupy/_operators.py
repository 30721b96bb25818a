"""Attaches to ``ndarray`` its operators and NumPy's two dispatch protocols, each as in CuPy's ``core.pyx``."""

import numpy as np

from ._array import adopt, ndarray, new
from ._functions import resolve
from ._ufuncs import SCALARS, matmul

_ARITHMETIC = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "mod": "remainder",
    "floordiv": "floor_divide",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
_COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def should_use_rop(x, y) -> bool:
    """CuPy's ``_should_use_rop``: NEP 13, and ``__array_priority__`` where ``y`` says nothing about ufuncs."""
    if hasattr(y, "__array_ufunc__"):
        return y.__array_ufunc__ is None
    return x.__array_priority__ < getattr(y, "__array_priority__", 0)


def _forward(device, host):
    def operator(x, y):
        if type(y) is ndarray or type(y) in SCALARS:
            return device(x, y)
        if should_use_rop(x, y):
            return NotImplemented
        return host(x, y)  # NumPy asks every operand's __array_ufunc__, as CuPy has it do

    return operator


def _attach_operators() -> None:
    for name, ufunc_name in _ARITHMETIC.items():
        device = resolve("cupy", ufunc_name)
        setattr(ndarray, f"__{name}__", _forward(device, getattr(np, ufunc_name)))
        setattr(ndarray, f"__r{name}__", lambda x, y, device=device: device(y, x))
        setattr(ndarray, f"__i{name}__", lambda x, y, device=device: device(x, y, x))
    for name, ufunc_name in _COMPARISONS.items():
        setattr(ndarray, f"__{name}__", _forward(resolve("cupy", ufunc_name), getattr(np, ufunc_name)))
    for name, ufunc_name in _UNARY.items():
        device = resolve("cupy", ufunc_name)
        setattr(ndarray, f"__{name}__", lambda x, device=device: device(x))
    for name, device, host in ("matmul", matmul, np.matmul), ("divmod", resolve("cupy", "divmod"), np.divmod):
        setattr(ndarray, f"__{name}__", _forward(device, host))  # neither has an in-place form
        setattr(ndarray, f"__r{name}__", lambda x, y, device=device: device(y, x))
    ndarray.__pow__ = _power(ndarray.__pow__)
    ndarray.__eq__ = _identity(ndarray.__eq__, False)
    ndarray.__ne__ = _identity(ndarray.__ne__, True)


def _power(general):
    """``x ** 2`` and a few more are other ufuncs than ``power``, in NumPy and CuPy alike."""

    def operator(x, y):
        if type(y) not in SCALARS or (type(y) is int and y < 0):
            return general(x, y)
        with np.errstate(all="ignore"):
            return adopt(x._host**y, [])

    return operator


def _identity(general, answer):
    """Nothing equals an object without an ``__eq__`` of its own, None among them."""

    def operator(x, y):
        if y is None or (type(y).__eq__ is object.__eq__ and not should_use_rop(x, y)):
            return new(np.full(x.shape, answer))
        return general(x, y)

    return operator


def _array_ufunc(self, ufunc, method, *inputs, **kwargs):
    outs = kwargs.get("out", ())
    if "out" in kwargs:
        if len(outs) != 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        kwargs["out"] = outs[0]
    try:
        function = resolve("cupy", ufunc.__name__)
        if method != "__call__":
            function = getattr(function, method)
    except AttributeError:
        return NotImplemented
    for value in inputs + outs:
        if type(value) not in SCALARS and not isinstance(value, (ndarray, np.ndarray, np.generic)):
            return NotImplemented
    return function(*inputs, **kwargs)


def _array_function(self, func, types, args, kwargs):
    try:
        function = resolve(f"cupy{func.__module__.removeprefix('numpy')}", func.__name__)
    except AttributeError:
        return NotImplemented
    if function is func or not all(issubclass(kind, (ndarray, np.ndarray)) for kind in types):
        return NotImplemented
    return function(*args, **kwargs)


ndarray.__array_ufunc__ = _array_ufunc
ndarray.__array_function__ = _array_function
_attach_operators()
