"""Report 001: is the first digit less than or equal to the second? A convnet, weight sharing, and an auxiliary loss.

    python examples/weight_sharing.py            # MNIST, 15 runs of 50 epochs of each net
    python examples/weight_sharing.py --quick    # a small version

Three nets see pairs of 14x14 digits. The first takes a pair as an image of two channels. The second applies one convnet to both
digits (weight sharing) and compares what it says of them. The third is the same net, told in training which digits it
sees (an auxiliary loss on both).
"""

from __future__ import annotations

import layers as nn
import minitorch
from minitorch import Tensor, optim
from minitorch.data import Pairs
from minitorch.functional import cross_entropy
from reporting import History, Net, Report, fit, main, tensors

# ---- nets: table 1 of the report -----------------------------------------------------------------------------------------


def convnet(channels: int, classes: int) -> nn.Sequential:
    """The convnet of all three: images (n, channels, 14, 14) to the probabilities of `classes`.

    It ends in a softmax although the loss, cross-entropy, takes the softmax of what it is given. That is no slip to clean up:
    probabilities can differ by one at most, so after the second softmax no net is ever sure, and the nets cannot overfit the
    1,000 training pairs by driving their weights up. Without it the third net errs twice as often (5.2 % instead of 2.5 %).
    """
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 200), nn.ReLU(), nn.BatchNorm1d(200), nn.Dropout(0.2),
        nn.Linear(200, 100), nn.ReLU(), nn.BatchNorm1d(100), nn.Dropout(0.2),
        nn.Linear(100, classes), nn.Softmax(1),
    )  # fmt: skip


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
            nn.Linear(20, 150), nn.ReLU(), nn.BatchNorm1d(150), nn.Dropout(0.2),
            nn.Linear(150, 50), nn.ReLU(), nn.BatchNorm1d(50), nn.Dropout(0.2),
            nn.Linear(50, 2), nn.Softmax(1),
        )  # fmt: skip

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, second = self.digit(pairs[:, :1]), self.digit(pairs[:, 1:])
        return self.compare(minitorch.cat([first, second], 1)), first, second


# ---- recipe: section 3 of the report -------------------------------------------------------------------------------------

BATCH = 100
RATES = 9e-2, 1e-3  # before and after three fifths of the epochs
WEIGHT_DECAY = 5e-4
AUXILIARY = 0.75  # weight of each digit's loss; the comparison's is 1


def train(net: Net, train_pairs: Pairs, test_pairs: Pairs, epochs: int, device: str) -> History:
    """Train one net with the report's recipe."""
    model = net.build().to(device)
    optimizer = optim.SGD(model.parameters(), lr=RATES[0], weight_decay=WEIGHT_DECAY)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, [round(epochs * 3 / 5)], gamma=RATES[1] / RATES[0])
    loss = auxiliary_loss if net.options.get("auxiliary") else comparison_loss
    return fit(
        model, optimizer, loss, tensors(train_pairs, device), tensors(test_pairs, device), epochs, BATCH, scheduler
    )  # fmt: skip


def comparison_loss(outputs: Tensor | tuple[Tensor, ...], targets: Tensor, classes: Tensor) -> Tensor:
    """The loss of the comparison alone."""
    return cross_entropy(outputs[0] if isinstance(outputs, tuple) else outputs, targets)


def auxiliary_loss(outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor, classes: Tensor) -> Tensor:
    """The loss of the comparison plus, with weight 0.75 each, those of the two digits."""
    comparison, first, second = outputs
    digits = cross_entropy(first, classes[:, 0]) + cross_entropy(second, classes[:, 1])
    return cross_entropy(comparison, targets) + AUXILIARY * digits


REPORT = Report(
    number="001",
    title="convolutional nets, weight sharing and auxiliary losses",
    script="weight_sharing.py",
    nets=[
        Net("ConvNet", ConvNet, {"accuracy": (81.37, 1.37)}),
        Net("Weight sharing", WeightSharing, {"accuracy": (88.68, 1.57)}),
        Net("Weight sharing + auxiliary loss", WeightSharing, {"accuracy": (97.91, 0.36)}, options={"auxiliary": True}),
    ],
    train=train,
    runs=15,
    epochs=50,
    quick_runs=3,
    quick_epochs=15,
)

if __name__ == "__main__":
    main(REPORT)
