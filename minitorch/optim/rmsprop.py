"""RMSprop."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6; centred: Graves 2013): p -= lr g / (sqrt(v) + eps), v the running mean of g^2.

    v = alpha v + (1 - alpha) g^2; `centered` subtracts the square of the running mean of g from v under the root. With
    momentum the step is lr b, b = momentum b + g / (sqrt(v) + eps). g is the gradient plus `weight_decay` p. `maximize`
    climbs instead.

    Where rounding makes the centred variance negative it counts as 0 (PyTorch takes the root of it, which is NaN). Raises
    ValueError for options below 0 and for alpha above 1.
    """

    buffers: tuple[str, ...] = ("square_avg", "momentum_buffer", "grad_avg")

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
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            how,
        )

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr", "alpha", "eps", "weight_decay", "momentum")
        if group["alpha"] > 1:
            raise ValueError(f"RMSprop: expected 0 <= alpha <= 1, got {group['alpha']}")

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, alpha, eps, momentum = (float(group[name]) for name in ("lr", "alpha", "eps", "momentum"))
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            counted(state)
            squares = buffer(state, "square_avg", whole, xp)
            steps = buffer(state, "momentum_buffer", whole, xp) if momentum else None
            means = buffer(state, "grad_avg", whole, xp) if group["centered"] else None
            for at, p, g, scratch in strips:
                v = squares[at]
                xp.multiply(v, alpha, out=v)
                xp.multiply(g, g, out=scratch)
                xp.multiply(scratch, 1 - alpha, out=scratch)
                xp.add(v, scratch, out=v)
                if means is not None:
                    mean = means[at]
                    xp.multiply(mean, alpha, out=mean)
                    xp.multiply(g, 1 - alpha, out=scratch)
                    xp.add(mean, scratch, out=mean)
                    xp.multiply(mean, mean, out=scratch)
                    xp.subtract(v, scratch, out=scratch)
                    v = xp.maximum(scratch, 0.0, out=scratch)
                xp.sqrt(v, out=scratch)
                xp.add(scratch, eps, out=scratch)
                step = xp.divide(g, scratch, out=scratch)
                if steps is not None:
                    b = steps[at]
                    xp.multiply(b, momentum, out=b)
                    step = xp.add(b, step, out=b)
                xp.multiply(step, lr, out=scratch)
                xp.subtract(p, scratch, out=p)
