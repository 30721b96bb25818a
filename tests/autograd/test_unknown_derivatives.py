"""Second derivatives through what an operation kept: right, or refused with the cure; never a term short."""

import copy
import pickle

import numpy as np
import pytest

import minitorch as mt
from minitorch.autograd import Function, Op, grad, gradcheck
from minitorch.autograd.gradcheck import gradgradcheck
from minitorch.ops.elementwise import exp


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def second(function, x):
    (first,) = grad((function(x) * x).sum(), x, create_graph=True)
    return grad(first.sum(), x)[0]


class Input(Op):
    """a^3, with the input in an attribute.  da = 3 g a^2."""

    def forward(ctx, a):
        ctx.a = a
        return a**3

    def backward(ctx, g):
        return 3 * ctx.a * ctx.a * g


class Nested(Input):
    """a^3, with input and output within other things.  da = 3 g a^2."""

    def forward(ctx, a):
        out = a**3
        ctx.a, ctx.kept = None, {"all": [a, (out, 7)]}
        return out

    def backward(ctx, g):
        a, (out, _) = ctx.kept["all"]
        return 3 * out / a * g


class Intermediate(Input):
    """a^3, with the square saved.  da = 3 g a^2."""

    def forward(ctx, a):
        ctx.saved = (a * a,)
        return a**3

    def backward(ctx, g):
        return 3 * ctx.saved[0] * g


class InAttribute(Intermediate):
    """a^3, with the square in an attribute.  da = 3 g a^2."""

    def forward(ctx, a):
        ctx.square = a * a
        return a**3

    def backward(ctx, g):
        return 3 * ctx.square * g


class InList(Intermediate):
    """a^3, with the square in a list.  da = 3 g a^2."""

    def forward(ctx, a):
        ctx.squares = [a * a]
        return a**3

    def backward(ctx, g):
        return 3 * ctx.squares[0] * g


class Scalar(Op):
    """a |a|, with the norm in an attribute, a number that NumPy computed."""

    def forward(ctx, a):
        ctx.saved, ctx.norm = (a,), np.sqrt((a * a).sum())
        return a * ctx.norm

    def backward(ctx, g):
        (a,) = ctx.saved
        return g * ctx.norm + a / ctx.norm * (g * a).sum()


def keeping(keep):
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            e = x.exp()
            keep(ctx, e)
            return e * e

        @staticmethod
        def backward(ctx, g):
            e = ctx.e if hasattr(ctx, "e") else ctx.saved_tensors[0]
            return g * 2 * e * e

    return Square


@pytest.mark.parametrize("op", [Input, Nested])
def test_inputs_and_outputs_may_be_kept_anywhere(op):
    assert second(op.apply, leaf(2.0)).tolist() == [48.0]  # (x^4)'' = 12 x^2


@pytest.mark.parametrize("op", [Intermediate, InAttribute, InList, Scalar])
def test_what_is_neither_is_refused_where_a_gradient_has_to_flow_through_it(op):
    x = leaf(2.0, 3.0)
    with pytest.raises(
        RuntimeError, match=rf"{op.__name__[0].lower()}\w+: .* neither an input nor an output.* ctx\.mark_constant\(array\)"
    ):
        second(op.apply, x)
    (op.apply(x) * x).sum().backward()  # the first derivative needs none
    op.apply(x).sum().backward(create_graph=True)
    assert x.grad is not None


@pytest.mark.parametrize("keep", [lambda ctx, e: ctx.save_for_backward(e), lambda ctx, e: setattr(ctx, "e", e)])
def test_a_function_that_keeps_an_intermediate_is_refused_as_well(keep):
    with pytest.raises(RuntimeError, match=r"Square: .* neither an input nor an output"):
        second(keeping(keep).apply, leaf(0.5))


class Masked(Op):
    """a m s with a random mask and a scale.  da = g m s."""

    def forward(ctx, a, declared):
        mask = np.array([1.0, 0.0, 2.0])
        scale = np.float64(3.0)
        ctx.saved, ctx.scale, ctx.flags = (mask,), scale, mask > 0
        if declared:
            ctx.mark_constant(mask, scale)
        return a * a * mask * scale

    def backward(ctx, g):
        return g * ctx.saved[0] * ctx.scale * ctx.flags


