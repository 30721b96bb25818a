"""Report 000: is the first digit strictly less than the second? Fully connected nets, weight sharing, an auxiliary loss, LeNet.

    python examples/fully_connected.py                            # MNIST, 10 runs of 50 epochs of each net
    python examples/fully_connected.py --quick                    # a small version
    python examples/fully_connected.py --study learning-rate      # figure 1; or auxiliary-factor (figure 6), recipe

A branch turns a digit into ten scores; a head compares the softmax of two of them. The first net has a branch for each place,
the second one branch for both. The third is the second, also trained to name the digits, and the fourth is the third with
LeNet5 as its branch. The last one learns no comparison: LeNet5 names both digits, and the names are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sklearn.model_selection import ParameterGrid

import layers as nn
import minitorch
from minitorch import Tensor, optim
from minitorch.data import Pairs
from minitorch.functional import binary_cross_entropy, cross_entropy, softmax
from runner import ERROR, History, Net, Report, fit, main, tensors
from runner.figures import COLOURS, boxplot, caption, per_epoch, train_and_test
from runner.search import Point, Search

# ---- nets: figures 2 and 7 of the report ---------------------------------------------------------------------------------


def fully_connected() -> nn.Sequential:
    """A digit branch, 234,410 parameters: with the head's three linear layers it makes the report's seven."""
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
    """A digit branch after LeNet5 for 14x14 digits. The report's drawing is lost; this one has its 44,410 parameters."""
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
    """The comparison: (n, 20), the class probabilities of two digits, to (n, 1), the probability that the first is less."""
    return nn.Sequential(
        nn.Linear(20, 100),
        nn.ReLU(),
        nn.Linear(100, 100),
        nn.ReLU(),
        nn.Linear(100, 1),
        nn.Sigmoid(),
    )


