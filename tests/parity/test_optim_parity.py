"""Optimizers, schedules and clipping against PyTorch's, option by option."""

import math

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.optim import lr_scheduler
from minitorch.utils import data

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

RULES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3}),
    ("Adam", {"lr": 0.02, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "betas": (0.9, 0.5)}),
    ("Adam", {"lr": 0.02, "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3, "betas": (0.8, 0.95), "amsgrad": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.5, "eps": 1e-6}),
    ("Adagrad", {"lr": 0.02, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.01, "maximize": True}),
    ("Adamax", {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.005, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.01}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.005, "centered": True, "alpha": 0.95}),
    ("RMSprop", {"lr": 0.002, "centered": True, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
]
every_rule = pytest.mark.parametrize("name, options", RULES, ids=[f"{name} {options}" for name, options in RULES])
SHAPES = [(6, 5), (6,), (6, 4), (4,)]


def twins(dtype, seed=0):
    """The same leaves in minitorch and in PyTorch."""
    rng = np.random.default_rng(seed)
    start = [rng.standard_normal(shape).astype(dtype) / 2 for shape in SHAPES]
    return (
        [mt.tensor(array, requires_grad=True) for array in start],
        [torch.from_numpy(array.copy()).requires_grad_() for array in start],
    )


def batches(dtype, steps, seed=1):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((8, 5)).astype(dtype), rng.standard_normal((8, 4)).astype(dtype)) for _ in range(steps)]


def train(optimizer, params, wrap, feed):
    """Steps of a small net with one hidden layer; the biases have no gradient in every third step."""
    for step, (x, y) in enumerate(feed):
        optimizer.zero_grad()
        w1, b1, w2, b2 = params
        hidden = (wrap(x) @ w1.T + b1).tanh()
        ((hidden @ w2 + b2 - wrap(y)) ** 2).mean().backward()
        if step % 3 == 2:
            b1.grad = b2.grad = None
        optimizer.step()


def distance(ours, theirs):
    return max(float(np.abs(p.array - q.detach().numpy()).max()) for p, q in zip(ours, theirs))


def to_torch(value):
    """A state dict with PyTorch's tensors for ours."""
    if isinstance(value, dict):
        return {key: to_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [to_torch(entry) for entry in value]
    return torch.from_numpy(value.array.copy()) if isinstance(value, mt.Tensor) else value


def from_torch(value):
    if isinstance(value, dict):
        return {key: from_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [from_torch(entry) for entry in value]
    return mt.from_numpy(value.detach().numpy().copy()) if isinstance(value, torch.Tensor) else value


# ---- optimizers ----------------------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_a_hundred_steps_end_at_the_same_parameters(name, options, dtype, tolerance):
    ours, theirs = twins(dtype)
    feed = batches(dtype, 100)
    train(getattr(optim, name)(ours, **options), ours, mt.from_numpy, feed)
    train(getattr(torch.optim, name)(theirs, **options), theirs, torch.from_numpy, feed)
    assert all(p.dtype == dtype for p in ours)
    assert distance(ours, theirs) <= tolerance * max(1, max(float(q.detach().abs().max()) for q in theirs))


@every_rule
def test_signatures_and_defaults_are_pytorchs(name, options):
    ours, theirs = twins(np.float32)
    mine, reference = getattr(optim, name)(ours), getattr(torch.optim, name)(theirs)
    assert set(mine.defaults) <= set(reference.defaults)
    assert {key: reference.defaults[key] for key in mine.defaults} == mine.defaults
    switches = {"foreach", "fused", "capturable", "differentiable"}
    assert set(reference.defaults) - set(mine.defaults) <= switches


@every_rule
def test_state_dicts_have_pytorchs_keys_and_values(name, options):
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 20)
    mine, reference = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for steps in (0, 20):
        train(mine, ours, mt.from_numpy, feed[:steps])
        train(reference, theirs, torch.from_numpy, feed[:steps])
        found, wanted = mine.state_dict(), reference.state_dict()
        assert list(found["state"]) == list(wanted["state"])
        for number, state in wanted["state"].items():
            assert list(found["state"][number]) == list(state)
            for entry, value in state.items():
                assert found["state"][number][entry].dtype == value.numpy().dtype
                np.testing.assert_allclose(found["state"][number][entry].array, value.numpy(), rtol=1e-10, atol=1e-14)
        for group, expected in zip(found["param_groups"], wanted["param_groups"], strict=True):
            assert {key: expected[key] for key in group} == group


@every_rule
@pytest.mark.parametrize("there", [True, False], ids=["to PyTorch", "from PyTorch"])
def test_a_run_moves_between_the_two_and_goes_on(name, options, there):
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 40)
    mine, reference = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    train(mine, ours, mt.from_numpy, feed[:20])
    train(reference, theirs, torch.from_numpy, feed[:20])
    # options the new optimizer has not been told: they come with the state
    if there:
        moved = [torch.from_numpy(p.array.copy()).requires_grad_() for p in ours]
        other = getattr(torch.optim, name)(moved)
        other.load_state_dict(to_torch(mine.state_dict()))
        train(other, moved, torch.from_numpy, feed[20:])
        train(mine, ours, mt.from_numpy, feed[20:])
        assert distance(ours, moved) <= 1e-10
    else:
        moved = [mt.from_numpy(q.detach().numpy().copy()).requires_grad_() for q in theirs]
        other = getattr(optim, name)(moved)
        other.load_state_dict(from_torch(reference.state_dict()))
        train(other, moved, mt.from_numpy, feed[20:])
        train(reference, theirs, torch.from_numpy, feed[20:])
        assert distance(moved, theirs) <= 1e-10


