"""Adam, AdamW and Adamax."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.tensor import Tensor
from minitorch.optim.optimizer import Optimizer, Params
from minitorch.optim.strips import buffer, counted, descend, mix, over_root


def adam(p: Any, g: Any, m: Any, v: Any, t: float, lr: float, beta1: float, beta2: float, eps: float) -> tuple[Any, Any, Any]:
    """The paper's rule on arrays: the next parameters, m and v at step t (Kingma & Ba 2015, algorithm 1)."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    p = p - lr * m_hat / (v_hat**0.5 + eps)
    return p, m, v


class _WithBetas(Optimizer):
    numbers: tuple[str, ...] = ("lr", "eps", "weight_decay")

    def _check_options(self, group: dict[str, Any]) -> None:
        super()._check_options(group)
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{self._name}: expected two numbers for betas, got {betas!r}")
        self._check_range({f"betas[{i}]": beta for i, beta in enumerate(betas)}, "betas[0]", "betas[1]", below=1)


class Adam(_WithBetas):
    """Adam (Kingma & Ba 2015): p -= lr m' / (sqrt(v') + eps), with running means m of g and v of g^2.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2; m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) correct
    for their start at zero, where t counts the steps of this parameter. g is the gradient plus `weight_decay` p; with
    `decoupled_weight_decay` (AdamW) p is multiplied by 1 - lr weight_decay instead. `amsgrad` divides by the largest v so
    far (Reddi et al. 2018). `maximize` ascends instead of descending.

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
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, options | {"maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}, how)

    # `adam` in place, one strip of the parameter at a time, to allocate no array and to stay in the cache.
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
                mix(xp, m, beta1, g, scratch)
                mix(xp, v, beta2, xp.multiply(g, g, out=scratch), scratch)
                if most is not None:
                    v = xp.maximum(most[at], v, out=most[at])
                descend(xp, p, over_root(xp, m, v, eps * root, scratch), lr * root / (1 - beta1**t), scratch)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): p is multiplied by 1 - lr weight_decay at each step.

    The decay does not enter the running means, and a schedule of lr scales it, too, as in PyTorch. Raises as Adam does.
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


class Adamax(_WithBetas):
    """Adamax (Kingma & Ba 2015, section 7): p -= lr m / (1 - beta1^t) / u, with u = max(beta2 u, |g| + eps).

    m = beta1 m + (1 - beta1) g, where g is the gradient plus `weight_decay` p. Options and errors as in `Adam`.
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options, how)

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, (beta1, beta2) = float(group["lr"]), float(group["eps"]), map(float, group["betas"])
        for whole, state, xp, strips in self._descents(group, members, group["weight_decay"]):
            t = counted(state)
            means, largest = buffer(state, "exp_avg", whole, xp), buffer(state, "exp_inf", whole, xp)
            for at, p, g, scratch in strips:
                m, u = means[at], largest[at]
                m += (1 - beta1) * (g - m)
                xp.maximum(beta2 * u, xp.abs(g) + eps, out=u)
                descend(xp, p, xp.divide(m, u, out=scratch), lr / (1 - beta1**t), scratch)
