"""Derivatives of derivatives, to any order: `create_graph`."""

import math

import numpy as np
import pytest

import minitorch as mt


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def scalar(value):
    return mt.tensor(value, dtype=mt.float64, requires_grad=True)


def test_sines_derivatives_go_round_in_a_circle():
    x = scalar(0.7)
    y, expected = x.sin(), [np.sin(0.7), np.cos(0.7), -np.sin(0.7), -np.cos(0.7)]
    for order in range(9):
        np.testing.assert_allclose(y.item(), expected[order % 4], rtol=1e-14)
        (y,) = mt.autograd.grad(y, x, create_graph=True)


def test_gradients_are_recorded_only_if_asked_for():
    x = leaf(1.0, 2.0)
    mt.autograd.backward((x * x).sum())
    assert not x.grad.requires_grad
    mt.autograd.backward((x * x).sum(), create_graph=True)
    assert x.grad.requires_grad


def test_second_derivatives_of_powers_of_0_are_numbers():
    a, b = (mt.tensor(values, dtype=mt.float64, requires_grad=True) for values in ([0.0, 0.0, 2.0], [2.0, 3.0, 2.0]))
    (db,) = mt.autograd.grad((a**b).sum(), b, create_graph=True)
    by_a, by_b = mt.autograd.grad(db.sum(), (a, b))
    np.testing.assert_allclose(by_a.numpy(), [0, 0, 2 + 4 * math.log(2)])
    np.testing.assert_allclose(by_b.numpy(), [0, 0, 4 * math.log(2) ** 2])


def test_a_fifth_power_has_five_derivatives():
    x = scalar(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        (y,) = mt.autograd.grad(y, x, create_graph=True)
        assert y.item() == expected


def test_mixed_derivatives_do_not_depend_on_the_order():
    x, y = scalar(2.0), scalar(3.0)
    f = x**2 * y**3
    (fx,), (fy,) = mt.autograd.grad(f, x, create_graph=True), mt.autograd.grad(f, y, create_graph=True)
    (fxy,), (fyx,) = mt.autograd.grad(fx, y, create_graph=True), mt.autograd.grad(fy, x, create_graph=True)
    assert fxy.item() == fyx.item() == 2 * 2 * 3 * 9
    (fxyy,) = mt.autograd.grad(fxy, y)
    assert fxyy.item() == 2 * 2 * 3 * 2 * 3


def test_a_penalty_on_a_gradient_is_differentiated_by_backward():
    x, w = leaf(1.0, 2.0), leaf(3.0, 5.0)
    (g,) = mt.autograd.grad((w * x * x).sum(), x, create_graph=True)  # 2 w x
    (g * g).sum().backward()  # 4 w^2 x^2
    assert w.grad.tolist() == [8 * 3.0 * 1.0, 8 * 5.0 * 4.0] and x.grad.tolist() == [8 * 9.0 * 1.0, 8 * 25.0 * 2.0]


def test_backward_with_create_graph_leaves_gradients_that_have_a_history():
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward()
    assert first.tolist() == [12.0] and x.grad.tolist() == [12.0]


def test_gradients_with_a_history_accumulate_with_it():
    x = leaf(2.0)
    for _ in range(2):
        (x**3).sum().backward(create_graph=True)
    assert mt.autograd.grad(x.grad.sum(), x, retain_graph=True)[0].tolist() == [24.0]
    (x**3).sum().backward()
    assert x.grad.tolist() == [36.0] and mt.autograd.grad(x.grad.sum(), x)[0].tolist() == [24.0]


def test_create_graph_keeps_the_graph():
    x = leaf(2.0)
    loss = x.exp().sum()
    mt.autograd.grad(loss, x, create_graph=True)
    loss.backward()
    assert x.grad.tolist() == loss.reshape(1).tolist()


def test_the_given_gradient_is_part_of_the_graph():
    x, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (g,) = mt.autograd.grad(x * x, x, v, create_graph=True)
    assert mt.autograd.grad(g.sum(), v)[0].tolist() == [2.0, 4.0]


@pytest.mark.parametrize("twin", ["detach", "data", "from_numpy", "as_tensor", "no_grad"])
def test_a_constant_with_the_same_memory_stays_constant_in_second_derivatives(twin):
    memory = np.array([3.0])
    x = mt.from_numpy(memory).requires_grad_()
    with mt.no_grad():
        constants = {
            "detach": x.detach(),
            "data": x.data,
            "from_numpy": mt.from_numpy(memory),
            "as_tensor": mt.as_tensor(memory),
            "no_grad": x.view(1),
        }
    (g,) = mt.autograd.grad((x * constants[twin] * x).sum(), x, create_graph=True)  # 2 c x
    assert mt.autograd.grad(g.sum(), x)[0].tolist() == [6.0]


def test_second_derivatives_pass_through_a_change_of_dtype():
    x = mt.tensor([2.0], requires_grad=True)
    y = leaf(3.0)
    (g,) = mt.autograd.grad((x**y).sum(), x, create_graph=True)  # y x^(y-1)
    (of_x,) = mt.autograd.grad(g.sum(), x)
    assert of_x.dtype == mt.float32 and of_x.tolist() == [12.0]


def test_outputs_that_only_rules_use_collect_what_several_of_these_give():
    draw = np.random.default_rng(0).normal
    x = mt.tensor(draw(size=(3, 3)), requires_grad=True)
    s = mt.svd(x).S  # u and v are used by its rule alone
    firsts = [mt.autograd.grad(y, x, create_graph=True)[0] for y in (s.square().sum() * s.prod(), s[0] * s[2])]
    weighed = [(g * mt.tensor(draw(size=(3, 3)))).sum() for g in firsts]
    (together,) = mt.autograd.grad(weighed[0] + weighed[1], x, retain_graph=True)
    apart = [mt.autograd.grad(y, x, retain_graph=True)[0] for y in weighed]
    np.testing.assert_allclose(together.numpy(), (apart[0] + apart[1]).numpy(), rtol=1e-10)


def test_what_outputs_collect_is_not_written_over_a_gradient_that_another_tensor_gets():
    class Both(mt.autograd.Op):
        """a / 2 and a."""

        def forward(ctx, a):
            half, same = a / 2, a * 1
            ctx.saved = (same,)
            return half, same

        def backward(ctx, g, g_same):
            return g + ctx.saved[0] + g_same  # in the next pass one array is the gradient of all three

    x, v, w = leaf(1.0, 2.0), leaf(1.0, 2.0), leaf(1.0, 2.0)
    half = Both.apply(x)[0]
    firsts = [mt.autograd.grad(half, x, given, create_graph=True)[0] for given in (v, w)]
    (firsts[0] + firsts[1]).backward(mt.tensor([1.0, 3.0], dtype=mt.float64))
    assert v.grad.tolist() == w.grad.tolist() == [1.0, 3.0]
