"""Optimizers: the rules, dtypes and memory, and which parameters they take."""

import contextlib
import gc
import math
import re
import tracemalloc

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.optim import clip_grad_norm_
from tests import fakecupy
from tests.optim.rules import every_rule, leaf, parameters, same, train, values, with_grad


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
    assert most < kept + mt.get_num_threads() * p.array.nbytes / 10  # each thread computes in memory of its own


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
    for _ in range(5):  # each collects garbage, which takes a second among all tests
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
        (lambda: [np.zeros(3)], TypeError, "parameter 0 is of type ndarray, expected tensors"),
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
