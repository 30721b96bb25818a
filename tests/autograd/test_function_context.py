"""What `ctx` offers a user's `autograd.Function`, and what is refused."""

import numpy as np
import pytest

import minitorch as torch
from minitorch.autograd import Function
from minitorch.autograd.gradcheck import gradgradcheck
from tests.autograd.test_function import Exp


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# ---- what ctx offers -----------------------------------------------------------------------------------------------------


def test_forward_is_not_recorded_and_sees_tensors():
    seen = []

    class Look(Function):
        @staticmethod
        def forward(ctx, x, factor, name):
            seen.append((type(x) is torch.Tensor, x.requires_grad, torch.is_grad_enabled(), factor, name))
            return x * factor

        @staticmethod
        def backward(ctx, g):
            seen.append((type(g) is torch.Tensor, torch.is_grad_enabled()))
            return g * 2, None, None

    y = Look.apply(leaf(1.0), 2, "two")
    assert y.requires_grad and type(y.grad_fn).__name__ == "Look"
    y.sum().backward()
    assert seen == [(True, True, False, 2, "two"), (True, False)]


def test_needs_input_grad_says_which_gradients_are_wanted():
    seen = []

    class Look(Function):
        @staticmethod
        def forward(ctx, a, b, c):
            seen.append(ctx.needs_input_grad)
            return a + b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g, g, None

    Look.apply(leaf(1.0), leaf(2.0).detach(), 3).sum().backward()
    assert seen == [(True, False, False)] * 2


