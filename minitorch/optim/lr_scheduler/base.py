"""What a schedule is: the epoch, the rates, the state; and several schedules one after another or at once."""

from __future__ import annotations

import types
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from minitorch.fields import Fields
from minitorch.optim.optimizer import Optimizer


class LRScheduler:
    """Base class of the schedules; your own schedule writes `get_lr`, the rates of the groups at epoch `last_epoch`.

    `last_epoch` is -1 for a new run; to resume at epoch n pass n with an optimizer whose groups have `initial_lr` or, better,
    load the state dicts of both. Raises TypeError if `optimizer` is none, and KeyError for a group without `initial_lr` if
    `last_epoch` is not -1.
    """

    optimizer: Optimizer
    last_epoch: int
    _is_initial = False
    _takes_metric: ClassVar = False
    _get_lr_called_within_step = True  # asked for by PyTorch's `get_lr` and those written after it

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        groups = self._groups(optimizer)
        for i, group in enumerate(groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                said = f"group {i} has no 'initial_lr' to go on from at last_epoch={last_epoch}"
                mend = "load the optimizer's state dict first, or start with last_epoch=-1"
                raise KeyError(f"{type(self).__name__}: {said}; {mend}")
        self.base_lrs: list[Any] = [group["initial_lr"] for group in groups]
        self.last_epoch = last_epoch
        self._start()

    def _groups(self, optimizer: Any) -> list[dict[str, Any]]:
        """Store the optimizer, and return its groups."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        return optimizer.param_groups

    def _one_each(self, name: str, value: Any) -> list[Any]:
        """A list with a value for each parameter group, from one value for all or a list."""
        groups = len(self.optimizer.param_groups)
        values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
        if len(values) != groups:
            raise ValueError(f"{type(self).__name__}: {len(values)} {name} for {groups} parameter groups")
        return values

    def get_lr(self) -> list[float]:
        """The learning rates of the groups at epoch `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}: get_lr is not written")

    def get_last_lr(self) -> list[float]:
        """The learning rates that the last `step` set, one per group."""
        return self._last_lr

    def step(self, epoch: None = None) -> None:
        """Go to the next epoch and set its learning rates; warns if the optimizer has not made a step before.

        The constructor calls it for the rates of epoch 0. There is no warning (PyTorch gives one) for an optimizer that has
        loaded a state, since that state has made steps. Raises TypeError for an `epoch` to go to, which PyTorch has deprecated.
        """
        if epoch is not None:
            raise TypeError(f"{type(self).__name__}.step: expected no epoch, got {epoch!r}; call step() once for each")
        overridden = type(self.optimizer).step is not Optimizer.step  # such a step is not counted
        if self._step_count == 1 and not self.optimizer._steps_taken and not overridden:
            said = f"{type(self).__name__}.step() was called before optimizer.step(): the first learning rate is never used"
            warnings.warn(f"{said}. Call it after the optimizer's steps of the epoch.", stacklevel=2)
        self._advance()

    def _start(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _follow(self) -> None:
        """Begin in a sequence: as in PyTorch, with `get_lr` at epoch 0, from the rates that the schedule before has left."""
        self.last_epoch = -1
        self._advance()

    def _undo(self) -> None:
        """Take the step back that the constructor made."""
        self.last_epoch -= 1

    def _advance(self) -> None:
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self._one_each("rates", list(self.get_lr()))):
            group["lr"] = lr
        self._last_lr = self._rates()

    def _times(self, factor: float) -> list[float]:
        return [lr * factor for lr in self._rates()]

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, under PyTorch's names; of schedules their states, of functions nothing."""
        return {name: _saved(value) for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict` of minitorch or PyTorch; load the optimizer's, too, which holds the rates.

        Raises TypeError for something else than a dict, and ValueError, and changes nothing, for the state of another kind of
        schedule (those with the same entries excepted), which PyTorch mixes with its own.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{type(self).__name__}.load_state_dict: expected a dict, got {type(state_dict).__name__}")
        needed = {"_schedulers", "_milestones", *getattr(self, "fields", ())} & self.__dict__.keys() - {"optimizer"}
        unknown = {name for name in state_dict if name[0] != "_" and name != "verbose"} - self.__dict__.keys()
        if needed and (wrong := (needed - state_dict.keys()) | unknown):
            said = f"only one of it and the given state has {', '.join(sorted(wrong))}; is that of another schedule?"
            raise ValueError(f"{type(self).__name__}.load_state_dict: {said}")
        self.__dict__.update({name: _loaded(self.__dict__.get(name), value) for name, value in state_dict.items()})


def _saved(value: Any) -> Any:
    """What a state dict has of a value: a schedule's state, a callable object's attributes, None of a function."""
    if isinstance(value, list):
        return list(map(_saved, value))
    if isinstance(value, LRScheduler):
        return value.state_dict()
    return None if isinstance(value, types.FunctionType) else dict(vars(value)) if callable(value) else value


def _loaded(own: Any, saved: Any) -> Any:
    """The attribute after loading: schedules and functions stay those of the constructor, with the state that was saved."""
    if isinstance(own, list) and any(callable(each) or isinstance(each, LRScheduler) for each in own):
        return [_loaded(*pair) for pair in zip(own, saved, strict=True)]
    if isinstance(own, LRScheduler):
        own.load_state_dict(saved)
    elif callable(own) and saved is not None:
        own.__dict__.update(saved)
    return own if callable(own) or isinstance(own, LRScheduler) else saved


# For each argument: what it must be, and the test.
_EXPECTED: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("step_size", "T_max"), ("of 1 or more", lambda value: value >= 1)),
    **dict.fromkeys(
        ("T_0", "T_mult", "total_steps"),
        ("to be a whole number of 1 or more", lambda value: isinstance(value, int) and value >= 1),
    ),
    **dict.fromkeys(("factor", "start_factor", "end_factor", "pct_start"), ("from 0 to 1", lambda value: 0 <= value <= 1)),
    "gamma": ("of 0 or more", lambda value: value >= 0),
    "threshold_mode": ("'rel' or 'abs'", ("rel", "abs").__contains__),
    "anneal_strategy": ("'cos' or 'linear'", ("cos", "linear").__contains__),
}


