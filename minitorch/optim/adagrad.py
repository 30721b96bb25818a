"""Adagrad and Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import wrap
from minitorch.optim.optimizer import Optimizer, Params
from minitorch.optim.strips import buffer, counted, descend, mix, over_root


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): p -= lr' g / (sqrt(s) + eps), where s is the sum of all g^2 so far.

    lr' is lr / (1 + (t - 1) lr_decay) at step t, g is the gradient plus `weight_decay` p, and s starts at the group's
    `initial_accumulator_value` (PyTorch uses the constructor's for all groups). `maximize` ascends instead of descending.

    Raises ValueError for options below 0.
    """

    buffers: tuple[str, ...] = ("sum",)
    numbers: tuple[str, ...] = ("lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value")

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
        options = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options | {"initial_accumulator_value": initial_accumulator_value}, how)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As `Optimizer.add_param_group`; the state exists before the first step, as in PyTorch."""
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
                s = xp.add(sums[at], xp.multiply(g, g, out=scratch), out=sums[at])
                descend(xp, p, over_root(xp, g, s, eps, scratch), lr / (1 + (t - 1) * lr_decay), scratch)


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): p -= lr d, d = sqrt((u + eps) / (s + eps)) g, with running means s of g^2 and u of d^2.

    s = rho s + (1 - rho) g^2 before d is computed, u = rho u + (1 - rho) d^2 after. g is the gradient plus `weight_decay` p.
    `maximize` ascends instead of descending. Raises ValueError for options below 0 and a rho above 1.
    """

    buffers: tuple[str, ...] = ("square_avg", "acc_delta")
    numbers: tuple[str, ...] = ("lr", "eps", "weight_decay")
    shares: tuple[str, ...] = ("rho",)

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}, how)

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            counted(state)
            squares, steps = buffer(state, "square_avg", whole, xp), buffer(state, "acc_delta", whole, xp)
            for at, p, g, scratch in strips:
                s, u = squares[at], steps[at]
                mix(xp, s, rho, xp.multiply(g, g, out=scratch), scratch)
                d = xp.sqrt(u + eps) / xp.sqrt(s + eps) * g
                mix(xp, u, rho, xp.multiply(d, d, out=scratch), scratch)
                descend(xp, p, d, lr, scratch)
