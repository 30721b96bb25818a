"""The nets of the five reports in PyTorch, layer for layer the same as in the examples, which explain them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn, optim

Loss = Callable[..., torch.Tensor]


def training(name: str, device: str) -> tuple[nn.Module, optim.Optimizer, Loss]:
    """A net on the device, its optimizer, and its loss function, loss(outputs, targets, classes)."""
    build, optimizer, loss = TRAININGS[name]
    model = build().to(device)
    return model, optimizer(model.parameters()), loss


# ---- report 000 ----------------------------------------------------------------------------------------------------------


def fully_connected() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(196, 320),
        nn.ReLU(),
        nn.Linear(320, 280),
        nn.ReLU(),
        nn.Linear(280, 280),
        nn.ReLU(),
        nn.Linear(280, 10),
    )


def lenet5() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(400, 84),
        nn.ReLU(),
        nn.Linear(84, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(20, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid())


class Separate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = fully_connected(), fully_connected(), head()

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = torch.stack([self.first(pairs[:, :1]), self.second(pairs[:, 1:])], 1)
        return self.head(F.softmax(scores, 2).flatten(1)).flatten(), scores


class Shared(nn.Module):
    def __init__(self, branch: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.digit, self.head = branch(), head()

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.digit(pairs.reshape(-1, 1, 14, 14)).reshape(-1, 2, 10)
        return self.head(F.softmax(scores, 2).flatten(1)).flatten(), scores


class Argmax(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.digit = lenet5()

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.digit(pairs.reshape(-1, 1, 14, 14)).reshape(-1, 2, 10)
        names = scores.argmax(2)
        return (names[:, 0] < names[:, 1]).float(), scores


def loss_000(outputs: Any, targets: torch.Tensor, classes: torch.Tensor, alpha: float) -> torch.Tensor:
    probability, scores = outputs
    digits = F.cross_entropy(scores[:, 0], classes[:, 0]) + F.cross_entropy(scores[:, 1], classes[:, 1])
    return (1 - alpha) * F.binary_cross_entropy(probability, targets.float()) + alpha * digits


# ---- report 001 ----------------------------------------------------------------------------------------------------------


def convnet(channels: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 200),
        nn.ReLU(),
        nn.BatchNorm1d(200),
        nn.Dropout(0.2),
        nn.Linear(200, 100),
        nn.ReLU(),
        nn.BatchNorm1d(100),
        nn.Dropout(0.2),
        nn.Linear(100, classes),
        nn.Softmax(1),
    )


class ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convnet = convnet(2, 2)

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        return self.convnet(pairs)


class WeightSharing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.digit = convnet(1, 10)
        self.compare = nn.Sequential(
            nn.Linear(20, 150),
            nn.ReLU(),
            nn.BatchNorm1d(150),
            nn.Dropout(0.2),
            nn.Linear(150, 50),
            nn.ReLU(),
            nn.BatchNorm1d(50),
            nn.Dropout(0.2),
            nn.Linear(50, 2),
            nn.Softmax(1),
        )

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second = self.digit(pairs[:, :1]), self.digit(pairs[:, 1:])
        return self.compare(torch.cat([first, second], 1)), first, second


def loss_001(outputs: Any, targets: torch.Tensor, classes: torch.Tensor, alpha: float) -> torch.Tensor:
    if alpha == 0:
        return F.cross_entropy(outputs[0] if isinstance(outputs, tuple) else outputs, targets)
    comparison, first, second = outputs
    return F.cross_entropy(comparison, targets) + alpha * (
        F.cross_entropy(first, classes[:, 0]) + F.cross_entropy(second, classes[:, 1])
    )


# ---- report 002 ----------------------------------------------------------------------------------------------------------


def linear(dropout: bool) -> nn.Sequential:
    hidden = []
    for before, after in pairwise([196, 128, 128]):
        hidden += [nn.Linear(before, after), nn.ReLU()] + [nn.Dropout(0.2)] * dropout
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


class LeNet(nn.Module):
    def __init__(self, auxiliary: bool) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5, padding=2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Linear(288, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
        self.auxiliary = nn.Linear(288, 10) if auxiliary else None

    def forward(self, images: torch.Tensor) -> Any:
        features = self.blocks(images)
        scores = self.classifier(features)
        return (scores, self.auxiliary(features)) if self.training and self.auxiliary is not None else scores


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(16, 16, 7, padding=3),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 7, padding=3),
            nn.BatchNorm2d(16),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return F.relu(images + self.change(images))


def resnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 7, padding=3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        Residual(),
        Residual(),
        nn.AvgPool2d(14),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


def alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 96, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(96, 192, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(192, 128, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(1152, 672),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(672, 672),
        nn.ReLU(),
        nn.Linear(672, 10),
    )


def loss_002(outputs: Any, classes: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    if isinstance(outputs, tuple):
        return F.cross_entropy(outputs[0], classes) + 0.3 * F.cross_entropy(outputs[1], classes)
    return F.cross_entropy(outputs, classes)


# ---- report 003 ----------------------------------------------------------------------------------------------------------


def baseline() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, 32, 3, groups=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 50),
        nn.ReLU(),
        nn.Linear(50, 50),
        nn.ReLU(),
        nn.Linear(50, 25),
        nn.ReLU(),
        nn.Linear(25, 2),
    )


def features(first: int, second: int, third: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, first, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(second, third, 2),
        nn.ReLU(),
        nn.Flatten(),
    )


def dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.25)]


class Siamese(nn.Module):
    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.features = features(*widths)
        self.classify = nn.Sequential(*dense(widths[-1], 75), *dense(75, 75), nn.Linear(75, 10))
        self.compare = nn.Sequential(*dense(20, 50), *dense(50, 10), nn.Linear(10, 2))

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        seen = self.features(pairs.reshape(-1, 1, 14, 14)).reshape(len(pairs), 2, -1)
        first, second = self.classify(seen[:, 0]), self.classify(seen[:, 1])
        return self.compare(torch.cat([first, second], 1)), first, second


class NonSiamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Sequential(features(32, 64, 128), nn.Sequential(*dense(128, 75), *dense(75, 75), nn.Linear(75, 10)))
            for _ in range(2)
        )
        self.compare = nn.Sequential(*dense(20, 50), *dense(50, 10), nn.Linear(10, 2))

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second = self.first(pairs[:, :1]), self.second(pairs[:, 1:])
        return self.compare(torch.cat([first, second], 1)), first, second


def loss_003(outputs: Any, targets: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    return loss_001(outputs, targets, classes, 1.0 if isinstance(outputs, tuple) else 0)


# ---- report 004 ----------------------------------------------------------------------------------------------------------


def simple_net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


class Naive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = simple_net(), simple_net()

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second = self.first(pairs[:, :1]), self.second(pairs[:, 1:])
        le = (first.argmax(1) <= second.argmax(1)).float()
        return torch.stack([1 - le, le], 1), first, second


class Double(nn.Module):
    def __init__(self, sharing: bool) -> None:
        super().__init__()
        self.first = simple_net()
        self.second = self.first if sharing else simple_net()
        self.compare = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        if self.second is self.first:
            first, second = self.first(pairs.reshape(-1, 1, 14, 14)).reshape(-1, 2, 10).unbind(1)
        else:
            first, second = self.first(pairs[:, :1]), self.second(pairs[:, 1:])
        return self.compare(torch.cat([F.softmax(first, 1), F.softmax(second, 1)], 1)), first, second


def on_probabilities(distance: Loss) -> Loss:
    return lambda scores, targets: distance(F.softmax(scores, 1), F.one_hot(targets, scores.shape[1]).float())


def loss_004(
    outputs: Any, targets: torch.Tensor, classes: torch.Tensor, comparison: Loss | None, digits: float
) -> torch.Tensor:
    if not isinstance(outputs, tuple):
        return F.cross_entropy(outputs, targets)
    answer, first, second = outputs
    terms = [comparison(answer, targets)] if comparison else []
    if digits:
        terms.append(digits * (F.cross_entropy(first, classes[:, 0]) + F.cross_entropy(second, classes[:, 1])))
    return sum(terms[1:], terms[0])


# ---- how each is trained -------------------------------------------------------------------------------------------------

ADAM_000 = partial(optim.Adam, lr=1e-4)
ADAM_LENET = partial(optim.Adam, lr=1e-3)
SGD_001 = partial(optim.SGD, lr=9e-2, weight_decay=5e-4)
SGD_LENET = partial(optim.SGD, lr=0.01, momentum=0.9)
SGD_002 = partial(optim.SGD, lr=0.1)
ADAGRAD = partial(optim.Adagrad, lr=1e-2)
MSE, L1 = on_probabilities(F.mse_loss), on_probabilities(F.l1_loss)

TRAININGS: dict[str, tuple[Callable[[], nn.Module], Callable[..., optim.Optimizer], Loss]] = {
    "000 Fully connected": (Separate, ADAM_000, partial(loss_000, alpha=0)),
    "000 Shared": (partial(Shared, fully_connected), ADAM_000, partial(loss_000, alpha=0)),
    "000 Shared + auxiliary loss": (partial(Shared, fully_connected), ADAM_000, partial(loss_000, alpha=0.9)),
    "000 LeNet5 + auxiliary loss": (partial(Shared, lenet5), ADAM_LENET, partial(loss_000, alpha=0.9)),
    "000 LeNet5, argmax": (Argmax, ADAM_LENET, partial(loss_000, alpha=1)),
    "001 ConvNet": (ConvNet, SGD_001, partial(loss_001, alpha=0)),
    "001 Weight sharing": (WeightSharing, SGD_001, partial(loss_001, alpha=0)),
    "001 Weight sharing + auxiliary loss": (WeightSharing, SGD_001, partial(loss_001, alpha=0.75)),
    "002 Linear": (partial(linear, False), partial(optim.Adam, lr=3e-3), loss_002),
    "002 Linear + dropout": (partial(linear, True), partial(optim.Adam, lr=3e-3), loss_002),
    "002 LeNet": (partial(LeNet, False), SGD_LENET, loss_002),
    "002 LeNet + auxiliary loss": (partial(LeNet, True), SGD_LENET, loss_002),
    "002 ResNet": (resnet, SGD_002, loss_002),
    "002 AlexNet": (alexnet, SGD_002, loss_002),
    "003 Baseline": (baseline, partial(optim.Adam, lr=0.0025), loss_003),
    "003 Non-siamese": (NonSiamese, partial(optim.Adam, lr=0.0025), loss_003),
    "003 Siamese": (partial(Siamese, (64, 128, 256)), partial(optim.Adam, lr=0.005), loss_003),
    "003 Siamese as drawn": (partial(Siamese, (16, 32, 64)), partial(optim.Adam, lr=0.005), loss_003),
    "004 simple net": (simple_net, partial(optim.Adam, lr=3e-3), partial(loss_004, comparison=None, digits=1.0)),
    "004 naive": (Naive, partial(optim.AdamW, lr=1e-2), partial(loss_004, comparison=None, digits=1.0)),
    "004 model 1": (partial(Double, True), ADAGRAD, partial(loss_004, comparison=MSE, digits=0)),
    "004 model 2": (partial(Double, False), partial(optim.AdamW, lr=1e-2), partial(loss_004, comparison=L1, digits=0.2)),
    "004 model 3": (partial(Double, False), ADAGRAD, partial(loss_004, comparison=MSE, digits=0)),
    "004 model 4": (partial(Double, True), partial(optim.Adam, lr=1e-2), partial(loss_004, comparison=L1, digits=0.2)),
}
