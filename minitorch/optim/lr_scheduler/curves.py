"""Schedules that are a formula of the epoch."""

from __future__ import annotations

import math
import types
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler
from minitorch.optim.optimizer import Optimizer


class _Factor(LRScheduler):
    """A schedule that multiplies all rates by one factor at each epoch."""

    def _factor(self) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        factor = self._factor()
        return [lr * factor for lr in self._rates()]


class StepLR(_Factor):
    """The learning rate times `gamma` every `step_size` epochs; raises ValueError for a size below 1 or a negative `gamma`."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self._check(step_size=step_size, gamma=gamma)
        self.step_size: int = step_size
        self.gamma: float = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1.0 if self.last_epoch == 0 or self.last_epoch % self.step_size else self.gamma


class MultiStepLR(_Factor):
    """The learning rate times `gamma` at each epoch in `milestones`; a repeated milestone counts repeatedly.

    Raises TypeError for milestones that are not whole numbers, ValueError for a negative `gamma`.
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones: Any = Counter(milestones)
        if not all(isinstance(epoch, int) for epoch in self.milestones):
            raise TypeError(f"MultiStepLR: expected whole numbers as milestones, got {list(self.milestones)}")
        self._check(gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma ** self.milestones.get(self.last_epoch, 0)


class ExponentialLR(_Factor):
    """The learning rate times `gamma` every epoch; raises ValueError for a negative `gamma`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self._check(gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1.0 if self._is_initial else self.gamma


class ConstantLR(_Factor):
    """The learning rate times `factor` until epoch `total_iters`; raises ValueError for a factor outside [0, 1]."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        self._check(factor=factor)
        self.factor: float = factor
        self.total_iters: int = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.factor
        return 1 / self.factor if self.last_epoch == self.total_iters else 1.0


class LinearLR(_Factor):
    """The learning rate times a factor that goes in equal steps from `start_factor` to `end_factor` in `total_iters` epochs.

    Raises ValueError for a start outside (0, 1] or an end outside [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self._check(start_factor=start_factor, end_factor=end_factor)
        if not start_factor:
            raise ValueError("LinearLR: expected a start_factor above 0, got 0")
        self.start_factor: float = start_factor
        self.end_factor: float = end_factor
        self.total_iters: int = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial learning rate down to `eta_min` in `T_max` epochs, then up again (no restarts).

    eta_min + (initial - eta_min) (1 + cos(pi epoch / T_max)) / 2 (Loshchilov & Hutter 2017), computed from one epoch to the
    next. Raises ValueError for a `T_max` below 1.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self._check(T_max=T_max)
        self.T_max: int = T_max
        self.eta_min: float = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        epoch, low, turn = self.last_epoch, self.eta_min, math.pi / self.T_max
        if self._is_initial:
            return self._rates()
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # after the bottom, from which no ratio leads up again
            return [lr + (base - low) * (1 - math.cos(turn)) / 2 for base, lr in zip(self.base_lrs, self._rates())]
        ratio = (1 + math.cos(math.pi * epoch / self.T_max)) / (1 + math.cos(math.pi * (epoch - 1) / self.T_max))
        return [ratio * (lr - low) + low for lr in self._rates()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the initial learning rate to `eta_min` in T_0 epochs, then again, `T_mult` times as long each time.

    `step` may be given an epoch, also a fraction of one. Raises ValueError unless T_0 and T_mult are whole and 1 or more
    (Loshchilov & Hutter 2017).
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        for name, value in ("T_0", T_0), ("T_mult", T_mult):
            if not isinstance(value, int):
                raise ValueError(f"CosineAnnealingWarmRestarts: expected {name} to be a whole number, got {value!r}")
        self._check(T_0=T_0, T_mult=T_mult)
        self.T_0, self.T_mult = T_0, T_mult
        self.eta_min: float = eta_min
        super().__init__(optimizer, last_epoch)

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


class LambdaLR(LRScheduler):
    """The initial learning rate times `lr_lambda(epoch)`, a function, or one for each group.

    The state dict holds the attributes of callable objects, but no functions. Raises ValueError if the numbers of functions
    and groups differ.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self._groups(optimizer)
        self.lr_lambdas: list[Any] = self._one_each("functions", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and plain functions, under PyTorch's names."""
        attributes = [None if isinstance(f, types.FunctionType) else dict(vars(f)) for f in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": attributes}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the result of `state_dict`; the functions stay those of the constructor."""
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})


class MultiplicativeLR(LambdaLR):
    """The previous learning rate times `lr_lambda(epoch)` at every epoch; otherwise like `LambdaLR`."""

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        return [lr * function(self.last_epoch) for lr, function in zip(self._rates(), self.lr_lambdas)]
