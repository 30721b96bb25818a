"""Single digits: a net that is trained to name them, and pairs compared by the two names it gives."""

from __future__ import annotations

import operator
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
from runner.training import EVALUATION_BATCH, error_rate


def pulled_apart(pairs: Pairs, device: str) -> TensorDataset:
    """The digits of n pairs as a data set of (images (2n, 1, 14, 14), classes (2n)); the two of a pair stay neighbours."""
    images = pairs.inputs.reshape(-1, 1, *pairs.inputs.shape[2:])
    return TensorDataset(*(minitorch.from_numpy(array).to(device) for array in (images, pairs.classes.reshape(-1))))


def fit_digits(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Tensor], Tensor],
    train: TensorDataset,
    test: TensorDataset,
    epochs: int,
    batch_size: int,
    scheduler: LRScheduler | None = None,
    compare: Callable[[Tensor, Tensor], Tensor] = operator.le,
) -> History:
    """Train `model` to classify single digits (see `pulled_apart`) and return four figures per epoch.

    `train_loss` is the mean over the batches as they were trained. The errors are measured after the epoch, in evaluation mode:
    `train_error` and `digit_error`, the share of training and test digits given a wrong class, and `test_error`, the share of
    test pairs for which `compare` gives another answer for the two classes found than for the true ones. In evaluation mode
    the model returns the scores of the classes alone.
    """
    history: History = {"train_loss": [], "train_error": [], "digit_error": [], "test_error": []}
    batches = DataLoader(train, batch_size, shuffle=True)
    for _ in range(epochs):
        model.train()
        losses = 0.0
        for images, classes in batches:
            batch_loss = loss(model(images), classes)
            optimizer.zero_grad()
            batch_loss.backward()
            optimizer.step()
            losses += float(batch_loss) * len(classes)
        if scheduler is not None:
            scheduler.step()
        history["train_loss"].append(losses / len(train))
        history["train_error"].append(error_rate(*_scores(model, train)))
        scores, classes = _scores(model, test)
        history["digit_error"].append(error_rate(scores, classes))
        history["test_error"].append(comparison_error(scores, classes, compare))
    return history


def comparison_error(scores: Tensor, classes: Tensor, compare: Callable[[Tensor, Tensor], Tensor] = operator.le) -> float:
    """The share of pairs, in percent, that are compared wrongly by the largest scores (2n, 10) of their two digits."""
    given, true = scores.argmax(1).reshape(-1, 2), classes.reshape(-1, 2)
    wrong = compare(given[:, 0], given[:, 1]) != compare(true[:, 0], true[:, 1])
    return 100.0 * int(wrong.sum()) / len(wrong)


@minitorch.no_grad()
def _scores(model: nn.Module, digits: TensorDataset) -> tuple[Tensor, Tensor]:
    """The scores of the classes for all digits, in evaluation mode, and the true classes."""
    model.eval()
    batches = DataLoader(digits, EVALUATION_BATCH)
    scores, classes = zip(*((model(images), classes) for images, classes in batches))
    return minitorch.cat(scores), minitorch.cat(classes)
