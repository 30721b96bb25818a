"""Nothing is left out: every operation, function and method has its row."""

from __future__ import annotations

import inspect
import types

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from minitorch.autograd.node import Node
from minitorch.autograd.op import Op
from tests.op_table import ROWS
from tests.op_table.checks import derivative, weights

# What makes leaves, draws, compares, reads or moves tensors, but is no operation on the tape.
WITHOUT_OPERATIONS = tuple(  # modules, and packages where the name ends in a dot
    f"minitorch.{name}"
    for name in (
        "autograd.",
        "files.",
        "conversion",
        "creation",
        "random",
        "backend",
        "memory",
        "ops.compare",
        "sampling",
        "limits",
        "jit",
        "keywords",
        "printing",
        "tensor_types",
        "threads",
    )
)
NOT_DIFFERENTIABLE = {
    "argmax",
    "argmin",
    "all",
    "any",
    "nonzero",
    "__eq__",
    "__ne__",  # whole numbers and booleans
    "backward",
    "requires_grad_",
    "detach_",
    "uniform_",
    "normal_",
    *("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"),
    "is_floating_point",
    "is_tensor",
    "numel",
    "argsort",
    "broadcast_shapes",
    "isclose",
    "tril_indices",
    # operators of bits and comparisons, and what copies and detaches
    *("__and__", "__rand__", "__or__", "__ror__", "__xor__", "__rxor__", "__invert__", "__lshift__", "__rshift__"),
    *("__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"),
    *("__lt__", "__le__", "__gt__", "__ge__", "__reduce_ex__", "data"),
}
CASTS = {"to", "type", "type_as", "half", "float", "double", "bool", "short", "int", "long", "byte", "char", "cpu", "cuda"}


def public_operations():
    """(name, function, method or property) of whatever a user may call on tensors."""
    for namespace in (mt, F, Tensor):
        for name, value in vars(namespace).items():
            is_operator = name.startswith("__") and namespace is Tensor
            if isinstance(value, (types.FunctionType, property)) and (is_operator or not name.startswith("_")):
                yield name, value


def module_of(value):
    return inspect.unwrap(value.fget if isinstance(value, property) else value).__module__


def test_every_public_differentiable_operation_has_a_row():
    tried = {id(inspect.unwrap(form)) for row in ROWS for form in (row.call, *row.also)}
    missing = {
        name
        for name, value in public_operations()
        if id(inspect.unwrap(value)) not in tried
        and not module_of(value).startswith(WITHOUT_OPERATIONS)
        and name not in NOT_DIFFERENTIABLE | CASTS
    }
    assert not missing, f"without a row in tests/op_table: {sorted(missing)}"


def test_the_exceptions_are_there_and_have_no_row():
    named = dict(public_operations())
    assert named.keys() >= NOT_DIFFERENTIABLE | CASTS
    called = {id(inspect.unwrap(row.call)) for row in ROWS}
    assert not [name for name in NOT_DIFFERENTIABLE | CASTS if id(named[name]) in called]


def nodes(tensors):
    """The operations on the tape of `tensors`."""
    found, stack = set(), [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in found:
            found.add(node)
            stack.extend(node.edges)
    return found


def subclasses(cls):
    return {cls}.union(*(subclasses(sub) for sub in cls.__subclasses__()))


def test_every_operation_of_the_engine_is_on_the_tape_of_some_row():
    ours = {
        op
        for op in subclasses(Op)
        if op.__module__.startswith("minitorch.ops.") and "<locals>" not in op.__qualname__ and op.backward is not Op.backward
    }
    seen = set()
    for row in ROWS:
        for case in row.cases:
            function, inputs = row.function(case)
            # on the tapes of the values, gradients and second derivatives, whose rules the checks above have run
            for seed in (8, 9, 10) if case is row.cases[0] and row.analytic else (8, 9):
                values = function(*inputs)
                seen |= {type(node) for node in nodes(values)}
                given = [weight.requires_grad_() for weight in weights(values, seed)]
                function, inputs = derivative(function, len(inputs)), [*inputs, *given]
    # casts and moves: see test_ops_points.py and test_ops_device.py; Curve is the rule of its subclasses
    assert {op.__name__ for op in ours - seen} == {"To", "Curve"}


def bare(value):
    if type(value) in (list, tuple):
        return type(value)(map(bare, value))
    return value.detach().numpy() if isinstance(value, Tensor) else value


PUBLIC = {id(value) for namespace in (mt, F, mt.linalg) for value in vars(namespace).values()}


@pytest.mark.parametrize("row", [row for row in ROWS if id(row.call) in PUBLIC], ids=lambda row: row.name)
def test_a_public_function_takes_bare_arrays_to_arrays(row):
    for case in row.cases[:2]:
        mt.manual_seed(0)
        expected = row(case, row.inputs(case))
        mt.manual_seed(0)
        found = row(case, [bare(value) for value in row.inputs(case)])
        for ours, array in zip(expected, found, strict=True):
            assert isinstance(array, (np.ndarray, np.generic)) and array.dtype == ours.dtype
            np.testing.assert_allclose(array, bare(ours), rtol=1e-12)
