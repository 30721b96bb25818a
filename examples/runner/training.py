"""One net, one training: the loop that every report shares, written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import layers as nn
import minitorch
from minitorch import Tensor
from minitorch.data import Pairs
from minitorch.optim import Optimizer
from minitorch.optim.lr_scheduler import LRScheduler
from minitorch.utils.data import DataLoader, TensorDataset
from runner.report import History

EVALUATION_BATCH = 500  # pairs at a time; the figures do not depend on it
DIVERGED = {"train_loss": math.nan, "train_error": 100.0, "test_loss": math.nan, "test_error": 100.0}


def tensors(pairs: Pairs, device: str) -> TensorDataset:
    """Pairs as a data set of (inputs, targets, classes) on the device."""
    arrays = (pairs.inputs, pairs.targets, pairs.classes)
    return TensorDataset(*(minitorch.from_numpy(array).to(device) for array in arrays))


def error_rate(outputs: Tensor, targets: Tensor) -> float:
    """The share of wrong rows, in percent.

    Of scores (n, classes) the largest decides, of probabilities (n,) of target 1 whether they exceed a half.
    """
    decisions = outputs.argmax(1) if outputs.ndim == 2 else outputs > 0.5
    return 100.0 * int((decisions != targets).sum()) / len(targets)


def fit(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Tensor, Tensor], Tensor],
    train: TensorDataset,
    test: TensorDataset,
    epochs: int,
    batch_size: int,
    scheduler: LRScheduler | None = None,
) -> History:
    """Train `model` and return, per epoch, loss and comparison error on training and test pairs.

    `loss(outputs, targets, classes)` gives the training loss. `model` returns the two scores of the comparison, or one
    probability, alone or first in a tuple. The training figures are means over the batches as they were trained, dropout on;
    the test figures are measured after the epoch, dropout off. A run that diverges, its outputs not all finite, ends there:
    its losses are nan and its errors 100 % from that epoch on.
    """
    history: History = {"train_loss": [], "train_error": [], "test_loss": [], "test_error": []}
    batches = DataLoader(train, batch_size, shuffle=True)
    for _ in range(epochs):
        model.train()
        losses, errors, count = 0.0, 0.0, 0
        for inputs, targets, classes in batches:
            outputs = model(inputs)
            if not finite(outputs):
                missing = epochs - len(history["train_loss"])
                return {name: values + [DIVERGED[name]] * missing for name, values in history.items()}
            batch_loss = loss(outputs, targets, classes)
            optimizer.zero_grad()
            batch_loss.backward()
            optimizer.step()
            losses += float(batch_loss) * len(targets)
            errors += error_rate(comparison(outputs), targets) * len(targets)
            count += len(targets)
        if scheduler is not None:
            scheduler.step()
        test_loss, test_error = evaluate(model, loss, test)
        for name, value in zip(history, (losses / count, errors / count, test_loss, test_error)):
            history[name].append(value)
    return history


def finite(outputs: Any) -> bool:
    """Whether the comparison among what a net returns has neither nan nor infinity in it."""
    return bool(minitorch.isfinite(comparison(outputs)).all())


def comparison(outputs: Any) -> Tensor:
    """The scores, or the probability, of the comparison among what a net returns."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


@minitorch.no_grad()
def evaluate(model: nn.Module, loss: Callable[[Any, Tensor, Tensor], Tensor], pairs: TensorDataset) -> tuple[float, float]:
    """Mean loss and comparison error in percent, in evaluation mode; nan and 100 % of a net that has diverged."""
    model.eval()
    losses, errors = 0.0, 0.0
    for inputs, targets, classes in DataLoader(pairs, EVALUATION_BATCH):
        outputs = model(inputs)
        if not finite(outputs):
            return DIVERGED["test_loss"], DIVERGED["test_error"]
        losses += float(loss(outputs, targets, classes)) * len(targets)
        errors += error_rate(comparison(outputs), targets) * len(targets)
    return losses / len(pairs), errors / len(pairs)
