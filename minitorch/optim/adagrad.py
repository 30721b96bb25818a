"""Adagrad, and the rules that let its sum of squares forget: RMSprop and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar
from itertools import compress
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import wrap
from minitorch.optim.rule import Descent
from minitorch.optim.strips import buffer, counted, descend, mix, over_root


class Adagrad(Descent, buffers=("sum",)):
    """Adagrad (Duchi et al. 2011): p -= lr' g / (sqrt(s) + eps), where s is the sum of all g^2 so far.

    lr' is lr / (1 + (t - 1) lr_decay) at step t, g is the gradient plus `weight_decay` p, and s starts at the group's
    `initial_accumulator_value` (PyTorch uses the constructor's for all groups).
    """

    lr: InitVar[float] = 1e-2
    lr_decay: InitVar[float] = 0
    weight_decay: InitVar[float] = 0
    initial_accumulator_value: InitVar[float] = 0
    eps: InitVar[float] = 1e-10

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As `Optimizer.add_param_group`; the state exists before the first step, as in PyTorch."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.state[p]["step"] = wrap(np.zeros((), np.float32))
            buffer(self.state[p], "sum", p.array, backend.array_module(p.array), group["initial_accumulator_value"])

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, lr_decay, eps = (float(group[name]) for name in ("lr", "lr_decay", "eps"))

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            (s,) = buffers
            xp.add(s, xp.multiply(g, g, out=scratch), out=s)
            descend(xp, p, over_root(xp, g, s, eps, scratch), lr / (1 + (t - 1) * lr_decay), scratch)

        self._descend(group, members, counted, rule)


class RMSprop(Descent, buffers=("square_avg", "momentum_buffer", "grad_avg")):
    """RMSprop (Hinton 2012, lecture 6; centred: Graves 2013): p -= lr g / (sqrt(v) + eps), v the running mean of g^2.

    v = alpha v + (1 - alpha) g^2; `centered` subtracts the square of the running mean of g from v under the root (0 where
    rounding makes that negative; PyTorch gives NaN). With momentum the step is lr b, b = momentum b + g / (sqrt(v) + eps). g is
    the gradient plus `weight_decay` p.
    """

    lr: InitVar[float] = 1e-2
    alpha: InitVar[float] = 0.99
    eps: InitVar[float] = 1e-8
    weight_decay: InitVar[float] = 0
    momentum: InitVar[float] = 0
    centered: InitVar[bool] = False

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        return "step", *compress(self.buffers, [True, group["momentum"], group["centered"]])

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, alpha, eps, momentum = (float(group[name]) for name in ("lr", "alpha", "eps", "momentum"))

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            v, *others = buffers
            mix(xp, v, alpha, xp.multiply(g, g, out=scratch), scratch)
            if group["centered"]:
                mean = others[-1]
                mix(xp, mean, alpha, g, scratch)
                xp.subtract(v, xp.multiply(mean, mean, out=scratch), out=scratch)
                v = xp.maximum(scratch, 0.0, out=scratch)
            step = over_root(xp, g, v, eps, scratch)
            if momentum:
                b = others[0]
                step = xp.add(xp.multiply(b, momentum, out=b), step, out=b)
            descend(xp, p, step, lr, scratch)

        self._descend(group, members, counted, rule)


class Adadelta(Descent, buffers=("square_avg", "acc_delta")):
    """Adadelta (Zeiler 2012): p -= lr d, d = sqrt((u + eps) / (s + eps)) g, with running means s of g^2 and u of d^2.

    s = rho s + (1 - rho) g^2 before d is computed, u = rho u + (1 - rho) d^2 after. g is the gradient plus `weight_decay` p.
    """

    lr: InitVar[float] = 1.0
    rho: InitVar[float] = 0.9
    eps: InitVar[float] = 1e-6
    weight_decay: InitVar[float] = 0

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        lr, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))

        def rule(p: Any, g: Any, scratch: Any, buffers: Any, xp: Any, t: float) -> None:
            s, u = buffers
            mix(xp, s, rho, xp.multiply(g, g, out=scratch), scratch)
            d = xp.sqrt(u + eps) / xp.sqrt(s + eps) * g
            mix(xp, u, rho, xp.multiply(d, d, out=scratch), scratch)
            descend(xp, p, d, lr, scratch)

        self._descend(group, members, counted, rule)
