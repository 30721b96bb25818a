"""`explain` names the mistake of a wrong rule, in its own sentence, and accuses no right one."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as torch
from minitorch.autograd import Function
from minitorch.autograd.explain import diagnose, explain
from minitorch.autograd.mistakes import SAYS
from minitorch.autograd.op import Op
from minitorch.ops.activation import Relu, Sigmoid
from minitorch.ops.arithmetic import Div, Mul
from minitorch.ops.elementwise import Abs, Floor, Log, Tanh
from tests.check.captured import sample
from tests.check.planted import verdicts
from tests.check.wrong_rules import RULES, Normalize, build


def found(kind, op, backward, options):
    op = build(op, backward, options)
    return diagnose(op, *options.get("inputs", op.inputs), strict=options.get("strict", False))


def test_there_are_enough_of_enough_kinds():
    assert len(RULES) >= 60 and len({kind for kind, *_ in RULES}) >= 15


@pytest.mark.parametrize("rule", RULES, ids=[f"{i} {kind}" for i, (kind, *_) in enumerate(RULES)])
def test_a_wrong_rule_gets_the_sentence_of_its_own_kind(rule):
    mistake = found(*rule)
    assert mistake is not None, "accepted"
    assert mistake.kind in rule[0].split("|"), mistake


@pytest.mark.parametrize("rule", RULES[::5], ids=[kind for kind, *_ in RULES[::5]])
def test_the_words_name_a_line_and_show_none_of_numpys_types(rule):
    mistake = found(*rule)
    assert "np.float" not in mistake.says and len(mistake.says) < 420
    if mistake.kind != "unwritten":
        assert re.match(r"wrong_rules\.py:\d+   ", mistake.place), mistake


def test_every_kind_has_been_seen():
    seen = {found(*rule).kind for rule in RULES}
    assert set(SAYS) - seen == {"cannot tell", "no class", "value", "layouts"}, "which test_check.py sees"


@pytest.mark.parametrize("call", sample(3), ids=str)
def test_no_right_rule_is_accused(call):
    mistake = diagnose(call.op, *call.inputs, **call.parameters)
    assert mistake is None or mistake.kind == "cannot tell", mistake


def test_mistakes_planted_in_the_engines_operations_are_named():
    named = tried = 0
    for call in sample(1):
        for kind, called, says in verdicts(call):
            tried += 1
            named += called in kind.split("|")
            assert called, f"{call}: {kind} is accepted: {says}"
    assert tried > 500
    assert named >= 0.9 * tried


def test_a_right_rule_is_not_accused_where_numpy_computes_with_absolute_values():
    """`x.var(0)` of complex numbers is real: the complex step is off by little for many rows, and is not to be trusted."""
    right = build(Normalize, normalized, {})
    x = np.concatenate([Normalize.inputs[0], Normalize.inputs[0] * 0.9])
    assert diagnose(right, x, orders=1) is None


def normalized(ctx, g):
    out, inverse = ctx.saved
    return inverse * (g - g.mean(0) - out * (g * out).mean(0))


class HalfTanh(Tanh):
    def backward(ctx, g):
        return super().backward(g) * 0.5


def test_where_the_derivative_is_zero_no_rule_is_accepted():
    for op in Tanh, HalfTanh:
        assert explain(op, np.full((2, 2), 30.0)).startswith("these inputs cannot tell: on them dy/da is 0 everywhere")
    assert explain(Relu, -np.ones(3)).startswith("these inputs cannot tell")
    assert (
        explain(Relu, np.array([0.0, 1.0])) == "these inputs cannot tell: y has a kink at an element of a\nchoose others"
        or explain(Relu, np.array([0.0, 1.0])) is None
    )
    assert explain(Abs, np.array([0.0, 1.0])) is None, "0 lies between the slopes on its two sides"
    assert explain(Log, np.array([0.0, 1.0])).startswith("these inputs cannot tell: on them dy/da is not finite")
    assert explain(Mul, torch.ones(2, requires_grad=True), torch.zeros(2)).startswith("these inputs cannot tell: on them dy/da")
    assert explain(Mul, np.ones(2), np.zeros(2)).startswith("these inputs cannot tell: on them dy/da is 0")
    assert explain(Sigmoid, np.zeros((0, 3))).startswith("these inputs cannot tell: a is empty")
    assert explain(Floor, np.array([0.3, 1.2])) is None, "its derivative is 0 everywhere"


def test_tensors_that_require_no_gradient_are_constants():
    x, y = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])

    class First(Op):
        def forward(ctx, a, b):
            ctx.saved = (b,)
            return a * b

        def backward(ctx, g):
            (b,) = ctx.saved
            return g * b, None

    assert explain(First, x, y) is None
    assert explain(First, x.array, y.array).startswith("your backward returned None for b")


def test_parameters_are_passed_on():
    class Scaled(Op):
        def forward(ctx, a, factor):
            ctx.factor = factor
            return a * factor

        def backward(ctx, g):
            return g / ctx.factor

    assert explain(Scaled, np.array([1.0, 2.0]), factor=1.0) is None
    assert explain(Scaled, np.array([1.0, 2.0]), factor=2.0).startswith("the gradient of a is 0.25 times the right one")


class Product(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b, grad * a


class Swapped(Product):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * a, grad * b


def test_functions_are_explained_too():
    inputs = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    assert explain(Product, *inputs) is None
    assert explain(Swapped, *inputs).startswith("the gradients of a and b are swapped")


def test_the_inputs_are_left_as_they_were():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    explain(Div, a, b)
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 5.0]
