"""The state of an optimizer: what is saved, loaded and copied."""

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from tests import fakecupy
from tests.optim.rules import every_rule, leaf, parameters, same, train, values, with_grad


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


def test_a_run_whose_rate_a_schedule_took_below_zero_goes_on():
    optimizer = optim.SGD(parameters(), lr=0.1)
    schedule = optim.lr_scheduler.LinearLR(optimizer, 1 / 3, 0.0, total_iters=5)
    for _ in range(5):
        optimizer.step()
        schedule.step()
    assert -1e-15 < optimizer.param_groups[0]["lr"] < 0.0
    resumed = optim.SGD(parameters(), lr=0.5)
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


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
            r"expected exp_avg of parameter 0 as a tensor of shape \(4, 3\), got \(3, 4\)",
        ),
        (
            lambda: state_of(optim.Adam) | {"state": {1: {"step": 1, "exp_avg": 0.5, "exp_avg_sq": mt.ones(3)}}},
            r"expected exp_avg of parameter 1 as a tensor of shape \(3,\), got float",
        ),
        (
            lambda: (
                state_of(optim.Adam) | {"state": {2: {"step": float("nan"), "exp_avg": mt.ones(()), "exp_avg_sq": mt.ones(())}}}
            ),
            "expected the step of parameter 2 as a number of 0 or more, got nan",
        ),
        (
            lambda: state_of(optim.Adam) | {"state": {9: {"step": mt.tensor(1.0)}}},
            "state for parameter 9, which no group lists",
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


@every_rule
def test_a_state_without_one_of_its_entries_is_refused_except_sgds_momentum_which_starts(make):
    params = parameters()
    optimizer = make(params)
    train(optimizer, params, 2)
    saved = optimizer.state_dict()
    for name in saved["state"].get(0, ()):
        less = {key: value for key, value in saved["state"][0].items() if key != name}
        if isinstance(optimizer, optim.SGD):  # PyTorch, too, takes a missing buffer for the first step
            optimizer.load_state_dict({**saved, "state": {0: less}})
        else:
            with pytest.raises(ValueError, match=f"load_state_dict: the state of parameter 0 lacks {name}; it has "):
                optimizer.load_state_dict({**saved, "state": {0: less}})


@pytest.mark.parametrize("given, said", [([], "got list"), ({"weight": mt.ones(2), "state": {}}, r"got \['state', 'weight'\]")])
def test_something_else_than_the_state_of_an_optimizer_is_refused(given, said):
    with pytest.raises(TypeError, match=f"SGD.load_state_dict: expected a dict with 'state' and 'param_groups', {said}"):
        optim.SGD(parameters()).load_state_dict(given)


def test_the_history_of_lbfgs_takes_the_dtype_of_its_parameter():
    double, single = leaf([1.0, 2.0], np.float64), leaf([1.0, 2.0])
    optimizer, other = optim.LBFGS([double], max_iter=3), optim.LBFGS([single])

    def closure():
        optimizer.zero_grad()
        loss = (double**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    other.load_state_dict(optimizer.state_dict())
    kept = other.state[single]
    assert {t.dtype for t in (kept["d"], *kept["old_dirs"], *kept["old_stps"])} == {mt.float32}


def test_sgd_state_does_not_load_into_rmsprop_nor_back():
    with pytest.raises(ValueError, match="lacks alpha, eps"):
        optim.RMSprop(parameters()).load_state_dict(state_of(optim.SGD, momentum=0.9))
    with pytest.raises(ValueError, match="lacks dampening"):
        optim.SGD(parameters()).load_state_dict(state_of(optim.RMSprop, momentum=0.9))
