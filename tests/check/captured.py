"""What the rows of the table of operations run: each operation with the inputs and parameters that it was given."""

from __future__ import annotations

import copy
import functools
from typing import Any, NamedTuple

import numpy as np

from minitorch import Tensor
from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import wrap
from minitorch.autograd.watch import Watch
from tests.op_table import ROWS


class Call(NamedTuple):
    """One call of an operation, on copies of its inputs."""

    op: type[Op]
    inputs: list[Any]
    parameters: dict[str, Any]

    def __str__(self) -> str:
        shapes = ", ".join(str(getattr(value, "shape", value)) for value in self.inputs)
        return f"{self.op.__name__}({shapes}; {self.parameters})"


class Capture(Watch):
    """Keeps every different call of operations that have a rule and an input with a gradient.

    Left out are the rows of Embedding with padding_idx, which have no gradient by definition, and what records a write in
    place: it computes nothing, the memory that it is given already holds the result.
    """

    name = "a test"

    def __init__(self) -> None:
        self.found: dict[str, Call] = {}

    def forward(self, node: Any, inputs: list, parameters: dict, raw: bool) -> Any:
        op = type(node)
        has_rule = node.edges and op.backward is not Op.backward and op.__module__.startswith("minitorch.ops")
        if has_rule and not raw and op.__name__ not in ("InPlace", "Overwrite") and parameters.get("padding_idx") is None:
            arrays = [wrap(np.array(a, order="K")) if isinstance(a, np.ndarray) else a for a in inputs]
            given = [a.requires_grad_() if edge is not None else a for a, edge in zip(arrays, node.edges)]
            shown = [(v.dtype, v.shape, v.requires_grad, v.array.tobytes()) if isinstance(v, Tensor) else v for v in given]
            self.found.setdefault(repr((op.__name__, shown, parameters)), Call(op, given, copy.deepcopy(parameters)))
        return node.forward(*inputs, **parameters)


@functools.cache
def calls() -> list[Call]:
    """Every different call of the table."""
    capture = Capture()
    with Switch(capture, "watch"):
        for row in ROWS:
            for case in row.cases:
                row(case, row.inputs(case))
    return list(capture.found.values())


def sample(count: int) -> list[Call]:
    """At most `count` calls of each operation, those of about eight numbers first."""
    by_name: dict[str, list[Call]] = {}
    for call in sorted(calls(), key=lambda call: abs(8 - sum(v.array.size for v in call.inputs if isinstance(v, Tensor)))):
        by_name.setdefault(call.op.__name__, []).append(call)
    return [call for each in by_name.values() for call in each[:count]]
