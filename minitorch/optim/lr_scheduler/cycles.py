"""Schedules of rising and falling rates, with a momentum (or Adam's first beta) that falls while the rate rises."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import InitVar
from typing import Any, TypeAlias

from minitorch.optim.lr_scheduler.base import Schedule

_OneOrMore: TypeAlias = float | Sequence[float]  # one for all groups, or one for each


class _WithMomentum(Schedule):
    def _start_momentum(self, given: Any) -> list[list[float]]:
        """Set the momentum of each group to its largest; returns the smallest and the largest of all groups."""
        if not {"momentum", "betas"} & self.optimizer.defaults.keys():
            raise ValueError(f"{type(self).__name__}: cycle_momentum=True needs an optimizer with momentum or betas")
        self.use_beta1: bool = "betas" in self.optimizer.defaults  # PyTorch's name in the state
        bounds = [self._one_each(f"values of {name}", getattr(given, name)) for name in ("base_momentum", "max_momentum")]
        for group, low, high in zip(self.optimizer.param_groups, *bounds):
            group.update(max_momentum=high, base_momentum=low)
            self._set_momentum(group, high)
        return bounds

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class OneCycleLR(_WithMomentum):
    """One rise from max_lr / div_factor to `max_lr` in `pct_start` of the steps, then a fall to the start / final_div_factor.

    Call `step()` after each batch, `total_steps` or `epochs` times `steps_per_epoch` times in all. With `three_phase` it falls
    as it rose, and then to the end. The curves are "cos" or "linear"; the momentum goes from `max_momentum` to
    `base_momentum` and back. Raises ValueError for options out of range and for too many steps (Smith & Topin 2017).
    """

    max_lr: InitVar[_OneOrMore]
    total_steps: int | None = None
    epochs: InitVar[int | None] = None
    steps_per_epoch: InitVar[int | None] = None
    pct_start: InitVar[float] = 0.3
    anneal_strategy: InitVar[str] = "cos"
    cycle_momentum: bool = True
    base_momentum: InitVar[_OneOrMore] = 0.85
    max_momentum: InitVar[_OneOrMore] = 0.95
    div_factor: InitVar[float] = 25.0
    final_div_factor: InitVar[float] = 1e4
    three_phase: InitVar[bool] = False
    last_epoch: int = -1

    def _prepare(self, given: Any) -> None:
        total = given.total_steps
        if total is None:
            if given.epochs is None or given.steps_per_epoch is None:
                raise ValueError("OneCycleLR: expected total_steps, or both epochs and steps_per_epoch")
            self.total_steps = total = given.epochs * given.steps_per_epoch
            self._check("total_steps", total)
        self._anneal_func_type = given.anneal_strategy
        rise = given.pct_start * total - 1
        ends = [rise, 2 * rise, total - 1] if given.three_phase else [rise, total - 1]
        names = ["initial", "max", "initial", "min"] if given.three_phase else ["initial", "max", "min"]
        momenta = {name: "base_momentum" if name == "max" else "max_momentum" for name in names}
        self._schedule_phases: list[dict[str, Any]] = [
            {
                "end_step": end,
                "start_lr": f"{first}_lr",
                "end_lr": f"{then}_lr",
                "start_momentum": momenta[first],
                "end_momentum": momenta[then],
            }
            for end, first, then in zip(ends, names, names[1:])
        ]
        if given.last_epoch == -1:
            for group, top in zip(self.optimizer.param_groups, self._one_each("values of max_lr", given.max_lr)):
                start = top / given.div_factor
                group.update(initial_lr=start, max_lr=top, min_lr=start / given.final_div_factor)
            if self.cycle_momentum:
                self._start_momentum(given)

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    def get_lr(self) -> list[float]:
        if self.last_epoch > self._schedule_phases[-1]["end_step"] + 1:  # the rate after the last step is never used
            raise ValueError(f"OneCycleLR: step {self.last_epoch} of a schedule of {self.total_steps} steps")
        begin = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if self.last_epoch <= end or phase is self._schedule_phases[-1]:
                break
            begin = end
        share = (self.last_epoch - begin) / (end - begin)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                self._set_momentum(group, self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], share))
        return rates


class CyclicLR(_WithMomentum):
    """Cycles of the learning rate: from `base_lr` to `max_lr` in `step_size_up` steps, and back in `step_size_down`.

    "triangular2" halves the height at each cycle, "exp_range" scales it by gamma^step, `scale_fn` by a function of the cycle or
    of the step ("iterations"). The momentum falls while the rate rises. Raises ValueError for an unknown mode (Smith 2017).
    """

    base_lr: InitVar[_OneOrMore]
    max_lr: InitVar[_OneOrMore]
    step_size_up: InitVar[int] = 2000
    step_size_down: InitVar[int | None] = None
    mode: str = "triangular"
    gamma: float = 1.0
    scale_fn: InitVar[Callable[[float], float] | None] = None
    scale_mode: str = "cycle"
    cycle_momentum: bool = True
    base_momentum: InitVar[_OneOrMore] = 0.8
    max_momentum: InitVar[_OneOrMore] = 0.9
    last_epoch: int = -1

    def _prepare(self, given: Any) -> None:
        if self.mode not in ("triangular", "triangular2", "exp_range") and given.scale_fn is None:
            raise ValueError(f"CyclicLR: expected mode 'triangular', 'triangular2' or 'exp_range', got {self.mode!r}")
        down = given.step_size_up if given.step_size_down is None else given.step_size_down
        self.total_size: float = given.step_size_up + float(down)
        self.step_ratio: float = given.step_size_up / self.total_size
        self._scale_fn_custom = given.scale_fn
        if given.scale_fn is None:
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"
        self.max_lrs: list[float] = self._one_each("values of max_lr", given.max_lr)
        if given.last_epoch == -1:
            for group, lr in zip(self.optimizer.param_groups, self._one_each("values of base_lr", given.base_lr)):
                group["lr"] = lr
        if self.cycle_momentum:
            self.base_momentums, self.max_momentums = self._start_momentum(given)

    def _take(self, arguments: dict[str, Any]) -> None:
        super()._take(arguments)
        self.base_lrs: list[Any] = self._one_each("values of base_lr", arguments["base_lr"])

    def _height(self, cycle: float) -> float:
        """The factor for the difference of the two rates."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(cycle if self.scale_mode == "cycle" else self.last_epoch)
        return {"triangular": 1.0, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": self.gamma**self.last_epoch}[self.mode]

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        into = 1 + self.last_epoch / self.total_size - cycle
        share = into / self.step_ratio if into <= self.step_ratio else (into - 1) / (self.step_ratio - 1)
        height = share * self._height(cycle)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                self._set_momentum(group, high - (high - low) * height)
        return [base + (top - base) * height for base, top in zip(self.base_lrs, self.max_lrs)]
