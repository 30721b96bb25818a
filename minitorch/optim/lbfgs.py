"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import InitVar
from typing import Any

from minitorch.autograd.grad_mode import enable_grad, no_grad
from minitorch.autograd.tensor import Tensor
from minitorch.ops.joining import cat
from minitorch.optim.rule import Rule


class LBFGS(Rule):
    """Limited-memory BFGS (Nocedal 1980): iterations p -= lr H g, with H an inverse Hessian estimated from past steps.

    H uses the last `history_size` steps. One `step` makes up to `max_iter` iterations and at most `max_eval` closure calls
    (1.25 max_iter if None); it ends when no element of the gradient is above `tolerance_grad`, or the parameters or the loss
    change by less than `tolerance_change`. The first iteration is p -= lr min(1, 1 / sum |g|) g. There is no line search.
    Raises ValueError for several groups or a `line_search_fn`, TypeError for a step without a closure.
    """

    lr: InitVar[float] = 1
    max_iter: InitVar[int] = 20
    max_eval: InitVar[int | None] = None
    tolerance_grad: InitVar[float] = 1e-7
    tolerance_change: InitVar[float] = 1e-9
    history_size: InitVar[int] = 100
    line_search_fn: InitVar[str | None] = None

    def _take(self, arguments: dict[str, Any]) -> None:
        if arguments["line_search_fn"] is not None:
            raise ValueError(f"LBFGS: only line_search_fn None is supported, got {arguments['line_search_fn']!r}")
        if arguments["max_eval"] is None:
            arguments["max_eval"] = arguments["max_iter"] * 5 // 4
        super()._take(arguments)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Set the only group; raises ValueError for a second one."""
        if self.param_groups:
            raise ValueError("LBFGS: one group of parameters is allowed, with one set of options")
        super().add_param_group(param_group)

    def _kept(self, group: dict[str, Any]) -> Sequence[str]:
        return "func_evals", "n_iter"

    def _gradient(self) -> Tensor:
        """All gradients as one vector."""
        params = self.param_groups[0]["params"]
        return cat([(p.detach() * 0 if p.grad is None else p.grad.detach()).reshape(-1) for p in params])

    def _move(self, step: Tensor) -> None:
        params = self.param_groups[0]["params"]
        for p, part in zip(params, step.split([p.numel() for p in params])):
            p.add_(part.reshape(p.shape))

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations; `closure` clears the gradients, computes the loss, calls `backward`, returns it."""
        if closure is None:
            raise TypeError("LBFGS.step: expected a closure that computes the loss again")
        group, state = self.param_groups[0], self.state[self.param_groups[0]["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        evaluate = enable_grad()(closure)
        first = evaluate()
        loss, evaluations = float(first), 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if float(gradient.abs().max()) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            self._remember(state, gradient, group["history_size"])
            direction, t = state["d"], group["lr"]
            if state["n_iter"] == 1:
                t = min(1.0, 1.0 / float(gradient.abs().sum())) * group["lr"]
            state["prev_flat_grad"], previous, state["t"] = gradient, loss, t
            slope = float((gradient * direction).sum())
            if slope > -group["tolerance_change"]:
                break
            self._move(direction * t)
            if iteration == group["max_iter"]:
                break
            loss = float(evaluate())
            gradient = self._gradient()
            evaluations += 1
            state["func_evals"] += 1
            if evaluations >= group["max_eval"] or float(gradient.abs().max()) <= group["tolerance_grad"]:
                break
            moved, least = float((direction * t).abs().max()), group["tolerance_change"]
            if moved <= least or abs(loss - previous) < least:
                break
        self._steps_taken += 1
        return first

    def _remember(self, state: dict[str, Any], gradient: Tensor, most: int) -> None:
        """Add the last step to the history, and set `state["d"]` to -H g (Nocedal & Wright, algorithm 7.4)."""
        if state["n_iter"] == 1:
            state.update(d=-gradient, old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return
        y, s = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = float((y * s).sum())
        if curvature > 1e-10:
            for kept, new in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / curvature)):
                state[kept] = [*state[kept], new][-most:] if most else []
            state["H_diag"] = curvature / float((y * y).sum())
        q, weights = -gradient, []
        for y, s, ro in zip(*(reversed(state[kept]) for kept in ("old_dirs", "old_stps", "ro"))):
            weights.append(float((s * q).sum()) * ro)
            q = q - y * weights[-1]
        d = q * state["H_diag"]
        for y, s, ro, weight in zip(state["old_dirs"], state["old_stps"], state["ro"], reversed(weights)):
            d = d + s * (weight - float((y * d).sum()) * ro)
        state["d"] = d
