"""`gradcheck` and `gradgradcheck` pass what is right, and find what is wrong: where, and by how much."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.autograd import Function
from minitorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from minitorch.autograd.op import Op

MODES = pytest.mark.parametrize("mode", ["central", "complex"])


def leaf(*values, dtype=mt.float64):
    return mt.tensor(values, dtype=dtype, requires_grad=True)


MATRIX = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]


class ZeroedSoftmax(Function):
    """Its gradient is zero, which a sum of its outputs could not tell from the right one."""

    @staticmethod
    def forward(ctx, x):
        return F.softmax(x, -1)

    @staticmethod
    def backward(ctx, grad):
        return grad * 0


class Product(Function):
    """a b, with what it says of da and db."""

    factor = 1.0, 1.0

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @classmethod
    def backward(cls, ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b * cls.factor[0], grad * a * cls.factor[1]


class WrongSecond(Product):
    factor = 1.0, -1.0


class SlightlyWrong(Product):
    factor = 1.0, 1 + 1e-9


class TransposedGradient(Function):
    """x squared, with its gradient mirrored: every value is there, in the wrong place."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (grad * x * 2).T


class NoGradient(Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * y

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class NotAgain(Function):
    """x cubed, with a gradient that is right but made of detached values, and so a constant to whoever differentiates it."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * (x * x).detach()


class NanGradient(Product):
    factor = float("nan"), 1.0


@MODES
def test_what_is_right_passes_to_second_order(mode):
    inputs = mt.tensor(MATRIX, dtype=mt.float64, requires_grad=True), leaf(0.5, -1.0, 2.0)
    assert gradcheck(Product.apply, inputs, mode=mode)
    assert gradgradcheck(Product.apply, inputs, mode=mode)
    assert gradcheck(lambda x: F.softmax(x, -1), inputs[0], mode=mode)


@MODES
@pytest.mark.parametrize("wrong", [WrongSecond, NoGradient, NanGradient])
def test_a_wrong_a_missing_and_a_nan_gradient_are_found(mode, wrong):
    with pytest.raises(GradcheckError, match=r"input [01] of shape \(2,\)"):
        gradcheck(wrong.apply, (leaf(1.0, 2.0), leaf(3.0, 4.0)), mode=mode)


@MODES
def test_a_zeroed_softmax_is_found(mode):
    with pytest.raises(GradcheckError, match="input 0"):
        gradcheck(ZeroedSoftmax.apply, mt.tensor(MATRIX, dtype=mt.float64, requires_grad=True), mode=mode)


@MODES
def test_a_transposed_gradient_is_found(mode):
    with pytest.raises(GradcheckError, match=r"input 0 of shape \(2, 2\), index \((0, 1|1, 0)\)"):
        gradcheck(
            TransposedGradient.apply, mt.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=mt.float64, requires_grad=True), mode=mode
        )


@MODES
def test_the_message_names_the_input_the_index_and_both_values(mode):
    a, b = leaf(2.0), leaf(3.0)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(WrongSecond.apply, (a, b), mode=mode)
    got, expected = re.search(
        r"input 1 of shape \(1,\), index \(0,\): backward gives .*?(-?[\d.]+)\)?, the function's values say .*?(-?[\d.]+)\)? \(1 of 1 ",
        str(caught.value),
    ).groups()
    assert float(got) == pytest.approx(-float(expected))
    assert 1.0 <= abs(float(expected)) <= 3.0  # 2, times a weight from 0.5 to 1.5


def test_the_complex_step_finds_an_error_of_1e_9_which_differences_cannot():
    inputs = leaf(1.0, 2.0), leaf(3.0, 4.0)
    assert gradcheck(SlightlyWrong.apply, inputs)
    with pytest.raises(GradcheckError, match="input 1"):
        gradcheck(SlightlyWrong.apply, inputs, mode="complex")


@MODES
def test_a_rule_that_cannot_be_differentiated_again_is_found(mode):
    x = leaf(1.0, 2.0)
    assert gradcheck(NotAgain.apply, x, mode=mode)
    with pytest.raises(GradcheckError, match="input 0"):
        gradgradcheck(NotAgain.apply, x, mode=mode)


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_float32_is_refused(check):
    with pytest.raises(TypeError, match="input 1 is float32; float64 is needed"):
        check(Product.apply, (leaf(1.0), leaf(2.0, dtype=mt.float32)))


def test_what_cannot_be_checked_is_refused():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="no input requires a gradient"):
        gradcheck(lambda x: x, mt.ones(1, dtype=mt.float64))
    with pytest.raises(ValueError, match="expected mode 'central' or 'complex', got 'forward'"):
        gradcheck(lambda x: x, x, mode="forward")
    with pytest.raises(TypeError, match="expected a tensor or a tuple of tensors, got list"):
        gradcheck(lambda x: [1.0], x)


def test_a_function_that_does_not_depend_on_its_inputs_is_refused():
    with pytest.raises(GradcheckError, match="no output depends on the inputs"):
        gradcheck(lambda x: mt.ones(1, dtype=mt.float64), leaf(1.0))


def test_the_verdict_can_be_had_without_an_exception():
    inputs = leaf(1.0, 2.0), leaf(3.0, 4.0)
    assert gradcheck(WrongSecond.apply, inputs, raise_exception=False) is False
    assert gradcheck(Product.apply, inputs, raise_exception=False) is True
    assert gradgradcheck(NotAgain.apply, inputs[0], raise_exception=False) is False


def test_an_operation_that_is_not_analytic_needs_differences():
    x = leaf(1.0, -2.0)
    assert gradcheck(mt.abs, x)
    assert gradcheck(mt.abs, x, mode="complex", raise_exception=False) is False
    with pytest.raises(GradcheckError, match=r"gradcheck: abs is not analytic.* use mode='central'"):
        gradcheck(mt.abs, x, mode="complex")
    with pytest.raises(GradcheckError, match="abs is not analytic"):
        gradcheck(lambda x: mt.abs(x) * x, x, mode="complex")
    with pytest.raises(GradcheckError, match="floor: not analytic, complex numbers have no such operation; use mode='central'"):
        gradcheck(mt.floor, x, mode="complex")
    assert gradcheck(mt.relu, x, mode="complex"), "maximum compares real parts"


@MODES
def test_all_outputs_and_all_kinds_of_inputs_are_seen(mode):
    index = mt.tensor([1, 0])

    def several(x, y, index, factor):
        return x[index] * factor, (x * y).sum(), index

    assert gradcheck(several, (leaf(1.0, 2.0), leaf(3.0, 4.0), index, 2.0), mode=mode)
    assert gradgradcheck(several, (leaf(1.0, 2.0), leaf(3.0, 4.0), index, 2.0), mode=mode)


@MODES
def test_0_d_and_empty_tensors_are_checked_in_float64(mode):
    scalar = mt.tensor(0.7, dtype=mt.float64, requires_grad=True)
    assert gradcheck(mt.exp, scalar, mode=mode)
    assert gradgradcheck(mt.exp, scalar, mode=mode)
    empty = mt.zeros(0, 3, dtype=mt.float64, requires_grad=True)
    assert gradgradcheck(mt.exp, empty, mode=mode)
    with pytest.raises(GradcheckError):
        gradcheck(SlightlyWrong.apply, (scalar, scalar), mode="complex")


def test_the_inputs_are_left_as_they_were():
    inputs = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gradgradcheck(Product.apply, inputs)
    assert [value.tolist() for value in inputs] == [[1.0, 2.0], [3.0, 4.0]]
    assert all(value.grad is None for value in inputs)


def test_the_same_seed_gives_the_same_weights():
    seen = []

    class Spy(Product):
        @classmethod
        def backward(cls, ctx, grad):
            seen.append(grad.tolist())
            return super().backward(ctx, grad)

    for seed in (0, 0, 1):
        gradcheck(Spy.apply, (leaf(1.0, 2.0), leaf(3.0, 4.0)), seed=seed)
    first = seen[::3]  # each check runs backward twice more: again, and with zeros
    assert first[0] == first[1] != first[2]
    assert all(0.5 <= abs(weight) <= 1.5 for weight in np.ravel(first))


@pytest.mark.usefixtures("cupy")
@MODES
def test_it_checks_on_a_gpu(mode):
    x = mt.tensor([0.5, 2.0], dtype=mt.float64, device="cuda", requires_grad=True)
    assert gradgradcheck(lambda x: mt.log(x) * x, x, mode=mode)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: WrongSecond.apply(x, x), x, mode=mode)


# ---- each kind of fault is named -----------------------------------------------------------------------------------------


def function(forward, backward):
    return type("Probe", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


@MODES
def test_a_wrong_small_derivative_beside_large_ones_is_found(mode):
    scale, wrong = mt.tensor([1e6, 1.0]).double(), mt.tensor([1e6, 1.0 + 1e-4]).double()

    def scaled(ctx, x):
        return x * (scale if x.dtype == mt.float64 else scale.type(x.dtype))

    assert gradcheck(function(scaled, lambda ctx, g: g * scale), leaf(1.0, 2.0), mode=mode)
    with pytest.raises(GradcheckError, match=r"index \(1,\)"):
        gradcheck(function(scaled, lambda ctx, g: g * wrong), leaf(1.0, 2.0), mode=mode)


@MODES
def test_large_values_and_inputs_raise_no_alarm(mode):
    assert gradcheck(lambda x, y: x * y + x, (leaf(1e6, 3.0), leaf(2e7, -1e-3)), mode=mode)
    assert gradgradcheck(lambda x: x * x * x, leaf(1e4, 1.0), mode=mode)


@MODES
def test_a_tensor_given_twice_counts_as_two(mode):
    x = leaf(1.0, 2.0)
    assert gradcheck(lambda p, q: p * q, (x, x), mode=mode)
    assert gradgradcheck(lambda p, q: p * q, (x, x), mode=mode)
    assert x.grad is None


def save(ctx, x):
    ctx.save_for_backward(x)
    return x * x


def doubles_in_place(ctx, g):
    g *= 2
    return g * ctx.saved_tensors[0]


def squares_saved(ctx, g):
    (x,) = ctx.saved_tensors
    right = g * 2 * x
    x.array[...] = 0
    return right


def counts(ctx, g):
    ctx.calls = getattr(ctx, "calls", 0) + 1
    return g * 2 * ctx.saved_tensors[0] * ctx.calls


FAULTS = {
    "changes the gradient that it is given": doubles_in_place,
    "input 0 of shape .* was changed by": squares_saved,
    "a second backward gives another gradient": counts,
    "with a gradient of zero passed in, backward still gives": lambda ctx, g: 2 * ctx.saved_tensors[0],
    "no gradient arrived .a backward returned None": lambda ctx, g: None,
}


@pytest.mark.parametrize("words", FAULTS)
def test_each_fault_has_its_sentence(words):
    with pytest.raises(GradcheckError, match=words):
        gradcheck(function(save, FAULTS[words]), leaf(1.0, 2.0))


def test_a_random_function_is_named():
    with pytest.raises(GradcheckError, match="other values when it is called again: is it random"):
        gradcheck(lambda x: x * mt.rand(2, dtype=mt.float64), leaf(1.0, 2.0))


def test_no_message_shows_numpys_types():
    for wrong in (WrongSecond, NoGradient, NanGradient, *(function(save, rule).__self__ for rule in FAULTS.values())):
        inputs = (leaf(1.0, 2.0), leaf(3.0, 4.0))[: 1 if wrong.__name__ == "Probe" else 2]
        with pytest.raises(GradcheckError) as caught:
            gradcheck(wrong.apply, inputs)
        assert "np." not in str(caught.value)


class Doubled(Op):
    def forward(ctx, a):
        ctx.saved = (a,)
        return a * a

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * a


def test_of_a_single_operation_the_message_says_what_is_wrong_with_its_rule():
    with pytest.raises(GradcheckError, match=r"(?s)input 0.*the gradient of a is 0.5 times the right one.*return g \* a"):
        gradcheck(Doubled.apply, leaf(1.0, 2.0))
    with pytest.raises(GradcheckError, match=r"(?s)input 0.*the gradient of a is 0.5 times"):
        gradcheck(lambda x: Doubled.apply(x), leaf(1.0, 2.0))
    with pytest.raises(GradcheckError, match="your backward returned None for y, which has a gradient"):
        gradcheck(NoGradient.apply, (leaf(1.0, 2.0), leaf(3.0, 4.0)))
