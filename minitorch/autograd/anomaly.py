"""Anomaly mode: finds the first NaN or infinity, or the first array changed after it was saved, and the line that made it.

Outside the mode nothing is inspected or kept. Inside it, each recorded node stores the user's line that ran it,
and a checksum of every array that its backward rule will read; outputs and gradients are searched for NaN and infinities.
"""

from __future__ import annotations

import math
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from minitorch import backend
from minitorch.autograd.errors import described
from minitorch.autograd.grad_mode import Switch, SwitchAtOnce, mode
from minitorch.autograd.tensor import Tensor
from minitorch.autograd.watch import Watch


class Origin(NamedTuple):
    """Where a node came from; kept in anomaly mode only."""

    name: str
    inputs: str  # their shapes and dtypes
    frame: traceback.FrameSummary | None  # the user's line
    prints: dict[str, tuple[str, int, int]]  # for each array it holds: what it is, its id (0 for a scalar), its checksum
    rule: Origin | None  # the origin of the node whose rule ran it, under create_graph=True


class detect_anomaly(Switch):
    """Raise at the first NaN or infinity in a block (`with detect_anomaly(): ...`) or decorated function, of this thread; slow.

    Raises RuntimeError, which names the operation, its shapes and the user's line that ran it, if
    - an output, recorded or not, holds NaN where no input does, or an infinity where no input or parameter does: values in
      your own tensors and `masked_fill(mask, -inf)` are accepted, the NaN of `inf - inf` is not;
    - a gradient is not finite: one from a rule, a hook or the caller of backward, a sum of gradients, or a cast;
    - an array that a rule will read has changed since the operation ran. A CRC-32 checksum detects this, as copies would
      double the memory of the tape; it finds every change within 32 adjacent bits, and misses others with a chance of 2^-32.

    Run both passes in the block. With `check_nan=False` only changed arrays are detected. PyTorch's mode checks gradients
    for NaN alone, in all threads.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(Anomaly(bool(check_nan)), "watch")


class set_detect_anomaly(SwitchAtOnce):
    """Switch anomaly mode (see `detect_anomaly`) on or off: at once, and back at the end of a `with` block or decorator."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(Anomaly(bool(check_nan)) if mode else None, "watch")


def is_anomaly_enabled() -> bool:
    """Whether this thread is in anomaly mode."""
    return isinstance(mode.watch, Anomaly)


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN and infinities; True, as in PyTorch, outside it."""
    return not isinstance(mode.watch, Anomaly) or mode.watch.check_nan


class Anomaly(Watch):
    """Raises RuntimeError for values that are not finite, if `check_nan`, and for changed arrays that a rule would read."""

    name = "anomaly mode"

    def __init__(self, check_nan: bool, running: Any = None) -> None:
        self.check_nan = check_nan
        self.running = running  # the node whose rule is running: infinities inside the rule are allowed, in its gradients not

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        result = node.forward(*inputs, **parameters)
        if not raw:
            outs = result if type(result) is tuple else (result,)
            origin = Origin(node.title, described(inputs), _users_frame(), {}, self.running and self.running._origin)
            worst = max(map(_severity, outs), default=0) if self.check_nan and self.running is None else 0
            if worst and worst > _excuse([inputs, parameters]):
                out = next(out for out in outs if _severity(out) == worst)
                said = f"its output, of shape {tuple(out.shape)} {out.dtype}, holds {_found(out)}, which no input tensor held"
                raise RuntimeError(f"{origin.name}: {said}. Its inputs were {origin.inputs}.{_ran_at(origin)}")
            if node.edges:
                origin.prints.update(_prints(node, inputs, outs))
                node._origin = origin
        return result

    def rule(self, node: Any, rule: Any, incoming: Any) -> Any:
        prints = node._origin.prints if node._origin else {}
        for path, array in _held(node) if prints else ():
            what, identity, checksum = prints.get(path, ("", -1, 0))
            if identity in (0, id(array)) and checksum != _checksum(array):
                held = f"{what} of shape {tuple(array.shape)} {array.dtype}, which its backward reads"
                said = "was changed between the forward and the backward pass, for instance through NumPy; change a copy of it"
                raise RuntimeError(f"{node.title}: {held}, {said}.{ran_at(node)}")
        with Switch(Anomaly(self.check_nan, node), "watch"):
            grads = rule.backward(*incoming)
        for i, (edge, grad) in enumerate(zip(node.edges, grads if type(grads) is tuple else (grads,))):
            if edge is not None and grad is not None:
                self.check(grad, f"{node.title}.backward: the gradient of input {i}", node)
        return grads

    def given(self, name: str, node: Any, grad: Any) -> None:
        self.check(grad, f"{name}: the gradient given")

    def fitted(self, node: Any, position: int, given: Any, kept: Any) -> None:
        self.check(kept, f"{node.title}.backward: a gradient summed or cast to fit its input", node)

    def arrived(self, edge: Any, grad: Any, total: Any, by: Any, position: int) -> None:
        if total is not grad and edge._outputs is None:
            self.check_sum(total, edge)

    def hooked(self, node: Any, hook: Callable[..., Any], grad: Any) -> None:
        self.check(grad, f"hook {getattr(hook, '__qualname__', hook)}: the gradient it returned")

    def kept(self, tensor: Any, grad: Any) -> None:
        self.check_sum(tensor._grad, tensor.node)

    def check_sum(self, total: Any, edge: Any) -> None:
        """Raise RuntimeError if `total`, the sum of gradients of a node, is not finite."""
        of = f"the output of {edge.title}" if edge.edges else "a leaf"
        self.check(total, f"backward: the sum of the gradients of {of}", edge if edge.edges else None)

    def check(self, grad: Any, what: str, node: Any = None) -> None:
        """Raise RuntimeError if `grad`, described by `what`, is not finite, with the line that ran `node`."""
        array = grad.array if isinstance(grad, Tensor) else grad
        if not self.check_nan or not _severity(array):
            return
        message = f"{what}, of shape {tuple(array.shape)} {array.dtype}, holds {_found(array)}."
        if node is not None:
            read = next((held for _, held in _held(node) if _severity(held)), None)
            if read is not None:
                held = f"an array of shape {tuple(read.shape)} that held {_found(read)}"
                message += f" It was computed from {held} in the forward pass."
            message += ran_at(node)
        raise RuntimeError(message)


def _prints(node: Any, inputs: list[Any], outs: tuple[Any, ...]) -> Iterator[tuple[str, tuple[str, int, int]]]:
    owners = {id(backend.memory_of(out)): "its output" for out in outs}
    owners |= {id(backend.memory_of(a)): f"input {i}" for i, a in enumerate(inputs) if backend.is_array(a)}
    for path, array in _held(node):
        identity = 0 if isinstance(array, np.generic) else id(array)  # the tape replaces 0-d results, which NumPy makes scalars
        yield path, (owners.get(id(backend.memory_of(array)), "an array"), identity, _checksum(array))


def ran_at(node: Any) -> str:
    """The end of a message: where and on which inputs the operation `node` ran, if that is known."""
    if node._origin is not None:
        return f" Its inputs were {node._origin.inputs}.{_ran_at(node._origin)}"
    if not is_anomaly_enabled():
        return ""
    return f" Its output was of shape {node._shape}. It was recorded outside anomaly mode: run the forward pass in it too."


def _ran_at(origin: Origin) -> str:
    line = "".join(traceback.format_list([origin.frame])).rstrip() if origin.frame else "  (a thread without a line of yours)"
    text = f" It was run at\n{line}"
    if origin.rule is not None:
        text += f"\nwithin the backward of {origin.rule.name}, inputs {origin.rule.inputs}.{_ran_at(origin.rule)}"
    return text


def _users_frame() -> traceback.FrameSummary | None:
    """The innermost line that is being run outside minitorch and layers."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in ("minitorch", "layers"):
        frame = frame.f_back
    return traceback.extract_stack(frame, limit=1)[0] if frame is not None else None


