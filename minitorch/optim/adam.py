"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.tensor import Tensor
from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


def adam(p: Any, g: Any, m: Any, v: Any, t: float, lr: float, beta1: float, beta2: float, eps: float) -> tuple[Any, Any, Any]:
    """The rule as the paper has it, of arrays: the next parameters, m and v at step t (Kingma & Ba 2015, algorithm 1)."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    p = p - lr * m_hat / (v_hat**0.5 + eps)
    return p, m, v


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015): p -= lr m' / (sqrt(v') + eps), m and v the running means of g and g^2.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2; m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) make up
    for their start at zero, t being the number of steps of this parameter. g is the gradient plus `weight_decay` p; with
    `decoupled_weight_decay` (AdamW) p is multiplied by 1 - lr weight_decay instead. `amsgrad` divides by the largest v so
    far (Reddi et al. 2018). `maximize` climbs instead.

    Raises ValueError for options below 0 and for betas outside [0, 1).
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        **how: Any,
    ) -> None:
        if isinstance(lr, Tensor) and how.get("foreach") and not how.get("capturable"):
            raise ValueError(f"{self._name}: a learning rate that is a tensor needs foreach=False or capturable=True")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
            how,
        )

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr", "eps", "weight_decay")
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{self._name}: expected two numbers for betas, got {betas!r}")
        self._check_range({"betas[0]": betas[0], "betas[1]": betas[1]}, "betas[0]", "betas[1]", below=1)

    # What follows is `adam` in place, a strip of the parameter at a time, so that no array is made and the cache is not left.
    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, weight_decay = float(group["lr"]), float(group["eps"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        decoupled = group["decoupled_weight_decay"]
        for whole, state, xp, strips in self._descents(group, members, 0.0 if decoupled else weight_decay):
            t = counted(state)
            means, squares = buffer(state, "exp_avg", whole, xp), buffer(state, "exp_avg_sq", whole, xp)
            most = buffer(state, "max_exp_avg_sq", whole, xp) if group["amsgrad"] else None
            # m' / (sqrt(v') + eps) with the two corrections moved into the scalars, which saves two passes
            root = math.sqrt(1 - beta2**t)
            for at, p, g, scratch in strips:
                m, v = means[at], squares[at]
                if decoupled and weight_decay:
                    xp.multiply(p, 1 - lr * weight_decay, out=p)
                xp.multiply(m, beta1, out=m)
                xp.multiply(g, 1 - beta1, out=scratch)
                xp.add(m, scratch, out=m)
                xp.multiply(v, beta2, out=v)
                xp.multiply(g, g, out=scratch)
                xp.multiply(scratch, 1 - beta2, out=scratch)
                xp.add(v, scratch, out=v)
                if most is not None:
                    v = xp.maximum(most[at], v, out=most[at])
                xp.sqrt(v, out=scratch)
                xp.add(scratch, eps * root, out=scratch)
                xp.divide(m, scratch, out=scratch)
                xp.multiply(scratch, lr * root / (1 - beta1**t), out=scratch)
                xp.subtract(p, scratch, out=p)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): p is multiplied by 1 - lr weight_decay at each step.

    The decay takes no part in the running means, and a schedule of lr scales it too, as in PyTorch. Raises as Adam does.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True, **how)

    def _merged(self, own: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
        return super()._merged(own, saved) | {"decoupled_weight_decay": True}  # whatever was saved, as in PyTorch
