"""Adam, AdamW, Adamax and RAdam."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar
from typing import Any

from minitorch.optim.rule import Descent
from minitorch.optim.strips import counted, descend, mix, over_root


def adam(p: Any, g: Any, m: Any, v: Any, t: float, lr: float, beta1: float, beta2: float, eps: float) -> tuple[Any, Any, Any]:
    """The paper's rule on arrays: the next parameters, m and v at step t (Kingma & Ba 2015, algorithm 1)."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    p = p - lr * m_hat / (v_hat**0.5 + eps)
    return p, m, v


class Adam(Descent, buffers=("exp_avg", "exp_avg_sq", "max_exp_avg_sq")):
    """Adam (Kingma & Ba 2015): p -= lr m' / (sqrt(v') + eps), with running means m of g and v of g^2.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2; m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) correct
    for their start at zero, where t counts the steps of this parameter. g is the gradient plus `weight_decay` p; with
    `decoupled_weight_decay` (AdamW) p is multiplied by 1 - lr weight_decay instead. `amsgrad` divides by the largest v so
    far (Reddi et al. 2018).
    """

    lr: InitVar[float] = 1e-3
    betas: InitVar[tuple[float, float]] = (0.9, 0.999)
    eps: InitVar[float] = 1e-8
    weight_decay: InitVar[float] = 0
    amsgrad: InitVar[bool] = False
    _: KW_ONLY
    decoupled_weight_decay: InitVar[bool] = False

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        return "step", *self.buffers[: 2 + group["amsgrad"]]

    # `adam` in place, one strip of the parameter at a time, to allocate no array and to stay in the cache.
    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, (beta1, beta2) = float(group["lr"]), float(group["eps"]), map(float, group["betas"])

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            m, v, *most = buffers
            mix(xp, m, beta1, g, scratch)
            mix(xp, v, beta2, xp.multiply(g, g, out=scratch), scratch)
            if most:
                v = xp.maximum(most[0], v, out=most[0])
            # m' / (sqrt(v') + eps) with the two corrections moved into the scalars, which saves two passes
            root = math.sqrt(1 - beta2**t)
            descend(xp, p, over_root(xp, m, v, eps * root, scratch), lr * root / (1 - beta1**t), scratch)

        self._descend(group, members, counted, rule)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): p is multiplied by 1 - lr weight_decay at each step.

    The decay does not enter the running means, and a schedule of lr scales it, too, as in PyTorch.
    """

    weight_decay: InitVar[float] = 1e-2
    _: KW_ONLY
    decoupled_weight_decay: InitVar[bool] = True

    def _merged(self, own: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
        return super()._merged(own, saved) | {"decoupled_weight_decay": True}  # whatever was saved, as in PyTorch


class Adamax(Descent, buffers=("exp_avg", "exp_inf")):
    """Adamax (Kingma & Ba 2015, section 7): p -= lr m / (1 - beta1^t) / u, with u = max(beta2 u, |g| + eps).

    m = beta1 m + (1 - beta1) g, where g is the gradient plus `weight_decay` p.
    """

    lr: InitVar[float] = 2e-3
    betas: InitVar[tuple[float, float]] = (0.9, 0.999)
    eps: InitVar[float] = 1e-8
    weight_decay: InitVar[float] = 0

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, (beta1, beta2) = float(group["lr"]), float(group["eps"]), map(float, group["betas"])

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            m, u = buffers
            m += (1 - beta1) * (g - m)
            xp.maximum(beta2 * u, xp.abs(g) + eps, out=u)
            descend(xp, p, xp.divide(m, u, out=scratch), lr / (1 - beta1**t), scratch)

        self._descend(group, members, counted, rule)


class RAdam(Descent, buffers=("exp_avg", "exp_avg_sq")):
    """Rectified Adam (Liu et al. 2020): Adam, whose first steps do not divide by sqrt(v), which is still uncertain.

    They are p -= lr m / (1 - beta1^t), later ones r sqrt(1 - beta2^t) / (sqrt(v) + eps) times that, from k > 5 with
    n = 2 / (1 - beta2) - 1, k = n - 2 t beta2^t / (1 - beta2^t) and r^2 = (k - 4) (k - 2) n / ((n - 4) (n - 2) k).
    m, v and the two kinds of weight decay are as in `Adam`.
    """

    lr: InitVar[float] = 1e-3
    betas: InitVar[tuple[float, float]] = (0.9, 0.999)
    eps: InitVar[float] = 1e-8
    weight_decay: InitVar[float] = 0
    decoupled_weight_decay: InitVar[bool] = False

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, (beta1, beta2) = float(group["lr"]), float(group["eps"]), map(float, group["betas"])
        n = 2 / (1 - beta2) - 1

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            m, v = buffers
            mix(xp, m, beta1, g, scratch)
            mix(xp, v, beta2, xp.multiply(g, g, out=scratch), scratch)
            rate, k = lr / (1 - beta1**t), n - 2 * t * beta2**t / (1 - beta2**t)
            if k > 5:
                rate *= math.sqrt((k - 4) * (k - 2) * n / ((n - 4) * (n - 2) * k) * (1 - beta2**t))
                m = over_root(xp, m, v, eps, scratch)
            descend(xp, p, m, rate, scratch)

        self._descend(group, members, counted, rule)
