"""The schedule that reacts when a metric stops improving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler
from minitorch.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """The learning rate times `factor` when the metric given to `step` has not improved for more than `patience` epochs.

    `mode` says whether smaller ("min") or larger ("max") is better. An improvement beats the best by more than `threshold`,
    a fraction of the best with `threshold_mode="rel"`, else an amount. After a reduction, `cooldown` epochs are not counted. No
    rate falls below `min_lr` (one, or one per group); changes smaller than `eps` are not made. NaN is no improvement.

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
        self._check(mode=mode, threshold_mode=threshold_mode)
        self._groups(optimizer)
        self.min_lrs: list[float] = self._one_each("min_lr", min_lr)
        self.default_min_lr: float | None = min_lr if isinstance(min_lr, (int, float)) else None
        self.mode: str = mode
        self.factor: float = factor
        self.patience: int = patience
        self.cooldown: int = cooldown
        self.threshold: float = threshold
        self.threshold_mode: str = threshold_mode
        self.eps: float = eps
        self.mode_worse: float = math.inf if mode == "min" else -math.inf
        self.best: float = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
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
        bar = self.best * (1 + margin) if relative else self.best + margin
        return sign * current > sign * bar

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # groups were added
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
