"""Report 001: is the first digit less than or equal to the second? A convnet, weight sharing, and an auxiliary loss.

    python examples/weight_sharing.py            # MNIST, 15 runs of 50 epochs of each net
    python examples/weight_sharing.py --quick    # a small version
    python examples/weight_sharing.py --study grid-search

Three nets see pairs of 14x14 digits. The first takes a pair as an image of two channels. The second applies one convnet to both
digits (weight sharing) and compares the two results. The third is the same net, also trained to name the digits (an auxiliary
loss for each).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sklearn.model_selection import ParameterGrid

import layers as nn
import minitorch
from minitorch import Tensor, optim
from minitorch.data import Pairs
from minitorch.functional import cross_entropy
from runner import History, Net, Report, fit, main, tensors
from runner.search import Point, Search
from runner.search_figures import accuracy_by_setting

# ---- nets: table 1 of the report -----------------------------------------------------------------------------------------


def convnet(channels: int, classes: int) -> nn.Sequential:
    """The convnet of all three: images (n, channels, 14, 14) to the probabilities of `classes`.

    It ends in a softmax although the loss, cross-entropy, takes the softmax of what it is given. That is not a mistake:
    probabilities can differ by one at most, so after the second softmax no net is ever sure, and the nets cannot overfit the
    1,000 training pairs by making their weights large. Without it the third net makes 5.2 % of mistakes instead of 2.5 %.
    """
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
    """A pair as one image of two channels."""

    def __init__(self) -> None:
        super().__init__()
        self.convnet = convnet(channels=2, classes=2)

    def forward(self, pairs: Tensor) -> Tensor:
        return self.convnet(pairs)


class WeightSharing(nn.Module):
    """One convnet for both digits, then a small net that compares its two answers."""

    def __init__(self) -> None:
        super().__init__()
        self.digit = convnet(channels=1, classes=10)
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

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, second = self.digit(pairs[:, :1]), self.digit(pairs[:, 1:])
        return self.compare(minitorch.cat([first, second], 1)), first, second


# ---- recipe: section 3 of the report -------------------------------------------------------------------------------------

BATCH = 100
WEIGHT_DECAY = 5e-4
TUNED = {
    "eta1": 9e-2,  # learning rate in the first three fifths of the epochs
    "eta2": 1e-3,  # and in the others
    "alpha": 0.75,  # weight of each digit's loss
    "gamma": 1.0,  # weight of the comparison's
}


def train(net: Net, train_pairs: Pairs, test_pairs: Pairs, epochs: int, device: str) -> History:
    """Train one net with the report's recipe."""
    tuned = {**TUNED, **net.options}
    model = net.build().to(device)
    optimizer = optim.SGD(model.parameters(), lr=tuned["eta1"], weight_decay=WEIGHT_DECAY)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, [round(epochs * 3 / 5)], gamma=tuned["eta2"] / tuned["eta1"])
    loss = partial(total_loss, alpha=tuned["alpha"], gamma=tuned["gamma"])
    return fit(model, optimizer, loss, tensors(train_pairs, device), tensors(test_pairs, device), epochs, BATCH, scheduler)


def total_loss(
    outputs: Tensor | tuple[Tensor, Tensor, Tensor], targets: Tensor, classes: Tensor, alpha: float, gamma: float
) -> Tensor:
    """`gamma` times the loss of the comparison plus `alpha` times each of those of the two digits."""
    if alpha == 0:
        return gamma * cross_entropy(outputs[0] if isinstance(outputs, tuple) else outputs, targets)
    comparison, first, second = outputs
    digits = cross_entropy(first, classes[:, 0]) + cross_entropy(second, classes[:, 1])
    return gamma * cross_entropy(comparison, targets) + alpha * digits


NETS = [
    Net("ConvNet", ConvNet, {"accuracy": (81.37, 1.37)}, options={"alpha": 0}),
    Net("Weight sharing", WeightSharing, {"accuracy": (88.68, 1.57)}, options={"alpha": 0}),
    Net("Weight sharing + auxiliary loss", WeightSharing, {"accuracy": (97.91, 0.36)}),
]

# ---- grid search: section 3 of the report --------------------------------------------------------------------------------


def candidate(point: Point) -> Net:
    """The net of a point, trained with the point's settings."""
    net = next(net for net in NETS if net.name == point["net"])
    return replace(net, options={**net.options, **{name: value for name, value in point.items() if name != "net"}})


def grid(eta1: list[float], eta2: list[float], alpha: list[float], gamma: list[float]) -> list[Point]:
    """Both learning rates for every net, and the two weights where there are two losses to weigh."""
    *plain, auxiliary = (net.name for net in NETS)
    rates = {"eta1": eta1, "eta2": eta2}
    return list(ParameterGrid([{"net": plain, **rates}, {"net": [auxiliary], **rates, "alpha": alpha, "gamma": gamma}]))


GRID_SEARCH = Search(
    title="grid search on a fifth of the training pairs",
    candidate=candidate,
    points=grid([0.03, 0.09, 0.27], [1e-4, 1e-3, 1e-2], alpha=[0.25, 0.75, 2.25], gamma=[0.5, 1.0]),
    quick_points=grid([0.03, 0.09], [1e-3], alpha=[0.25, 0.75], gamma=[0.5, 1.0]),
    runs=3,
    epochs=50,
    quick_runs=1,
    quick_epochs=10,
    reported=[{"net": net.name, "eta1": TUNED["eta1"], "eta2": TUNED["eta2"]} for net in NETS[:2]]
    + [{"net": NETS[2].name, **TUNED}],
    by="net",
    figures={"grid_search.png": partial(accuracy_by_setting, settings=list(TUNED), lines="net")},
    notes="The report does not say which values it tried; these lie around those it settled on. Without a second loss, gamma "
    "would only scale the learning rates, so it is not searched for the first two nets.",
)

REPORT = Report(
    number="001",
    title="convolutional nets, weight sharing and auxiliary losses",
    script="weight_sharing.py",
    nets=NETS,
    train=train,
    runs=15,
    epochs=50,
    quick_runs=3,
    quick_epochs=15,
    studies={"grid-search": GRID_SEARCH},
)

if __name__ == "__main__":
    main(REPORT)
