"""Classes whose annotated fields are the arguments of their constructor, as `dataclasses` has them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from minitorch.keywords import kinds_of, plain_value

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        return lambda decorated: decorated


@dataclass_transform(eq_default=False)
class Fields:
    """Base class of classes with fields: `class A(Fields): x: float; y: float = 0.0` is made by `A(1.0, y=2.0)`.

    Those after a field of type KW_ONLY are given by keyword. A class with an `__init__` of its own keeps that. In
    `class B(A, z=2)` z is an attribute of the class. `dataclasses` would compile each constructor: the import took 10 ms more.
    """

    fields: ClassVar[Mapping[str, inspect.Parameter]] = {}

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__()
        for name, value in settings.items():
            setattr(cls, name, value)
        annotations = {name: str(kind) for name, kind in inspect.get_annotations(cls).items() if "ClassVar" not in str(kind)}
        if "__init__" in vars(cls) or not annotations:
            return
        found = dict(cls.fields)
        how: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for name, annotation in annotations.items():
            if annotation == "KW_ONLY":
                how = inspect.Parameter.KEYWORD_ONLY
                continue
            default = vars(cls).get(name, inspect.Parameter.empty)
            found[name] = inspect.Parameter(name, how, default=default, annotation=annotation)
            if name in vars(cls):
                delattr(cls, name)  # a class attribute would hide a module's buffer of that name
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        cls.fields = dict(sorted(found.items(), key=lambda item: item[1].kind))
        plain = [p.replace(annotation=re.sub(r"^InitVar\[(.*)\]$", r"\1", p.annotation)) for p in cls.fields.values()]
        signature = inspect.Signature([own, *plain])

        def __init__(self: Fields, *args: Any, **kwargs: Any) -> None:
            try:
                given = signature.bind(self, *args, **kwargs)
            except TypeError as reason:
                raise TypeError(f"{type(self).__name__}: {reason}") from None
            given.apply_defaults()
            self._take({name: value for name, value in given.arguments.items() if name != "self"})

        __init__.__signature__ = signature  # type: ignore[attr-defined]  # shown by `inspect` and `help`
        __init__.__module__, __init__.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
        made: Any = cls
        made.__init__ = __init__

    def _take(self, arguments: dict[str, Any]) -> None:
        """Make the object: keep its constructor's arguments as attributes, except those of type InitVar, and `_prepare`.

        Raises TypeError for an argument that is not of its field's kind, such as "0.5" for a float.
        """
        for name, value in arguments.items():
            kinds = kinds_of(self.fields[name].annotation)
            if kinds and type(value) not in kinds:  # 1 and 0 are flags too, as in PyTorch's constructors
                asked = bool(value) if bool in kinds and type(value) is int and value in (0, 1) else value
                arguments[name] = value = plain_value(type(self).__name__, name, self.fields[name].annotation, asked)
            if not self.fields[name].annotation.startswith("InitVar"):
                setattr(self, name, value)
        self._prepare(SimpleNamespace(**arguments))

    def _prepare(self, given: Any) -> None:
        """Check the arguments and set what follows from them; `given` has them all, also those that are not kept."""
