"""Adamax, NAdam and RAdam: Adam's running means, with another size of the step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.autograd.tensor import wrap
from minitorch.optim.adam import Adam
from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class _Means(Optimizer):
    """A rule with Adam's running means and the checks of its options."""

    _check_options: Any = Adam._check_options


class Adamax(_Means):
    """Adamax (Kingma & Ba 2015, section 7): p -= lr m / (1 - beta1^t) / u, with u = max(beta2 u, |g| + eps).

    m = beta1 m + (1 - beta1) g, g being the gradient plus `weight_decay` p. Options and errors as in `Adam`.
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
            for at, p, g, _ in strips:
                m, u = means[at], largest[at]
                m += (1 - beta1) * (g - m)
                xp.maximum(beta2 * u, xp.abs(g) + eps, out=u)
                p -= lr / (1 - beta1**t) * m / u


class NAdam(_Means):
    """Adam with Nesterov's momentum (Dozat 2016): p -= lr (a g + b m) / (sqrt(v') + eps).

    mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2) is the momentum of step t and M(t) the product of all so far;
    a = (1 - mu(t)) / (1 - M(t)), b = mu(t+1) / (1 - M(t+1)), v' = v / (1 - beta2^t), and m, v as in `Adam`, as are the other
    options and errors.
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay}
        super().__init__(params, options | {"decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize}, how)

    def _check_options(self, group: dict[str, Any]) -> None:
        super()._check_options(group)
        self._check_range(group, "momentum_decay")

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, decay, (beta1, beta2) = *(float(group[n]) for n in ("lr", "eps", "weight_decay")), map(float, group["betas"])
        decoupled, slow = group["decoupled_weight_decay"], float(group["momentum_decay"])
        for whole, state, xp, strips in self._descents(group, members, 0.0 if decoupled else decay):
            t = counted(state)
            mu, after = (beta1 * (1 - 0.5 * 0.96 ** (step * slow)) for step in (t, t + 1))
            before = state["mu_product"].array if "mu_product" in state else np.float32(1)
            state["mu_product"] = wrap(np.array(before * before.dtype.type(mu)))  # in float32, as PyTorch keeps it
            product = state["mu_product"].item()
            means, squares = buffer(state, "exp_avg", whole, xp), buffer(state, "exp_avg_sq", whole, xp)
            for at, p, g, _ in strips:
                m, v = means[at], squares[at]
                if decoupled:
                    p *= 1 - lr * decay
                m += (1 - beta1) * (g - m)
                v *= beta2
                v += (1 - beta2) * g * g
                size = xp.sqrt(v / (1 - beta2**t)) + eps
                p -= lr * (1 - mu) / (1 - product) * g / size
                p -= lr * after / (1 - product * after) * m / size


class RAdam(_Means):
    """Rectified Adam (Liu et al. 2020): p -= lr r m' / (sqrt(v') + eps), where r = sqrt of how sure v is; p -= lr m' before.

    With R = 2 / (1 - beta2) - 1 and q = R - 2 t beta2^t / (1 - beta2^t), r^2 is (q - 4) (q - 2) R / ((R - 4) (R - 2) q) once
    q > 5. m', v' and the other options and errors as in `Adam`.
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options | {"decoupled_weight_decay": decoupled_weight_decay}, how)

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, eps, decay, (beta1, beta2) = *(float(group[n]) for n in ("lr", "eps", "weight_decay")), map(float, group["betas"])
        decoupled, most = group["decoupled_weight_decay"], 2 / (1 - beta2) - 1
        for whole, state, xp, strips in self._descents(group, members, 0.0 if decoupled else decay):
            t = counted(state)
            means, squares = buffer(state, "exp_avg", whole, xp), buffer(state, "exp_avg_sq", whole, xp)
            length = most - 2 * t * beta2**t / (1 - beta2**t)
            for at, p, g, _ in strips:
                m, v = means[at], squares[at]
                if decoupled:
                    p *= 1 - lr * decay
                m += (1 - beta1) * (g - m)
                v *= beta2
                v += (1 - beta2) * g * g
                step = lr / (1 - beta1**t) * m
                if length > 5:
                    sure = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
                    step *= math.sqrt(sure * (1 - beta2**t)) / (xp.sqrt(v) + eps)
                p -= step
