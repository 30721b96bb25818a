"""How a rule computes: in place, one strip of a parameter at a time, so that all its passes stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
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


def cut(array: Any, xp: Any, memory: dict[Any, tuple[Any, Any]]) -> list[tuple[Any, Any, Any]]:
    """The strips of `array`, each an index and two scratch arrays in the `memory` that all parameters share."""
    indices, dtype = _indices(array, STRIP if xp is np else array.size), wide(array.dtype)
    most = max((array[at].size for at in indices), default=0)
    if (xp, dtype) not in memory or memory[xp, dtype][0].size < most:
        memory[xp, dtype] = xp.empty(most, dtype), xp.empty(most, dtype)
    own, scratch = memory[xp, dtype]
    return [(at, _laid_out_like(array[at], own), _laid_out_like(array[at], scratch)) for at in indices]


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


def descents(
    state: dict[str, Any], names: tuple[str, ...], start: float, p: Any, grad: Any, decay: float, maximize: bool, prepared: Any
) -> Iterator[tuple[Any, Any, Any, list[Any]]]:
    """For each strip: the parameter, the gradient to descend along, a scratch array, and the buffers called `names`.

    The gradient includes `decay` times p and is negated by `maximize`; a new buffer is filled with `start`. All strips share
    the scratch array: finish one before you take the next. A float16 parameter is yielded in float32, rounded afterwards.
    """
    _, xp, strips = prepared
    kept = [buffer(state, name, p, xp, start) for name in names]
    narrow = p.dtype == backend.float16
    for at, own, scratch in strips:
        part, g = p[at], grad[at]
        if narrow:
            part, g = part.astype(own.dtype), g.astype(own.dtype)
        if decay:
            xp.multiply(part, -decay if maximize else decay, out=own)
            g = xp.add(g, own, out=own)
        if maximize:
            g = xp.negative(g, out=own)
        yield part, g, scratch, [array[at] for array in kept]
        if narrow:
            p[at] = part
