"""Modules that hold modules or parameters: in sequence, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from layers.module import Module
from layers.parameter import Parameter
from minitorch.autograd.tensor import Tensor

L = TypeVar("L", bound="_List")


class _Container(Module):
    """Entries by name: the modules in it, or its parameters."""

    _entries: Any = property(lambda self: self._modules)

    def __len__(self) -> int:
        return len(self._entries)

    def _add(self, name: str, entry: Any) -> None:
        self.add_module(name, entry)


class _OfParameters(_Container):
    _entries: Any = property(lambda self: self._parameters)

    def _add(self, name: str, entry: Any) -> None:
        self.register_parameter(name, Parameter(entry) if type(entry) is Tensor else entry)

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({name}): Parameter containing: [torch.{entry.dtype} of size {'x'.join(map(str, entry.shape))}]"
            for name, entry in self._entries.items()
            if entry is not None
        )


class _List(_Container):
    """Entries in order, indexed by position."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _of(self, entries: dict[str, Any]) -> Any:
        """The container of a slice, whose entries are given by name."""
        return type(self)(entries.values())

    def _name(self, position: int) -> str:
        names = list(self._entries)
        if not -len(names) <= position < len(names):
            raise IndexError(f"{type(self).__name__}: position {position} is outside a length of {len(names)}")
        return names[position]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(dict(list(self._entries.items())[index]))
        return self._entries[self._name(index)]

    def __setitem__(self, index: int, module: Any) -> None:
        self._add(self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        for name in list(self._entries)[index] if isinstance(index, slice) else [self._name(index)]:
            del self._entries[name]
        self._renumber(list(self))

    def _renumber(self, modules: list[Any]) -> None:
        self._entries.clear()
        self.extend(modules)

    def append(self: L, module: Any) -> L:
        """Add one at the end; returns the container."""
        self._add(str(len(self)), module)
        return self

    def extend(self: L, modules: Iterable[Any]) -> L:
        """Add several at the end; returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    __iadd__ = extend

    def insert(self, index: int, module: Any) -> None:
        """Insert one before position `index` and renumber those after it; raises IndexError for a position beyond the ends."""
        several = list(self)
        if not -len(several) <= index <= len(several):
            raise IndexError(f"{type(self).__name__}: cannot insert at {index} in {len(several)}")
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

    def _child_lines(self) -> list[str]:
        lines = []
        for text, run in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            positions = [position for position, _ in run]
            first, last = positions[0], positions[-1]
            lines.append(f"({first}): {text}" if first == last else f"({first}-{last}): {len(positions)} x {text}")
        return lines


class ParameterList(_OfParameters, _List):
    """A list whose parameters are registered: `ParameterList([a, b])`; tensors become parameters. It has no forward."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__(values)


class _Dict(_Container):
    def __init__(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self._add(key, module)

    def __delitem__(self, key: str) -> None:
        del self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def keys(self) -> Iterable[str]:
        """The names, in order."""
        return self._entries.keys()

    def values(self) -> Iterable[Any]:
        """The modules, in order."""
        return self._entries.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of a name and its module."""
        return self._entries.items()

    def update(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add the entries of a dictionary or of pairs, replacing those with the same names."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, key: str) -> Any:
        """Remove and return one; raises KeyError if there is none of that name."""
        return self._entries.pop(key)


class ModuleDict(_Dict):
    """A dictionary whose modules are registered: `ModuleDict({"a": a})`. It has no forward."""


class ParameterDict(_OfParameters, _Dict):
    """A dictionary whose parameters are registered: `ParameterDict({"a": a})`; tensors become parameters. It has no forward."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__(parameters)


class DataParallel(Module):
    """Calls its `module` on one device only; state keys start with "module.", as in PyTorch."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