def test_groups_with_options_of_their_own_agree():
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 50)

    def grouped(library, params):
        optimizer = library.Adam([{"params": params[:1], "lr": 0.03}, {"params": params[1:3], "weight_decay": 0.1}], lr=0.01)
        optimizer.add_param_group({"params": params[3], "betas": (0.5, 0.6)})
        return optimizer

    mine, reference = grouped(optim, ours), grouped(torch.optim, theirs)
    train(mine, ours, mt.from_numpy, feed)
    train(reference, theirs, torch.from_numpy, feed)
    assert distance(ours, theirs) <= 1e-10
    found, wanted = mine.state_dict()["param_groups"], reference.state_dict()["param_groups"]
    assert [group["params"] for group in found] == [group["params"] for group in wanted] == [[0], [1, 2], [3]]


def test_zeroed_gradients_go_on_with_momentum_as_pytorchs_do():
    ours, theirs = twins(np.float64)
    mine, reference = optim.SGD(ours, lr=0.1, momentum=0.9), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
    feed = batches(np.float64, 2)
    for optimizer, params, wrap in ((mine, ours, mt.from_numpy), (reference, theirs, torch.from_numpy)):
        train(optimizer, params, wrap, feed)
        for _ in range(3):
            optimizer.zero_grad(set_to_none=False)
            optimizer.step()
    assert distance(ours, theirs) <= 1e-12


