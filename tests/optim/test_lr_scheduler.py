"""Learning-rate schedules: the rates, epoch by epoch, how they are chained and resumed, and what is refused."""

import copy
import math
import re
import warnings

import pytest

import minitorch as mt
from minitorch import optim
from minitorch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LRScheduler,
    MultiStepLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def sgd(*rates):
    """An optimizer with a group for each rate, that has made a step."""
    optimizer = optim.SGD([{"params": mt.zeros(1, requires_grad=True), "lr": lr} for lr in rates or (1.0,)])
    optimizer.step()
    return optimizer


def rates(optimizer, scheduler, epochs):
    """The rate of the first group in each epoch."""
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return found


class Halved:
    """A schedule as a callable object, which a state dict can hold."""

    def __init__(self, start):
        self.start = start

    def __call__(self, epoch):
        return self.start / 2**epoch


MAKERS = {
    "StepLR": lambda o: StepLR(o, 3, 0.5),
    "MultiStepLR": lambda o: MultiStepLR(o, [2, 5, 5], 0.5),
    "ExponentialLR": lambda o: ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: CosineAnnealingLR(o, 4, 0.01),
    "LambdaLR": lambda o: LambdaLR(o, Halved(0.5)),
}
every_schedule = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda o: StepLR(o, 2, 0.5), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (lambda o: StepLR(o, 3), [1, 1, 1, 0.1, 0.1, 0.1]),
        (lambda o: MultiStepLR(o, [1, 4, 4], 0.5), [1, 0.5, 0.5, 0.5, 0.125, 0.125]),
        (lambda o: ExponentialLR(o, 0.5), [1, 0.5, 0.25, 0.125]),
        (lambda o: LambdaLR(o, lambda epoch: 1 / (1 + epoch)), [1, 1 / 2, 1 / 3, 1 / 4]),
        (lambda o: LambdaLR(o, [lambda epoch: 3.0]), [3, 3]),
        (
            lambda o: CosineAnnealingLR(o, 4, 0.2),
            [0.2 + 0.4 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(14)],
        ),
    ],
)
def test_the_rates_are_those_of_the_formula(make, expected):
    optimizer = sgd(1.0)
    assert rates(optimizer, make(optimizer), len(expected)) == pytest.approx(expected, rel=1e-14)


@every_schedule
def test_every_group_has_its_own_rate_in_the_same_proportion(make):
    optimizer = sgd(1.0, 0.5)
    scheduler = make(optimizer)
    if isinstance(scheduler, CosineAnnealingLR):
        scheduler.eta_min = 0.0
    for _ in range(6):
        scheduler.step()
        first, second = (group["lr"] for group in optimizer.param_groups)
        assert second == pytest.approx(first / 2, rel=1e-12)
        assert scheduler.get_last_lr() == [first, second]


def test_schedules_are_chained_on_one_optimizer():
    optimizer = sgd(1.0)
    first, second = ExponentialLR(optimizer, 0.9), StepLR(optimizer, 2, 0.5)
    found = []
    for _ in range(5):
        found.append(optimizer.param_groups[0]["lr"])
        first.step()
        second.step()
    assert found == pytest.approx([1, 0.9, 0.81 * 0.5, 0.729 * 0.5, 0.6561 * 0.25])


@every_schedule
@pytest.mark.parametrize("stop", [0, 1, 4, 5])
def test_a_schedule_goes_on_where_it_was_saved(make, stop, tmp_path):
    straight = sgd(1.0)
    expected = rates(straight, make(straight), 12)
    first = sgd(1.0)
    scheduler = make(first)
    rates(first, scheduler, stop)
    mt.save({"optimizer": first.state_dict(), "scheduler": scheduler.state_dict()}, tmp_path / "run")
    saved = mt.load(tmp_path / "run")
    second = sgd(7.0)
    resumed = make(second)
    second.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert resumed.last_epoch == stop
    assert rates(second, resumed, 12 - stop) == expected[stop:]


def test_plain_functions_are_not_saved_and_objects_are():
    scheduler = LambdaLR(sgd(1.0, 1.0), [lambda epoch: 1.0, Halved(3.0)])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [None, {"start": 3.0}]
    other = LambdaLR(sgd(1.0, 1.0), [lambda epoch: 2.0, Halved(8.0)])
    other.load_state_dict(saved)
    other.step()
    assert other.get_last_lr() == [2.0, 1.5]
    assert saved["lr_lambdas"] == [None, {"start": 3.0}]