class Schedule(Fields, LRScheduler):
    """A schedule whose fields are its constructor's arguments; raises ValueError for those out of range."""

    optimizer: Optimizer

    def _take(self, arguments: dict[str, Any]) -> None:
        self._groups(arguments["optimizer"])
        for name, value in arguments.items():
            self._check(name, value)
        super()._take(arguments)
        if "last_epoch" in arguments:
            LRScheduler.__init__(self, self.optimizer, arguments["last_epoch"])

    def _follow(self) -> None:
        """Begin in a sequence from its own initial rates, whatever other schedules have set: a formula of the epoch."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = lr
        self.last_epoch = -1
        self._start()

    def _check(self, name: str, value: Any) -> None:
        expected, fits = _EXPECTED.get(name, ("", None))
        if fits is not None and value is not None and not fits(value):
            raise ValueError(f"{type(self).__name__}: expected {name} {expected}, got {value!r}")


class _Several(LRScheduler):
    """Schedules of one optimizer."""

    _schedulers: list[Any]

    def _take(self, optimizer: Any, schedulers: Sequence[Any]) -> None:
        self._groups(optimizer)
        if any(other.optimizer is not optimizer or other._takes_metric for other in schedulers):
            raise ValueError(f"{type(self).__name__}: expected schedules of one optimizer, and none that takes a metric")
        self._schedulers = list(schedulers)

    def _undo(self) -> None:
        for scheduler in self._schedulers:
            scheduler._undo()

    def _follow(self) -> None:
        _reset(self.optimizer)
        self._start()


class SequentialLR(_Several):
    """One schedule after another; at each epoch in `milestones` the next one starts.

    Raises ValueError unless there is one milestone less than schedules, for schedules of other optimizers, and for
    `ReduceLROnPlateau`.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Any], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(milestones)} milestones for {len(schedulers)} schedules, expected one less")
        self._take(optimizer, schedulers)
        self._milestones = list(milestones)
        self.last_epoch: int = last_epoch + 1
        _reset(optimizer)
        self._undo()
        self._start()

    def _start(self) -> None:
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._start()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]  # as in PyTorch, it takes no epoch
        """Go to the next epoch of the current schedule, or to the start of the next one."""
        self.last_epoch += 1
        which = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[which]
        if which and self._milestones[which - 1] == self.last_epoch:
            scheduler._follow()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Several):
    """Several schedules that all act at each step.

    Raises ValueError for none, for schedules of several optimizers, and for `ReduceLROnPlateau`.
    """

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one schedule")
        self._take(schedulers[0].optimizer if optimizer is None else optimizer, schedulers)
        self._last_lr = self._rates()

    def _start(self) -> None:
        for scheduler in self._schedulers:
            scheduler._start()
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]  # as in PyTorch, it takes no epoch
        """Make one step of each schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()


def _reset(optimizer: Optimizer) -> None:
    """Give every group its initial rate again."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]
