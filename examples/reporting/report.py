"""The nouns: a net with what its report says of it, and a report with its nets and its recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import layers as nn
from minitorch.data import Pairs

History = dict[str, list[float]]
"""One number per epoch under `train_loss`, `train_error`, `test_loss` and `test_error`; errors are in percent."""


@dataclass(frozen=True)
class Net:
    """A net of a report: its name in tables, how to build it, and its reported accuracy in percent, mean and deviation."""

    name: str
    build: Callable[[], nn.Module]
    reported: float | None = None
    reported_std: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    """What the recipe needs to know of this net alone, an auxiliary loss for example."""

    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.build().parameters())

    @property
    def slug(self) -> str:
        """The name as part of a file name."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


@dataclass(frozen=True)
class Report:
    """A report: `train(net, train, test, epochs, device)` trains a fresh net on one draw of pairs and returns its `History`."""

    number: str
    title: str
    script: str
    nets: Sequence[Net]
    train: Callable[[Net, Pairs, Pairs, int, str], History]
    runs: int
    epochs: int
    quick_runs: int
    quick_epochs: int
    pairs: int = 1000
    relation: str = "le"
