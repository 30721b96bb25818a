"""`Optimizer`: parameters in groups, the state kept for each, and the step that changes them in place.

A rule (SGD, Adam, ...) is a subclass that writes `_update`, the formula on arrays; what all rules share is here.
"""

from __future__ import annotations

import copy
import math
import numbers
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np

from minitorch import backend
from minitorch.autograd import float_errors
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.grad_mode import enable_grad
from minitorch.autograd.tensor import Tensor, wrap

# The elements of a parameter that are updated at a time, so that what a rule's passes read and write stays in the cache. Over
# 1.8 million, in milliseconds, in strips of 2**17 and in one: SGD 0.60 and 0.91, with momentum 1.8 and 2.7, Adam 3.5 and 5.0.
STRIP: Final = 2**17

Params: TypeAlias = Iterable[Tensor | dict[str, Any]]


class Optimizer:
    """Base class of the optimizers; a rule of your own overrides `step` as in PyTorch, or `_update`.

    `params` are tensors (any iterable but a set, whose order changes from run to run) or dicts, each a group with its own
    options: `[{"params": net.features.parameters(), "lr": 0.01}, {"params": net.head.parameters()}]`. `defaults` are the
    options of groups that don't set them. `state[p]` is the dict of buffers kept for the parameter `p`.

    Raises ValueError for no parameters, one that is given twice (PyTorch only warns) or computed from others, and for
    options out of range, those of groups included (PyTorch checks the defaults only); TypeError for what is no tensor.
    """

    buffers: tuple[str, ...] = ()  # what the rule keeps in the state of a parameter in the shape of that parameter

    def __init__(self, params: Params, defaults: dict[str, Any], how: dict[str, Any] | None = None) -> None:
        _check_how(self._name, how or {})
        if isinstance(params, Tensor):
            raise TypeError(
                f"{self._name}: expected an iterable of tensors or dicts, got one tensor of shape {tuple(params.shape)}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)  # a key lives as long as its state
        self.param_groups: list[dict[str, Any]] = []
        self._spare: dict[Tensor, tuple[Any, ...]] = {}  # what `_prepared` gave
        self._memory: dict[Any, tuple[Any, ...]] = {}  # two flat arrays per dtype and device, for the rules to compute in
        self._steps_taken = 0
        groups = _as_list(self._name, params)
        if not groups:
            raise ValueError(f"{self._name}: no parameters; was the net's parameters() generator used up before?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters: `{"params": tensors, ...}` with options that differ from the defaults.

        Raises what the constructor raises.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"{self._name}: a parameter group must be a dict, got {type(param_group).__name__}")
        if "params" not in param_group:
            raise ValueError(f"{self._name}: a parameter group needs 'params', got only {sorted(map(str, param_group))}")
        params = param_group["params"]
        group: dict[str, Any] = {"params": [params] if isinstance(params, Tensor) else _as_list(self._name, params)}
        group |= {name: value for name, value in param_group.items() if name != "params"}
        for name, default in self.defaults.items():
            group.setdefault(name, default)
            if isinstance(group[name], Tensor):  # a learning rate may be one of one element
                group[name] = group[name].item()
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(group["params"]):
            if not isinstance(p, Tensor):
                raise TypeError(f"{self._name}: parameter {i} is a {type(p).__name__}, expected tensors")
            if p.grad_fn is not None:
                raise ValueError(
                    f"{self._name}: parameter {i}, of shape {tuple(p.shape)}, was computed from other tensors; only leaves are "
                    "optimized"
                )
            if id(p) in known:
                raise ValueError(f"{self._name}: parameter {i}, of shape {tuple(p.shape)}, was given before; list it once")
            known.add(id(p))
        self._check_options(group)
        self.param_groups.append(group)

    def _check_options(self, group: dict[str, Any]) -> None:
        """Raise ValueError or TypeError if an option of `group` is out of range."""

    def _check_range(self, group: dict[str, Any], *names: str, below: float = math.inf) -> None:
        for name in names:
            value = group[name]
            if name == "lr" and isinstance(value, Tensor):  # of one element: its number
                value = group[name] = value.item()
            if not isinstance(value, numbers.Real):
                raise TypeError(f"{self._name}: expected a number for {name}, got {type(value).__name__}")
            if not 0 <= float(value) < below:
                raise ValueError(f"{self._name}: expected 0 <= {name} < {below}, got {value}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: None, which the next step skips, or zeros, which it steps along (momentum goes on)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p._grad is None:
                    p._grad = None
                else:
                    grad = p._grad.array
                    grad.fill(0)
                    mark_changed(grad, "optimizer.zero_grad()")
                    p._grad = wrap(grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, in place; returns what `closure` returned.

        `closure` clears the gradients, computes the loss anew, calls `backward` and returns the loss. Parameters without a
        gradient stay as they are, state included. Raises ValueError for a gradient that does not fit its parameter, or if the
        state does not (the parameter changed its dtype, shape or device after the first step); then none is changed.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        ready = [self._ready(group) for group in self.param_groups]
        with float_errors.ignored():
            for group, members in zip(self.param_groups, ready):
                self._update(group, members)
        self._steps_taken += 1
        return loss

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        """The rule: change the parameters of `group`, which come from `self._descents(group, members)`."""
        raise NotImplementedError(f"{self._name}: neither step nor _update is written")

    def _ready(self, group: dict[str, Any]) -> list[tuple[Any, ...]]:
        """For each parameter of `group` that has a gradient: its array, the gradient, its state, and `_prepared`."""
        members = []
        for p in group["params"]:
            if p._grad is None:
                continue
            array, grad = p.array, p._grad.array
            if (
                grad.shape != array.shape
                or grad.dtype != array.dtype
                or (type(grad) is not type(array) and p.device != p._grad.device)
            ):
                raise ValueError(
                    f"{self._name}.step: a parameter of shape {tuple(p.shape)}, {p.dtype} on {p.device} has a gradient of "
                    f"shape {tuple(p._grad.shape)}, {p._grad.dtype} on {p._grad.device}; call zero_grad() and backward() again"
                )
            spare = self._spare.get(p)
            if spare is None or spare[0] is not array:
                spare = self._spare[p] = self._prepared(p)
            members.append((array, grad, self.state[p], spare))
        return members

    def _prepared(self, p: Tensor) -> tuple[Any, ...]:
        """The array of `p`, its library, and its strips, each an index with two arrays to compute in; checks the state."""
        for name, value in self.state[p].items():
            if name in self.buffers and _kind(value, value.dtype) != _kind(p, _wide(p.dtype)):
                raise ValueError(
                    f"{self._name}.step: {name} was kept for a parameter of {_kind(value, value.dtype)}, which now has "
                    f"{_kind(p, p.dtype)}; move "
                    "or convert the net before the first step, or load the optimizer's state_dict() after it"
                )
        array, xp = p.array, backend.array_module(p.array)
        indices = _strips(array, STRIP if xp is np else array.size)
        most = max((array[at].size for at in indices), default=0)
        dtype = _wide(array.dtype)
        flat = self._memory.get((xp, dtype))
        if flat is None or flat[0].size < most:
            flat = self._memory[xp, dtype] = xp.empty(most, dtype), xp.empty(most, dtype)
        return array, xp, [(at, *(_laid_out_like(array[at], memory) for memory in flat)) for at in indices]

    def _descents(
        self, group: dict[str, Any], members: list[tuple[Any, ...]], weight_decay: float
    ) -> Iterator[tuple[Any, dict[str, Any], Any, Iterator[tuple[Any, Any, Any, Any]]]]:
        """(parameter, state, array library, its strips) for each of `members`; a strip is what a rule computes at a time.

        Of a strip: its index, for the arrays of the state; the parameter; the gradient of what is minimized, negated under
        `maximize` and of the loss plus weight_decay/2 |p|^2; an array to compute in. All share the memory of that array, which
        so stays in the processor's cache: use it before asking for the next. A parameter of float16 comes in float32, and is
        rounded when the next strip is asked for.
        """
        maximize, weight_decay = group["maximize"], float(weight_decay)
        for p, grad, state, (_, xp, strips) in members:
            mark_changed(p, "optimizer.step()")
            yield p, state, xp, _of_strips(p, grad, xp, strips, maximize, weight_decay)

    def state_dict(self) -> dict[str, Any]:
        """The state by the number of the parameter, and the groups with these numbers, as PyTorch lays them out.

        The tensors are the optimizer's own, which the next step changes: save them, or copy them to keep them.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        number = {id(p): i for i, p in enumerate(params)}
        return {
            "state": {
                number[id(key)] if isinstance(key, Tensor) else key: dict(value) if isinstance(value, dict) else value
                for key, value in self.state.items()
                if value or not isinstance(key, Tensor)
            },
            "param_groups": [
                {name: value for name, value in group.items() if name != "params"}
                | {"params": [number[id(p)] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, here or in PyTorch (its tensors made minitorch's); the state is copied.

        Floating buffers take the device of their parameter and its dtype (float32 if that is float16). Raises ValueError, and
        changes nothing, if groups, their sizes, options or buffers do not fit this optimizer (PyTorch notices options and
        shapes at the next step).
        """
        saved = [dict(group) for group in state_dict["param_groups"]]
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in saved] != sizes:
            raise ValueError(
                f"{self._name}.load_state_dict: expected groups of {sizes} parameters, got "
                f"{[len(group['params']) for group in saved]}"
            )
        numbered = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
            )
        )
        groups = [self._merged(own, new) for own, new in zip(self.param_groups, saved)]
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in numbered:
                p = numbered[key]
                made = {name: entry for name, entry in value.items() if entry is not None}  # PyTorch wrote None before 2.3
                state[p] = {name: self._fitted(p, name, entry, key) for name, entry in made.items()}
            elif isinstance(key, int):
                raise ValueError(f"{self._name}.load_state_dict: state for parameter {key}, which no group lists")
            else:
                state[key] = copy.deepcopy(value)
        self.state, self._spare = state, {}
        self._steps_taken = max(self._steps_taken, 1)  # PyTorch's layout has no count; a state to go on from has made steps
        for own, new in zip(self.param_groups, groups):
            own.clear()
            own.update(new)

    def _merged(self, own: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
        """The saved options, checked, with the parameters of this optimizer; a switch younger than the file is off."""
        new = copy.deepcopy({name: value for name, value in saved.items() if name != "params"})
        for name, default in self.defaults.items():
            if isinstance(default, bool):
                new.setdefault(name, False)
        missing = [name for name in self.defaults if name not in new]
        if missing:
            raise ValueError(
                f"{self._name}.load_state_dict: a group lacks {', '.join(missing)}; is it the state of another optimizer? "
                f"It has {', '.join(map(str, new))}"
            )
        self._check_options(new)
        return {"params": own["params"], **new}

    def _fitted(self, p: Tensor, name: str, value: Any, number: Any) -> Any:
        """A copy of one entry of the state of `p`, with the dtype and device of `p`; the step count is a host scalar."""
        if name == "step":
            count = value.cpu().array.copy() if isinstance(value, Tensor) else np.asarray(value, np.float32)
            return wrap(count)
        if not isinstance(value, Tensor):
            return copy.deepcopy(value)
        if name in self.buffers and value.shape != p.shape:
            raise ValueError(
                f"{self._name}.load_state_dict: {name} of parameter {number} has shape {tuple(value.shape)}, the parameter "
                f"{tuple(p.shape)}"
            )
        dtype = _wide(p.dtype) if value.is_floating_point() else value.dtype
        return value.detach().to(dtype=dtype, device=p.device, copy=True)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_spare": {}, "_memory": {}}  # deepcopy and pickle leave out what the next step makes anew

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def buffer(state: dict[str, Any], name: str, p: Any, xp: Any, value: float = 0.0) -> Any:
    """The array called `name` in the state of the parameter `p`; made like `p`, full of `value`, the first time.

    That of a float16 parameter is float32: the running mean of squares is below the range of float16 (PyTorch keeps it in
    float16, where the first step of Adam with gradients of 1e-4 is infinite).
    """
    if name not in state:
        state[name] = wrap(xp.full_like(p, value, dtype=_wide(p.dtype)))
    return state[name].array


def counted(state: dict[str, Any]) -> float:
    """One more step of the parameter with this state: its number, from 1, kept as PyTorch does in a float32 scalar."""
    if "step" not in state:
        state["step"] = wrap(np.zeros((), np.float32))
    number = state["step"].array.item() + 1
    state["step"].array.fill(number)
    return number


def _check_how(name: str, how: dict[str, Any]) -> None:
    """Accept PyTorch's `foreach`, `fused` and `capturable`, which say how a step is computed and change nothing here.

    Raises TypeError for another keyword, ValueError for `differentiable=True` and for `foreach` together with `fused`.
    """
    unknown = how.keys() - {"foreach", "fused", "capturable", "differentiable"}
    if unknown:
        raise TypeError(f"{name}: got an unexpected keyword argument {', '.join(map(repr, sorted(unknown)))}")
    if how.get("differentiable"):
        raise ValueError(f"{name}: steps are not recorded: only differentiable=False is supported, got True")
    if how.get("foreach") and how.get("fused"):
        raise ValueError(f"{name}: foreach and fused cannot both be asked for")


def _as_list(name: str, params: Iterable[Any]) -> list[Any]:
    if isinstance(params, (set, frozenset)):
        raise TypeError(f"{name}: a set has another order in each run; give the parameters as a list")
    return list(params)


def _strips(array: Any, most: int) -> list[Any]:
    """Indices that cut `array` across its slowest dimension, into strips of no more than `most` elements if that will do."""
    if array.size <= most:
        return [...]
    axis = max(range(array.ndim), key=lambda d: abs(array.strides[d]) if array.shape[d] > 1 else -1)
    length = array.shape[axis]
    each = max(1, most * length // array.size)
    return [(slice(None),) * axis + (slice(start, start + each),) for start in range(0, length, each)]


def _of_strips(
    p: Any, grad: Any, xp: Any, strips: list[tuple[Any, ...]], maximize: bool, weight_decay: float
) -> Iterator[tuple[Any, Any, Any, Any]]:
    narrow = p.dtype == backend.float16
    for at, own, scratch in strips:
        part, g = p[at], grad[at]
        if narrow:
            part, g = part.astype(own.dtype), g.astype(own.dtype)
        if weight_decay:
            xp.multiply(part, -weight_decay if maximize else weight_decay, out=own)
            g = xp.add(g, own, out=own)
        if maximize:
            g = xp.negative(g, out=own)
        yield at, part, g, scratch
        if narrow:
            p[at] = part


def _laid_out_like(array: Any, flat: Any) -> Any:
    """The first elements of `flat` in the shape of `array` and in its order in memory, in which one pass is fastest."""
    order = sorted(range(array.ndim), key=lambda d: -array.strides[d])
    view = flat[: array.size].reshape([array.shape[d] for d in order])
    return view.transpose([order.index(d) for d in range(array.ndim)])


def _wide(dtype: np.dtype) -> np.dtype:
    """The dtype in which a rule computes and keeps its state: float32 for float16, else the parameter's."""
    return backend.float32 if dtype == backend.float16 else dtype


def _kind(tensor: Tensor, dtype: np.dtype) -> str:
    return f"shape {tuple(tensor.shape)}, {dtype} on {tensor.device}"
