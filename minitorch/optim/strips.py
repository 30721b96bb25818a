"""How a rule computes: in place, one strip of a parameter at a time, so that all its passes stay in the processor's cache."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import wrap

# How many elements of a parameter are updated at a time. A step on 1.8 million, in strips and all at once: SGD 0.60 and
# 0.91 ms, with momentum 1.8 and 2.7 ms, Adam 3.5 and 5.0 ms.
STRIP: Final = 2**17


def wide(dtype: np.dtype) -> np.dtype:
    """The dtype in which a rule computes and keeps its state: float32 for float16, else the parameter's."""
    return backend.float32 if dtype == backend.float16 else dtype


def buffer(state: dict[str, Any], name: str, p: Any, xp: Any, value: float = 0.0) -> Any:
    """The array called `name` in the state of the parameter `p`; the first time it is made like `p` and filled with `value`.

    For a float16 parameter it is float32, since running means of squares are below the range of float16 (PyTorch keeps
    float16, and Adam's first step with gradients of 1e-4 is infinite).
    """
    if name not in state:
        state[name] = wrap(xp.full_like(p, value, dtype=wide(p.dtype)))
    return state[name].array


def counted(state: dict[str, Any]) -> float:
    """Count a step of the parameter with this state, in a float32 scalar as in PyTorch; returns its number, from 1."""
    if "step" not in state:
        state["step"] = wrap(np.zeros((), np.float32))
    number = state["step"].array.item() + 1
    state["step"].array.fill(number)
    return number


# ---- passes that several rules use ---------------------------------------------------------------------------------------


def mix(xp: Any, mean: Any, share: float, new: Any, scratch: Any) -> None:
    """mean = share mean + (1 - share) new, in place; `scratch`, which may be `new`, is overwritten."""
    xp.multiply(mean, share, out=mean)
    xp.add(mean, xp.multiply(new, 1 - share, out=scratch), out=mean)


def over_root(xp: Any, a: Any, v: Any, eps: float, out: Any) -> Any:
    """out = a / (sqrt(v) + eps)."""
    return xp.divide(a, xp.add(xp.sqrt(v, out=out), eps, out=out), out=out)


def descend(xp: Any, p: Any, step: Any, lr: float, scratch: Any) -> None:
    """p -= lr step; `scratch`, which may be `step`, is overwritten."""
    xp.subtract(p, xp.multiply(step, lr, out=scratch), out=p)


# ---- strips --------------------------------------------------------------------------------------------------------------


def cut(array: Any, xp: Any) -> list[tuple[Any, dict[int, Any]]]:
    """The strips of `array`, each an index and the scratch arrays made for it so far, by thread."""
    return [(at, {}) for at in _indices(array, STRIP if xp is np else array.size)]


def scratches(part: Any, xp: Any, memory: dict[Any, tuple[Any, Any]], made: dict[int, Any]) -> tuple[Any, Any]:
    """Two arrays like `part` in the `memory` that all parameters share, but threads do not; kept in `made`."""
    thread, dtype = threading.get_ident(), wide(part.dtype)
    flats = memory.get((xp, dtype, thread))
    if flats is None or flats[0].size < part.size:
        flats = memory[xp, dtype, thread] = xp.empty(part.size, dtype), xp.empty(part.size, dtype)
    own, scratch = made[thread] = _laid_out_like(part, flats[0]), _laid_out_like(part, flats[1])
    return own, scratch


def _indices(array: Any, most: int) -> list[Any]:
    """Indices that cut `array` along its slowest dimension into strips of at most `most` elements, if that is possible."""
    if array.size <= most:
        return [...]
    axis = max(range(array.ndim), key=lambda d: abs(array.strides[d]) if array.shape[d] > 1 else -1)
    length = array.shape[axis]
    each = max(1, most * length // array.size)
    return [(slice(None),) * axis + (slice(start, start + each),) for start in range(0, length, each)]


def _laid_out_like(array: Any, flat: Any) -> Any:
    """The first elements of `flat` with the shape and memory layout of `array`, so that one pass over both is fast."""
    order = sorted(range(array.ndim), key=lambda d: -array.strides[d])
    view = flat[: array.size].reshape([array.shape[d] for d in order])
    return view.transpose([order.index(d) for d in range(array.ndim)])
