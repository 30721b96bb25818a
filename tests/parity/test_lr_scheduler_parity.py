"""Learning-rate schedules against PyTorch's, option by option."""

import math

import numpy as np
import pytest

from minitorch import optim
from minitorch.optim import lr_scheduler
from tests.parity.test_optim_parity import from_torch, to_torch, twins

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity


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


class Halving:
    """What a schedule of one's own computes: half the rate before."""

    def get_lr(self):
        return [group["lr"] / 2 for group in self.optimizer.param_groups]


@pytest.mark.parametrize(
    "parts",
    [
        lambda m, o: ([m.ExponentialLR(o, 0.9), m.MultiplicativeLR(o, lambda e: 0.8), m.StepLR(o, 2, 0.5)], [3, 6]),
        lambda m, o: ([m.StepLR(o, 2, 0.5), type("Own", (Halving, m.LRScheduler), {})(o)], [5]),
        lambda m, o: ([m.ConstantLR(o, 0.5, 2), m.LinearLR(o, 0.5, 1.0, 4)], [0]),
        lambda m, o: ([m.ChainedScheduler([m.ConstantLR(o, 0.5, 2), m.LinearLR(o, 0.5, 1.0, 4)]), m.StepLR(o, 2)], [3]),
        lambda m, o: ([m.StepLR(o, 2), m.CyclicLR(o, 0.1, 1.0, 2, cycle_momentum=False)], [4]),
        lambda m, o: ([m.StepLR(o, 2), m.StepLR(o, 3), m.OneCycleLR(o, 1.0, 20, cycle_momentum=False)], [3, 6]),
    ],
    ids=["multiplicative", "one's own", "from the second", "chained first", "a cycle", "one cycle last"],
)
@pytest.mark.filterwarnings("ignore:Detected call")  # PyTorch's, about the step that starts the chained ones
def test_what_follows_in_a_sequence_starts_as_in_pytorch(parts):
    found = []
    for optimizer, m in zip(both(), (lr_scheduler, torch.optim.lr_scheduler)):
        found.append(epochs(optimizer, [m.SequentialLR(optimizer, *parts(m, optimizer))], 12))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-15)


@every_schedule
def test_a_hundred_epochs_have_the_same_rates(make):
    mine, reference = both()
    found = epochs(mine, several(make(lr_scheduler, mine)), 100)
    wanted = epochs(reference, several(make(torch.optim.lr_scheduler, reference)), 100)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
    for left, right in zip(mine.param_groups, reference.param_groups):
        kept = ("lr", "initial_lr", "max_lr", "min_lr", "momentum", "max_momentum", "base_momentum")
        assert {name: left.get(name) for name in kept} == pytest.approx({name: right.get(name) for name in kept})


@every_schedule
def test_states_say_the_same(make):
    states = [
        [made.state_dict() for made in several(make(module, optimizer))]
        for module, optimizer in zip((lr_scheduler, torch.optim.lr_scheduler), both())
    ]
    for ours, theirs in zip(*states):
        assert set(theirs) - set(ours) <= {"_get_lr_called_within_step"}
        names = [name for name in ours if name != "_step_count"]  # PyTorch does not count the step that starts warm restarts
        assert [ours[name] for name in names] == [theirs.get(name) for name in names]


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