class Separate(nn.Module):
    """A branch for each of the two places."""

    def __init__(self, branch: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.first, self.second, self.head = branch(), branch(), head()

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        scores = minitorch.stack([self.first(pairs[:, :1]), self.second(pairs[:, 1:])], 1)
        return self.head(softmax(scores, 2).flatten(1)).flatten(), scores


class Shared(nn.Module):
    """One branch for both places."""

    def __init__(self, branch: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.digit, self.head = branch(), head()

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        scores = both(self.digit, pairs)
        return self.head(softmax(scores, 2).flatten(1)).flatten(), scores


class Argmax(nn.Module):
    """One branch for both places, and no learned comparison: the larger score names the digit, and the names are compared."""

    def __init__(self, branch: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.digit = branch()

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        scores = both(self.digit, pairs)
        names = scores.argmax(2)
        return (names[:, 0] < names[:, 1]).float(), scores


def both(branch: nn.Module, pairs: Tensor) -> Tensor:
    """The scores (n, 2, 10) of the digits of n pairs, all 2n of them through the branch at once."""
    return branch(pairs.reshape(-1, 1, 14, 14)).reshape(-1, 2, 10)


# ---- recipe: sections II.B and III of the report -------------------------------------------------------------------------

# The report gives the losses and, for its first net, the learning rate 1e-4, but neither optimizer nor batch nor epochs, nor
# LeNet5's rate. They were looked for on 200 of the 1,000 training pairs (`--study recipe`, 3 runs of 50 epochs each). Errors
# there, in percent, with batches of 50 / of 100:
#
#                                        Adam                                     SGD with momentum 0.9
#     learning rate            1e-4         3e-4         1e-3           1e-4         1e-2         1e-1
#     fully connected       29.3 / 28.0  27.5 / 28.3  23.8 / 25.8    44.5 / 48.8  44.5 / 44.5  22.7 / 35.8
#     LeNet5 + auxiliary    10.7 / 17.2   6.5 /  8.3   4.2 /  5.2    53.5 / 53.5  36.3 / 43.0  44.5 /  6.3
#
# At the report's 1e-4 SGD does not learn at all, so we read the report as meaning Adam. The fully connected nets keep that
# rate, as reported, although 1e-3 would serve them better; LeNet5 takes its best. Fifty epochs are enough: with these settings
# neither validation error falls any more after the twentieth (28.2 and 3.8 % there, 28.3 and 4.5 % after the last, 3 runs).
OPTIMIZERS = {"Adam": optim.Adam, "SGD": partial(optim.SGD, momentum=0.9)}
BATCH = 50
RATE, LENET_RATE = 1e-4, 1e-3
ALPHA = 0.9  # the auxiliary losses' share


def train(net: Net, train_pairs: Pairs, test_pairs: Pairs, epochs: int, device: str) -> History:
    """Train one net with the recipe, or with what its options change in it."""
    options = {"alpha": 0, "optimizer": "Adam", "rate": RATE, "batch": BATCH, **net.options}
    model = net.build().to(device)
    optimizer = OPTIMIZERS[options["optimizer"]](model.parameters(), lr=options["rate"])
    loss = partial(total_loss, alpha=options["alpha"])
    return fit(model, optimizer, loss, tensors(train_pairs, device), tensors(test_pairs, device), epochs, options["batch"])


def total_loss(outputs: tuple[Tensor, Tensor], targets: Tensor, classes: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) BCE(y) + alpha (CE(d1) + CE(d2)), section III.C: alpha 0 trains the comparison alone, 1 the digits alone."""
    probability, scores = outputs
    digits = cross_entropy(scores[:, 0], classes[:, 0]) + cross_entropy(scores[:, 1], classes[:, 1])
    return (1 - alpha) * binary_cross_entropy(probability, targets.float()) + alpha * digits


NETS = [
    Net("Fully connected", partial(Separate, fully_connected), {"error": (28.92, None)}),
    Net("Shared", partial(Shared, fully_connected), {"error": (26.53, None)}),
    Net("Shared + auxiliary loss", partial(Shared, fully_connected), {"error": (8.57, None)}, {"alpha": ALPHA}),
    Net("LeNet5 + auxiliary loss", partial(Shared, lenet5), {"error": (7.45, None)}, {"alpha": ALPHA, "rate": LENET_RATE}),
    Net("LeNet5, argmax", partial(Argmax, lenet5), {"error": (4.57, None)}, {"alpha": 1, "rate": LENET_RATE}),
]

TITLES = [*(f"Figure {number}: {net.name}" for number, net in zip((3, 4, 5, 8), NETS)), f"{NETS[4].name} (no figure)"]

# ---- studies -------------------------------------------------------------------------------------------------------------

RATES = [7.5e-6, 1e-4, 1e-3, 5e-3]
ALPHAS = [0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def candidate(point: Point) -> Net:
    """A net of the search for a recipe."""
    net = next(net for net in NETS if net.name == point["net"])
    return replace(net, options={**net.options, **point})


def lines_and_dots(results: dict[str, Any]) -> Figure:
    """Figure 1: training errors as lines and test errors as dots over the epochs, means over the runs."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for net, colour in zip(results["nets"], COLOURS):
        train_error, test_error = (per_epoch(net, quantity).mean(0) for quantity in ("train_error", "test_error"))
        epochs = range(1, len(train_error) + 1)
        axes.plot(epochs, train_error, color=colour, linewidth=2, label=net["name"])
        axes.plot(epochs, test_error, "o", color=colour, markersize=3.5)
    axes.set(xlabel="epoch", ylabel="error (%)", ylim=(-1, None))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside upper center", ncols=len(results["nets"]), frameon=False)
    caption(figure, results, "Lines: training pairs; dots: test pairs; both means over the runs.")
    return figure


LEARNING_RATE = Report(
    number="000",
    title="the fully connected net at several learning rates, figure 1",
    script="fully_connected.py",
    nets=[Net(f"eta = {rate:g}", NETS[0].build, options={"rate": rate}) for rate in RATES],
    train=train,
    runs=10,
    epochs=50,
    quick_runs=2,
    quick_epochs=30,
    measures=[ERROR],
    notes="The report shows a typical run at several rates and names one, 7.5e-6, which it finds ideal, but then trains this "
    "net at 1e-4. The other rates are ours: one that learns faster, and one at which the net no longer learns reliably. Test "
    "errors are shown because the report shows them; no rate was chosen by them.",
    figures={"figure_1.png": lines_and_dots, "figure_1_runs.png": train_and_test},
    relation="lt",
)

AUXILIARY_FACTOR = Report(
    number="000",
    title="the shared net and the auxiliary losses' share, figure 6",
    script="fully_connected.py",
    nets=[Net(f"alpha = {alpha:g}", NETS[2].build, options={"alpha": alpha}) for alpha in ALPHAS],
    train=train,
    runs=50,
    epochs=50,
    quick_runs=2,
    quick_epochs=30,
    measures=[ERROR],
    notes="The report's figure is lost, and with it the factors it tried: these are ours.",
    figures={"figure_6.png": partial(boxplot, quantity="auxiliary factor alpha")},
    relation="lt",
)

RECIPE = Search(
    title="optimizer, learning rate and batch, chosen on 200 of the 1,000 training pairs",
    candidate=candidate,
    points=list(
        ParameterGrid(
            [
                {"net": [NETS[0].name, NETS[3].name], "batch": [50, 100], "optimizer": [optimizer], "rate": rates}
                for optimizer, rates in {"Adam": [1e-4, 3e-4, 1e-3], "SGD": [1e-4, 1e-2, 1e-1]}.items()
            ]
        )
    ),
    quick_points=list(ParameterGrid({"net": [NETS[0].name, NETS[3].name], "rate": [1e-4, 1e-3]})),
    runs=3,
    epochs=50,
    quick_runs=2,
    quick_epochs=30,
    by="net",
)

REPORT = Report(
    number="000",
    title="fully connected nets, weight sharing, auxiliary losses and LeNet",
    script="fully_connected.py",
    nets=NETS,
    train=train,
    runs=10,
    epochs=50,
    quick_runs=2,
    quick_epochs=30,
    measures=[ERROR],
    figures={"figures_3_4_5_8.png": partial(train_and_test, titles=TITLES), "boxplot.png": boxplot},
    relation="lt",
    notes="The relation is strictly less. The report counts 482,101 parameters for its first net. The sizes that meet its "
    "other counts exactly, 12,301 for the head and 246,711 with one branch, make 481,121 with two; nothing in its text "
    "explains the 980 more. Its drawing of LeNet5 is lost; the branch here has the 44,410 parameters that its count leaves. "
    "The report names neither optimizer, batch nor epochs, nor LeNet5's learning rate: these were found on held-out training "
    "pairs (`--study recipe`). Its runs of the third net ended between 4.5 and 15.9 %.",
    studies={"learning-rate": LEARNING_RATE, "auxiliary-factor": AUXILIARY_FACTOR, "recipe": RECIPE},
)

if __name__ == "__main__":
    main(REPORT)
