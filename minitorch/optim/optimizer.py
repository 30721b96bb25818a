"""`Optimizer`: parameters in groups, the state kept for each, and the step that changes them in place.

A rule (SGD, Adam, ...) is a subclass that writes `_update`, the formula on arrays; the code that all rules share is here.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np

from minitorch import backend
from minitorch.autograd import float_errors
from minitorch.autograd.grad_mode import enable_grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.optim.clip import clear
from minitorch.optim.strips import cut, wide

required: Final = object()  # the default of an option that has none, in rules of one's own written for PyTorch
Params: TypeAlias = Iterable[Tensor | dict[str, Any]]


class Optimizer:
    """Base class of the optimizers; your own rule overrides `step`, as in PyTorch, or `_update`.

    `params` are tensors (in any iterable except a set, whose order changes from run to run) or dicts, each a group with its
    own options: `[{"params": net.features.parameters(), "lr": 0.01}, {"params": net.head.parameters()}]`. `defaults` are the
    options of groups that don't set them. `state[p]` is the dict of buffers kept for the parameter `p`.

    Raises ValueError if there are no parameters, if one is given twice (PyTorch only warns) or computed from others, and for
    options out of range, also in groups (PyTorch checks the defaults only); TypeError for parameters that are no tensors.
    """

    buffers: ClassVar[tuple[str, ...]] = ()  # entries of a parameter's state that have the parameter's shape

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            shape = tuple(params.shape)
            raise TypeError(f"{self._name}: expected an iterable of tensors or dicts, got one tensor of shape {shape}")
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)  # a key lives as long as its state
        self.param_groups: list[dict[str, Any]] = []
        self._spare: dict[Tensor, tuple[Any, ...]] = {}  # results of `_prepared`
        self._memory: dict[Any, tuple[Any, Any]] = {}  # two flat scratch arrays for each device, dtype and thread
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
        """Add parameters: `{"params": tensors, ...}` with options that differ from the defaults.

        Raises as the constructor does.
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
            if isinstance(group[name], Tensor):  # a learning rate may be a one-element tensor
                group[name] = group[name].item()
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(group["params"]):
            if not isinstance(p, Tensor):
                raise TypeError(f"{self._name}: parameter {i} is of type {type(p).__name__}, expected tensors")
            which = f"parameter {i}, of shape {tuple(p.shape)},"
            if p.dtype.kind == "c":
                raise TypeError(f"{self._name}: {which} is {p.dtype}; only real ones have gradients")
            if p.grad_fn is not None:
                raise ValueError(f"{self._name}: {which} was computed from other tensors; only leaves are optimized")
            if id(p) in known:
                raise ValueError(f"{self._name}: {which} was given before; list it once")
            known.add(id(p))
        self._check_options(group)
        self.param_groups.append(group)

    def _check_options(self, group: dict[str, Any]) -> None:
        """Raise ValueError or TypeError if an option of `group` is out of range."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients to None, so that the next step skips the parameters, or to zeros, so that momentum moves them."""
        for group in self.param_groups:
            clear(group["params"], set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, in place; returns what `closure` returned.

        `closure` clears the gradients, computes the loss, calls `backward` and returns the loss. Parameters without a gradient
        and their state do not change. Raises ValueError, before it changes any parameter, if a gradient or the state does not
        fit its parameter (for example because dtype, shape or device changed after the first step).
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

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        """The entries that the state of a parameter of `group` has after a step."""
        return ()

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        """The rule: change the parameters of `group`; `members` are those that have a gradient, from `_ready`."""
        raise NotImplementedError(f"{self._name}: neither step nor _update is written")

    def _ready(self, group: dict[str, Any]) -> list[tuple[Any, ...]]:
        """For each parameter of `group` that has a gradient: its array, the gradient, its state, and `_prepared`."""
        members = []
        for p in group["params"]:
            if p._grad is None:
                continue
            array, grad = p.array, p._grad.array
            fits = grad.shape == array.shape and grad.dtype == array.dtype
            if not fits or (type(grad) is not type(array) and p.device != p._grad.device):
                said = f"a parameter of {_kind(p, p.dtype)} has a gradient of {_kind(p._grad, p._grad.dtype)}"
                raise ValueError(f"{self._name}.step: {said}; call zero_grad() and backward() again")
            spare = self._spare.get(p)
            if spare is None or spare[0] is not array:
                spare = self._spare[p] = self._prepared(p)
            members.append((array, grad, self.state[p], spare))
        return members

    def _prepared(self, p: Tensor) -> tuple[Any, ...]:
        """The array of `p`, its library, and its strips by `cut`; checks the state."""
        for name, value in self.state[p].items():
            if name in self.buffers and _kind(value, value.dtype) != _kind(p, wide(p.dtype)):
                said = f"{name} was kept for a parameter of {_kind(value, value.dtype)}, which now has {_kind(p, p.dtype)}"
                mend = "move or convert the net before the first step, or load the optimizer's state_dict() after it"
                raise ValueError(f"{self._name}.step: {said}; {mend}")
        array, xp = p.array, backend.array_module(p.array)
        return array, xp, cut(array, xp)

    def state_dict(self) -> dict[str, Any]:
        """The state by parameter number, and the groups with these numbers, in PyTorch's layout.

        The tensors are the optimizer's own, and the next step changes them: save or copy them.
        """
        number = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        state = {
            number[id(key)] if isinstance(key, Tensor) else key: dict(value) if isinstance(value, dict) else value
            for key, value in self.state.items()
            if value or not isinstance(key, Tensor)
        }
        groups = [dict(group) for group in self.param_groups]
        for group in groups:
            group["params"] = [number[id(p)] for p in group.pop("params")]  # the last entry, as in PyTorch
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Copy the state from a `state_dict` of minitorch or PyTorch (with its tensors converted to minitorch's).

        Floating buffers get the device and dtype of their parameter (float32 for float16). Raises ValueError, and changes
        nothing, if groups, their sizes, options or buffers do not fit this optimizer (PyTorch notices options, shapes and
        missing buffers only at the next step), TypeError for something else than such a dict.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            got = sorted(map(str, state_dict)) if isinstance(state_dict, Mapping) else type(state_dict).__name__
            raise TypeError(f"{self._name}.load_state_dict: expected a dict with 'state' and 'param_groups', got {got}")
        saved = [dict(group) for group in state_dict["param_groups"]]
        sizes, given = ([len(group["params"]) for group in groups] for groups in (self.param_groups, saved))
        if given != sizes:
            raise ValueError(f"{self._name}.load_state_dict: expected groups of {sizes} parameters, got {given}")
        groups = [self._merged(own, new) for own, new in zip(self.param_groups, saved)]
        numbered = {i: (p, to) for to, new in zip(groups, saved) for i, p in zip(new["params"], to["params"])}
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in numbered:
                p, group = numbered[key]
                made = {name: entry for name, entry in value.items() if entry is not None}  # PyTorch wrote None before 2.3
                if made and (lacks := [name for name in self._kept(group) if name not in made]):
                    said = f"the state of parameter {key} lacks {', '.join(lacks)}; it has {', '.join(map(str, made))}"
                    raise ValueError(f"{self._name}.load_state_dict: {said}")
                state[p] = {name: self._fitted(p, name, entry, key) for name, entry in made.items()}
            elif isinstance(key, int):
                raise ValueError(f"{self._name}.load_state_dict: state for parameter {key}, which no group lists")
            else:
                state[key] = copy.deepcopy(value)
        self.state, self._spare = state, {}
        self._steps_taken = max(self._steps_taken, 1)  # PyTorch's layout has no count; a saved state has made steps
        for own, new in zip(self.param_groups, groups):
            own.clear()
            own.update(new)

    def _merged(self, own: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
        """The saved options with this optimizer's parameters; boolean options missing in an old file are False.

        Ranges are not checked: a schedule may have left them (LinearLR to 0 ends at -1e-18), and such a run must go on.
        """
        new = {
            name: value.item() if isinstance(value, Tensor) and name in self.defaults else copy.deepcopy(value)
            for name, value in saved.items()
            if name != "params"
        }
        for name, default in self.defaults.items():
            if isinstance(default, bool):
                new.setdefault(name, False)
        missing = [name for name in self.defaults if name not in new]
        if missing:
            said = f"a group lacks {', '.join(missing)}; is it the state of another optimizer?"
            raise ValueError(f"{self._name}.load_state_dict: {said} It has {', '.join(map(str, new))}")
        return {"params": own["params"], **new}

    def _fitted(self, p: Tensor, name: str, value: Any, number: Any) -> Any:
        """A copy of one entry of the state of `p`, with the dtype and device of `p`; the step count is a host scalar."""
        if name == "step":
            step = value.cpu().array.copy() if isinstance(value, Tensor) else np.asarray(value, np.float32)
            if step.size != 1 or not 0 <= step.item() < float("inf"):
                expected = f"the step of parameter {number} as a number of 0 or more"
                raise ValueError(f"{self._name}.load_state_dict: expected {expected}, got {value!r:.60}")
            return wrap(step)
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if name in self.buffers and shape != p.shape:
            expected = f"{name} of parameter {number} as a tensor of shape {tuple(p.shape)}"
            raise ValueError(f"{self._name}.load_state_dict: expected {expected}, got {shape}")
        if not isinstance(value, Tensor):  # L-BFGS keeps lists of tensors
            return [self._fitted(p, name, v, number) for v in value] if isinstance(value, list) else copy.deepcopy(value)
        dtype = wide(p.dtype) if value.is_floating_point() else value.dtype
        return value.detach().to(dtype=dtype, device=p.device, copy=True)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_spare": {}, "_memory": {}}  # deepcopy and pickle leave out what the next step rebuilds

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _as_list(name: str, params: Iterable[Any]) -> list[Any]:
    if isinstance(params, (set, frozenset)):
        raise TypeError(f"{name}: a set has another order in each run; give the parameters as a list")
    return list(params)


def _kind(tensor: Tensor, dtype: np.dtype) -> str:
    return f"shape {tuple(tensor.shape)}, {dtype} on {tensor.device}"
