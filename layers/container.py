"""Modules that hold modules: one after another, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from layers.module import Module
from layers.parameter import Parameter
from minitorch.autograd.tensor import Tensor


class _Numbered(Module):
    """What `Sequential` and `ModuleList` share: children in order, reached by position."""

    _of: Callable[[dict[str, Module]], _Numbered]  # the container for a slice, around some of the children

    def _name(self, position: int) -> str:
        names = list(self._modules)
        if not -len(names) <= position < len(names):
            raise IndexError(f"{type(self).__name__}: position {position} is outside a length of {len(names)}")
        return names[position]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(dict(list(self._modules.items())[index]))
        return self._modules[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        for name in list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]:
            del self._modules[name]
        self._renumber(list(self))

    def _renumber(self, modules: list[Module]) -> None:
        self._modules.clear()
        for position, module in enumerate(modules):
            self.add_module(str(position), module)

    def append(self, module: Module) -> _Numbered:
        """Put `module` at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> _Numbered:
        """Put several modules at the end; returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put `module` before position `index`; what comes after is numbered anew."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)


class Sequential(_Numbered):
    """Modules run one after another: `Sequential(a, b)`, or a dict (an OrderedDict) from names to modules.

    A slice is a Sequential of the same modules, not of copies.
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        named: Mapping[str, Any] = (
            args[0] if len(args) == 1 and isinstance(args[0], Mapping) else {str(i): m for i, m in enumerate(args)}
        )
        for name, module in named.items():
            self.add_module(name, module)

    def _of(self, modules: dict[str, Module]) -> Sequential:
        return Sequential(modules)

    def forward(self, input: Any) -> Tensor | Any:
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list whose modules are found: `ModuleList([a, b])`. It computes nothing itself."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _of(self, modules: dict[str, Module]) -> ModuleList:
        return ModuleList(modules.values())

    def _child_lines(self) -> list[str]:
        lines = []
        for text, run in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            positions = [position for position, _ in run]
            first, last = positions[0], positions[-1]
            lines.append(f"({first}): {text}" if first == last else f"({first}-{last}): {len(positions)} x {text}")
        return lines


class ModuleDict(Module):
    """A dictionary whose modules are found: `ModuleDict({"a": a})`. It computes nothing itself."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a dictionary or from pairs, replacing those of the same names."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, key: str) -> Module:
        """Take a module out; raises KeyError if there is none of that name."""
        return self._modules.pop(key)


class ParameterList(Module):
    """A list whose parameters are found: `ParameterList([w, b])`. Tensors become parameters; it computes nothing itself."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def _name(self, position: int) -> str:
        if not -len(self) <= position < len(self):
            raise IndexError(f"ParameterList: position {position} is outside a length of {len(self)}")
        return str(position % len(self))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return self._parameters[self._name(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self.register_parameter(self._name(index), _as_parameter(value))

    def append(self, value: Any) -> ParameterList:
        """Put a parameter at the end; returns the list."""
        self.register_parameter(str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Put several parameters at the end; returns the list."""
        for value in list(values):
            self.append(value)
        return self

    def _child_lines(self) -> list[str]:
        return [f"({name}): {_described(parameter)}" for name, parameter in self._parameters.items()]


class ParameterDict(Module):
    """A dictionary whose parameters are found: `ParameterDict({"w": w})`. Tensors become parameters."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.register_parameter(key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._parameters[key]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Parameter]:
        """The parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Names and parameters."""
        return self._parameters.items()

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add parameters from a dictionary or from pairs, replacing those of the same names."""
        for name, value in dict(parameters).items():
            self[name] = value

    def pop(self, key: str) -> Parameter:
        """Take a parameter out; raises KeyError if there is none of that name."""
        return self._parameters.pop(key)

    def _child_lines(self) -> list[str]:
        return [f"({name}): {_described(parameter)}" for name, parameter in self._parameters.items()]


def _as_parameter(value: Any) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)


def _described(parameter: Parameter) -> str:
    where = f" (GPU {parameter.device.index})" if parameter.is_cuda else ""
    return f"Parameter containing: [torch.{parameter.dtype} of size {'x'.join(map(str, parameter.shape))}{where}]"


class DataParallel(Module):
    """Its `module`, on the one device there is; keys of the state start with "module.", as in PyTorch."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
