"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar
from typing import Any

from minitorch.optim.rule import Descent
from minitorch.optim.strips import descend


def sgd(p: Any, g: Any, b: Any, lr: float, momentum: float) -> tuple[Any, Any]:
    """The papers' rule on arrays: the next parameters and the next b (Polyak 1964; Sutskever et al. 2013)."""
    b = momentum * b + g
    p = p - lr * b
    return p, b


class SGD(Descent, buffers=("momentum_buffer",)):
    """Stochastic gradient descent: p -= lr g, with momentum p -= lr b for b = momentum b + (1 - dampening) g.

    g is the gradient plus `weight_decay` p, b starts as the first g, and with `nesterov` p -= lr (g + momentum b)
    (Sutskever et al. 2013, in PyTorch's form). Raises ValueError for `nesterov` without momentum or with dampening.
    """

    lr: InitVar[float] = 1e-3
    momentum: InitVar[float] = 0
    dampening: InitVar[float] = 0
    weight_decay: InitVar[float] = 0
    nesterov: InitVar[bool] = False

    def _check_options(self, group: dict[str, Any]) -> None:
        super()._check_options(group)
        momentum, dampening = group["momentum"], group["dampening"]
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(f"SGD: nesterov needs momentum and no dampening, got momentum={momentum}, dampening={dampening}")

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        return self.buffers if group["momentum"] else ()

    # `sgd` in place, one strip of the parameter at a time, to allocate no array and to stay in the cache.
    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, momentum, taken = float(group["lr"]), float(group["momentum"]), 1 - float(group["dampening"])

        def rule(p: Any, g: Any, scratch: Any, kept: Any, xp: Any, first: bool) -> None:
            if momentum:
                (b,) = kept
                if first:
                    b[...] = g
                else:
                    xp.multiply(b, momentum, out=b)
                    xp.add(b, g if taken == 1 else xp.multiply(g, taken, out=scratch), out=b)
                g = xp.add(g, xp.multiply(b, momentum, out=scratch), out=scratch) if group["nesterov"] else b
            descend(xp, p, g, lr, scratch)

        self._descend(group, members, lambda state: "momentum_buffer" not in state, rule)
