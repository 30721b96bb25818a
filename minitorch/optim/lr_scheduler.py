"""Learning-rate schedules: call `step()` once per epoch, after the optimizer's steps of that epoch.

They follow PyTorch's recursions (each rate from the one before), so they can be chained, and give its rates to the last
digits.
"""

from __future__ import annotations

import math
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minitorch.optim.optimizer import Optimizer


class LRScheduler:
    """Base class of the schedules; one of your own writes `get_lr`, the rates of the groups at epoch `last_epoch`.

    `last_epoch` is -1 for a new run; to go on from epoch n pass n with an optimizer whose groups have `initial_lr`, or
    better, load the state dicts of both. Raises TypeError for what is no optimizer, KeyError for a group without
    `initial_lr` where `last_epoch` is not -1.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = _checked(self, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: group {i} has no 'initial_lr' to go on from at last_epoch={last_epoch}; load the "
                    "optimizer's state dict first, or start with last_epoch=-1"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._is_initial = True
        self._advance()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The learning rates of the groups at epoch `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}: get_lr is not written")

    def get_last_lr(self) -> list[float]:
        """The learning rates that the last `step` set, one per group."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next epoch and set its learning rates; warns if the optimizer has not made a step before.

        One that has loaded a state goes on from steps made elsewhere: it is not warned about, as it is in PyTorch.
        """
        overridden = type(self.optimizer).step is not Optimizer.step  # such a step is not counted
        if self._step_count == 1 and not self.optimizer._steps_taken and not overridden:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(): the first learning rate is never used. "
                "Call it after the optimizer's steps of the epoch.",
                stacklevel=2,
            )
        self._advance()

    def _advance(self) -> None:
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, under PyTorch's names."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, here or in PyTorch; load the optimizer's too, which holds the rates."""
        self.__dict__.update(state_dict)


class StepLR(LRScheduler):
    """The learning rate times `gamma` every `step_size` epochs.

    Raises ValueError for a `step_size` below 1 or a negative `gamma`.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        _check_positive(self, "step_size", step_size)
        self.step_size = step_size
        self.gamma = _checked_gamma(self, gamma)
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
        self.milestones = Counter(milestones)
        if not all(isinstance(epoch, int) for epoch in self.milestones):
            raise TypeError(f"MultiStepLR: expected whole numbers as milestones, got {list(self.milestones)}")
        self.gamma = _checked_gamma(self, gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        times = self.milestones.get(self.last_epoch, 0)
        return [lr * self.gamma**times if times else lr for lr in self._rates()]


class ExponentialLR(LRScheduler):
    """The learning rate times `gamma` every epoch; raises ValueError for a negative `gamma`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = _checked_gamma(self, gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._rates() if self._is_initial else [lr * self.gamma for lr in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial learning rate down to `eta_min` in `T_max` epochs, then up again (no restarts).

    eta_min + (initial - eta_min) (1 + cos(pi epoch / T_max)) / 2 (Loshchilov & Hutter 2017), computed from one epoch to the
    next. Raises ValueError for a `T_max` below 1.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _check_positive(self, "T_max", T_max)
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


class LambdaLR(LRScheduler):
    """The initial learning rate times `lr_lambda(epoch)`, a function, or one for each group.

    Functions are not part of the state dict; of callable objects it holds the attributes. Raises ValueError if the number
    of functions is not that of the groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(_checked(self, optimizer).param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"LambdaLR: {len(self.lr_lambdas)} functions for {groups} parameter groups")
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


class ReduceLROnPlateau(LRScheduler):
    """The learning rate times `factor` when the figure given to `step` has not improved for more than `patience` epochs.

    `mode` says whether smaller ("min") or larger ("max") is better. An improvement beats the best by more than `threshold`,
    a fraction of it under `threshold_mode="rel"`, else an amount. After a reduction `cooldown` epochs don't count. No rate
    falls below `min_lr` (one, or one per group), and a change smaller than `eps` is not made. NaN is no improvement.

    Raises ValueError for a `factor` outside [0, 1), an unknown mode, or a wrong number of `min_lr`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected 0 <= factor < 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: expected mode 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: expected threshold_mode 'rel' or 'abs', got {threshold_mode!r}")
        self.optimizer = _checked(self, optimizer)
        groups = len(optimizer.param_groups)
        several = isinstance(min_lr, (list, tuple))
        self.default_min_lr = None if several else min_lr
        self.min_lrs = list(min_lr) if several else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ValueError(f"ReduceLROnPlateau: {len(self.min_lrs)} min_lr for {groups} parameter groups")
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs without improvement don't count at the moment."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any) -> None:
        """Note the figure of an epoch (a number, or a tensor of one element) and reduce the rates if it is time."""
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
        bar = self.best * (1 + margin) if relative else self.best + margin
        return sign * current > sign * bar

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # some were added since
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: the optimizer now has {len(groups)} parameter groups, min_lr was given for "
                    f"{len(self.min_lrs)}; extend min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs):
            lr = max(group["lr"] * self.factor, least)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr


def _checked(scheduler: LRScheduler, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(scheduler).__name__}: expected an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def _check_positive(scheduler: LRScheduler, name: str, value: int) -> None:
    if not value >= 1:
        raise ValueError(f"{type(scheduler).__name__}: expected {name} of 1 or more, got {value}")


def _checked_gamma(scheduler: LRScheduler, gamma: float) -> float:
    if not gamma >= 0:
        raise ValueError(f"{type(scheduler).__name__}: expected gamma of 0 or more, got {gamma}")
    return gamma