def test_no_gradient_may_be_returned_for_an_input():
    class First(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g * 3, None

    a, b = leaf(1.0), leaf(2.0)
    First.apply(a, b).sum().backward()
    assert a.grad.tolist() == [3.0] and b.grad is None


def test_trailing_nones_may_be_more_than_the_inputs():
    class Extra(Function):
        @staticmethod
        def forward(ctx, a, b=None, c=None):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None, None

    a = leaf(1.0)
    Extra.apply(a).sum().backward()
    assert a.grad.tolist() == [2.0]


def test_an_unused_output_brings_a_gradient_of_zeros():
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, torch.stack([x, x])

        @staticmethod
        def backward(ctx, g, h):
            seen.append((g.tolist(), h.tolist()))
            return g * 2 + h.sum(0)

    x = leaf(1.0)
    first, second = Two.apply(x)
    del second
    first.sum().backward()
    assert seen == [([1.0], [[0.0], [0.0]])] and x.grad.tolist() == [2.0]


def test_a_tuple_of_one_output_stays_a_tuple():
    class One(Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2,)

        @staticmethod
        def backward(ctx, g):
            return (g * 2,)

    x = leaf(1.0)
    (y,) = One.apply(x)
    y.sum().backward()
    assert x.grad.tolist() == [2.0]


def test_the_second_derivative_reaches_an_output_that_was_saved():
    x = leaf(0.5)

    class ExpAndSquare(Function):
        @staticmethod
        def forward(ctx, x):
            exp, square = x.exp(), x * x
            ctx.save_for_backward(x, exp)
            return exp, square

        @staticmethod
        def backward(ctx, of_exp, of_square):
            x, exp = ctx.saved_tensors
            return of_exp * exp + of_square * 2 * x

    exp, _ = ExpAndSquare.apply(x)
    (g,) = torch.autograd.grad(exp.sum(), x, create_graph=True)
    assert torch.autograd.grad(g.sum(), exp, retain_graph=True)[0].tolist() == [1.0]
    assert torch.autograd.grad(g.sum(), x)[0].tolist() == exp.tolist()


def test_an_output_marked_non_differentiable_requires_no_gradient():
    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            order = np.argsort(x.detach().numpy())
            index = torch.from_numpy(order)
            ranks = index.to(x.dtype)
            ctx.mark_non_differentiable(index, ranks)
            ctx.save_for_backward(index)
            return x[index], index, ranks

        @staticmethod
        def backward(ctx, g, _, __):
            (index,) = ctx.saved_tensors
            out = torch.zeros_like(g)
            out[index] = g
            return out

    x = leaf(3.0, 1.0, 2.0)
    values, index, ranks = Sort.apply(x)
    assert values.tolist() == [1.0, 2.0, 3.0] and index.tolist() == [1, 2, 0]
    assert values.requires_grad and not index.requires_grad and not ranks.requires_grad
    (values * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100.0, 1.0, 10.0]


def test_a_lone_output_may_be_marked_non_differentiable():
    class Sign(Function):
        @staticmethod
        def forward(ctx, x):
            out = x.sign()
            ctx.mark_non_differentiable(out)
            return out

    y = Sign.apply(leaf(-2.0, 3.0))
    assert y.tolist() == [-1.0, 1.0] and not y.requires_grad and y.is_leaf


@pytest.mark.parametrize(
    "hand_back", [lambda x: x, lambda x: x.view(1, 1), lambda x: x.detach()], ids=["itself", "a view", "detached"]
)
def test_an_input_handed_back_is_a_new_tensor_with_the_functions_gradient(hand_back):
    class ReverseGradient(Function):
        @staticmethod
        def forward(ctx, x):
            return hand_back(x)

        @staticmethod
        def backward(ctx, g):
            return -g.reshape(1)

    x = leaf(2.0)
    hidden = x * 1
    y = ReverseGradient.apply(hidden)
    assert y is not hidden
    (y.sum() * 3 + hidden.sum()).backward()
    assert x.grad.tolist() == [-3.0 + 1.0]
    with torch.no_grad():
        y.zero_()
    assert hidden.tolist() == [2.0]


@pytest.mark.parametrize("keep", ["x", "out"])
def test_a_tensor_kept_as_an_attribute_is_still_part_of_the_graph(keep):
    class Keep(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x, ctx.out = x, x.exp()
            return ctx.out

        @staticmethod
        def backward(ctx, g):
            return g * (ctx.x.exp() if keep == "x" else ctx.out)

    x = leaf(0.5)
    assert gradgradcheck(Keep.apply, x)


def test_a_tensor_kept_as_an_attribute_is_watched_for_changes():
    class Keep(Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x, factor = leaf(1.0), leaf(2.0).detach()
    y = Keep.apply(x, factor)
    factor.zero_()
    with pytest.raises(RuntimeError, match=r"Keep: an array of shape \(1,\) .* changed in place by zero_"):
        y.sum().backward()


def test_a_function_that_is_not_recorded_runs_as_well():
    x = leaf(1.0)
    with torch.no_grad():
        assert not Exp.apply(x).requires_grad
    assert not Exp.apply(x.detach()).requires_grad


def test_a_numpy_array_among_the_inputs_stays_one():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factors):
            assert type(factors) is np.ndarray
            ctx.factors = torch.from_numpy(factors)
            return x * ctx.factors

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factors, None

    x = leaf(1.0, 2.0)
    Scale.apply(x, np.array([3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]


# ---- what is refused -----------------------------------------------------------------------------------------------------


def scaled_by(answer, *extra_inputs):
    """A Function whose backward returns `answer(g)`, applied to two elements and backpropagated."""

    class Bad(Function):
        @staticmethod
        def forward(ctx, x, *extra):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return answer(g)

    Bad.apply(leaf(1.0, 2.0), *extra_inputs).sum().backward()


@pytest.mark.parametrize(
    "answer, extra, message",
    [
        (lambda g: (g, g), (), r"Bad.backward: 2 gradients for 1 inputs"),
        (lambda g: g, (3,), r"Bad.backward: 1 gradients for 2 inputs"),
        (lambda g: 2.0, (), r"Bad.backward: expected a Tensor or None, got float"),
        (lambda g: [g], (), r"Bad.backward: expected a Tensor or None, got list"),
        (lambda g: g.numpy(), (), r"Bad.backward: expected a Tensor or None, got ndarray"),
        (lambda g: torch.ones(3), (), r"Bad.backward: a gradient of shape \(3,\) for an input of shape \(2,\)"),
        (lambda g: g.sum(), (), r"Bad.backward: a gradient of shape \(\) for an input of shape \(2,\)"),
        (lambda g: (None, g), (3,), r"Bad.backward: a gradient for input 1, which is not a tensor"),
    ],
    ids=["too many", "too few", "a number", "a list", "an array", "shape", "0-d", "for a number"],
)
def test_a_backward_that_returns_something_else_is_refused(answer, extra, message):
    with pytest.raises((RuntimeError, TypeError), match=message):
        scaled_by(answer, *extra)


@pytest.mark.parametrize("result, got", [(2.0, "float"), (None, "NoneType"), (np.ones(2), "ndarray"), ([], "list")])
def test_a_forward_that_returns_no_tensor_is_refused(result, got):
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return result

    with pytest.raises(TypeError, match=f"Bad: forward must return a Tensor or a tuple of them, got {got}"):
        Bad.apply(leaf(1.0))


def test_saving_what_is_no_tensor_is_refused():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 2.0)
            return x * 2

    with pytest.raises(TypeError, match=r"Bad: save_for_backward: expected tensors or None, got float; .* attribute of ctx"):
        Bad.apply(leaf(1.0))


def test_a_function_without_forward_or_backward_says_so():
    class Nothing(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with pytest.raises(NotImplementedError, match="forward is not written"):
        Nothing.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="backward is not written"):
        NoBackward.apply(leaf(1.0)).sum().backward()


class OddError(ValueError):
    def __init__(self, one, two):
        super().__init__(one, two)


@pytest.mark.parametrize("error", [ValueError("no"), TypeError("no"), OddError("no", "no"), np.exceptions.AxisError(3, 2)])
def test_an_error_in_forward_names_the_function_and_its_inputs(error):
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            raise error

    with pytest.raises((ValueError, TypeError), match=r"Fails: .*\(inputs: \(1,\) float64\)") as caught:
        Fails.apply(leaf(1.0))
    assert caught.value.__cause__ is error


def test_other_errors_pass_through_as_they_are():
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            raise KeyError("key")

    with pytest.raises(KeyError, match="key"):
        Fails.apply(leaf(1.0))


def test_saved_inputs_require_a_gradient_in_backward_where_they_did():
    class Checkpoint(Function):  # forward is run again in backward, as in torch.utils.checkpoint
        @staticmethod
        def forward(ctx, run, *inputs):
            ctx.run = run
            ctx.save_for_backward(*inputs)
            return run(*inputs)

        @staticmethod
        def backward(ctx, g):
            inputs = [x.detach().requires_grad_(x.requires_grad) for x in ctx.saved_tensors]
            with torch.enable_grad():
                torch.autograd.backward(ctx.run(*inputs), g)
            return None, *(x.grad for x in inputs)

    x, constant = leaf(2.0, 3.0), torch.tensor([5.0, 7.0])
    Checkpoint.apply(lambda a, b, c: a * b * c, x, x * 1, constant).sum().backward()
    assert x.grad.tolist() == [2 * 2.0 * 5.0, 2 * 3.0 * 7.0]


def test_outputs_of_two_dtypes_get_zeros_of_their_own():
    seen = []

    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x.double(), x.float()

        @staticmethod
        def backward(ctx, *grads):
            seen.append([g.dtype for g in grads])
            return sum(grads)

    for used in (0, 1):
        Both.apply(leaf(1.0))[used].sum().backward()
    assert seen == [[torch.float64, torch.float32]] * 2


def test_a_view_of_an_input_may_be_marked_non_differentiable():
    class Part(Function):
        @staticmethod
        def forward(ctx, x):
            part = x[:1]
            ctx.mark_non_differentiable(part)
            return x * 2, part

        @staticmethod
        def backward(ctx, g, _):
            return g * 2

    x = leaf(1.0, 2.0)
    double, part = Part.apply(x)
    assert part.tolist() == [1.0] and not part.requires_grad
    (double * part).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_needs_input_grad_has_an_entry_for_each_input_also_where_nothing_is_recorded():
    seen = []

    class Look(Function):
        @staticmethod
        def forward(ctx, x, y, factor):
            seen.append(ctx.needs_input_grad)
            return x * factor

    Look.apply(leaf(1.0), torch.ones(1), 2)
    with torch.no_grad():
        Look.apply(leaf(1.0), torch.ones(1), 2)
    Look.apply(torch.ones(1), torch.ones(1), 2)
    assert seen == [(True, False, False), (True, False, False), (False, False, False)]
