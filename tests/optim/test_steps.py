"""The gradients of a step: which are refused, forgotten or skipped; closures, rules of users, copies, and how an optimizer prints."""

import copy

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from tests import fakecupy
from tests.optim.rules import every_rule, leaf, parameters, same, train, values, with_grad


@pytest.mark.parametrize(
    "replacement, said",
    [
        (np.zeros(3, np.float32), r"a parameter of shape \(3,\), float32 on cpu has a gradient of shape \(1,\), float32"),
        (np.zeros(1, np.float64), r"a parameter of shape \(1,\), float64 on cpu has a gradient of shape \(1,\), float32"),
    ],
)
def test_a_gradient_that_does_not_fit_is_refused_before_anything_changes(replacement, said):
    good, bad = with_grad([1.0], [1.0]), with_grad([1.0], [1.0])
    optimizer = optim.SGD([{"params": good}, {"params": bad}], lr=0.1)
    bad.data = mt.from_numpy(replacement)
    with pytest.raises(ValueError, match="SGD.step: " + said):
        optimizer.step()
    assert good.item() == 1.0


def test_a_gradient_on_another_device_is_refused():
    p = with_grad([1.0], [1.0])
    with fakecupy.install():
        p.data = p.data.cuda()
        with pytest.raises(ValueError, match=r"float32 on cuda:0 has a gradient of shape \(1,\), float32 on cpu"):
            optim.SGD([p], lr=0.1).step()


@pytest.mark.parametrize("steps", [0, 1])
def test_a_parameter_converted_after_its_state_was_made_is_refused(steps):
    p = with_grad([1.0], [1.0])
    optimizer = optim.Adagrad([p], lr=0.1)
    for _ in range(steps):
        optimizer.step()
    p.grad = None
    p.data = p.data.double()
    p.grad = mt.tensor(np.ones(1))
    with pytest.raises(ValueError, match=r"sum was kept for a parameter of shape \(1,\), float32 on cpu, which now has"):
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())  # the remedy that the message names
    optimizer.step()
    assert optimizer.state[p]["sum"].dtype == p.dtype == mt.float64


def test_replaced_memory_is_found_at_the_next_step():
    p = with_grad([1.0], [1.0], np.float64)
    optimizer = optim.SGD([p], lr=0.25)
    optimizer.step()
    p.data = mt.tensor(np.array([5.0]))
    optimizer.step()
    assert p.item() == 4.75


def test_zero_grad_forgets_or_zeroes():
    p = with_grad([1.0], [1.0])
    optimizer = optim.SGD([p], lr=0.1)
    memory = p.grad.array
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.array is memory and p.grad.item() == 0.0
    optimizer.zero_grad()
    assert p.grad is None


def test_zeroing_cuts_the_gradient_from_its_graph():
    x = leaf([3.0])
    optimizer = optim.SGD([x], lr=0.1)
    (x**2).sum().backward(create_graph=True)
    assert x.grad.grad_fn is not None
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.grad_fn is None


def test_backward_through_a_graph_from_before_the_step_raises():
    w = leaf([2.0])
    x = leaf([3.0])
    loss = (w * x).sum()
    w.grad = mt.tensor([1.0])
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"changed in place by optimizer\.step\(\)"):
        loss.backward()


def test_a_parameter_that_was_skipped_counts_as_unchanged():
    w, x = leaf([2.0]), leaf([3.0])
    loss = (w * x).sum()
    other = with_grad([1.0], [1.0])
    optim.SGD([w, x, other], lr=0.1).step()
    loss.backward()
    assert w.grad.item() == 3.0


def test_the_closure_records_even_under_no_grad_and_its_loss_is_returned():
    p = leaf([3.0])
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with mt.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() == pytest.approx(3 - 0.1 * 6)
    assert optimizer.step() is None


def test_a_users_own_rule_overrides_step():
    class Signed(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.sub_(p.grad.sign() * group["lr"])
                    self.state[p]["seen"] = self.state[p].get("seen", 0) + 1

    p = with_grad([1.0, 1.0], [5.0, -5.0])
    optimizer = Signed([p], lr=0.5)
    optim.lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    assert p.tolist() == [0.5, 1.5]
    assert optimizer.state_dict()["state"] == {0: {"seen": 1}}


def test_a_users_rule_without_a_step_says_so():
    class Idle(optim.Optimizer):
        pass

    optimizer = Idle([with_grad([1.0], [1.0])], {})
    with pytest.raises(NotImplementedError, match="Idle: neither step nor _update is written"):
        optimizer.step()


@every_rule
def test_a_deep_copy_goes_on_by_itself(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, 2)
    others, other = copy.deepcopy((params, optimizer))
    assert all(p is q for p, q in zip(others, other.param_groups[0]["params"]))
    train(other, others, 2)
    assert not same(values(others), values(params))
    train(optimizer, params, 2)
    assert same(values(others), values(params))


def test_repr_shows_the_options_of_each_group():
    text = repr(optim.SGD([{"params": leaf([1.0])}, {"params": leaf([1.0]), "lr": 0.5}], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n") and "    lr: 0.5" in text and "    momentum: 0" in text
