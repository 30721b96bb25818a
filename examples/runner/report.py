"""What a report consists of: nets with the figures that it gives for them, what is measured, and how the nets are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import layers as nn
from minitorch.data import Pairs

History = dict[str, list[float]]
"""One number per epoch and quantity, for example `train_loss` and `test_error`; errors are in percent."""


@dataclass(frozen=True)
class Measure:
    """The final figure of a run: its name in tables, its unit, how to compute it from the run's `History`, which end is good.

    Learning curves show test errors where lower is better, else test accuracies.
    """

    name: str
    unit: str
    value: Callable[[Mapping[str, Any]], float]
    lower_is_better: bool = False


def _final_error(run: Mapping[str, Any]) -> float:
    return run["test_error"][-1]


def _final_accuracy(run: Mapping[str, Any]) -> float:
    return 100.0 - _final_error(run)


ACCURACY = Measure("accuracy", "%", _final_accuracy)
"""Test accuracy of the comparison after the last epoch."""

ERROR = Measure("error", "%", _final_error, lower_is_better=True)
"""Test error of the comparison after the last epoch."""


@dataclass(frozen=True)
class Net:
    """A net of a report: its name in tables, how to build it, and the figures reported for it.

    `reported` gives (mean, standard deviation or None) by the name of the measure; `options` is what the recipe needs to know
    of this net alone, its auxiliary loss or learning rate for example.
    """

    name: str
    build: Callable[[], nn.Module]
    reported: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.build().parameters())


@dataclass(frozen=True)
class Report:
    """A report, or one study of it: every net is trained `runs` times, each on pairs and from a seed of its own.

    `train(net, train, test, epochs, device)` trains a fresh net on one draw of normalised pairs and returns its `History`.
    `figures` draws the results, by file name; the first measure is the one that curves and boxes show. `studies` are further
    jobs by name (`--study NAME`): reports in turn, or functions that are given the `Job` and return its results, searches
    for example.
    """

    number: str
    title: str
    script: str
    nets: Sequence[Net]
    train: Callable[[Net, Pairs, Pairs, int, str], History]
    runs: int
    epochs: int
    quick_runs: int
    quick_epochs: int
    measures: Sequence[Measure] = (ACCURACY,)
    figures: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None
    pairs: int = 1000
    relation: str = "le"
    normalised: bool = True
    notes: str = ""
    studies: Mapping[str, Any] = field(default_factory=dict)
