"""L-BFGS, what says how a step is computed, and what the newer rules and schedules refuse."""

import re

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.optim import lr_scheduler
from minitorch.optim.adam import adam
from minitorch.optim.sgd import sgd as textbook_sgd


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def test_lbfgs_finds_the_minimum_of_a_narrow_valley():
    x = leaf(-1.2, 1.0)
    optimizer = optim.LBFGS([x], lr=0.5, max_iter=100, tolerance_change=1e-20)

    def closure():
        optimizer.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2  # Rosenbrock 1960
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure)) for _ in range(10)]
    assert losses[0] > 20
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], atol=1e-6)


def test_lbfgs_goes_on_from_its_state():
    paths = []
    for stop in (False, True):
        x = leaf(3.0, -2.0)
        optimizer = optim.LBFGS([x], lr=0.3, max_iter=3)

        def closure(x=x):
            x.grad = None
            loss = (x**4).sum() + (x[0] * x[1]) ** 2
            loss.backward()
            return loss

        for _ in range(4):
            optimizer.step(closure)
            if stop:
                saved, optimizer = optimizer.state_dict(), optim.LBFGS([x], lr=0.3, max_iter=3)
                optimizer.load_state_dict(saved)
        paths.append(x.detach().numpy().copy())
    np.testing.assert_array_equal(*paths)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_lbfgs_keeps_at_most_the_steps_it_is_told_to(most):
    x = leaf(3.0, -2.0)
    optimizer = optim.LBFGS([x], lr=0.3, max_iter=6, history_size=most)

    def closure():
        optimizer.zero_grad()
        loss = (x**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert len(optimizer.state[x]["ro"]) == most


@pytest.mark.parametrize("rule", ["SGD", "Adam", "AdamW", "Adadelta", "Adamax", "RAdam", "RMSprop"])
def test_how_a_step_is_computed_changes_nothing(rule):
    found = []
    for how in ({}, {"foreach": True, "differentiable": False}):
        x = leaf(1.0, -2.0)
        optimizer = getattr(optim, rule)([x], lr=0.1, **how)
        for _ in range(3):
            x.grad = x.detach() * 2
            optimizer.step()
        found.append(x.tolist())
    assert found[0] == found[1]
    assert found[0] != [1.0, -2.0]


def test_a_learning_rate_may_be_a_tensor():
    x = leaf(1.0)
    optimizer = optim.SGD([x], lr=mt.tensor(0.5))
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_one_cycle_moves_the_momentum_against_the_rate():
    optimizer = optim.Adam([leaf(1.0)])
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    path = []
    for _ in range(10):
        path.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][0]))
        optimizer.step()
        if len(path) < 10:
            schedule.step()
    assert max(path)[1] == min(beta for _, beta in path) == 0.85
    assert path[0] == pytest.approx((0.1 / 25, 0.95))


def sgd(**options):
    return optim.SGD([leaf(1.0)], lr=0.1, **options)


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        (lambda: sgd(fast=True), TypeError, "SGD: got an unexpected keyword argument 'fast'"),
        (lambda: sgd(differentiable=True), ValueError, "only differentiable=False is supported, got True"),
        (lambda: sgd(foreach=True, fused=True), ValueError, "SGD: foreach and fused cannot both be True"),
        (lambda: optim.Adam([leaf(1.0)], lr=mt.tensor(0.1), foreach=True), ValueError, "a learning rate that is a tensor"),
        (lambda: optim.Adadelta([leaf(1.0)], rho=1.1), ValueError, "Adadelta: expected 0 <= rho <= 1, got 1.1"),
        (lambda: optim.LBFGS([leaf(1.0)]).step(), TypeError, "LBFGS.step: expected a closure"),
        (lambda: optim.LBFGS([{"params": [leaf(1.0)]}, {"params": [leaf(2.0)]}]), ValueError, "LBFGS: one group"),
        (lambda: optim.LBFGS([leaf(1.0)], line_search_fn="strong_wolfe"), ValueError, "only line_search_fn None is supported"),
        (lambda: lr_scheduler.ConstantLR(sgd(), 1.5), ValueError, "ConstantLR: expected factor from 0 to 1, got 1.5"),
        (lambda: lr_scheduler.LinearLR(sgd(), 0.0), ValueError, "LinearLR: expected a start_factor above 0"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), 0.1), ValueError, "expected total_steps, or both epochs and steps_per_epoch"),
        (
            lambda: lr_scheduler.OneCycleLR(sgd(), 0.1, 5.5),
            ValueError,
            "expected total_steps to be a whole number of 1 or more",
        ),
        (lambda: lr_scheduler.OneCycleLR(sgd(), 0.1, 5, anneal_strategy="log"), ValueError, "'cos' or 'linear', got 'log'"),
        (lambda: lr_scheduler.OneCycleLR(optim.Adagrad([leaf(1.0)]), 0.1, 5), ValueError, "needs an optimizer with momentum"),
        (lambda: lr_scheduler.OneCycleLR(sgd(), [0.1, 0.2], 5), ValueError, "2 values of max_lr for 1 parameter groups"),
        (lambda: lr_scheduler.CyclicLR(sgd(), 0.1, 0.2, mode="square"), ValueError, "got 'square'"),
        (
            lambda: lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 1.5),
            ValueError,
            "expected T_0 to be a whole number of 1 or more, got 1.5",
        ),
        (lambda: lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 2).step(-1), ValueError, "expected an epoch of 0 or more"),
        (lambda: lr_scheduler.SequentialLR(sgd(), [], []), ValueError, "SequentialLR: 0 milestones for 0 schedules"),
        (lambda: lr_scheduler.ChainedScheduler([]), ValueError, "ChainedScheduler: expected at least one schedule"),
        (
            lambda: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(sgd(), 1), lr_scheduler.StepLR(sgd(), 1)]),
            ValueError,
            "ChainedScheduler: expected schedules of one optimizer",
        ),
        (
            lambda: (lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ReduceLROnPlateau(o)], []))(sgd()),
            ValueError,
            "SequentialLR: expected schedules of one optimizer, and none that takes a metric",
        ),
    ],
)
def test_what_does_not_fit_is_refused(act, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        act()


def test_one_cycle_allows_a_step_after_every_batch_and_no_more():
    optimizer = sgd()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=2)
    for _ in range(2):
        optimizer.step()
        schedule.step()
    with pytest.raises(ValueError, match="OneCycleLR: step 3 of a schedule of 2 steps"):
        schedule.step()


def test_the_fast_rules_are_the_textbook_s():
    rng = np.random.default_rng(0)
    x, y = leaf(*rng.standard_normal(5)), leaf(*rng.standard_normal(5))
    p, q, b, m, v = x.detach().numpy().copy(), y.detach().numpy().copy(), 0.0, 0.0, 0.0
    fast = optim.SGD([x], lr=0.1, momentum=0.9), optim.Adam([y], lr=0.1, betas=(0.8, 0.95), eps=1e-6)
    for t in range(1, 11):
        g = rng.standard_normal(5)
        x.grad, y.grad = mt.tensor(g), mt.tensor(g)
        p, b = textbook_sgd(p, g, b, 0.1, 0.9)
        q, m, v = adam(q, g, m, v, t, 0.1, 0.8, 0.95, 1e-6)
        for optimizer in fast:
            optimizer.step()
        np.testing.assert_allclose(x.detach().numpy(), p, rtol=1e-13)
        np.testing.assert_allclose(y.detach().numpy(), q, rtol=1e-12)
