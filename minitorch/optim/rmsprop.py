"""RMSprop."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, Params
from minitorch.optim.strips import buffer, counted, descend, mix, over_root


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6; centred: Graves 2013): p -= lr g / (sqrt(v) + eps), v the running mean of g^2.

    v = alpha v + (1 - alpha) g^2; `centered` subtracts the square of the running mean of g from v under the root. With
    momentum the step is lr b, b = momentum b + g / (sqrt(v) + eps). g is the gradient plus `weight_decay` p. `maximize`
    ascends instead of descending.

    If rounding makes the centred variance negative, 0 is used (PyTorch gives NaN). Raises ValueError for options below 0 and
    for alpha above 1.
    """

    buffers: tuple[str, ...] = ("square_avg", "momentum_buffer", "grad_avg")
    numbers: tuple[str, ...] = ("lr", "eps", "weight_decay", "momentum")
    shares: tuple[str, ...] = ("alpha",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        super().__init__(params, options | {"weight_decay": weight_decay, "maximize": maximize}, how)

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, alpha, eps, momentum = (float(group[name]) for name in ("lr", "alpha", "eps", "momentum"))
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            counted(state)
            squares = buffer(state, "square_avg", whole, xp)
            steps = buffer(state, "momentum_buffer", whole, xp) if momentum else None
            means = buffer(state, "grad_avg", whole, xp) if group["centered"] else None
            for at, p, g, scratch in strips:
                v = squares[at]
                mix(xp, v, alpha, xp.multiply(g, g, out=scratch), scratch)
                if means is not None:
                    mean = means[at]
                    mix(xp, mean, alpha, g, scratch)
                    xp.subtract(v, xp.multiply(mean, mean, out=scratch), out=scratch)
                    v = xp.maximum(scratch, 0.0, out=scratch)
                step = over_root(xp, g, v, eps, scratch)
                if steps is not None:
                    b = steps[at]
                    step = xp.add(xp.multiply(b, momentum, out=b), step, out=b)
                descend(xp, p, step, lr, scratch)
