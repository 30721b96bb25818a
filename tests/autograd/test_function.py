"""`autograd.Function`, an operation written by a user in PyTorch's form, as PyTorch's tutorials have it."""

import math

import numpy as np
import pytest

import minitorch as torch  # what is written for PyTorch runs after changing this line
from minitorch.autograd import Function
from minitorch.autograd.gradcheck import gradcheck, gradgradcheck


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# ---- from PyTorch's tutorials, unchanged ---------------------------------------------------------------------------------


class LegendrePolynomial3(torch.autograd.Function):
    """
    We can implement our own custom autograd Functions by subclassing
    torch.autograd.Function and implementing the forward and backward passes
    which operate on Tensors.
    """

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class Exp(Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


class LinearFunction(Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None

        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)

        return grad_input, grad_weight, grad_bias


class MulConstant(Function):
    @staticmethod
    def forward(tensor, constant):
        return tensor * constant

    @staticmethod
    def setup_context(ctx, inputs, output):
        tensor, constant = inputs  # noqa: RUF059  as in PyTorch's documentation
        ctx.constant = constant

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.constant, None


class MySquare(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * 2 * x


class Sinh(Function):
    @staticmethod
    def forward(ctx, x):
        expx = torch.exp(x)
        expnegx = torch.exp(-x)
        ctx.save_for_backward(expx, expnegx)
        return (expx - expnegx) / 2, expx, expnegx

    @staticmethod
    def backward(ctx, grad_out, _grad_out_exp, _grad_out_negexp):
        expx, expnegx = ctx.saved_tensors
        grad_input = grad_out * (expx + expnegx) / 2
        grad_input += _grad_out_exp * expx
        grad_input -= _grad_out_negexp * expnegx
        return grad_input


def test_the_tutorial_that_fits_a_sine_prints_what_it_prints_in_pytorch():
    dtype = torch.float
    device = torch.device("cpu")
    x = torch.linspace(-math.pi, math.pi, 2000, device=device, dtype=dtype)
    y = torch.sin(x)
    a = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    b = torch.full((), -1.0, device=device, dtype=dtype, requires_grad=True)
    c = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    d = torch.full((), 0.3, device=device, dtype=dtype, requires_grad=True)
    learning_rate = 5e-6
    for _ in range(300):
        P3 = LegendrePolynomial3.apply
        y_pred = a + b * P3(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            a -= learning_rate * a.grad
            b -= learning_rate * b.grad
            c -= learning_rate * c.grad
            d -= learning_rate * d.grad
            a.grad = None
            b.grad = None
            c.grad = None
            d.grad = None
    assert loss.item() == pytest.approx(100.7025, rel=1e-5)  # the tutorial's own output after 300 steps


@pytest.mark.parametrize(
    "function, plain",
    [
        (LegendrePolynomial3.apply, lambda x: (5 * x**3 - 3 * x) / 2),
        (Exp.apply, lambda x: x.exp()),
        (MyReLU.apply, lambda x: x.relu()),
        (MySquare.apply, lambda x: x * x),
        (lambda x: MulConstant.apply(x, 3), lambda x: x * 3),
        (lambda x: Sinh.apply(x)[0], lambda x: (x.exp() - (-x).exp()) / 2),
        (lambda x: sum(Sinh.apply(x)), lambda x: (x.exp() - (-x).exp()) / 2 + x.exp() + (-x).exp()),
    ],
    ids=["LegendrePolynomial3", "Exp", "MyReLU", "MySquare", "MulConstant", "Sinh", "Sinh, all"],
)
def test_a_function_has_the_values_and_gradients_of_the_same_formula(function, plain):
    x, twin = leaf(-1.5, 0.5, 2.0), leaf(-1.5, 0.5, 2.0)
    out, expected = function(x), plain(twin)
    np.testing.assert_allclose(out.tolist(), expected.tolist(), rtol=1e-14)
    out.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), twin.grad.tolist(), rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        LegendrePolynomial3.apply,
        Exp.apply,
        MySquare.apply,
        MyReLU.apply,
        lambda x: MulConstant.apply(x, 3),
        lambda x: Sinh.apply(x)[0],
        lambda x: Sinh.apply(x)[0] * Sinh.apply(x)[2],
    ],
    ids=["LegendrePolynomial3", "Exp", "MySquare", "MyReLU", "MulConstant", "Sinh", "Sinh, product"],
)
def test_a_function_written_in_tensor_operations_is_differentiated_twice(function):
    x = leaf(-1.5, 0.5, 2.0)
    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_the_tutorials_linear_function_agrees_with_linear():
    generator = torch.Generator().manual_seed(0)
    x, w, b = (
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in ((4, 3), (2, 3), (2,))
    )
    assert LinearFunction.apply(x, w, b).tolist() == torch.functional.linear(x, w, b).tolist()
    assert gradcheck(LinearFunction.apply, (x, w, b))
    assert gradgradcheck(LinearFunction.apply, (x, w, b))
    LinearFunction.apply(x.detach(), w).sum().backward()
    assert x.grad is None and w.grad.shape == (2, 3)