def _severity(value: Any) -> int:
    """0 for an array of finite numbers, 1 if there is an infinity among them, 2 if there is NaN."""
    if getattr(value, "dtype", backend.bool_).kind not in "fc":
        return 0
    xp = backend.array_module(value)
    return 0 if bool(xp.isfinite(value).all()) else 2 if bool(xp.isnan(value).any()) else 1


def _excuse(given: Any) -> int:
    """The worst severity among the arrays in `given`; an infinite number counts too, since it was passed on purpose."""
    leaves = [leaf for _, leaf in _leaves("", given)]
    passed = any(isinstance(leaf, (float, np.generic)) and leaf in (math.inf, -math.inf) for leaf in leaves)
    return max([int(passed), *(_severity(leaf) for leaf in leaves if backend.is_array(leaf))])


def _found(array: Any) -> str:
    """Which NaN or infinity an array holds, and where."""
    xp = backend.array_module(array)
    wrong = xp.isnan(array) if _severity(array) == 2 else xp.isinf(array)
    value = array.reshape(-1)[wrong.reshape(-1)][0].item()
    if not array.ndim:
        return f"{value}"
    first = [int(axis[0]) for axis in wrong.nonzero()]
    return f"{value} ({int(wrong.sum())} of {array.size} elements, the first at {first})"


def _held(node: Any) -> Iterator[tuple[str, Any]]:
    """(path, array) for every array or NumPy scalar that `node` keeps: what it saved, and its attributes."""
    for path, leaf in _leaves("", {"saved": node.saved, **vars(node), "_origin": None}):
        if backend.is_array(leaf) or isinstance(leaf, np.generic):
            yield path, leaf


def arrays_in(value: Any) -> Iterator[Any]:
    """The arrays in nested tuples, lists and dictionaries, including those of tensors."""
    return (leaf for _, leaf in _leaves("", value) if backend.is_array(leaf))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(path, value) for every value in nested tuples, lists and dictionaries; for a tensor, its array."""
    if isinstance(value, Tensor):
        yield path, value.array
    elif isinstance(value, (tuple, list, dict)):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(f"{path}.{key}", entry)
    else:
        yield path, value


def _checksum(array: Any) -> int:
    return zlib.crc32(backend.to_array(array, None, backend.CPU).ravel(order="K").tobytes())
