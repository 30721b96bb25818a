"""Schedules that are a formula of the epoch, and the one that waits until a metric stops improving."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import InitVar
from typing import Any, ClassVar

from minitorch.optim.lr_scheduler.base import LRScheduler, Schedule


class StepLR(Schedule):
    """The learning rate times `gamma` every `step_size` epochs; raises ValueError for a size below 1 or a negative `gamma`."""

    step_size: int
    gamma: float = 0.1
    last_epoch: int = -1

    def get_lr(self) -> list[float]:
        return self._times(1.0 if self.last_epoch == 0 or self.last_epoch % self.step_size else self.gamma)


class MultiStepLR(Schedule):
    """The learning rate times `gamma` at each epoch in `milestones`; a repeated milestone counts repeatedly.

    Raises TypeError for milestones that are not whole numbers, ValueError for a negative `gamma`.
    """

    milestones: Iterable[int]
    gamma: float = 0.1
    last_epoch: int = -1

    def _prepare(self, given: Any) -> None:
        self.milestones = Counter(given.milestones)
        if not all(isinstance(epoch, int) for epoch in self.milestones):
            raise TypeError(f"MultiStepLR: expected whole numbers as milestones, got {list(self.milestones)}")

    def get_lr(self) -> list[float]:
        counts: Any = self.milestones
        return self._times(self.gamma ** counts.get(self.last_epoch, 0))


class ExponentialLR(Schedule):
    """The learning rate times `gamma` every epoch; raises ValueError for a negative `gamma`."""

    gamma: float
    last_epoch: int = -1

    def get_lr(self) -> list[float]:
        return self._times(1.0 if self._is_initial else self.gamma)


class ConstantLR(Schedule):
    """The learning rate times `factor` until epoch `total_iters`; raises ValueError for a factor outside [0, 1]."""

    factor: float = 1 / 3
    total_iters: int = 5
    last_epoch: int = -1

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._times(self.factor)
        return self._times(1 / self.factor if self.last_epoch == self.total_iters else 1.0)


class LinearLR(Schedule):
    """The learning rate times a factor that goes in equal steps from `start_factor` to `end_factor` in `total_iters` epochs.

    Raises ValueError for a start outside (0, 1] or an end outside [0, 1].
    """

    start_factor: float = 1 / 3
    end_factor: float = 1.0
    total_iters: int = 5
    last_epoch: int = -1

    def _prepare(self, given: Any) -> None:
        if not self.start_factor:
            raise ValueError("LinearLR: expected a start_factor above 0, got 0")

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._times(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        return self._times(1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))


class CosineAnnealingLR(Schedule):
    """Half a cosine from the initial learning rate down to `eta_min` in `T_max` epochs, then up again (no restarts).

    eta_min + (initial - eta_min) (1 + cos(pi epoch / T_max)) / 2 (Loshchilov & Hutter 2017), computed from one epoch to the
    next. Raises ValueError for a `T_max` below 1.
    """

    T_max: int
    eta_min: float = 0.0
    last_epoch: int = -1

    def get_lr(self) -> list[float]:
        epoch, low, turn = self.last_epoch, self.eta_min, math.pi / self.T_max
        if self._is_initial:
            return self._rates()
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # after the bottom, from which no ratio leads up again
            return [lr + (base - low) * (1 - math.cos(turn)) / 2 for base, lr in zip(self.base_lrs, self._rates())]
        ratio = (1 + math.cos(math.pi * epoch / self.T_max)) / (1 + math.cos(math.pi * (epoch - 1) / self.T_max))
        return [ratio * (lr - low) + low for lr in self._rates()]


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine from the initial learning rate to `eta_min` in T_0 epochs, then again, `T_mult` times as long each time.

    `step` may be given an epoch, also a fraction of one. Raises ValueError unless T_0 and T_mult are whole and 1 or more
    (Loshchilov & Hutter 2017).
    """

    T_0: int
    T_mult: int = 1
    eta_min: float = 0.0
    last_epoch: int = -1

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to `epoch`; raises ValueError for a negative one."""
        if epoch is None:
            super().step()
            return
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: expected an epoch of 0 or more, got {epoch}")
        self.last_epoch = epoch - 1  # type: ignore[assignment]  # a fraction of an epoch, here alone
        self._advance()

    def get_lr(self) -> list[float]:
        self.T_cur: float = self.last_epoch  # these two are where PyTorch goes on from
        self.T_i: int = self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur, self.T_i = self.T_cur - self.T_i, self.T_i * self.T_mult
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class LambdaLR(Schedule):
    """The initial learning rate times `lr_lambda(epoch)`, a function, or one for each group.

    The state dict has the attributes of callable objects, but no functions. Raises ValueError if their number is not that of
    the groups.
    """

    lr_lambda: InitVar[Callable[[int], float] | Sequence[Callable[[int], float]]]
    last_epoch: int = -1

    def _prepare(self, given: Any) -> None:
        self.lr_lambdas: list[Any] = self._one_each("functions", given.lr_lambda)

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(LambdaLR):
    """The previous learning rate times `lr_lambda(epoch)` at every epoch; otherwise like `LambdaLR`."""

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        return [lr * function(self.last_epoch) for lr, function in zip(self._rates(), self.lr_lambdas)]

    _follow = LRScheduler._follow  # it is no formula of the epoch


class ReduceLROnPlateau(Schedule):
    """The learning rate times `factor` when the metric given to `step` has not improved for more than `patience` epochs.

    `mode` says whether smaller ("min") or larger ("max") is better. An improvement beats the best by more than `threshold`,
    a fraction of the best with `threshold_mode="rel"`, else an amount. After a reduction, `cooldown` epochs are not counted. No
    rate falls below `min_lr` (one, or one per group); changes smaller than `eps` are not made. NaN is no improvement.

    Raises ValueError for a `factor` outside [0, 1), an unknown mode, or a wrong number of `min_lr`.
    """

    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_lr: InitVar[float | Sequence[float]] = 0
    eps: float = 1e-8
    _takes_metric: ClassVar = True

    def _prepare(self, given: Any) -> None:
        if not 0 <= self.factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected 0 <= factor < 1, got {self.factor}")
        if self.mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: expected mode 'min' or 'max', got {self.mode!r}")
        self.min_lrs: list[float] = self._one_each("min_lr", given.min_lr)
        self.default_min_lr: float | None = given.min_lr if isinstance(given.min_lr, (int, float)) else None
        self.mode_worse: float = math.inf if self.mode == "min" else -math.inf
        self.best: float = self.mode_worse
        self.cooldown_counter: int = 0
        self.num_bad_epochs: int = 0
        self.last_epoch: int = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs without improvement are not counted at the moment."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # as in PyTorch, it takes the metric
        """Record the metric of an epoch (a number or a one-element tensor), and reduce the rates if it is time."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _is_better(self, current: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        relative, margin = self.threshold_mode == "rel", sign * self.threshold
        return sign * current > sign * (self.best * (1 + margin) if relative else self.best + margin)

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # groups were added
            if self.default_min_lr is None:
                said = f"the optimizer now has {len(groups)} parameter groups, min_lr was given for {len(self.min_lrs)}"
                raise RuntimeError(f"ReduceLROnPlateau: {said}; extend min_lrs")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs):
            lr = max(group["lr"] * self.factor, least)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
