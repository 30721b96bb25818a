"""How the values of a function change when one element of its input moves: what gradients are compared with.

Central differences, (f(x + h) - f(x - h)) / 2h, work for every function and lose half of the digits. The complex step,
Im f(x + ih) / h (Squire & Trapp 1998), subtracts nothing and is exact to rounding, for functions built of analytic
operations only.

Each way takes a function of one host array that returns a flat array, the array, and the index of the element that moves. It
returns the derivative of every value by that element, and an estimate of the error in each.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from minitorch.autograd.grad_mode import Switch

STEP: Final = 1e-30  # of the complex step: its square is lost in rounding, so there is no truncation error
EPSILON: Final = float(np.finfo(np.float64).eps)
Flat = Callable[[np.ndarray], np.ndarray]
Slope = tuple[np.ndarray, np.ndarray]


def jacobian(function: Flat, x: np.ndarray, way: Callable[..., Slope], **options: Any) -> Slope:
    """The derivatives of all values by all elements, (values, elements), and the errors in them, found in one of three ways."""
    columns = [way(function, x, index, **options) for index in np.ndindex(x.shape)]
    if not columns:
        return (np.zeros((function(x).size, 0)),) * 2
    slope, error = (np.stack(each, -1) for each in zip(*columns))
    return slope, error


def complex_step(function: Flat, x: np.ndarray, index: tuple[int, ...]) -> Slope:
    """The derivative by the complex step, which is silently wrong if `function` is not analytic."""
    moved = x.astype(np.complex128)
    moved[index] += 1j * STEP
    with Switch(True, "complex_step"):
        slope = np.imag(function(moved)) / STEP
    return slope, np.abs(slope) * EPSILON


def central(function: Flat, x: np.ndarray, index: tuple[int, ...], h: float = 1e-6) -> Slope:
    """The derivative by central differences."""
    high, low = x.copy(), x.copy()
    high[index] += h
    low[index] -= h
    above, below = function(high), function(low)
    step = high[index] - low[index]  # not 2h: x + h is rounded
    return (above - below) / step, np.where(above == below, 0.0, np.maximum(np.abs(above), np.abs(below)) * 2 * EPSILON / step)


def best(function: Flat, x: np.ndarray, index: tuple[int, ...]) -> Slope:
    """The derivative by the complex step if real steps agree with it, else by the best of these."""
    scale = max(1.0, abs(float(x[index])))
    with np.errstate(all="ignore"):
        for h in (2e-3 * scale, 1e-4 * scale, 5e-6 * scale):  # smaller near a pole, or a kink
            near, noise = central(function, x, index, h / 4)
            with contextlib.suppress(Exception), warnings.catch_warnings():  # raised by what takes no complex numbers
                warnings.simplefilter("ignore")  # about a discarded imaginary part, which real steps detect
                exact, rounding = complex_step(function, x, index)
                if np.all(np.abs(exact - near) <= 1e-5 * (1 + np.abs(near)) + noise):
                    return exact, rounding
            wide, half = central(function, x, index, h)[0], central(function, x, index, h / 2)[0]
            # Richardson's extrapolation, to order 6 and to order 4
            slope, rough = (64 * near - 20 * half + wide) / 45, (4 * near - half) / 3
            if np.all(np.abs(slope - rough) <= 1e-6 * (1 + np.abs(slope)) + noise):
                return slope, noise + np.abs(slope - rough) * 1e-2
        return central(function, x, index)  # there is a kink within h
