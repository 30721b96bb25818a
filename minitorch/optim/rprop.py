"""Rprop."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, Params, buffer, counted


class Rprop(Optimizer):
    """Resilient backpropagation (Riedmiller & Braun 1993): p -= sign(g) d, each element with a step d of its own.

    d starts at lr, grows by the larger of `etas` while g keeps its sign, shrinks by the smaller where it changes, and is kept
    within `step_sizes`; after a change g counts as 0. `maximize` climbs instead. Meant for whole data sets, not for batches.
    Raises ValueError unless 0 < etas[0] < 1 < etas[1].
    """

    buffers: tuple[str, ...] = ("prev", "step_size")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
        **how: Any,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}, how)

    def _check_options(self, group: dict[str, Any]) -> None:
        self._check_range(group, "lr")
        if not 0 < group["etas"][0] < 1 < group["etas"][1]:
            raise ValueError(f"Rprop: expected 0 < etas[0] < 1 < etas[1], got {group['etas']}")

    def _update(self, group: dict[str, Any], members: list[tuple[Any, ...]]) -> None:
        (less, more), (least, most) = group["etas"], group["step_sizes"]
        for whole, state, xp, strips in self._descents(group, members, 0.0):
            counted(state)
            before, sizes = buffer(state, "prev", whole, xp), buffer(state, "step_size", whole, xp, group["lr"])
            for at, p, g, _ in strips:
                turned = xp.sign(g * before[at])
                d = sizes[at]
                d *= xp.where(turned > 0, more, xp.where(turned < 0, less, 1.0)).astype(d.dtype)
                xp.clip(d, least, most, out=d)
                g = xp.where(turned < 0, g.dtype.type(0), g)
                p -= xp.sign(g) * d
                before[at] = g
