"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.autograd.tensor import wrap
from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class ASGD(Optimizer):
    """Averaged SGD (Polyak & Juditsky 1992): p = (1 - lambd eta) p - eta g, and the average of p in `state[p]["ax"]`.

    eta = lr / (1 + lambd lr t)^alpha at step t, rounded to float32 as PyTorch keeps it; the average starts after step `t0`.
    g is the gradient plus `weight_decay` p. `maximize` climbs instead. Raises ValueError for options below 0.
    """

    buffers: tuple[str, ...] = ("ax",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options, how)

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr", "lambd", "alpha", "t0", "weight_decay")

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, lambd, alpha, t0 = (float(group[name]) for name in ("lr", "lambd", "alpha", "t0"))
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            t = counted(state)
            for name, start in ("eta", lr), ("mu", 1.0):
                state.setdefault(name, wrap(np.array(start, np.float32)))
            eta, mu = state["eta"].item(), state["mu"].item()
            averages = buffer(state, "ax", whole, xp)
            for at, p, g, _ in strips:
                p *= 1 - lambd * eta
                p -= eta * g
                averages[at] += mu * (p - averages[at])
            state["eta"] = wrap(np.array(lr / (1 + lambd * lr * t) ** alpha, np.float32))
            state["mu"] = wrap(np.array(1 / max(1.0, t - t0), np.float32))
