"""`Parameter`: the tensor that a module learns."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from minitorch import as_tensor, empty
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.ops.dims import wholes

DeviceLike: TypeAlias = Device | str | None
DTypeLike: TypeAlias = np.dtype | None


class Parameter(Tensor):
    """A tensor that a `Module` lists among its parameters once it is assigned to one of its attributes.

    As in PyTorch it shares the memory of `data`, a tensor or array; lists are copied. Raises TypeError if `requires_grad` is
    True and the dtype has no gradient.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__()
        self.array = as_tensor(data).array
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def add(module: Any, device: DeviceLike, dtype: DTypeLike, **shapes: tuple[int, ...] | None) -> None:
    """Give `module` parameters of these shapes, whose numbers are still arbitrary; None: it has no such parameter.

    Raises TypeError for lengths that are no whole numbers, ValueError for negative ones.
    """
    kind = type(module).__name__
    for name, shape in shapes.items():
        if shape is not None and min(wholes(kind, f"each length of {name}", shape), default=0) < 0:
            raise ValueError(f"{kind}: expected lengths of 0 or more for {name}, got {shape}")
        module.register_parameter(name, None if shape is None else Parameter(empty(shape, device=device, dtype=dtype)))
