"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import wrap
from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): p -= lr' g / (sqrt(s) + eps), s the sum of all g^2 so far.

    lr' is lr / (1 + (t - 1) lr_decay) at step t, g the gradient plus `weight_decay` p, and s starts at
    `initial_accumulator_value` (that of the group; PyTorch takes the constructor's for all). `maximize` climbs instead.

    Raises ValueError for options below 0.
    """

    buffers: tuple[str, ...] = ("sum",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "maximize": maximize,
            },
            how,
        )

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As `Optimizer.add_param_group`; the state is there before the first step, as in PyTorch."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.state[p]["step"] = wrap(np.zeros((), np.float32))
            buffer(self.state[p], "sum", p.array, backend.array_module(p.array), group["initial_accumulator_value"])

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, lr_decay, eps = float(group["lr"]), float(group["lr_decay"]), float(group["eps"])
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            t = counted(state)
            sums = buffer(state, "sum", whole, xp, group["initial_accumulator_value"])
            for at, p, g, scratch in strips:
                s = sums[at]
                xp.multiply(g, g, out=scratch)
                xp.add(s, scratch, out=s)
                xp.sqrt(s, out=scratch)
                xp.add(scratch, eps, out=scratch)
                xp.divide(g, scratch, out=scratch)
                xp.multiply(scratch, lr / (1 + (t - 1) * lr_decay), out=scratch)
                xp.subtract(p, scratch, out=p)
