"""Indices of device arrays, translated for the host array underneath."""

import numpy as np

from . import _traffic


def host_index(index, ndarray: type) -> tuple[tuple, bool]:
    """NumPy's form of ``index``, and whether it is advanced (gives a copy).

    A basic index ends in an Ellipsis, so that NumPy gives a 0-d view where it would give a scalar. Stricter than CuPy,
    which copies a host index array to the device unasked, truncates a float index and wraps integers out of bounds.
    """
    key, advanced, ellipsis = [], False, False
    for item in index if type(index) is tuple else (index,):
        kind = type(item)
        if kind is ndarray:
            advanced = True
            item = _device_index(item._host)
        elif kind is list or kind is tuple or kind is bool or kind is np.bool:
            advanced = True
            item = _device_index(_uploaded(item))
        elif item is Ellipsis:
            ellipsis = True
        elif isinstance(item, np.ndarray):
            raise TypeError("a host array indexes a device array; upload it with asarray() first")
        key.append(item)
    if not (advanced or ellipsis):
        key.append(Ellipsis)
    return tuple(key), advanced


def _device_index(host: np.ndarray) -> np.ndarray:
    if host.dtype.kind == "b":
        if host.size:
            _traffic.sync("a boolean mask as an index")
    elif host.dtype.kind not in "iu":
        raise IndexError(f"arrays used as indices must be of integer or boolean type (actual: {host.dtype})")
    return host


def _uploaded(item) -> np.ndarray:
    host = np.asarray(item)
    _traffic.upload()
    return host if host.size else host.astype(np.int32)
