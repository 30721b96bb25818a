"""Modules that keep options and call one function with them: the fields of the class are the arguments of its constructor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from layers.module import Module
from minitorch.autograd.tensor import Tensor

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable:
        return lambda decorator: decorator


K = TypeVar("K", bound="Options")


class Options(Module):
    """A module of options, which are the arguments of its `function` under the same names."""

    function: Callable[..., Any]
    options: tuple[str, ...]
    shown: tuple[str, ...] | None = None  # in its repr, if not all

    def _call(self, *inputs: Any) -> Any:
        return self.function(*inputs, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        values = {name: getattr(self, name) for name in (self.options if self.shown is None else self.shown)}
        return ", ".join(f"{name}={value!r}" for name, value in values.items() if (name, value) != ("inplace", False))


class OfOne(Options):
    """A module of options whose function takes one input."""

    def forward(self, input: Tensor) -> Tensor:
        return self._call(input)


@dataclass_transform(eq_default=False)
def calls(function: Callable[..., Any] | None = None) -> Callable[[type[K]], type[K]]:
    """Make the fields of a subclass of `Options` its arguments, and `function`, unless subclasses say it, what it calls."""

    def declared(kind: type[K]) -> type[K]:
        own: Any = dataclass(eq=False, repr=False, match_args=False)(kind)
        assign = own.__init__

        @wraps(assign)
        def __init__(self: K, *args: Any, **kwargs: Any) -> None:
            Module.__init__(self)  # which is told of everything that is assigned
            assign(self, *args, **kwargs)

        names = tuple(field.name for field in fields(own))
        for name in vars(own).keys() & set(names):
            delattr(own, name)  # a default must not hide a buffer of that name
        own.__init__ = __init__
        if function is not None:
            own.function = staticmethod(function)
        own.options = tuple(name for name in names if name not in ("size_average", "reduce"))  # the losses translate these
        return own

    return declared