# ---- clipping ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 2.5, 3, math.inf])
@pytest.mark.parametrize("most", [0.0, 0.5, 1e6])
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_clipping_by_norm_agrees(order, most, dtype, tolerance):
    ours, theirs = twins(dtype)
    rng = np.random.default_rng(2)
    for p, q in zip(ours[:-1], theirs):
        g = rng.standard_normal(p.shape).astype(dtype)
        p.grad, q.grad = mt.tensor(g), torch.from_numpy(g.copy())
    found = optim.clip_grad_norm_(ours, most, order)
    wanted = torch.nn.utils.clip_grad_norm_(theirs, most, order)
    assert found.item() == pytest.approx(wanted.item(), rel=tolerance)
    for p, q in zip(ours[:-1], theirs):
        np.testing.assert_allclose(p.grad.array, q.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_clipping_by_value_agrees():
    ours, theirs = twins(np.float32)
    for p, q in zip(ours, theirs):
        p.grad, q.grad = mt.tensor(p.array * 3), (q.detach() * 3).clone()
    optim.clip_grad_value_(ours, 0.4)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    assert all(np.array_equal(p.grad.array, q.grad.numpy()) for p, q in zip(ours, theirs))


# ---- schedules -----------------------------------------------------------------------------------------------------------

SCHEDULES = {
    "StepLR": lambda m, o: m.StepLR(o, 7, 0.7),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [3, 10, 10, 60], 0.3),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.97),
    "CosineAnnealingLR whole": lambda m, o: m.CosineAnnealingLR(o, 100),
    "CosineAnnealingLR up and down": lambda m, o: m.CosineAnnealingLR(o, 13, eta_min=0.003),
    "CosineAnnealingLR of 1": lambda m, o: m.CosineAnnealingLR(o, 1, eta_min=0.003),
    "LambdaLR": lambda m, o: m.LambdaLR(o, [lambda e: 0.95**e, lambda e: 1 / (e + 1)]),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda e: 0.97),
    "ConstantLR": lambda m, o: m.ConstantLR(o, 0.2, 12),
    "LinearLR": lambda m, o: m.LinearLR(o, 0.1, 0.9, 40),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 7, 2, 0.001),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, [0.3, 0.1], 120, cycle_momentum=False),
    "OneCycleLR three": lambda m, o: m.OneCycleLR(
        o, 0.3, epochs=12, steps_per_epoch=10, anneal_strategy="linear", three_phase=True, cycle_momentum=True
    ),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 8, 5, "triangular2", cycle_momentum=False),
    "CyclicLR exp": lambda m, o: m.CyclicLR(o, [0.01, 0.02], 0.1, 8, mode="exp_range", gamma=0.98),
    "chained": lambda m, o: (m.StepLR(o, 10, 0.5), m.ExponentialLR(o, 0.99), m.CosineAnnealingLR(o, 30)),
}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES.keys())


def both(rates=(0.1, 0.02)):
    """An optimizer of ours and one of PyTorch's, with a group for each rate."""
    ours, theirs = twins(np.float64)
    return (
        optim.SGD([{"params": p, "lr": lr} for p, lr in zip(ours, rates)]),
        torch.optim.SGD([{"params": q, "lr": lr} for q, lr in zip(theirs, rates)]),
    )


def several(made):
    return made if isinstance(made, tuple) else (made,)


def epochs(optimizer, schedulers, count):
    found = []
    for _ in range(count):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return found


@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"])
def test_combined_schedules_have_the_same_rates(kind):
    found = []
    for optimizer, m in zip(both(), (lr_scheduler, torch.optim.lr_scheduler)):
        parts = [m.LinearLR(optimizer, 0.1, total_iters=6), m.StepLR(optimizer, 4, 0.5), m.ExponentialLR(optimizer, 0.9)]
        made = m.SequentialLR(optimizer, parts, [6, 20]) if kind == "SequentialLR" else m.ChainedScheduler(parts)
        found.append(epochs(optimizer, [made], 40))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-15)


@every_schedule
def test_a_hundred_epochs_have_the_same_rates(make):
    mine, reference = both()
    found = epochs(mine, several(make(lr_scheduler, mine)), 100)
    wanted = epochs(reference, several(make(torch.optim.lr_scheduler, reference)), 100)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


@every_schedule
@pytest.mark.parametrize("there", [True, False], ids=["to PyTorch", "from PyTorch"])
@pytest.mark.parametrize("stop", [1, 13, 14, 50])
def test_schedules_move_between_the_two_and_go_on(make, there, stop):
    mine, reference = both()
    left, right = several(make(lr_scheduler, mine)), several(make(torch.optim.lr_scheduler, reference))
    epochs(mine, left, stop)
    epochs(reference, right, stop)
    other_mine, other_reference = both((0.5, 0.5))
    if there:
        new = several(make(torch.optim.lr_scheduler, other_reference))
        other_reference.load_state_dict(to_torch(mine.state_dict()))
        for scheduler, source in zip(new, left):
            scheduler.load_state_dict(source.state_dict())
        found, wanted = epochs(mine, left, 100 - stop), epochs(other_reference, new, 100 - stop)
    else:
        new = several(make(lr_scheduler, other_mine))
        other_mine.load_state_dict(from_torch(reference.state_dict()))
        for scheduler, source in zip(new, right):
            scheduler.load_state_dict(source.state_dict())
        found, wanted = epochs(other_mine, new, 100 - stop), epochs(reference, right, 100 - stop)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


