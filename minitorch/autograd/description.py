"""The description of a node: its number, its names, and the graph around it in PyTorch's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minitorch.autograd.formulas import formula

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
