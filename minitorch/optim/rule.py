"""What the optimizers here share beyond `Optimizer`: options by fields, checked by their defaults, and the loop over strips."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, InitVar
from threading import get_ident
from typing import Any

from minitorch.autograd.changes import mark_changed
from minitorch.autograd.tensor import Tensor
from minitorch.fields import Fields
from minitorch.optim.optimizer import Optimizer, Params
from minitorch.optim.strips import buffer, scratches
from minitorch.threads import run


class Rule(Fields, Optimizer):
    """An optimizer whose fields are its constructor's arguments, and the options of each group.

    An option with a number as default is a number of 0 or more (rho and alpha: up to 1), one with a pair is two numbers from 0
    to below 1; raises ValueError or TypeError for others.
    """

    params: InitVar[Params]

    def _take(self, arguments: dict[str, Any]) -> None:
        Optimizer.__init__(self, arguments.pop("params"), arguments)

    def _check_options(self, group: dict[str, Any]) -> None:
        for name, field in self.fields.items():
            if isinstance(field.default, tuple):
                pair = group[name]
                if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                    raise TypeError(f"{self._name}: expected two numbers for {name}, got {pair!r}")
                for i, value in enumerate(pair):
                    self._check_number(f"{name}[{i}]", value, "< 1")
            elif isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
                self._check_number(name, group[name], "<= 1" if name in ("rho", "alpha") else "< inf")

    def _check_number(self, name: str, value: Any, end: str) -> None:
        if not isinstance(value, numbers.Real):
            raise TypeError(f"{self._name}: expected a number for {name}, got {type(value).__name__}")
        number = float(value)
        if not (number >= 0 and {"< 1": number < 1, "<= 1": number <= 1, "< inf": number < math.inf}[end]):
            raise ValueError(f"{self._name}: expected 0 <= {name} {end}, got {value}")


class Descent(Rule):
    """A rule that changes a parameter by its gradient, strip by strip; `maximize` ascends instead of descending.

    PyTorch's `foreach`, `fused` and `capturable`, which choose how a step is computed, have no effect. Raises ValueError for
    `foreach` together with `fused`, and for `differentiable`.
    """

    _: KW_ONLY
    maximize: InitVar[bool] = False
    foreach: InitVar[bool | None] = None
    capturable: InitVar[bool] = False
    differentiable: InitVar[bool] = False
    fused: InitVar[bool | None] = None

    def _take(self, arguments: dict[str, Any]) -> None:
        how = {name: arguments.pop(name) for name in ("foreach", "capturable", "differentiable", "fused")}
        if how["differentiable"]:
            raise ValueError(f"{self._name}: steps are not recorded: only differentiable=False is supported, got True")
        if how["foreach"] and how["fused"]:
            raise ValueError(f"{self._name}: foreach and fused cannot both be True")
        if "amsgrad" in arguments and isinstance(arguments["lr"], Tensor) and how["foreach"] and not how["capturable"]:
            raise ValueError(f"{self._name}: a learning rate that is a tensor needs foreach=False or capturable=True")
        super()._take(arguments)

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        return "step", *self.buffers

    def _descend(
        self,
        group: dict[str, Any],
        members: list[tuple[Any, ...]],
        before: Callable[[dict[str, Any]], Any],
        rule: Callable[[Any, Any, Any, list[Any], Any, Any], None],
    ) -> None:
        """For each strip of `members`, with the buffers of `_kept`: `rule(p, g, scratch, buffers, xp, before(state))`.

        g is the gradient to descend along: it includes the weight decay, unless that is decoupled and has multiplied p, and is
        negated by `maximize`. A float16 parameter is given in float32, and rounded afterwards.
        """
        lr, decay, decoupled = float(group["lr"]), float(group["weight_decay"]), group.get("decoupled_weight_decay")
        names = [name for name in self._kept(group) if name != "step"]
        maximize, start = group["maximize"], group.get("initial_accumulator_value", 0.0)

        def strip(part: Any, g: Any, buffers: list[Any], made: dict[int, Any], xp: Any, argument: Any) -> None:
            own, scratch = made.get(get_ident()) or scratches(part, xp, self._memory, made)
            p = part
            if part.dtype != own.dtype:
                p, g = part.astype(own.dtype), g.astype(own.dtype)
            if decay and decoupled:
                xp.multiply(p, 1 - lr * decay, out=p)
            elif decay:
                xp.multiply(p, -decay if maximize else decay, out=own)
                g = xp.add(g, own, out=own)
            if maximize:
                g = xp.negative(g, out=own)
            rule(p, g, scratch, buffers, xp, argument)
            if p is not part:
                part[...] = p

        for p, grad, state, (_, xp, strips) in members:
            mark_changed(p, "optimizer.step()")
            argument = before(state)
            kept = [buffer(state, name, p, xp, start) for name in names]
            if len(strips) == 1:
                strip(p, grad, kept, strips[0][1], xp, argument)
            else:
                run(strip, [(p[at], grad[at], [array[at] for array in kept], made, xp, argument) for at, made in strips])