# PyTorch's warm restarts repeat an epoch when they start later, and one cycle needs groups that it has begun
LATER = [make for name, make in SCHEDULES.items() if not name.startswith(("CosineAnnealingWarmRestarts", "OneCycleLR"))]


@pytest.mark.parametrize("make", LATER)
@pytest.mark.parametrize("last_epoch", [0, 6, 12, 40])
def test_a_later_start_agrees(make, last_epoch):
    pair = both()
    for optimizer in pair:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]

    class Later:
        """The schedulers of a library, each told to start at `last_epoch`."""

        def __init__(self, library):
            self.library = library

        def __getattr__(self, name):
            return lambda *args, **options: getattr(self.library, name)(*args, **options, last_epoch=last_epoch)

    found, wanted = (
        epochs(optimizer, several(make(Later(library), optimizer)), 60)
        for optimizer, library in zip(pair, (lr_scheduler, torch.optim.lr_scheduler))
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


@every_schedule
def test_schedulers_state_has_pytorchs_names(make):
    mine, reference = both()
    for left, right in zip(several(make(lr_scheduler, mine)), several(make(torch.optim.lr_scheduler, reference))):
        assert set(right.state_dict()) - set(left.state_dict()) == {"_get_lr_called_within_step"}
        assert set(left.state_dict()) <= set(right.state_dict())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"mode": "max", "patience": 1},
        {"patience": 1, "threshold": 0.2},
        {"patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
        {"mode": "max", "patience": 3, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 4},
        {"patience": 0, "factor": 0.3, "cooldown": 2, "min_lr": 1e-4},
        {"patience": 0, "factor": 0.3, "min_lr": [1e-3, 1e-4], "eps": 1e-3},
    ],
    ids=str,
)
def test_plateaus_agree_and_their_state_moves(options):
    figures = np.abs(np.random.default_rng(3).standard_normal(100)).tolist()
    figures[10] = math.nan
    mine, reference = both()
    left, right = (
        lr_scheduler.ReduceLROnPlateau(mine, **options),
        torch.optim.lr_scheduler.ReduceLROnPlateau(reference, **options),
    )
    assert left.state_dict() == right.state_dict()
    found = []
    for epoch, figure in enumerate(figures):
        if epoch == 40:  # cross over
            left_state, right_state = left.state_dict(), right.state_dict()
            left.load_state_dict(right_state)
            right.load_state_dict(left_state)
        left.step(figure)
        right.step(figure)
        assert left.get_last_lr() == pytest.approx(right.get_last_lr(), rel=1e-12)
        found.append(left.get_last_lr())
    assert found[-1] != found[0]


# ---- batches -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "samples",
    [
        [1, 2, 3],
        [1.5, 2.5],
        [True, False],
        [np.float32(1), np.float32(2)],
        [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)],
        [(1, 2.0), (3, 4.0)],
        [[np.int32(1), (1.0,)], [np.int32(2), (2.0,)]],
        [{"a": 1, "b": [1.0]}, {"a": 2, "b": [2.0]}],
    ],
    ids=str,
)
def test_samples_are_collated_into_the_same_dtypes_and_structure(samples):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *map(plain, value)]
        array = value.array if isinstance(value, mt.Tensor) else value.numpy()
        return str(array.dtype), array.tolist()

    assert plain(data.default_collate(samples)) == plain(torch.utils.data.default_collate(samples))


@pytest.mark.parametrize("count", [10, 101, 1000])
@pytest.mark.parametrize("lengths", [[0.5, 0.5], [0.7, 0.2, 0.1], [1 / 3] * 3, [0.33, 0.33, 0.34]])
def test_fractions_are_rounded_as_pytorch_rounds_them(count, lengths):
    ours = [len(part) for part in data.random_split(range(count), lengths)]
    assert ours == [len(part) for part in torch.utils.data.random_split(range(count), lengths)]
