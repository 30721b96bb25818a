"""Modules that hold modules: in sequence, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from layers.module import Module
from minitorch.autograd.tensor import Tensor

L = TypeVar("L", bound="_List")


class _List(Module):
    """Modules in order, indexed by position."""

    _of: Any  # a method: the container of the modules of a slice, which it is given by name

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
        self.extend(modules)

    def append(self: L, module: Module) -> L:
        """Add one at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: L, modules: Iterable[Module]) -> L:
        """Add several at the end; returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Insert one before position `index`; those after it are renumbered."""
        several = list(self)
        several.insert(index, module)
        self._renumber(several)


class Sequential(_List):
    """Modules run one after another: `Sequential(a, b)`, or one dict from names to modules.

    A slice is a Sequential of the same modules, not of copies.
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        named: Any = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else {str(i): m for i, m in enumerate(args)}
        for name, module in named.items():
            self.add_module(name, module)

    def _of(self, modules: dict[str, Module]) -> Sequential:
        return type(self)(modules)

    def forward(self, input: Any) -> Tensor | Any:
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_List):
    """A list whose modules are registered: `ModuleList([a, b])`. It has no forward."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _of(self, modules: dict[str, Module]) -> ModuleList:
        return type(self)(modules.values())

    def _child_lines(self) -> list[str]:
        lines = []
        for text, run in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            positions = [position for position, _ in run]
            first, last = positions[0], positions[-1]
            lines.append(f"({first}): {text}" if first == last else f"({first}-{last}): {len(positions)} x {text}")
        return lines


class ModuleDict(Module):
    """A dictionary whose modules are registered: `ModuleDict({"a": a})`. It has no forward."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names, in order."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules, in order."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Pairs of a name and its module."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add the entries of a dictionary or of pairs, replacing those with the same names."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, key: str) -> Module:
        """Remove and return one; raises KeyError if there is none of that name."""
        return self._modules.pop(key)


class DataParallel(Module):
    """Calls its `module` on one device only; state keys start with "module.", as in PyTorch."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
