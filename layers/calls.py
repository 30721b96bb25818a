"""Modules that call one function with the options they keep: a class's fields are the arguments of its constructor."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
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
    """A module whose attributes are the keyword arguments of its `function`."""

    fields: Mapping[str, inspect.Parameter] = {}
    function: Callable[..., Any]
    options: tuple[str, ...]
    shown: tuple[str, ...] | None = None  # the options in its repr, if not all

    def __post_init__(self) -> None:
        """Check the arguments, which are attributes by now."""

    def _call(self, *inputs: Any) -> Any:
        return self.function(*inputs, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        values = {name: getattr(self, name) for name in (self.options if self.shown is None else self.shown)}
        return ", ".join(f"{name}={value!r}" for name, value in values.items() if (name, value) != ("inplace", False))


class OfOne(Options):
    """`Options` whose function takes one input."""

    def forward(self, input: Tensor) -> Tensor:
        return self._call(input)


@dataclass_transform(eq_default=False)
def calls(function: Callable[..., Any] | None = None) -> Callable[[type[K]], type[K]]:
    """Give a subclass of `Options` a constructor from its fields and the `function` it calls (None: subclasses name it).

    `dataclasses` would compile a constructor for each class, which made the import 10 ms longer.
    """

    def declared(kind: type[K]) -> type[K]:
        own: Any = kind
        parameters = {"self": inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), **own.fields}
        how: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for name, annotation in inspect.get_annotations(kind).items():
            if name == "_":
                how = inspect.Parameter.KEYWORD_ONLY
                continue
            default = vars(kind).get(name, inspect.Parameter.empty)
            parameters[name] = inspect.Parameter(name, how, default=default, annotation=annotation)
            if name in vars(kind):
                delattr(kind, name)  # a class attribute would hide a buffer of that name
        signature = inspect.Signature(list(parameters.values()))

        def __init__(self: K, *args: Any, **kwargs: Any) -> None:
            try:
                given = signature.bind(self, *args, **kwargs)
            except TypeError as reason:
                raise TypeError(f"{type(self).__name__}: {reason}") from None
            given.apply_defaults()
            Module.__init__(self)
            for name in own.fields:
                setattr(self, name, given.arguments[name])
            self.__post_init__()

        del parameters["self"]
        __init__.__signature__ = signature  # type: ignore[attr-defined]  # shown by `inspect` and `help`
        __init__.__module__, __init__.__qualname__ = kind.__module__, f"{kind.__qualname__}.__init__"
        own.__init__, own.fields = __init__, parameters
        own.options = tuple(name for name in parameters if name not in ("size_average", "reduce"))  # the losses translate these
        if function is not None:
            own.function = staticmethod(function)
        return kind

    return declared
