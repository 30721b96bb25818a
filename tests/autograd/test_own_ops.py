"""`Op`, the form that the engine's own operations have, in a user's hands; and `gradcheck`, which rejects a wrong rule."""

import numpy as np
import pytest

import minitorch as torch
from minitorch.autograd import Function
from minitorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from minitorch.autograd.op import Op
from minitorch.ops.elementwise import cos, sin


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


class SinTimes(Op):
    """sin(a) b.  da = g cos(a) b, db = g sin(a)."""

    def forward(ctx, a, b, sign=1):
        ctx.saved = a, b
        ctx.sign = sign
        return sign * np.sin(a) * b

    def backward(ctx, g):
        a, b = ctx.saved
        g = g * ctx.sign
        return g * cos(a) * b if ctx.needs(0) else None, g * sin(a) if ctx.needs(1) else None


def test_an_op_of_ones_own_is_differentiated_to_any_order():
    a, b = leaf(0.3, 1.2), leaf(2.0)
    out = SinTimes.apply(a, b, sign=-1)
    np.testing.assert_allclose(out.tolist(), -np.sin([0.3, 1.2]) * 2, rtol=1e-15)
    assert type(out.grad_fn) is SinTimes and out.grad_fn.title == "sin_times"
    for check in (gradcheck, gradgradcheck):
        assert check(lambda a, b: SinTimes.apply(a, b, sign=-1), (a, b))


def test_an_op_of_ones_own_takes_arrays_to_arrays():
    assert type(SinTimes.apply(np.ones(2), np.ones(2))) is np.ndarray


def test_an_op_without_a_rule_runs_and_has_no_derivative():
    class Double(Op):
        def forward(ctx, a):
            return a + a

    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="double: this operation has no derivative"):
        Double.apply(x).sum().backward()
    assert Double.apply(x.detach()).tolist() == [2.0]


@pytest.mark.parametrize(
    "count",
    [torch.unique, lambda x: torch.unique(x, return_counts=True)[0], lambda x: torch.bincount(torch.tensor([0, 2]), x)],
)
def test_what_is_counted_has_no_derivative(count):
    x = leaf(3.0, 1.0)
    with pytest.raises(RuntimeError, match=r"(unique|bincount): this operation has no derivative"):
        count(x).sum().backward()


def test_a_rule_that_returns_a_complex_gradient_for_a_real_input_is_refused():
    class Turn(Op):
        def forward(ctx, a):
            return a * 1.0

        def backward(ctx, g):
            return g * 1j

    with pytest.raises(RuntimeError, match=r"turn.backward: a complex gradient for a real input of shape \(1,\)"):
        Turn.apply(leaf(1.0)).sum().backward()


def test_an_op_that_returns_no_gradient_but_something_else_is_refused():
    class Worded(Op):
        def forward(ctx, a):
            return a * 1.0

        def backward(ctx, g):
            return "g"

    with pytest.raises(TypeError, match=r"worded.backward: expected a gradient, got str"):
        Worded.apply(leaf(1.0)).sum().backward()


def test_an_op_without_a_forward_says_so():
    class Empty(Op):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty.forward is not written"):
        Empty.apply(leaf(1.0))


def test_an_op_that_returns_no_array_is_refused():
    class Text(Op):
        def forward(ctx, a):
            return "a"

    with pytest.raises(TypeError, match="text: forward must return an array, got str"):
        Text.apply(leaf(1.0))


@pytest.mark.parametrize("wrong", [lambda g, p: g * 0.0, lambda g, p: p * (g - g.sum()), lambda g, p: -g])
def test_gradcheck_rejects_a_wrong_softmax(wrong):
    """An all-ones cotangent cannot see a softmax whose gradient is zero: its outputs always add up to one."""

    class WrongSoftmax(Function):
        @staticmethod
        def forward(ctx, x):
            p = x.softmax(0)
            ctx.save_for_backward(p)
            return p

        @staticmethod
        def backward(ctx, g):
            return wrong(g, ctx.saved_tensors[0])

    with pytest.raises(GradcheckError, match=r"input 0 of shape \(3,\), index \(\d,\): backward gives .* values say"):
        gradcheck(WrongSoftmax.apply, leaf(0.1, 0.5, -0.3))


def test_gradcheck_rejects_a_wrong_second_input():
    class HalfWrong(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b, g * a * 1.001

    with pytest.raises(GradcheckError, match="input 1 of shape"):
        gradcheck(HalfWrong.apply, (leaf(1.0, 2.0), leaf(3.0, 4.0)))
    assert not gradcheck(HalfWrong.apply, (leaf(1.0, 2.0), leaf(3.0, 4.0)), raise_exception=False)
