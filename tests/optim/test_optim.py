"""Optimizers and gradient clipping: the rules, the state kept for each parameter, and what is refused."""

import contextlib
import copy
import gc
import math
import re
import tracemalloc

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.optim import clip_grad_norm_, clip_grad_value_
from tests import fakecupy

MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.01),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "SGD nesterov": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1),
    "RMSprop centered": lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.9, weight_decay=0.01),
}
every_rule = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def leaf(values, dtype=np.float32):
    return mt.tensor(np.array(values, dtype), requires_grad=True)


def with_grad(values, grad, dtype=np.float32):
    p = leaf(values, dtype)
    p.grad = mt.tensor(np.array(grad, dtype))
    return p


def parameters(dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [leaf(rng.standard_normal(shape), dtype) for shape in [(4, 3), (3,), ()]]


def train(optimizer, params, steps):
    """Steps on a loss in which the gradients change from step to step."""
    for _ in range(steps):
        optimizer.zero_grad()
        w, b, s = params
        (((w * s + b) ** 2).sum() + (s - 2.0) ** 2).backward()
        optimizer.step()


def values(params):
    return [p.array.copy() for p in params]


def same(a, b):
    return len(a) == len(b) and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b))


def most_allocated(work):
    """The bytes that were allocated at once while `work` ran."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


# ---- the rules -----------------------------------------------------------------------------------------------------------


def test_adam_makes_the_three_steps_computed_by_hand():
    p = leaf([1.0], np.float64)
    optimizer = optim.Adam([p], lr=0.1)
    expected = [  # gradient, exp_avg, exp_avg_sq, parameter: the formulas of the paper in 40 decimal digits
        (0.5, 0.05, 0.00025, 0.90000000199999996),
        (-1.0, -0.055, 0.00124975, 0.93661035424056560),
        (2.0, 0.1505, 0.00524850025, 0.89464479271810478),
    ]
    for t, (g, m, v, after) in enumerate(expected, 1):
        p.grad = mt.tensor(np.array([g]))
        optimizer.step()
        state = optimizer.state[p]
        assert state["step"].item() == t
        found = [state["exp_avg"].item(), state["exp_avg_sq"].item(), p.item()]
        assert found == pytest.approx([m, v, after], rel=1e-14)


def test_sgd_steps_against_the_gradient_and_the_weight():
    p = with_grad([1.0, -2.0], [0.5, 0.25], np.float64)
    optim.SGD([p], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(p.array, [1 - 0.1 * (0.5 + 0.5), -2 - 0.1 * (0.25 - 1)], rtol=1e-15)


def test_momentum_starts_with_the_first_gradient_whatever_the_dampening():
    p = with_grad([0.0], [1.0], np.float64)
    optimizer = optim.SGD([p], lr=1.0, momentum=0.5, dampening=0.25)
    optimizer.step()
    assert p.item() == -1.0
    optimizer.step()
    assert p.item() == -1.0 - (0.5 * 1.0 + 0.75 * 1.0)


def test_adamw_decays_the_weight_apart_from_the_running_means():
    p = with_grad([2.0], [0.0], np.float64)
    optimizer = optim.AdamW([p], lr=0.1, weight_decay=0.5)
    optimizer.step()
    assert p.item() == 2.0 * (1 - 0.1 * 0.5)
    assert optimizer.state[p]["exp_avg"].item() == 0.0


def test_centred_rmsprop_survives_a_constant_gradient():
    # the variance is 0, and rounding makes it negative for some of these
    grads = np.linspace(0.1, 3, 500, dtype=np.float32)
    p = with_grad(np.zeros(500), grads)
    optimizer = optim.RMSprop([p], lr=1e-6, centered=True)
    for _ in range(3000):
        optimizer.step()
    assert np.isfinite(p.array).all()


@every_rule
def test_maximize_mirrors_minimize(make):
    down, up = parameters(np.float64), parameters(np.float64)
    first, second = make(down), make(up)
    first.param_groups[0]["maximize"], second.param_groups[0]["maximize"] = False, True
    for p, q in zip(down, up):
        p.grad, q.grad = mt.tensor(np.full(p.shape, 0.3)), mt.tensor(np.full(p.shape, -0.3))
    first.step()
    second.step()
    assert same(values(down), values(up))


@every_rule
def test_every_rule_goes_down_or_climbs_if_asked_to(make):
    params = parameters(np.float64)
    optimizer = make(params)

    def loss():
        optimizer.zero_grad()
        total = sum((p**2).sum() for p in params)
        total.backward()
        return total

    before = loss().item()
    for _ in range(20):
        optimizer.step(loss)
    assert (loss().item() > before) is optimizer.defaults["maximize"]


# ---- dtypes, memory, layout ----------------------------------------------------------------------------------------------


@every_rule
def test_float32_stays_float32_in_parameters_and_state(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, 3)
    assert [p.dtype for p in params] == [mt.float32] * 3
    assert {entry.dtype for state in optimizer.state.values() for entry in state.values()} <= {mt.float32}


@every_rule
def test_numpy_scalars_as_options_change_nothing(make):
    plain, numpy = parameters(), parameters()
    first, second = make(plain), make(numpy)
    for name, value in second.param_groups[0].items():
        if type(value) is float:
            second.param_groups[0][name] = np.float64(value)
    train(first, plain, 3)
    train(second, numpy, 3)
    assert same(values(plain), values(numpy))


@every_rule
def test_parameters_change_in_their_own_memory(make):
    params = parameters()
    arrays, before = [p.array for p in params], values(params)
    train(make(params), params, 1)
    assert all(p.array is array for p, array in zip(params, arrays))
    assert not any(np.array_equal(p.array, old) for p, old in zip(params, before))


@every_rule
def test_any_layout_of_memory_gives_the_same_steps(make):
    shape = (3, 4, 5, 6)
    start = np.random.default_rng(0).standard_normal(shape)
    results = []
    for layout in (
        start.copy(),
        np.asfortranarray(start),
        np.ascontiguousarray(start.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        np.stack([start, start], -1)[..., 0],
        np.ascontiguousarray(start[:, ::-1])[:, ::-1],
    ):
        assert np.array_equal(layout, start)
        p = mt.from_numpy(layout).requires_grad_()
        optimizer = make([p])
        for _ in range(3):
            optimizer.zero_grad()
            (p**2).sum().backward()
            optimizer.step()
        results.append([p.array.copy()])
    assert all(same(result, results[0]) for result in results)


def in_order(start, axes):
    """`start` with its dimensions in memory as `axes` lists them, slowest first."""
    return np.ascontiguousarray(start.transpose(axes)).transpose(np.argsort(axes))


LARGE = {  # shape, and the order of the dimensions in memory: none a multiple of a strip
    "rows": ((517, 600), (0, 1)),
    "columns": ((517, 600), (1, 0)),
    "one row": ((1, 200_001), (0, 1)),
    "images": ((9, 31, 40, 23), (0, 2, 3, 1)),
    "long rows": ((3, 100_001), (0, 1)),
}


@every_rule
@pytest.mark.parametrize("shape, axes", LARGE.values(), ids=LARGE.keys())
def test_a_large_parameter_is_updated_as_its_elements_would_be(make, shape, axes):
    rng = np.random.default_rng(0)
    p = mt.from_numpy(in_order(rng.standard_normal(shape).astype(np.float32), axes)).requires_grad_()
    some = rng.choice(p.numel(), 1000, replace=False)
    few = leaf(p.array.reshape(-1)[some])
    large, small = make([p]), make([few])
    for _ in range(3):
        grad = rng.standard_normal(shape).astype(np.float32)
        p.grad, few.grad = mt.tensor(grad), mt.tensor(grad.reshape(-1)[some])
        large.step()
        small.step()
    assert np.array_equal(p.array.reshape(-1)[some], few.array)
    for name, value in small.state[few].items():
        assert np.array_equal(
            large.state[p][name].array.reshape(-1)[some if value.ndim else slice(None)], value.array.reshape(-1)
        )


@every_rule
def test_a_large_parameter_is_updated_in_little_memory(make):
    p = with_grad(np.ones(4_000_000), np.ones(4_000_000))
    optimizer = make([p])
    most = most_allocated(optimizer.step)
    kept = sum(value.array.nbytes for value in optimizer.state[p].values())
    assert most < kept + p.array.nbytes / 10


@every_rule
def test_an_empty_parameter_is_no_trouble(make):
    p = with_grad(np.zeros((0, 3)), np.zeros((0, 3)))
    make([p]).step()
    assert p.shape == (0, 3)


@every_rule
def test_steps_after_the_first_allocate_almost_nothing(make):
    p = with_grad(np.ones(250_000), np.ones(250_000))
    optimizer = make([p])
    optimizer.step()
    optimizer.step()
    assert most_allocated(optimizer.step) < p.array.nbytes / 10


@every_rule
def test_the_rules_run_on_a_gpu_without_waiting_for_it(make):
    host, device = parameters(), None
    reference = make(host)
    with fakecupy.install():
        device = [p.detach().cuda().requires_grad_() for p in parameters()]
        optimizer = make(device)
        for params, opt, guard in ((host, reference, contextlib.nullcontext), (device, optimizer, fakecupy.forbid_sync)):
            for _ in range(3):
                opt.zero_grad()
                for p in params:
                    (p**2).sum().backward()
                with guard():
                    opt.step()
        assert all(p.is_cuda for p in device)
        assert same([p.cpu().array for p in device], values(host))


# ---- which parameters ----------------------------------------------------------------------------------------------------


@every_rule
def test_a_parameter_without_a_gradient_is_left_alone_with_its_state(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, 2)
    state = {name: entry.array.copy() for name, entry in optimizer.state[params[1]].items()}
    before = values(params)
    params[1].grad = None
    optimizer.step()
    assert np.array_equal(params[1].array, before[1])
    assert all(np.array_equal(optimizer.state[params[1]][name].array, kept) for name, kept in state.items())
    assert not np.array_equal(params[0].array, before[0])


def test_adam_counts_the_steps_of_each_parameter():
    a, b = with_grad([1.0], [1.0]), leaf([1.0])
    optimizer = optim.Adam([a, b], lr=0.1)
    optimizer.step()
    b.grad = mt.tensor([1.0])
    optimizer.step()
    assert optimizer.state[a]["step"].item() == 2
    assert optimizer.state[b]["step"].item() == 1
    assert b.item() == pytest.approx(0.9)  # its own first step, bias correction included


def test_groups_have_options_of_their_own():
    a, b, c = (with_grad([0.0], [1.0], np.float64) for _ in range(3))
    optimizer = optim.SGD([{"params": a, "lr": 0.5}, {"params": [b]}], lr=0.25)
    optimizer.add_param_group({"params": (p for p in [c]), "lr": 2, "name": "head"})
    optimizer.step()
    assert [a.item(), b.item(), c.item()] == [-0.5, -0.25, -2.0]
    assert [group["momentum"] for group in optimizer.param_groups] == [0, 0, 0]
    assert optimizer.param_groups[2]["name"] == "head"


def test_the_users_group_dicts_are_not_changed():
    group = {"params": [leaf([1.0])], "lr": 0.5}
    first, second = optim.SGD([group]), optim.SGD([group])
    first.param_groups[0]["lr"] = 7
    assert sorted(group) == ["lr", "params"]
    assert second.param_groups[0]["lr"] == 0.5


def test_a_generator_of_parameters_is_taken():
    params = parameters()
    optimizer = optim.SGD((p for p in params), lr=0.1)
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in params]


def test_two_optimizers_keep_their_states_apart():
    p = with_grad([1.0], [1.0], np.float64)
    fast, slow = optim.SGD([p], lr=1.0, momentum=0.5), optim.SGD([p], lr=0.1, momentum=0.5)
    fast.step()
    slow.step()
    fast.step()
    assert p.item() == pytest.approx(1 - 1.0 - 0.1 - 1.5)


def test_state_is_not_inherited_from_a_parameter_that_lived_at_the_same_address():
    for _ in range(50):
        p = with_grad([1.0], [1.0])
        optimizer = optim.Adam([p], lr=0.1)
        optimizer.step()
        assert optimizer.state[p]["step"].item() == 1
        number = id(p)
        optimizer.param_groups.clear()
        del p
        gc.collect()
        others = [with_grad([1.0], [1.0]) for _ in range(20)]
        assert all(id(other) != number for other in others)  # the state keeps its parameter alive
        optimizer.add_param_group({"params": others})
        optimizer.step()
        assert all(optimizer.state[other]["step"].item() == 1 for other in others)


@pytest.mark.parametrize(
    "params, kind, said",
    [
        (list, ValueError, "no parameters; was the net's parameters() generator used up before?"),
        (lambda: iter(()), ValueError, "no parameters"),
        (lambda: leaf([1.0, 2.0]), TypeError, "expected an iterable of tensors or dicts, got one tensor of shape (2,)"),
        (lambda: {leaf([1.0])}, TypeError, "a set has another order in each run"),
        (lambda: [{"params": {leaf([1.0])}}], TypeError, "a set has another order in each run"),
        (lambda: [np.zeros(3)], TypeError, "parameter 0 is a ndarray, expected tensors"),
        (lambda: [leaf([1.0]) * 2], ValueError, "parameter 0, of shape (1,), was computed from other tensors"),
        (lambda: [leaf([1.0])] * 2, ValueError, "parameter 1, of shape (1,), was given before; list it once"),
        (
            lambda: [{"params": (p := leaf([1.0]))}, {"params": [p]}],
            ValueError,
            "parameter 0, of shape (1,), was given before; list it once",
        ),
        (lambda: [{"lr": 0.1}], ValueError, "a parameter group needs 'params', got only ['lr']"),
        (lambda: [{"params": [leaf([1.0])]}, leaf([1.0])], TypeError, "a parameter group must be a dict, got Tensor"),
    ],
)
def test_what_cannot_be_optimized_is_refused(params, kind, said):
    with pytest.raises(kind, match="SGD: " + re.escape(said)):
        optim.SGD(params(), lr=0.1)


@pytest.mark.parametrize(
    "rule, options, said",
    [
        (optim.SGD, {"lr": -0.1}, "SGD: expected 0 <= lr < inf, got -0.1"),
        (optim.SGD, {"lr": math.nan}, "SGD: expected 0 <= lr < inf, got nan"),
        (optim.SGD, {"lr": math.inf}, "SGD: expected 0 <= lr < inf, got inf"),
        (optim.SGD, {"momentum": -1}, "SGD: expected 0 <= momentum"),
        (optim.SGD, {"weight_decay": -1}, "SGD: expected 0 <= weight_decay"),
        (optim.SGD, {"nesterov": True}, "SGD: nesterov needs momentum and no dampening, got momentum=0, dampening=0"),
        (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "SGD: nesterov needs momentum and no dampening"),
        (optim.Adam, {"lr": -1}, "Adam: expected 0 <= lr"),
        (optim.Adam, {"eps": -1e-8}, "Adam: expected 0 <= eps"),
        (optim.Adam, {"betas": (1.0, 0.999)}, r"Adam: expected 0 <= betas\[0\] < 1, got 1.0"),
        (optim.AdamW, {"betas": (0.9, -0.1)}, r"AdamW: expected 0 <= betas\[1\] < 1, got -0.1"),
        (optim.AdamW, {"weight_decay": -1}, "AdamW: expected 0 <= weight_decay"),
        (optim.Adagrad, {"lr_decay": -1}, "Adagrad: expected 0 <= lr_decay"),
        (optim.Adagrad, {"initial_accumulator_value": -1}, "Adagrad: expected 0 <= initial_accumulator_value"),
        (optim.Adagrad, {"eps": -1}, "Adagrad: expected 0 <= eps"),
        (optim.RMSprop, {"alpha": -0.1}, "RMSprop: expected 0 <= alpha"),
        (optim.RMSprop, {"alpha": 1.1}, "RMSprop: expected 0 <= alpha <= 1, got 1.1"),
        (optim.RMSprop, {"momentum": -0.1}, "RMSprop: expected 0 <= momentum"),
    ],
)
def test_options_out_of_range_are_refused_for_all_and_for_one_group(rule, options, said):
    with pytest.raises(ValueError, match=said):
        rule([leaf([1.0])], **options)
    with pytest.raises(ValueError, match=said):
        rule([{"params": [leaf([1.0])], **options}])


def test_options_that_are_no_numbers_are_refused():
    with pytest.raises(TypeError, match="SGD: expected a number for lr, got str"):
        optim.SGD([leaf([1.0])], lr="0.1")
    with pytest.raises(TypeError, match=re.escape("Adam: expected two numbers for betas, got 0.9")):
        optim.Adam([leaf([1.0])], betas=0.9)


# ---- gradients -----------------------------------------------------------------------------------------------------------


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


# ---- state dicts ---------------------------------------------------------------------------------------------------------


def test_the_state_dict_numbers_parameters_across_groups():
    params = parameters()
    optimizer = optim.Adam([{"params": params[:2]}, {"params": params[2], "lr": 0.5}], lr=0.1)
    train(optimizer, params, 2)
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [0, 1, 2]
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in saved["param_groups"]] == [0.1, 0.5]
    step = saved["state"][0]["step"]
    assert (step.shape, step.dtype, step.item()) == ((), mt.float32, 2)


@every_rule
def test_a_run_that_was_saved_goes_on_bit_for_bit(make, tmp_path):
    straight, stopped = parameters(), parameters()
    first = make(straight)
    train(first, straight, 7)
    second = make(stopped)
    train(second, stopped, 4)
    mt.save({"net": stopped, "optimizer": second.state_dict()}, tmp_path / "run.safetensors")
    saved = mt.load(tmp_path / "run.safetensors")
    resumed = [p.requires_grad_() for p in saved["net"]]
    third = make(resumed)
    third.load_state_dict(saved["optimizer"])
    train(third, resumed, 3)
    assert same(values(resumed), values(straight))
    left, right = third.state_dict(), first.state_dict()
    assert left["param_groups"] == right["param_groups"]
    for number, state in right["state"].items():
        assert list(left["state"][number]) == list(state)
        assert same([t.array for t in left["state"][number].values()], [t.array for t in state.values()])


def test_loaded_state_is_a_copy():
    params, others = parameters(), parameters()
    first, second = optim.SGD(params, lr=0.1, momentum=0.9), optim.SGD(others, lr=0.1, momentum=0.9)
    train(first, params, 2)
    saved = first.state_dict()
    second.load_state_dict(saved)
    before = [state["momentum_buffer"].array.copy() for state in first.state.values()]
    train(second, others, 1)
    assert same([state["momentum_buffer"].array for state in first.state.values()], before)
    second.param_groups[0]["lr"] = 5
    assert saved["param_groups"][0]["lr"] == first.param_groups[0]["lr"] == 0.1


def test_loaded_buffers_take_the_dtype_and_device_of_their_parameter():
    params = parameters(np.float64)
    optimizer = optim.Adam(params)
    train(optimizer, params, 1)
    with fakecupy.install():
        moved = [p.detach().float().cuda().requires_grad_() for p in params]
        other = optim.Adam(moved)
        other.load_state_dict(optimizer.state_dict())
        state = other.state[moved[0]]
        assert (state["exp_avg"].dtype, str(state["exp_avg"].device)) == (mt.float32, "cuda:0")
        assert str(state["step"].device) == "cpu"


def test_options_a_file_does_not_know_are_off():
    optimizer = optim.Adam(parameters(), maximize=True)
    saved = optimizer.state_dict()
    del saved["param_groups"][0]["maximize"], saved["param_groups"][0]["decoupled_weight_decay"]
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["maximize"] is False
    decoupled = optim.AdamW(parameters())
    decoupled.load_state_dict(saved)
    assert decoupled.param_groups[0]["decoupled_weight_decay"] is True


def state_of(rule, shapes=((4, 3), (3,), ()), **options):
    params = [with_grad(np.ones(shape), np.ones(shape)) for shape in shapes]
    optimizer = rule(params, lr=0.1, **options)
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize(
    "saved, said",
    [
        (lambda: state_of(optim.Adam, [(3,)]), r"Adam.load_state_dict: expected groups of \[3\] parameters, got \[1\]"),
        (lambda: state_of(optim.SGD), "a group lacks betas, eps; is it the state of another optimizer"),
        (lambda: state_of(optim.RMSprop), "a group lacks betas; is it"),
        (lambda: state_of(optim.Adagrad), "a group lacks betas; is it"),
        (
            lambda: state_of(optim.Adam, [(3, 4), (3,), ()]),
            r"exp_avg of parameter 0 has shape \(3, 4\), the parameter \(4, 3\)",
        ),
        (
            lambda: state_of(optim.Adam) | {"state": {9: {"step": mt.tensor(1.0)}}},
            "state for parameter 9, which no group lists",
        ),
        (
            lambda: {"state": {}, "param_groups": [{**state_of(optim.Adam)["param_groups"][0], "lr": -1}]},
            "Adam: expected 0 <= lr",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(saved, said):
    params = parameters()
    optimizer = optim.Adam(params, lr=0.25)
    train(optimizer, params, 2)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=said):
        optimizer.load_state_dict(saved())
    after = optimizer.state_dict()
    assert before["param_groups"] == after["param_groups"]
    assert all(before["state"][i][name] is after["state"][i][name] for i in range(3) for name in before["state"][i])


def test_sgd_state_does_not_load_into_rmsprop_nor_back():
    with pytest.raises(ValueError, match="lacks alpha, eps"):
        optim.RMSprop(parameters()).load_state_dict(state_of(optim.SGD, momentum=0.9))
    with pytest.raises(ValueError, match="lacks dampening"):
        optim.SGD(parameters()).load_state_dict(state_of(optim.RMSprop, momentum=0.9))


# ---- clipping ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order, norm", [(2, 13.0), (2.0, 13.0), (1, 19.0), (math.inf, 12.0), ("inf", 12.0), (3, (27 + 64 + 1728) ** (1 / 3))]
)
def test_the_norm_of_all_gradients_together_is_bounded(order, norm):
    a, b, c = with_grad([0.0, 0.0], [3.0, -4.0]), with_grad([[0.0]], [[12.0]]), leaf([1.0])
    found = clip_grad_norm_([a, b, c], norm / 2, norm_type=float(order))
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


# ---- float16 -------------------------------------------------------------------------------------------------------------

RULES = [optim.SGD, optim.Adam, optim.AdamW, optim.Adagrad, optim.RMSprop]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("size", [1e-2, 1e-4, 2e-6])
def test_a_float16_parameter_takes_the_steps_of_a_float32_one_rounded(rule, size):
    half = mt.zeros(3, 2, dtype=mt.float16, requires_grad=True)
    single = mt.zeros(3, 2, requires_grad=True)
    for p in (half, single):
        optimizer = rule([p], lr=0.01)
        for _ in range(3):
            p.grad = mt.full((3, 2), size, dtype=mt.float16).type(p.dtype)
            optimizer.step()
    assert half.dtype == mt.float16
    np.testing.assert_allclose(half.detach().numpy(), single.detach().numpy(), rtol=2e-3, atol=1e-7)


def test_the_state_of_a_float16_parameter_is_float32_and_comes_back_so():
    p = mt.zeros(3, dtype=mt.float16, requires_grad=True)
    p.grad = mt.full((3,), 1e-4, dtype=mt.float16)
    optimizer = optim.Adam([p])
    optimizer.step()
    assert optimizer.state[p]["exp_avg_sq"].dtype == mt.float32
    again = optim.Adam([p])
    again.load_state_dict(optimizer.state_dict())
    again.step()
    assert again.state[p]["exp_avg_sq"].dtype == mt.float32


def test_clipping_float16_gradients_rounds_once():
    p = mt.zeros(70_000, dtype=mt.float16, requires_grad=True)
    p.grad = mt.full((70_000,), 300.0, dtype=mt.float16)
    norm = clip_grad_norm_(p, 1.0)
    assert norm.dtype == mt.float32
    assert abs(norm.item() / (300 * 70_000**0.5) - 1) < 1e-5
    np.testing.assert_allclose(p.grad.numpy(), 70_000**-0.5, rtol=1e-3)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adagrad, optim.Adam, optim.AdamW, optim.RMSprop], ids=lambda c: c.__name__)
def test_a_learning_rate_may_be_a_tensor_of_one_element(make):
    p, q = (mt.tensor([1.0, 2.0], requires_grad=True) for _ in "pq")
    for parameter, lr in ((p, 0.1), (q, mt.tensor(0.1, dtype=mt.float64))):
        parameter.sum().backward()
        make([parameter], lr=lr).step()
    assert p.tolist() == q.tolist()
    with pytest.raises(ValueError, match=r"item: expected one element"):
        make([p], lr=mt.tensor([0.1, 0.2]))
