"""Modules that keep the arguments of their constructor, the fields of the class, and call one function with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from layers.module import Module
from minitorch.autograd.tensor import Tensor
from minitorch.fields import Fields


class Options(Fields, Module):
    """A module whose attributes are its fields: `class ReLU(Options, calls=relu)` has them as arguments of `relu`."""

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...] | None] = None  # the fields in its repr, if not all

    def __init_subclass__(cls, calls: Callable[..., Any] | None = None, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.options = tuple(name for name in cls.fields if name not in ("size_average", "reduce"))  # the losses translate these
        if calls is not None:
            cls.function = staticmethod(calls)

    def _take(self, arguments: dict[str, Any]) -> None:
        Module.__init__(self)
        super()._take(arguments)

    def _call(self, *inputs: Any) -> Any:
        return self.function(*inputs, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        values = {name: getattr(self, name) for name in (self.options if self.shown is None else self.shown)}
        return ", ".join(f"{name}={value!r}" for name, value in values.items() if (name, value) != ("inplace", False))


class OfOne(Options):
    """`Options` whose function takes one input."""

    def forward(self, input: Tensor) -> Tensor:
        return self._call(input)
