"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, Params
from minitorch.optim.strips import buffer, descend


def sgd(p: Any, g: Any, b: Any, lr: float, momentum: float) -> tuple[Any, Any]:
    """The papers' rule on arrays: the next parameters and the next b (Polyak 1964; Sutskever et al. 2013)."""
    b = momentum * b + g
    p = p - lr * b
    return p, b


class SGD(Optimizer):
    """Stochastic gradient descent: p -= lr g, with momentum p -= lr b for b = momentum b + (1 - dampening) g.

    g is the gradient plus `weight_decay` p, b starts as the first g, and with `nesterov` p -= lr (g + momentum b)
    (Sutskever et al. 2013, in PyTorch's form). `maximize` ascends instead of descending.

    Raises ValueError for options below 0, and for `nesterov` without momentum or with dampening.
    """

    buffers: tuple[str, ...] = ("momentum_buffer",)
    numbers: tuple[str, ...] = ("lr", "momentum", "dampening", "weight_decay")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, options | {"maximize": maximize}, how)

    def _check_options(self, group: dict[str, Any]) -> None:
        super()._check_options(group)
        momentum, dampening = group["momentum"], group["dampening"]
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(f"SGD: nesterov needs momentum and no dampening, got momentum={momentum}, dampening={dampening}")

    # `sgd` in place, one strip of the parameter at a time, to allocate no array and to stay in the cache.
    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, momentum, taken = float(group["lr"]), float(group["momentum"]), 1 - float(group["dampening"])
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            first = "momentum_buffer" not in state
            average: Any = buffer(state, "momentum_buffer", whole, xp) if momentum else None
            for at, p, g, scratch in strips:
                if momentum:
                    b = average[at]
                    if first:
                        b[...] = g
                    else:
                        xp.multiply(b, momentum, out=b)
                        xp.add(b, g if taken == 1 else xp.multiply(g, taken, out=scratch), out=b)
                    g = xp.add(g, xp.multiply(b, momentum, out=scratch), out=scratch) if group["nesterov"] else b
                descend(xp, p, g, lr, scratch)
