"""What the rows of the table of operations run: each operation with the inputs and parameters that it was given."""

from __future__ import annotations

import copy
import functools
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import minitorch as mt
from minitorch import Tensor
from minitorch.autograd.op import Op
from tests.op_table import ROWS

# Embedding gives the row of padding_idx no gradient, by definition; what is written in place must keep its own memory.
LEFT_OUT = {"InPlace"}


class Call(NamedTuple):
    """One call of an operation, on copies of its inputs."""

    op: type[Op]
    inputs: list[Any]
    parameters: dict[str, Any]

    def __str__(self) -> str:
        shapes = ", ".join(str(getattr(value, "shape", value)) for value in self.inputs)
        return f"{self.op.__name__}({shapes}; {self.parameters})"


@functools.cache
def calls() -> list[Call]:
    """Every different call, of operations that have a rule and an input with a gradient."""
    found: dict[str, Call] = {}
    apply = Op.apply.__func__

    def recorded(cls: type[Op], *inputs: Any, **parameters: Any) -> Any:
        moving = any(isinstance(value, Tensor) and value.requires_grad for value in inputs)
        left_out = cls.__name__ in LEFT_OUT or (cls.__name__ == "Embedding" and parameters.get("padding_idx") is not None)
        if moving and cls.backward is not Op.backward and cls.__module__.startswith("minitorch.ops") and not left_out:
            given = [copied(value) if isinstance(value, Tensor) else value for value in inputs]
            call = Call(cls, given, copy.deepcopy(parameters))
            shown = [(v.dtype, v.shape, v.array.tobytes()) if isinstance(v, Tensor) else v for v in given]
            found.setdefault(repr((cls.__name__, shown, parameters)), call)
        return apply(cls, *inputs, **parameters)

    with mock.patch.object(Op, "apply", classmethod(recorded)):
        for row in ROWS:
            for case in row.cases:
                row(case, row.inputs(case))
    return list(found.values())


def copied(tensor: Tensor) -> Tensor:
    """A leaf with the same numbers in the same memory order."""
    copy_of = mt.tensor(np.array(tensor.array, order="K"))
    return copy_of.requires_grad_() if tensor.requires_grad else copy_of


def sample(count: int) -> list[Call]:
    """At most `count` calls of each operation, those of about eight numbers first."""
    by_name: dict[str, list[Call]] = {}
    for call in sorted(calls(), key=lambda call: abs(8 - sum(v.array.size for v in call.inputs if isinstance(v, Tensor)))):
        by_name.setdefault(call.op.__name__, []).append(call)
    return [call for each in by_name.values() for call in each[:count]]
