"""`Module`: what owns parameters, buffers and other modules, and finds, moves, saves and loads them.

A module is a tree of named things. Everything here walks that tree; the mathematics is in `minitorch.functional`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np

from layers.hooks import BackwardHooks
from layers.parameter import Parameter
from minitorch import empty
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.hooks import RemovableHandle
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device

M = TypeVar("M", bound="Module")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Computes(Protocol[P, R]):
    """Any module, for type checkers: it is called with what its `forward` takes, and gives what that returns."""

    _forward_hooks: list[Any]
    _backward_hooks: list[Any]

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone: keys of the module without a value, values without a key."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


@dataclass(eq=False)
class _ForwardHook:
    call: Callable[..., Any]
    before: bool
    with_kwargs: bool


class Module:
    """Base class of every net and layer: assign parameters and modules to attributes in `__init__`, write `forward`.

    `super().__init__()` comes first. A `Parameter` or `Module` assigned to an attribute is registered under its name; modules
    kept in a plain list or dict are not found, as in PyTorch: use `ModuleList` or `ModuleDict`. What is registered under two
    names (a siamese branch) is listed once, and its gradient is the sum over its uses.
    """

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers: set[str]
    _forward_hooks: list[Any]
    _backward_hooks: list[Any]

    def __init__(self) -> None:
        # past __setattr__, which needs these
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers=set(),
            _forward_hooks=[],
            _backward_hooks=[],
        )

    def forward(self, *args: Any, **kwargs: Any) -> Tensor | Any:
        """What the module computes; subclasses write it, users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__}: forward is not written")

    def __call__(self: _Computes[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._forward_hooks or self._backward_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # ---- attributes ------------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        # only reached when ordinary lookup has failed
        own = self.__dict__
        if "_parameters" in own:
            for registered in (own["_parameters"], own["_buffers"], own["_modules"]):
                if name in registered:
                    return registered[name]
            hint = ""
        else:
            hint = "; super().__init__() must be called before anything else"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_parameters" not in own:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError(f"{type(self).__name__}: {name!r} is assigned before super().__init__() was called")
            own[name] = value
        elif isinstance(value, Parameter):
            self._forget(name, except_in="_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name, except_in="_modules")
            self.add_module(name, value)
        elif name in own["_parameters"]:
            self.register_parameter(name, value)
        elif name in own["_modules"]:
            self.add_module(name, value)
        elif name in own["_buffers"]:
            self.register_buffer(name, value, name not in own["_non_persistent_buffers"])
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _forget(self, name: str, except_in: str = "") -> bool:
        """Take `name` out of wherever it is kept; whether it was there."""
        self._non_persistent_buffers.discard(name)
        places = [self.__dict__[key] for key in ("_parameters", "_buffers", "_modules") if key != except_in]
        found = [place.pop(name, self) is not self for place in (self.__dict__, *places)]
        return any(found)

    def _register(self, kind: str, registered: str, name: str, value: Any, wanted: type) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: {kind} {name!r} is registered before super().__init__() was called")
        if not isinstance(name, str):
            raise TypeError(f"{kind}: expected a name, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{kind}: a name must not be empty nor contain '.', got {name!r}")
        if name not in self.__dict__[registered] and hasattr(self, name):
            raise KeyError(f"{kind}: {type(self).__name__} has an attribute {name!r} already")
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"{kind}: expected a {wanted.__name__} or None as {name!r}, got {type(value).__name__}")
        self.__dict__[registered][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param` (or None, for one that is switched off) the parameter `name`.

        Raises TypeError for anything but a Parameter, ValueError for one that an operation computed, KeyError for a name that
        is taken, empty, or has a dot in it.
        """
        if isinstance(param, Parameter) and param.grad_fn is not None:
            raise ValueError(f"register_parameter: {name!r} was computed by an operation; a parameter must be a leaf")
        self._register("register_parameter", "_parameters", name, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` the buffer `name`: part of the state, moved and (if `persistent`) saved, but not learned.

        Raises as `register_parameter` does.
        """
        self._register("register_buffer", "_buffers", name, tensor, Tensor)
        if persistent:
            self._non_persistent_buffers.discard(name)
        else:
            self._non_persistent_buffers.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make `module` the child `name`; raises as `register_parameter` does."""
        self._register("add_module", "_modules", name, module, Module)

    register_module = add_module

    # ---- what is in the tree ---------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their paths, parents first; each once, unless `remove_duplicate` is False."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one with their names, each once."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, child in self.named_children():
            yield child

    def _named_tensors(self, registered: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, tensor in module.__dict__[registered].items():
                if tensor is None or id(tensor) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(tensor))
                yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths, in the order in which they were registered; each once."""
        return self._named_tensors("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once; without `recurse` this module's own only."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths, each once."""
        return self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once; without `recurse` this module's own only."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at the path `target`, as "branch.0"; raises AttributeError naming the part that is missing."""
        module = self
        for name in target.split(".") if target else ():
            if module._modules.get(name) is None:
                raise AttributeError(f"get_submodule: {type(module).__name__} has no module {name!r} (path {target!r})")
            module = module._modules[name]
        return module

    def _get_tensor(self, function: str, registered: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = owner.__dict__[registered].get(name)
        if found is None:
            kind = registered.strip("_").removesuffix("s")
            raise AttributeError(f"{function}: {type(owner).__name__} has no {kind} {name!r} (path {target!r})")
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the path `target`, as "branch.0.weight"; raises AttributeError if there is none."""
        return self._get_tensor("get_parameter", "_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the path `target`; raises AttributeError if there is none."""
        return self._get_tensor("get_buffer", "_buffers", target)

    # ---- modes, gradients, dtypes and devices ----------------------------------------------------------------------------

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` on every module below this one, children first, and on this one; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training (dropout drops, batch norm counts); returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: expected True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it to evaluation; returns the module."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Make every parameter require a gradient, or none of them (frozen); returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter, or set it to zero."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.detach_().zero_()

    def _convert(self: M, convert: Callable[[Tensor], Tensor]) -> M:
        """Replace the memory of every parameter, its gradient and every buffer; the tensors stay the same objects."""
        for tensor in (*self.parameters(), *self.buffers()):
            values = tensor.detach()
            converted = convert(values)
            if converted is values:  # nothing to change, so nothing that a graph has saved is touched
                continue
            grad = tensor.grad
            tensor.data = converted
            tensor.grad = None if grad is None else convert(grad.detach())
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move to a device, cast the floating tensors to a dtype, or both: `to("cuda")`, `to(float64)`, `to(tensor)`.

        Parameters stay the same objects, so an optimizer keeps them. Returns the module. Raises TypeError for a dtype that is
        not floating, RuntimeError if there is no usable GPU.
        """

        def convert(tensor: Tensor) -> Tensor:
            asked = empty(0, device=tensor.device).to(*args, **kwargs)  # what the arguments mean, in whichever form
            if asked.dtype.kind not in "fc":
                raise TypeError(f"to: a module can be cast to floating dtypes only, got {asked.dtype}")
            return tensor.to(*args, **kwargs) if tensor.is_floating_point() else tensor.to(device=asked.device)

        return self._convert(convert)

    def cuda(self: M, device: Device | str | int | None = None) -> M:
        """Move to the GPU; returns the module. Raises RuntimeError with the reason if there is no usable one."""
        return self._convert(lambda tensor: tensor.cuda(device))

    def cpu(self: M) -> M:
        """Move to the host; returns the module."""
        return self._convert(lambda tensor: tensor.cpu())

    def float(self: M) -> M:
        """Cast the floating tensors to float32; returns the module."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Cast the floating tensors to float64; returns the module."""
        return self.to(np.float64)

    def half(self: M) -> M:
        """Cast the floating tensors to float16; returns the module."""
        return self.to(np.float16)

    def type(self: M, dst_type: np.dtype) -> M:
        """Cast all parameters and buffers, whole numbers included, to `dst_type`; returns the module."""
        return self._convert(lambda tensor: tensor.to(dtype=dst_type))

    # ---- state -----------------------------------------------------------------------------------------------------------

    def _named_state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Everything that is saved, under each of its names: what is used twice has two."""
        for path, module in self.named_modules(remove_duplicate=False):
            at = f"{prefix}{path}." if path else prefix
            for name, tensor in (*module._parameters.items(), *module._buffers.items()):
                if tensor is not None and name not in module._non_persistent_buffers:
                    yield at + name, tensor

    def get_extra_state(self) -> Any:
        """What a subclass wants kept in its `state_dict` besides tensors; one that has this must have `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__}: state_dict holds an extra state, but get_extra_state is not written")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned, in `load_state_dict`."""
        raise RuntimeError(f"{type(self).__name__}: state_dict holds an extra state, but set_extra_state is not written")

    def _extra_states(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The modules with a `get_extra_state` of their own, each under the keys of its state."""
        for path, module in self.named_modules(remove_duplicate=False):
            if type(module).get_extra_state is not Module.get_extra_state:
                yield f"{prefix}{path}._extra_state" if path else f"{prefix}_extra_state", module

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Parameters, persistent buffers and extra states by path; tensors share the module's memory: copy them to keep them.

        What is registered under two names is there under both, as in PyTorch. `keep_vars` gives the parameters themselves.
        """
        state = OrderedDict() if destination is None else destination
        state.update((key, tensor if keep_vars else tensor.detach()) for key, tensor in self._named_state(prefix))
        state.update((key, module.get_extra_state()) for key, module in self._extra_states(prefix))
        return state

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy the tensors of `state_dict` into this module's own memory, cast to its float widths and moved to its devices.

        With `assign` they take the place of this module's instead, with their dtypes, devices and memory: make the optimizer
        afterwards. All is checked before anything is changed. Raises RuntimeError with every problem: missing and unexpected
        keys (unless `strict` is False, which returns them), shapes that differ, kinds of numbers that differ (whole, floating).
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict, got {type(state_dict).__name__}")
        own, extra = dict(self._named_state()), dict(self._extra_states())
        missing = [key for key in (*own, *extra) if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own and key not in extra]
        problems = [
            f"{what} key(s): {', '.join(map(repr, keys))}"
            for what, keys in (("missing", missing), ("unexpected", unexpected))
            if keys and strict
        ]
        problems += [problem for key in own if key in state_dict for problem in _misfits(key, own[key], state_dict[key])]
        if problems:
            raise RuntimeError("\n\t".join([f"load_state_dict: {type(self).__name__} was left unchanged:", *problems]))
        for key, tensor in own.items():
            if key in state_dict and assign:
                self._assign(key, tensor, state_dict[key])
            elif key in state_dict:
                tensor.array[...] = state_dict[key].to(device=tensor.device, dtype=tensor.dtype).array
                mark_changed(tensor.array, "load_state_dict")
        for key, module in extra.items():
            if key in state_dict:
                module.set_extra_state(state_dict[key])
        return IncompatibleKeys(missing, unexpected)

    def _assign(self, key: str, own: Tensor, given: Tensor) -> None:
        """Put `given` in the place of `own`, the parameter or buffer that `key` names."""
        path, _, name = key.rpartition(".")
        if isinstance(own, Parameter) and not isinstance(given, Parameter):
            given = Parameter(given, own.requires_grad)
        setattr(self.get_submodule(path), name, given)

    # ---- hooks -----------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, if not None, takes the place of the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns None or `(args, kwargs)`.
        """
        return self._hook(_ForwardHook(hook, before=True, with_kwargs=with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, if not None, takes the output's place.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`.
        """
        return self._hook(_ForwardHook(hook, before=False, with_kwargs=with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` with tuples of gradients when those of the inputs are complete.

        What it returns, if not None, takes the place of grad_input. An input without a gradient has None there.
        """
        self._backward_hooks.insert(0 if prepend else len(self._backward_hooks), hook)
        return RemovableHandle(self._backward_hooks, hook)

    def register_backward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> RemovableHandle:
        """PyTorch's older name for `register_full_backward_hook`."""
        return self.register_full_backward_hook(hook)

    def _hook(self, hook: Any, prepend: bool) -> RemovableHandle:
        self._forward_hooks.insert(0 if prepend else len(self._forward_hooks), hook)
        return RemovableHandle(self._forward_hooks, hook)

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        hooks = tuple(self._forward_hooks)  # a hook may remove itself
        for hook in hooks:
            if not hook.before:
                continue
            if hook.with_kwargs:
                args, kwargs = hook.call(self, args, kwargs) or (args, kwargs)
            else:
                answer = hook.call(self, args)
                if answer is not None:
                    args = answer if isinstance(answer, tuple) else (answer,)
        waiting = BackwardHooks(self, self._backward_hooks) if self._backward_hooks else None
        output = self.forward(*(args if waiting is None else waiting.around_inputs(args)), **kwargs)
        for hook in hooks:
            if not hook.before:
                answer = hook.call(self, args, *([kwargs] if hook.with_kwargs else []), output)
                output = output if answer is None else answer
        return output if waiting is None else waiting.around_outputs(output)

    def _get_name(self) -> str:
        return type(self).__name__

    # ---- repr ------------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of this module's own line in `repr`; subclasses write it."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if children or "\n" in extra:
            lines = "\n".join([*([extra] if extra else []), *children]).replace("\n", "\n  ")
            return f"{type(self).__name__}(\n  {lines}\n)"
        return f"{type(self).__name__}({extra})"


def _misfits(key: str, own: Tensor, given: Any) -> Iterator[str]:
    """Why `given` cannot be copied into `own`, if it cannot."""
    if not isinstance(given, Tensor):
        yield f"{key!r}: expected a Tensor, got {type(given).__name__}"
    elif given.shape != own.shape:
        yield f"{key!r}: expected shape {tuple(own.shape)}, got {tuple(given.shape)}"
    elif given.dtype.kind != own.dtype.kind:
        yield f"{key!r}: expected {own.dtype}, got {given.dtype}"
