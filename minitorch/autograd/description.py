"""The description of a node: its number, its names, the graph around it in PyTorch's form, and its formulas.

A docstring says `tanh a.  da = g (1 - tanh^2 a).`: first y, then the gradient of each input of `forward`, by parameter name,
where g is the gradient of y. Derivatives are separated by commas or semicolons, and the last one ends with a full stop.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

# fmt: off
# PyTorch's names for operations that have another name here.
_PYTORCHS = {
    "Conv2d": "Convolution", "ConvTranspose2d": "Convolution", "CrossEntropy": "NllLoss", "LayerNorm": "NativeLayerNorm",
    "Linear": "Addmm", "Log1p": "Log1P", "Matmul": "Mm", "MaxAlong": "Max", "Normalize": "NativeBatchNorm",
    "Pad": "ConstantPadNd", "Reshape": "View", "Take": "Index", "To": "ToCopy",
}
# fmt: on


class Shown:
    """A public field whose name an operation may still use for its own attribute, as in `ctx.shape = a.shape`."""

    def __init__(self, field: str, doc: str) -> None:
        self.field: str = field
        self.__doc__ = doc

    def __get__(self, node: Any, kind: type) -> Any:
        return self if node is None else getattr(node, self.field)


class Described:
    """The part of `Node` that computes nothing."""

    __slots__ = ()

    if TYPE_CHECKING:  # fields of the node; as properties, they have one type wherever they are assigned

        @property
        def edges(self) -> Sequence[Any]: ...
        @edges.setter
        def edges(self, value: Sequence[Any]) -> None: ...
        @property
        def saved(self) -> tuple[Any, ...]: ...
        @saved.setter
        def saved(self, value: tuple[Any, ...]) -> None: ...

    number: Any = Shown("_number", "The place in the order of creation.")
    shape: Any = Shown("_shape", "The shape of the tensor; a list of them for several outputs.")
    dtype: Any = Shown("_dtype", "The dtype of the tensor; a list of them for several outputs.")

    @property
    def next_functions(self: Any) -> tuple[tuple[Any, int], ...]:
        """For each input, its node and its position among that node's outputs, as in PyTorch; (None, 0) for a constant."""
        return tuple((None, 0) if edge is None else edge.as_source() for edge in self.edges)

    def as_source(self) -> tuple[Any, int]:
        """The node and the position of the output that this node stands for."""
        return self, 0

    @property
    def title(self) -> str:
        """The operation's name as users write it: LogSoftmax is log_softmax, Conv2d is conv2d."""
        title = type(self).__name__.lstrip("_")
        return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(title))

    def name(self: Any) -> str:
        """The node's name in PyTorch's form, such as MulBackward0; for a composition, that of its last operation."""
        own = type(self).__name__
        if own in ("Sum", "Mean") and self._shape:  # over some dimensions
            return f"{own}Backward1"
        if own == "Matmul" and len(self._shape) > 2:
            return "BmmBackward0"
        return f"{_PYTORCHS.get(own, own)}Backward0"

    @classmethod
    def derivatives(cls) -> dict[str, str]:
        """The derivatives that the docstring gives, by the names of forward's inputs: {"x": "g w", "w": "g^T x"}."""
        return formula(cls)[1]

    def __repr__(self: Any) -> str:
        return f"<{self.title} #{self._number} {self._shape}>" if hasattr(self, "_number") else f"<{self.title}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r}: a graph cannot be copied or pickled; copy the values with detach()")


# ---- formulas, read from docstrings ----------------------------------------------------------------------------------------

_START = re.compile(r"(?<![^\s(])(?=d\w+(?:\[[^\]]*\])? (?:=|has) )")
_LEFT = re.compile(r"d(\w+)(?:\[[^\]]*\])? (?:=|has) ")
_SOURCE = re.compile(r"\s+\([^()]*\d{4}[^()]*\)$")  # where a formula comes from, such as (Ioffe & Szegedy 2015, section 3)


def formula(op: Any) -> tuple[str, dict[str, str]]:
    """What `op` computes, and, for each input of its forward that its docstring differentiates, the derivative."""
    paragraphs = inspect.cleandoc(op.__doc__ or "").split("\n\n")
    text = "  ".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    code = op.forward.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)]
    y, *parts = _START.split(text)
    found: dict[str, str] = {}
    waiting: list[str] = []
    for part in parts:
        left = _LEFT.match(part)
        assert left is not None  # parts were cut where it matches
        right = re.split(r"\.(?:\s|$)|  ", part[left.end() :])[0]
        right = _SOURCE.sub("", re.sub(r"(?:,? and|[,;:])?\s*$", "", " ".join(right.split())))
        waiting.append(left[1])
        if right:  # `da = db = 0` gives both the same
            found |= {name: right for name in waiting if name in names}
            waiting = []
    return " ".join(y.split("  ")[0].split()).rstrip(".:"), found


def operations_of(function: FunctionType, deep: bool = True) -> dict[str, Any]:
    """The operations that a function, or a private one that it calls, applies by name."""
    known = function.__globals__
    found: dict[str, Any] = {}
    named = [known.get(name) for name in function.__code__.co_names if name[0] == "_" or name[0].isupper()]
    for value in (*named, *(cell.cell_contents for cell in function.__closure__ or ())):
        value = getattr(value, "__wrapped__", value)
        op: Any = getattr(value, "__self__", value)  # a private name may be that of an operation's `apply`
        if hasattr(op, "derivatives") and op.__doc__:
            found[op.__name__] = op
        elif deep and type(value) is FunctionType:
            found |= operations_of(value, deep=False)
    return found


def show_in_help(namespaces: Iterable[Any]) -> None:
    """Add to each public function's docstring those of the operations it applies, so that `help` shows the derivatives.

    This is done for all at once when minitorch is imported, which takes 2 or 3 milliseconds.
    """
    shown: dict[Any, str] = {}
    for public in {value for names in namespaces for value in vars(names).values() if type(value) is FunctionType}:
        inner = inspect.unwrap(public)  # often that of a method too
        if inner not in shown:
            each = [f"{name}: {op.__doc__.strip()}" for name, op in operations_of(inner).items()]
            shown[inner] = "".join("\n        " + text.replace("\n    ", "\n        ") for text in each)
        if shown[inner] and public.__doc__:
            public.__doc__ = f"{public.__doc__.rstrip()}\n\n    The operations it runs, with their derivatives:\n{shown[inner]}"
