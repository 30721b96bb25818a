"""Several schedules, one after another or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler
from minitorch.optim.optimizer import Optimizer


class _Several(LRScheduler):
    """Schedules of one optimizer."""

    _schedulers: list[Any]

    def _take(self, optimizer: Any, schedulers: Sequence[Any]) -> None:
        self._groups(optimizer)
        if any(other.optimizer is not optimizer for other in schedulers):
            raise ValueError(f"{type(self).__name__}: expected schedules of one optimizer")
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the state of each schedule."""
        return super().state_dict() | {"_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the result of `state_dict`."""
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        super().load_state_dict({**state_dict, "_schedulers": self._schedulers})


class SequentialLR(_Several):
    """One schedule after another; at each epoch in `milestones` the next one starts.

    Raises ValueError unless there is one milestone less than schedules, and for schedules of other optimizers.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Any], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(milestones)} milestones for {len(schedulers)} schedules, expected one less")
        self._take(optimizer, schedulers)
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        for scheduler in schedulers:
            scheduler.last_epoch -= 1
        _restart(self._schedulers[0])
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self) -> None:
        """Go to the next epoch of the current schedule, or to the start of the next one."""
        self.last_epoch += 1
        which = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[which]
        if which and self._milestones[which - 1] == self.last_epoch:
            _restart(scheduler)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Several):
    """Several schedules that all act at each step. Raises ValueError for none or for schedules of several optimizers."""

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one schedule")
        self._take(schedulers[0].optimizer if optimizer is None else optimizer, schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:
        """Make one step of each schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()


def _restart(scheduler: Any) -> None:
    """Start a schedule in a sequence from the initial rates, whatever the schedules before it have set."""
    for group in scheduler.optimizer.param_groups:
        group["lr"] = group["initial_lr"]
    scheduler.last_epoch = -1
    scheduler._start()