def test_a_schedule_can_start_at_a_later_epoch():
    optimizer = sgd(1.0)
    with pytest.raises(KeyError, match="group 0 has no 'initial_lr' to go on from at last_epoch=4"):
        StepLR(optimizer, 5, 0.5, last_epoch=4)
    optimizer.param_groups[0]["initial_lr"] = 1.0
    assert StepLR(optimizer, 5, 0.5, last_epoch=4).get_last_lr() == [0.5]


def test_the_initial_rate_is_kept_in_the_group():
    optimizer = sgd(0.25)
    rates(optimizer, ExponentialLR(optimizer, 0.5), 3)
    assert optimizer.param_groups[0]["initial_lr"] == 0.25


def test_a_schedule_before_the_first_step_is_warned_about():
    optimizer = optim.SGD([mt.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"StepLR.step\(\) was called before optimizer.step\(\)"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


@pytest.mark.parametrize("rule", [optim.SGD, optim.Adam])  # without a state of its own, and with one
def test_a_run_that_goes_on_within_its_first_epoch_is_not_warned(rule):
    def begin():
        optimizer = rule([mt.ones(1, requires_grad=True)], lr=1.0)
        return optimizer, StepLR(optimizer, 3)

    optimizer, scheduler = begin()
    optimizer.param_groups[0]["params"][0].sum().backward()
    optimizer.step()
    resumed, its_scheduler = begin()
    resumed.load_state_dict(optimizer.state_dict())
    its_scheduler.load_state_dict(scheduler.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        its_scheduler.step()


def test_a_schedule_of_ones_own_writes_get_lr():
    class Warmup(LRScheduler):
        def get_lr(self):
            return [base * min(1, (self.last_epoch + 1) / 4) for base in self.base_lrs]

    optimizer = sgd(2.0)
    assert rates(optimizer, Warmup(optimizer), 6) == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    with pytest.raises(NotImplementedError, match="LRScheduler: get_lr is not written"):
        LRScheduler(optimizer)


def test_a_schedule_of_ones_own_may_write_step_which_also_sets_the_first_rate():
    class Halving(LRScheduler):
        steps = 0

        def get_lr(self):
            assert self._get_lr_called_within_step
            return [base / 2**self.steps for base in self.base_lrs]

        def step(self, epoch=None):
            self.steps += 1
            super().step(epoch)

    optimizer = sgd(2.0)
    schedule = Halving(optimizer)
    assert rates(optimizer, schedule, 3) == [1.0, 0.5, 0.25]
    with pytest.raises(TypeError, match=r"Halving\.step: expected no epoch, got 7"):
        schedule.step(7)


@pytest.mark.parametrize(
    "make, kind, said",
    [
        (lambda: StepLR(3, 1), TypeError, "StepLR: expected an Optimizer, got int"),
        (lambda: LambdaLR(None, abs), TypeError, "LambdaLR: expected an Optimizer, got NoneType"),
        (lambda: ReduceLROnPlateau([]), TypeError, "ReduceLROnPlateau: expected an Optimizer, got list"),
        (lambda: StepLR(sgd(), 0), ValueError, "StepLR: expected step_size of 1 or more, got 0"),
        (lambda: StepLR(sgd(), 1, -1), ValueError, "StepLR: expected gamma of 0 or more, got -1"),
        (lambda: MultiStepLR(sgd(), [1, 2.5]), TypeError, "MultiStepLR: expected whole numbers as milestones, got [1, 2.5]"),
        (lambda: ExponentialLR(sgd(), math.nan), ValueError, "ExponentialLR: expected gamma of 0 or more, got nan"),
        (lambda: CosineAnnealingLR(sgd(), 0), ValueError, "CosineAnnealingLR: expected T_max of 1 or more, got 0"),
        (lambda: LambdaLR(sgd(), [abs, abs]), ValueError, "LambdaLR: 2 functions for 1 parameter groups"),
        (lambda: ReduceLROnPlateau(sgd(), factor=1.0), ValueError, "expected 0 <= factor < 1, got 1.0"),
        (lambda: ReduceLROnPlateau(sgd(), "least"), ValueError, "expected mode 'min' or 'max', got 'least'"),
        (lambda: ReduceLROnPlateau(sgd(), threshold_mode="x"), ValueError, "expected threshold_mode 'rel' or 'abs', got 'x'"),
        (lambda: ReduceLROnPlateau(sgd(), min_lr=[0, 0]), ValueError, "ReduceLROnPlateau: 2 min_lr for 1 parameter groups"),
    ],
)
def test_impossible_schedules_are_refused(make, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        make()


# ---- plateaus ------------------------------------------------------------------------------------------------------------


def plateau(figures, start=1.0, **options):
    """The rate after each figure."""
    optimizer = sgd(start)
    scheduler = ReduceLROnPlateau(optimizer, **options)
    found = []
    for figure in figures:
        scheduler.step(figure)
        found.append(scheduler.get_last_lr()[0])
    return found


def test_the_rate_falls_once_patience_is_exceeded():
    assert plateau([1, 1, 1, 1, 1, 1], patience=1, factor=0.5) == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_an_improvement_has_to_beat_the_threshold():
    assert plateau([1, 0.95], patience=0, threshold=0.1) == [1, 0.1]
    assert plateau([1, 0.85], patience=0, threshold=0.1) == [1, 1]
    assert plateau([10, 9.5], patience=0, threshold=0.1, threshold_mode="abs") == [1, 1]
    assert plateau([1, 1.05], patience=0, threshold=0.1, mode="max") == [1, 0.1]
    assert plateau([10, 10.5], patience=0, threshold=0.1, threshold_mode="abs", mode="max") == [1, 1]


def test_cooldown_epochs_do_not_count():
    assert plateau([1] * 6, patience=0, cooldown=2, factor=0.5) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_the_rate_stops_at_its_minimum_and_at_tiny_changes():
    assert plateau([1] * 4, patience=0, factor=0.5, min_lr=0.4) == [1, 0.5, 0.4, 0.4]
    assert plateau([1] * 3, start=1e-8, patience=0) == [1e-8, 1e-8, 1e-8]


def test_nan_is_no_improvement():
    assert plateau([1, math.nan, math.nan], patience=1, factor=0.5) == [1, 1, 0.5]


def test_a_tensor_is_taken_as_the_figure():
    assert plateau([mt.tensor(1.0), mt.tensor([2.0])], patience=0) == [1, 0.1]


def test_a_plateau_goes_on_where_it_was_saved(tmp_path):
    figures = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]
    expected = plateau(figures, patience=1)
    optimizer = sgd(1.0)
    scheduler = ReduceLROnPlateau(optimizer, patience=1)
    for figure in figures[:4]:
        scheduler.step(figure)
    mt.save([optimizer.state_dict(), scheduler.state_dict()], tmp_path / "run")
    saved = mt.load(tmp_path / "run")
    other = sgd(9.0)
    resumed = ReduceLROnPlateau(other)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    found = []
    for figure in figures[4:]:
        resumed.step(figure)
        found.append(resumed.get_last_lr()[0])
    assert found == expected[4:]


def test_groups_added_later_share_the_one_minimum_or_are_refused():
    optimizer = sgd(1.0)
    one, several = ReduceLROnPlateau(optimizer, patience=0), ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.5])
    optimizer.add_param_group({"params": mt.zeros(1, requires_grad=True), "lr": 1.0})
    one.step(1)
    one.step(1)
    assert one.get_last_lr() == [0.1, 0.1]
    several.step(1)
    with pytest.raises(RuntimeError, match="now has 2 parameter groups, min_lr was given for 1; extend min_lrs"):
        several.step(1)


@pytest.mark.parametrize(
    "own, other, entry",
    [
        (lambda o: StepLR(o, 2), lambda o: CosineAnnealingLR(o, 5), "T_max, eta_min, gamma, step_size"),
        (lambda o: ExponentialLR(o, 0.9), lambda o: StepLR(o, 2), "step_size"),
        (lambda o: LambdaLR(o, lambda epoch: 1.0), lambda o: StepLR(o, 2), "gamma, step_size"),
        (lambda o: sequence(o, 2), lambda o: StepLR(o, 2), "_milestones, _schedulers, base_lrs, gamma, step_size"),
        (lambda o: ChainedScheduler([StepLR(o, 2)]), lambda o: sequence(o, 2), "last_epoch"),
    ],
)
def test_the_state_of_another_kind_of_schedule_is_refused_and_changes_nothing(own, other, entry):
    schedule, another = own(sgd()), other(sgd())
    before = copy.deepcopy(schedule.state_dict())
    with pytest.raises(ValueError, match=f"{type(schedule).__name__}.load_state_dict: only one .* state has {entry}; is that"):
        schedule.load_state_dict(another.state_dict())
    assert schedule.state_dict() == before


def sequence(o, *milestones):
    return SequentialLR(o, [StepLR(o, 2), ConstantLR(o)], milestones)


def test_a_schedule_of_ones_own_takes_entries_that_it_makes_later():
    class Own(LRScheduler):
        def get_lr(self):
            return [group["lr"] for group in self.optimizer.param_groups]

    schedule = Own(sgd())
    schedule.load_state_dict({**schedule.state_dict(), "warm": True})
    assert schedule.warm is True
    with pytest.raises(TypeError, match=r"Own.load_state_dict: expected a dict, got list"):
        schedule.load_state_dict([])
