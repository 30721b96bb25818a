"""Modules that hold modules or parameters: in sequence, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Generic, TypeVar

from layers.module import Module
from layers.parameter import Parameter
from minitorch.autograd.tensor import Tensor

E = TypeVar("E")
L = TypeVar("L", bound="_List[Any]")


class _Holder(Module, Generic[E]):
    """A module that is a collection of named modules or, in a subclass, of named parameters."""

    @property
    def _held(self) -> dict[str, E]:
        return self._modules

    def _put(self, name: str, held: Any) -> None:
        self.add_module(name, held)

    def __len__(self) -> int:
        return len(self._held)


class _OfParameters(_Holder[Parameter]):
    """A collection of parameters; tensors put into it become parameters."""

    @property
    def _held(self) -> dict[str, Parameter]:
        return self._parameters

    def _put(self, name: str, held: Any) -> None:
        self.register_parameter(name, held if isinstance(held, Parameter) else Parameter(held))

    def _child_lines(self) -> list[str]:
        lines = []
        for name, held in self._parameters.items():
            where = f" (GPU {held.device.index})" if held.is_cuda else ""
            size = "x".join(map(str, held.shape))
            lines.append(f"({name}): Parameter containing: [torch.{held.dtype} of size {size}{where}]")
        return lines


class _List(_Holder[E]):
    """Modules or parameters in order, indexed by position."""

    def _name(self, position: int) -> str:
        names = list(self._held)
        if not -len(names) <= position < len(names):
            raise IndexError(f"{type(self).__name__}: position {position} is outside a length of {len(names)}")
        return names[position]

    def _of(self, held: dict[str, E]) -> Any:
        """A container of the elements of a slice."""
        return type(self)(held.values())  # type: ignore[call-arg]  # subclasses take the elements

    def __iter__(self) -> Iterator[E]:
        return iter(self._held.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(dict(list(self._held.items())[index]))
        return self._held[self._name(index)]

    def __setitem__(self, index: int, held: Any) -> None:
        self._put(self._name(index), held)

    def __delitem__(self, index: int | slice) -> None:
        for name in list(self._held)[index] if isinstance(index, slice) else [self._name(index)]:
            del self._held[name]
        self._renumber(list(self))

    def _renumber(self, held: list[E]) -> None:
        self._held.clear()
        self.extend(held)

    def append(self: L, held: Any) -> L:
        """Add one at the end; returns the container."""
        self._put(str(len(self)), held)
        return self

    def extend(self: L, held: Iterable[Any]) -> L:
        """Add several at the end; returns the container."""
        for each in list(held):
            self.append(each)
        return self

    def insert(self, index: int, held: Any) -> None:
        """Insert one before position `index`; those after it are renumbered."""
        several = list(self)
        several.insert(index, held)
        self._renumber(several)


class _Dict(_Holder[E]):
    """Modules or parameters by name."""

    def __init__(self, held: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(held or {})

    def __getitem__(self, key: str) -> E:
        return self._held[key]

    def __setitem__(self, key: str, held: Any) -> None:
        self._put(key, held)

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def keys(self) -> Iterable[str]:
        """The names, in order."""
        return self._held.keys()

    def values(self) -> Iterable[E]:
        """The modules or parameters, in order."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, E]]:
        """Pairs of a name and its module or parameter."""
        return self._held.items()

    def update(self, held: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add the entries of a dictionary or of pairs, replacing those with the same names."""
        for name, each in dict(held).items():
            self[name] = each

    def pop(self, key: str) -> E:
        """Remove and return one; raises KeyError if there is none of that name."""
        return self._held.pop(key)


class Sequential(_List[Module]):
    """Modules run one after another: `Sequential(a, b)`, or one dict from names to modules.

    A slice is a Sequential of the same modules, not of copies.
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        named: Any = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else {str(i): m for i, m in enumerate(args)}
        for name, module in named.items():
            self.add_module(name, module)

    def _of(self, held: dict[str, Module]) -> Sequential:
        return type(self)(held)

    def forward(self, input: Any) -> Tensor | Any:
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_List[Module]):
    """A list whose modules are registered: `ModuleList([a, b])`. It has no forward."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _child_lines(self) -> list[str]:
        lines = []
        for text, run in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            positions = [position for position, _ in run]
            first, last = positions[0], positions[-1]
            lines.append(f"({first}): {text}" if first == last else f"({first}-{last}): {len(positions)} x {text}")
        return lines


class ModuleDict(_Dict[Module]):
    """A dictionary whose modules are registered: `ModuleDict({"a": a})`. It has no forward."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__(modules)


class ParameterList(_OfParameters, _List[Parameter]):
    """A list whose parameters are registered: `ParameterList([w, b])`. Tensors become parameters. It has no forward."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())


class ParameterDict(_OfParameters, _Dict[Parameter]):
    """A dictionary whose parameters are registered: `ParameterDict({"w": w})`. Tensors become parameters."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__(parameters)


class DataParallel(Module):
    """Calls its `module` on one device only; state keys start with "module.", as in PyTorch."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
