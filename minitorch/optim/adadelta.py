"""Adadelta."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): p -= lr d, d = sqrt((u + eps) / (s + eps)) g, s and u the running means of g^2 and d^2.

    s = rho s + (1 - rho) g^2 before, u = rho u + (1 - rho) d^2 after d is known. g is the gradient plus `weight_decay` p.
    `maximize` climbs instead. Raises ValueError for options below 0 and a rho above 1.
    """

    buffers: tuple[str, ...] = ("square_avg", "acc_delta")

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

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr", "rho", "eps", "weight_decay")
        if group["rho"] > 1:
            raise ValueError(f"Adadelta: expected 0 <= rho <= 1, got {group['rho']}")

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            counted(state)
            squares, steps = buffer(state, "square_avg", whole, xp), buffer(state, "acc_delta", whole, xp)
            for at, p, g, _ in strips:
                s, u = squares[at], steps[at]
                s *= rho
                s += (1 - rho) * g * g
                d = xp.sqrt(u + eps) / xp.sqrt(s + eps) * g
                u *= rho
                u += (1 - rho) * d * d
                p -= lr * d
