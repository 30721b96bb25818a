"""Gradient clipping, by norm and by value."""

import math

import numpy as np
import pytest

import minitorch as mt
from minitorch.optim import clip_grad_norm_, clip_grad_value_
from tests import fakecupy
from tests.optim.rules import leaf, with_grad


@pytest.mark.parametrize(
    "order, norm", [(2, 13.0), (2.0, 13.0), (1, 19.0), (math.inf, 12.0), ("inf", 12.0), (3, (27 + 64 + 1728) ** (1 / 3))]
)
def test_the_norm_of_all_gradients_together_is_bounded(order, norm):
    a, b, c = with_grad([0.0, 0.0], [3.0, -4.0]), with_grad([[0.0]], [[12.0]]), leaf([1.0])
    found = clip_grad_norm_([a, b, c], norm / 2, norm_type=order)
    assert found.item() == pytest.approx(norm, rel=1e-6)
    assert (found.shape, found.dtype) == ((), mt.float32)
    np.testing.assert_allclose(a.grad.array, [1.5, -2.0], rtol=1e-6)
    np.testing.assert_allclose(b.grad.array, [[6.0]], rtol=1e-6)
    assert c.grad is None and a.grad.dtype == mt.float32


def test_small_gradients_are_not_enlarged():
    p = with_grad([0.0, 0.0], [3.0, 4.0])
    clip_grad_norm_(p, 100.0)
    assert p.grad.tolist() == [3.0, 4.0]


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_norm_that_is_not_finite_is_refused_on_demand():
    p = with_grad([0.0, 0.0], [3.0, math.inf])
    with pytest.raises(RuntimeError, match=r"the norm of order 2\.0 of 1 gradients is inf"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist() == [3.0, math.inf]
    clip_grad_norm_(p, 1.0)
    assert p.grad.tolist()[0] == 0.0 and math.isnan(p.grad.tolist()[1])


def test_half_precision_gradients_do_not_overflow_in_their_norm():
    p = with_grad([0.0, 0.0], [300.0, 400.0], np.float16)
    assert clip_grad_norm_(p, 5.0).item() == pytest.approx(500.0)
    assert p.grad.dtype == mt.float16
    np.testing.assert_allclose(p.grad.array, [3.0, 4.0], rtol=1e-2)


def test_without_gradients_the_norm_is_zero_and_a_used_up_generator_is_noticed():
    assert clip_grad_norm_([leaf([1.0])], 1.0).item() == 0.0
    with pytest.warns(UserWarning, match="the generator of parameters is empty or used up"):
        clip_grad_norm_((p for p in ()), 1.0)


def test_elements_are_cut_to_the_given_value():
    p = with_grad([0.0] * 3, [3.0, -4.0, 0.5])
    clip_grad_value_([p, leaf([1.0])], 1)
    assert p.grad.tolist() == [1.0, -1.0, 0.5]


def test_impossible_bounds_are_refused():
    with pytest.raises(ValueError, match="clip_grad_norm_: expected max_norm >= 0 and norm_type > 0, got max_norm=-1"):
        clip_grad_norm_(leaf([1.0]), -1)
    with pytest.raises(ValueError, match="norm_type=0"):
        clip_grad_norm_(leaf([1.0]), 1, 0)
    with pytest.raises(ValueError, match="clip_grad_value_: expected clip_value >= 0, got nan"):
        clip_grad_value_(leaf([1.0]), math.nan)


def test_clipping_a_recorded_gradient_is_noticed_by_the_second_backward():
    x = leaf([3.0])
    (x**3).sum().backward(create_graph=True)
    again = (x.grad**2).sum()
    clip_grad_norm_(x, 1.0)
    with pytest.raises(RuntimeError, match="changed in place by clip_grad_norm_"):
        again.backward()


def test_clipping_runs_on_a_gpu_without_waiting_for_it():
    with fakecupy.install():
        p = mt.tensor([0.0, 0.0], device="cuda", requires_grad=True)
        p.grad = mt.tensor([3.0, 4.0], device="cuda")
        with fakecupy.forbid_sync():
            norm = clip_grad_norm_([p], 1.0)
            clip_grad_value_([p], 0.7)
        assert norm.item() == pytest.approx(5.0)
        np.testing.assert_allclose(p.grad.cpu().array, [0.6, 0.7], rtol=1e-6)
