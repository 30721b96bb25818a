"""`Module`: owns parameters, buffers and other modules, and finds, moves, saves and loads them.

A module is a tree of named tensors and modules, and the methods here walk it; the mathematics is in `minitorch.functional`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, Protocol, TypeVar

from layers.hooks import Hooked
from layers.parameter import Parameter
from layers.state import Stateful
from minitorch.autograd.tensor import Tensor
from minitorch.keywords import check_tensors
from minitorch.optim.clip import clear

M = TypeVar("M", bound="Module")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Computes(Protocol[P, R]):
    """Any module, for type checkers: calling it takes the arguments of its `forward` and returns its result."""

    _forward_pre_hooks: list[Any]
    _forward_hooks: list[Any]
    _backward_hooks: list[Any]

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


class Module(Stateful, Hooked):
    """Base class of every net and layer: assign parameters and modules to attributes in `__init__`, and write `forward`.

    Call `super().__init__()` first. A `Parameter` or `Module` assigned to an attribute is registered under its name; modules
    in a plain list or dict are not found, as in PyTorch: use `ModuleList` or `ModuleDict`. A tensor or module registered under
    two names (a siamese branch) is listed once, and its gradient is the sum over its uses.
    """

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers: set[str]

    def __init__(self) -> None:
        # not through __setattr__, which needs these
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers=set())
        self.__dict__.update(_forward_pre_hooks=[], _forward_hooks=[], _backward_hooks=[])

    def forward(self, *args: Any, **kwargs: Any) -> Tensor | Any:
        """Compute the output; subclasses write this method, users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__}: forward is not written")

    def __call__(self: _Computes[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._forward_pre_hooks or self._forward_hooks or self._backward_hooks:
            return self._call_with_hooks(args, kwargs)
        try:
            return self.forward(*args, **kwargs)
        except AttributeError:
            annotations = {name: str(each.annotation) for name, each in inspect.signature(self.forward).parameters.items()}
            check_tensors(type(self).__name__, annotations, args, kwargs)
            raise

    # ---- attributes ------------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        # only reached when ordinary lookup has failed
        own = self.__dict__
        if "_parameters" in own:
            for registered in (own["_parameters"], own["_buffers"], own["_modules"]):
                if name in registered:
                    return registered[name]
        hint = "" if "_parameters" in own else "; super().__init__() must be called before anything else"
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
        """Remove `name` from wherever it is kept; returns whether it was there."""
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
            raise KeyError(f"{kind}: a name must not be empty or contain '.', got {name!r}")
        if name not in self.__dict__[registered] and hasattr(self, name):
            raise KeyError(f"{kind}: {type(self).__name__} has an attribute {name!r} already")
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"{kind}: expected a {wanted.__name__} or None as {name!r}, got {type(value).__name__}")
        self.__dict__[registered][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register `param` as the parameter `name`; None says that the module has no such parameter.

        Raises TypeError unless it is a Parameter or None, ValueError if an operation computed it, and KeyError for a name that
        is taken, empty, or contains a dot.
        """
        if isinstance(param, Parameter) and param.grad_fn is not None:
            raise ValueError(f"register_parameter: {name!r} was computed by an operation; a parameter must be a leaf")
        self._register("register_parameter", "_parameters", name, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register `tensor` as the buffer `name`: it is moved and (if `persistent`) saved with the module, but not learned.

        Raises TypeError unless it is a tensor or None, and KeyError as `register_parameter` does.
        """
        self._register("register_buffer", "_buffers", name, tensor, Tensor)
        if persistent:
            self._non_persistent_buffers.discard(name)
        else:
            self._non_persistent_buffers.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register `module` as the child `name`; raises TypeError and KeyError as `register_parameter` does."""
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
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one with their names, each once."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        return (child for _, child in self.named_children())

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
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths, each once."""
        return self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once; without `recurse` this module's own only."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at the path `target`, such as "branch.0"; raises AttributeError naming the part that is missing."""
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
        """The parameter at the path `target`, such as "branch.0.weight"; raises AttributeError if there is none."""
        return self._get_tensor("get_parameter", "_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the path `target`; raises AttributeError if there is none."""
        return self._get_tensor("get_buffer", "_buffers", target)

    # ---- modes and gradients ---------------------------------------------------------------------------------------------

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` on every module below this one, children first, and on this one; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training (or evaluation, if `mode` is False); returns the module.

        It calls `train` of each child, so that one that overrides it (a frozen batch norm) decides for itself.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: expected True or False, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it to evaluation; returns the module."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Make every parameter require a gradient, or none of them (freezing the module); returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradient of every parameter, or fill it with zeros if `set_to_none` is False."""
        clear(self.parameters(), set_to_none)

    def _get_name(self) -> str:
        return type(self).__name__

    # ---- repr ------------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The text between the brackets of this module in `repr`; subclasses write this method."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if children or "\n" in extra:
            lines = "\n".join([*([extra] if extra else []), *children]).replace("\n", "\n  ")
            return f"{type(self).__name__}(\n  {lines}\n)"
        return f"{type(self).__name__}({extra})"
