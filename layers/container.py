"""Modules that hold modules: one after another, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from layers.module import Module


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
        named = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else {str(i): m for i, m in enumerate(args)}
        for name, module in named.items():
            self.add_module(name, module)

    def _of(self, modules: dict[str, Module]) -> Sequential:
        return Sequential(modules)

    def forward(self, input: Any) -> Any:
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
