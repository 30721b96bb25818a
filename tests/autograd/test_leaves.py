"""What a leaf keeps and what an interior tensor drops: `.grad`, `retain_grad`, `detach`, `requires_grad_`."""

import warnings

import numpy as np
import pytest

import minitorch as mt


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def test_interior_gradients_are_dropped_unless_retained():
    x = leaf(1.0, 2.0)
    dropped = x * 2
    kept = dropped * 3
    kept.retain_grad()
    (kept * kept).sum().backward(retain_graph=True)
    assert kept.grad.tolist() == [12.0, 24.0]
    with pytest.warns(UserWarning, match="not a leaf"):
        assert dropped.grad is None
    (kept * kept).sum().backward()
    assert kept.grad.tolist() == [24.0, 48.0]


def test_a_gradient_that_is_kept_has_memory_of_its_own():
    given, hidden = mt.tensor([5.0, 6.0], dtype=mt.float64), leaf(1.0, 2.0) * 2
    hidden.retain_grad()
    for _ in range(2):
        hidden.backward(given, retain_graph=True)
    assert hidden.grad.tolist() == [10.0, 12.0] and given.tolist() == [5.0, 6.0]


def test_retain_grad_is_kept_by_grad_too():
    x = leaf(1.0, 2.0)
    hidden = x * 2
    hidden.retain_grad()
    mt.autograd.grad((hidden * 3).sum(), x)
    assert hidden.grad.tolist() == [3.0, 3.0] and x.grad is None


def test_retain_grad_of_a_leaf_changes_nothing_and_of_a_constant_raises():
    x = leaf(1.0)
    x.retain_grad()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]
    with pytest.raises(RuntimeError, match=r"retain_grad: the tensor of shape \(2,\) does not require a gradient"):
        mt.ones(2).retain_grad()


def test_detach_cuts_the_graph_and_shares_the_memory():
    x = leaf(1.0, 2.0)
    cut = (x * 2).detach()
    (cut * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0] and cut.is_leaf and not cut.requires_grad
    twin = x.detach()
    twin[0] = 9.0
    assert x.tolist() == [9.0, 2.0]


def test_detach_in_place_makes_a_leaf():
    x = leaf(1.0, 2.0)
    hidden = x * 2
    assert hidden.detach_() is hidden and hidden.is_leaf and not hidden.requires_grad


def test_a_leaf_may_stop_requiring_a_gradient_and_an_interior_tensor_may_not():
    x = leaf(1.0)
    hidden = x * 2
    with pytest.raises(RuntimeError, match=r"only a leaf can stop requiring a gradient; use detach\(\)"):
        hidden.requires_grad_(False)
    x.requires_grad_(False)
    assert not (x * 2).requires_grad


def test_a_gradient_assigned_by_hand_must_fit():
    x = leaf(1.0, 2.0)
    x.grad = mt.tensor([1.0, 1.0], dtype=mt.float64)
    x.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match=r"grad: expected shape \(2,\), float64 on cpu; got shape \(3,\), float64 on cpu"):
        x.grad = mt.ones(3, dtype=mt.float64)
    with pytest.raises(ValueError, match=r"got shape \(2,\), float32"):
        x.grad = mt.ones(2)
    with pytest.raises(TypeError, match="expected a Tensor or None, got ndarray"):
        x.grad = np.ones(2)


def test_a_gradient_that_is_deleted_is_none():
    x = mt.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad
    assert x.grad is None


def test_reading_the_gradient_of_a_result_says_why_there_is_none():
    x = mt.ones(2, requires_grad=True)
    hidden, kept = x * 2, x * 3
    kept.retain_grad()
    (hidden + kept).sum().backward()
    with pytest.warns(UserWarning, match=r"not a leaf is not kept during backward\(\); call retain_grad\(\)"):
        assert hidden.grad is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kept.grad is not None and x.grad is not None and mt.ones(2).grad is None


def test_a_gradient_with_a_history_keeps_its_numbers_when_another_is_added():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward(create_graph=True)
    before = x.grad
    (x * 3).sum().backward()
    assert before.tolist() == [2.0, 4.0] and x.grad.tolist() == [5.0, 7.0]


def test_a_leaf_that_was_resized_while_it_was_frozen_gets_a_gradient_of_its_new_shape():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    x.grad = None
    x.requires_grad_(False).resize_(3).fill_(1.0)
    x.requires_grad_(True)
    (x * mt.ones(2, 1, dtype=mt.float64)).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_leaf_whose_array_was_replaced_gets_a_gradient_like_the_new_one():
    x = leaf(1.0, 2.0)
    x.array = np.ones(3, np.float32)
    (x * mt.ones(2, 1)).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0] and x.grad.dtype == mt.float32


def test_a_leaf_frozen_after_the_forward_pass_gets_no_gradient():
    x, w = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    loss = (x * w).sum()
    w.requires_grad_(False)
    loss.backward(retain_graph=True)
    assert w.grad is None and x.grad.tolist() == [1.0, 1.0]
    w.requires_grad_()
    loss.backward()
    assert w.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [2.0, 2.0]


def test_a_tensor_cannot_be_its_own_gradient():
    x = leaf(1.0)
    with pytest.raises(TypeError, match="the tensor itself"):
        x.grad = x
    assert x.grad is None
