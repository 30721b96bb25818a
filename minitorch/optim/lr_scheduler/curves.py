"""Schedules that are a formula of the epoch."""

from __future__ import annotations

import math
import types
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler, check_positive, checked, checked_gamma, checked_share
from minitorch.optim.optimizer import Optimizer


class StepLR(LRScheduler):
    """The learning rate times `gamma` every `step_size` epochs.

    Raises ValueError for a `step_size` below 1 or a negative `gamma`.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_positive(self, "step_size", step_size)
        self.step_size = step_size
        self.gamma: float = checked_gamma(self, gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._rates()
        return [lr * self.gamma for lr in self._rates()]


class MultiStepLR(LRScheduler):
    """The learning rate times `gamma` at each epoch in `milestones`, and as often as one is named.

    Raises TypeError for milestones that are not whole numbers, ValueError for a negative `gamma`.
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones: Any = Counter(milestones)
        if not all(isinstance(epoch, int) for epoch in self.milestones):
            raise TypeError(f"MultiStepLR: expected whole numbers as milestones, got {list(self.milestones)}")
        self.gamma: float = checked_gamma(self, gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        times = self.milestones.get(self.last_epoch, 0)
        return [lr * self.gamma**times if times else lr for lr in self._rates()]


class ExponentialLR(LRScheduler):
    """The learning rate times `gamma` every epoch; raises ValueError for a negative `gamma`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma: float = checked_gamma(self, gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._rates() if self._is_initial else [lr * self.gamma for lr in self._rates()]


class ConstantLR(LRScheduler):
    """The learning rate times `factor` until epoch `total_iters`, then as it was.

    Raises ValueError for a factor outside [0, 1].
    """

    factor: float
    total_iters: int

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        self.factor, self.total_iters = checked_share(self, "factor", factor), total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._rates()]
        return [lr / self.factor if self.last_epoch == self.total_iters else lr for lr in self._rates()]


class LinearLR(LRScheduler):
    """The learning rate times a factor that goes in equal steps from `start_factor` to `end_factor` in `total_iters` epochs.

    Raises ValueError for a start outside (0, 1] or an end outside [0, 1].
    """

    start_factor: float
    end_factor: float

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not checked_share(self, "start_factor", start_factor):
            raise ValueError("LinearLR: expected a start_factor above 0, got 0")
        self.start_factor, self.end_factor = start_factor, checked_share(self, "end_factor", end_factor)
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._rates()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        return [lr * (1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)) for lr in self._rates()]


class PolynomialLR(LRScheduler):
    """The initial learning rate times (1 - epoch / total_iters)^power, 0 from epoch `total_iters` on."""

    total_iters: int
    power: float

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        left, before = (1 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return [lr * (left / before) ** self.power for lr in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial learning rate down to `eta_min` in `T_max` epochs, then up again (no restarts).

    eta_min + (initial - eta_min) (1 + cos(pi epoch / T_max)) / 2 (Loshchilov & Hutter 2017), computed from one epoch to the
    next. Raises ValueError for a `T_max` below 1.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_positive(self, "T_max", T_max)
        self.T_max = T_max
        self.eta_min = eta_min
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

    T_mult: int
    eta_min: float
    T_cur: float
    T_i: int

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        for name, value in ("T_0", T_0), ("T_mult", T_mult):
            if not isinstance(value, int):
                raise ValueError(f"CosineAnnealingWarmRestarts: expected {name} to be a whole number, got {value!r}")
            check_positive(self, name, value)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to `epoch`; raises ValueError for a negative one."""
        if epoch is None:
            super().step()
            return
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: expected an epoch of 0 or more, got {epoch}")
        self.last_epoch: float = epoch - 1  # type: ignore[assignment]  # a fraction of an epoch, here alone
        self._advance()

    def get_lr(self) -> list[float]:
        into, length = self.last_epoch, self.T_0
        while into >= length:
            into, length = into - length, length * self.T_mult
        self.T_cur, self.T_i = into, length  # where PyTorch goes on from
        share = (1 + math.cos(math.pi * into / length)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class LambdaLR(LRScheduler):
    """The initial learning rate times `lr_lambda(epoch)`, a function, or one for each group.

    Functions are not part of the state dict; of callable objects it holds the attributes. Raises ValueError if the number
    of functions is not that of the groups.
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]], last_epoch: int = -1
    ) -> None:
        groups = len(checked(self, optimizer).param_groups)
        self.lr_lambdas: list[Any] = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"{type(self).__name__}: {len(self.lr_lambdas)} functions for {groups} parameter groups")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and plain functions, under PyTorch's names."""
        attributes = [None if isinstance(f, types.FunctionType) else dict(vars(f)) for f in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": attributes}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the functions stay those of the constructor."""
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})


class MultiplicativeLR(LambdaLR):
    """The learning rate times `lr_lambda(epoch)` every epoch, a function, or one for each group; else as `LambdaLR`."""

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        return [lr * function(self.last_epoch) for lr, function in zip(self._rates(), self.lr_lambdas)]