def test_what_is_declared_constant_is_taken_as_such():
    x = leaf(1.0, 2.0, 3.0)
    (first,) = grad((Masked.apply(x, declared=True) * x).sum(), x, create_graph=True)
    grad(first.sum(), x)
    with pytest.raises(RuntimeError, match="mark_constant"):
        grad((Masked.apply(x, declared=False) ** 2).sum(), x, create_graph=True)[0].sum().backward()


class Scaled(Function):
    @staticmethod
    def forward(ctx, x, factors):
        ctx.factors = mt.from_numpy(factors)
        ctx.mark_constant(ctx.factors)
        return x * ctx.factors

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factors, None


def test_a_function_declares_constants_too():
    assert gradgradcheck(lambda x: Scaled.apply(x, np.array([2.0, 3.0])) ** 2, leaf(1.0, 2.0))


class Times(Op):
    """a b.  da = g b, db = g a."""

    def forward(ctx, a, b):
        ctx.saved = a, b
        return a * b

    def backward(ctx, g):
        a, b = ctx.saved
        return g * b if ctx.needs(0) else None, g * a if ctx.needs(1) else None


@pytest.mark.parametrize("other", [mt.tensor([3.0, 4.0], dtype=mt.float64), np.array([3.0, 4.0]), mt.tensor([3, 4])])
def test_an_input_that_needs_no_gradient_is_a_constant(other):
    x = leaf(1.0, 2.0)
    for check in (gradcheck, gradgradcheck):
        assert check(lambda x: Times.apply(Times.apply(x, x), other), x)


def test_whole_numbers_and_booleans_are_constants():
    class Picked(Op):
        def forward(ctx, a):
            ctx.index, ctx.mask = np.array([1, 0]), a > 0
            return a[ctx.index] * ctx.mask

        def backward(ctx, g):
            return (g * ctx.mask)[ctx.index]

    assert gradgradcheck(lambda x: Picked.apply(x) ** 2, leaf(1.0, 2.0))


def test_saved_is_a_tuple_or_the_operation_is_told_in_forward():
    class Wrong(Op):
        def forward(ctx, a):
            ctx.saved = a
            return exp(a)

    with pytest.raises(
        TypeError, match=r"wrong: ctx\.saved must be a tuple of arrays, got ndarray; write `ctx\.saved = \(a,\)`"
    ):
        Wrong.apply(leaf(1.0))


def test_attributes_may_have_the_names_of_the_engines_fields():
    class Kept(Op):
        def forward(ctx, a):
            ctx.shape, ctx.dtype, ctx.number, ctx.origin, ctx.hooks, ctx.outputs = a.shape, a.dtype, 3, "o", [1], [2]
            return a.sum(keepdims=True)

        def backward(ctx, g):
            assert (ctx.dtype, ctx.number, ctx.origin, ctx.hooks, ctx.outputs) == (g.dtype, 3, "o", [1], [2])
            return g * np.ones(ctx.shape)

    x = leaf(1.0, 2.0)
    Kept.apply(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_node_is_not_copied(copied):
    with pytest.raises(TypeError, match=r"<mul #\d+ \(1,\)>: a graph cannot be copied or pickled"):
        copied((leaf(1.0) * 2).grad_fn)


@pytest.mark.parametrize("run", [lambda f, *inputs: f(*inputs).sum().backward(), lambda f, *inputs: gradcheck(f, inputs)])
def test_a_mistake_in_a_rule_names_the_operation_the_gradient_and_what_was_saved(run):
    class Product(Op):
        def forward(ctx, a, b):
            ctx.saved = a, b
            return a @ b

        def backward(ctx, g):
            a, b = ctx.saved
            return g @ b, a @ g

    a, b = (mt.ones(*shape, dtype=mt.float64, requires_grad=True) for shape in ((2, 3), (3, 4)))
    with pytest.raises(
        ValueError, match=r"product\.backward: .*\(gradient: \(2, 4\) float64; saved: \(2, 3\) float64, \(3, 4\) float64\)"
    ):
        run(Product.apply, a, b)
