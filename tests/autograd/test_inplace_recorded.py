"""Changes in place that are recorded: they are part of the computation, and differentiated with it."""

import pytest

import minitorch as mt
from minitorch import functional as F
from minitorch.autograd.gradcheck import gradcheck, gradgradcheck


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def add_in_place(x, y):
    h = x * y
    h += y
    return h * h


def multiply_in_place(x, y):
    h = x * x
    h *= y
    return h * h


def multiply_a_constant(x, y):
    h = mt.ones(3, dtype=mt.float64)
    h *= x
    h -= y
    return h * h


def powers_and_quotients(x, y):
    h = x + 2.0
    h **= 2
    h /= y
    return h * x


def functions(x, y):
    h = x * y
    h.exp_().sqrt_().neg_()
    return h * x


def rectified(x, y):
    h = x * y
    h.relu_()
    return h * h


def clamped(x, y):
    h = x * y
    h.clamp_(-1.0, 1.0)
    return h * h


def overwritten(x, y):
    h = x * x
    kept = h * 2
    h.copy_(y * y)
    return h * kept


def put(x, y):
    h = mt.zeros(3, dtype=mt.float64)
    h[1:] = x[1:] * y[1:]
    h[0] = x[0] ** 3
    return h * h


def put_into_history(x, y):
    h = x * x
    h[1] = y[0]
    h[mt.tensor([True, False, False])] = y[1] * x[2]
    return h * h


def row_by_row(x, y):
    out = mt.zeros(3, 3, dtype=mt.float64)
    for i in range(3):
        out[i] = x * y[i]
    return out * out


def by_integers(x, y):
    h = y * y
    h[mt.tensor([2, 0])] = x[:2] * x[1:]
    return h * x


RECORDED = [
    add_in_place,
    multiply_in_place,
    multiply_a_constant,
    powers_and_quotients,
    functions,
    rectified,
    clamped,
    overwritten,
    put,
    put_into_history,
    row_by_row,
    by_integers,
]


@pytest.mark.parametrize("function", RECORDED, ids=lambda function: function.__name__)
def test_recorded_changes_have_right_first_and_second_gradients(function):
    x, y = leaf(0.7, -1.3, 0.4), leaf(1.1, 0.6, 1.9)
    assert gradcheck(function, (x, y))
    assert gradgradcheck(function, (x, y))


@pytest.mark.parametrize(
    "overwrite",
    [
        lambda h: h.zero_(),
        lambda h: h.fill_(3.0),
        lambda h: h.copy_(mt.ones(2)),
        lambda h: h.uniform_(),
        lambda h: h.normal_(),
        lambda h: h.__setitem__(slice(None), 1.0),
    ],
    ids=["zero_", "fill_", "copy_", "uniform_", "normal_", "setitem"],
)
def test_what_is_overwritten_gets_no_gradient(overwrite):
    x = leaf(1.0, 2.0)
    hidden = x * 3
    before = hidden.sum()
    overwrite(hidden)
    (hidden.sum() * 100 + before).backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "flat",
    [
        lambda x, y: x.clone().zero_(),
        lambda x, y: x // y,
        lambda x, y: mt.div(x, y, rounding_mode="trunc"),
        lambda x, y: x**0,
        lambda x, y: x ** (y * 0),
        lambda x, y: (0.0 * y.detach() + x.detach()) ** x,
    ],
    ids=["zero_", "floor", "trunc", "pow 0", "pow of zeros", "pow"],
)
def test_a_derivative_of_0_is_0_for_an_infinite_gradient_too(flat):
    x, y = leaf(0.0, 2.0), leaf(1.0, 4.0)
    out = flat(x, y)
    assert out.requires_grad
    out.backward(mt.tensor([float("inf"), 0.0], dtype=mt.float64))
    assert x.grad.tolist() == [0.0, 0.0]


def test_what_is_overwritten_in_part_keeps_the_gradient_of_the_rest():
    x = leaf(1.0, 2.0, 3.0)
    hidden = x * 3
    hidden[1] = 0.0
    hidden.sum().backward()
    assert x.grad.tolist() == [3.0, 0.0, 3.0]


def test_a_buffer_filled_by_a_net_carries_its_gradient():
    w, out = leaf(2.0), mt.zeros(3, dtype=mt.float64)
    for i in range(3):
        out[i] = F.relu(w * i)
    assert out.requires_grad
    out.sum().backward()
    assert w.grad.tolist() == [3.0]


def test_a_recorded_assignment_may_bring_another_dtype():
    w, out = leaf(2.0), mt.zeros(2)
    out[0] = w
    out.copy_(out * 1.0)
    out.sum().backward()
    assert out.dtype == mt.float32 and w.grad.dtype == mt.float64 and w.grad.tolist() == [1.0]


def test_a_place_named_twice_has_the_derivatives_of_pytorch():
    """Each name gets the gradient of the place, and in the next derivative the place that of all its names."""
    h, value = leaf(1.0, 2.0, 3.0) * 1.0, leaf(5.0, 5.0)
    h[mt.tensor([0, 0])] = value
    (first,) = mt.autograd.grad((h * h).sum(), value, create_graph=True)
    (second,) = mt.autograd.grad(first.sum(), value)
    assert first.tolist() == [10.0, 10.0] and second.tolist() == [4.0, 4.0]


def test_retain_grad_follows_the_tensor_through_a_change():
    x = leaf(1.0, 2.0)
    hidden = x * 3
    hidden.retain_grad()
    hidden *= 5.0
    (hidden * 2).sum().backward()
    assert hidden.grad.tolist() == [2.0, 2.0] and x.grad.tolist() == [30.0, 30.0]


def test_a_change_of_a_view_of_a_leaf_is_refused_while_recording():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"zero_: a view of a leaf of shape \(2,\) that requires a gradient"):
        x[0].zero_()
    with mt.no_grad():
        x[0].zero_()
    assert x.tolist() == [0.0, 2.0]
