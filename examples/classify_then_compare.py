"""Report 002: name both digits, then compare the names. Linear nets, LeNet, a ResNet and an AlexNet.

    python examples/classify_then_compare.py                     # MNIST, 20 runs of 25 epochs of each net
    python examples/classify_then_compare.py --quick             # a small version
    python examples/classify_then_compare.py --study table-1     # 356 variants on 350 pairs, the best again on 1,000

No net here learns to compare. The 1,000 training pairs are pulled apart into 2,000 digits, a net is trained to classify them,
and a pair is judged by whether the class found for its first digit is less than or equal to that found for its second. So every
net here shares its weights, and is trained by the loss of the single digits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sklearn.model_selection import ParameterGrid

import layers as nn
from minitorch import Tensor, optim
from minitorch.data import Pairs
from minitorch.functional import cross_entropy, relu
from runner import History, Job, Measure, Net, Report, main
from runner.digits import fit_digits, pulled_apart
from runner.figures import COLOURS, boxplot, caption, mean_and_deviation, panels, per_epoch
from runner.results import summary, table
from runner.runs import all_runs
from runner.search import Point, Search
from runner.search_figures import accuracy_by_setting

# ---- nets: section II.B of the report, which gives their layers in words and their sizes in round numbers ------------------

DROPOUT = 0.2  # the share of values dropped by a variant with dropout; the report does not say


class Linear(nn.Sequential):
    """Fully connected hidden `layers` of `nodes` each. Two of 128 have 43,018 parameters; the text's 42,018 is a misprint."""

    def __init__(self, nodes: int = 128, layers: int = 2, dropout: bool = False) -> None:
        widths = [196] + [nodes] * layers
        hidden = [
            part for before, after in pairwise(widths) for part in (nn.Linear(before, after), nn.ReLU(), *dropped(dropout))
        ]
        super().__init__(nn.Flatten(), *hidden, nn.Linear(nodes, 10))


class LeNet(nn.Module):
    """Two blocks of convolution and pooling, three fully connected layers; 59,038 parameters where the report says 60,000.

    LeNet5's 6 and 16 channels would leave 31,000 on digits of 14x14; 16 and 32 channels have the report's size. With
    `auxiliary`, a linear classifier of 2,890 parameters reads what the second block puts out; the report gives it no size, and
    places it before a third convolution that its LeNet does not have. It helps to train: the net returns its own scores and
    the auxiliary ones in training mode, its own alone in evaluation mode.
    """

    def __init__(self, batch_norm: bool = True, dropout: bool = False, kernel: int = 5, auxiliary: bool = False) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *convolution(1, 16, kernel, batch_norm),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *convolution(16, 32, kernel, batch_norm),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(288, 120),
            nn.ReLU(),
            *dropped(dropout),
            nn.Linear(120, 84),
            nn.ReLU(),
            *dropped(dropout),
            nn.Linear(84, 10),
        )
        self.auxiliary = nn.Linear(288, 10) if auxiliary else None

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        features = self.blocks(images)
        scores = self.classifier(features)
        return (scores, self.auxiliary(features)) if self.training and self.auxiliary is not None else scores


class Residual(nn.Module):
    """Two convolutions whose output is added to their input (He et al. 2015)."""

    def __init__(self, channels: int, kernel: int, batch_norm: bool, dropout: bool) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *convolution(channels, channels, kernel, batch_norm),
            nn.ReLU(),
            *dropped(dropout),
            *convolution(channels, channels, kernel, batch_norm),
        )

    def forward(self, images: Tensor) -> Tensor:
        return relu(images + self.change(images))


class ResNet(nn.Sequential):
    """One convolution, residual blocks, the mean over all places, one linear layer: 51,370 parameters, "about 50,000"."""

    def __init__(
        self, channels: int = 16, kernel: int = 7, blocks: int = 2, batch_norm: bool = True, dropout: bool = False
    ) -> None:
        super().__init__(
            *convolution(1, channels, kernel, batch_norm),
            nn.ReLU(),
            *(Residual(channels, kernel, batch_norm, dropout) for _ in range(blocks)),
            nn.AvgPool2d(14),
            nn.Flatten(),
            nn.Linear(channels, 10),
        )


class AlexNet(nn.Sequential):
    """Five convolutions and three fully connected layers, 1,796,842 parameters: the report's 1.8 million.

    Its adaptation is ours: half of the original's channels (Krizhevsky et al. 2012), filters of 3x3, and two of its three
    poolings, after which 3x3 places are left. It has dropout in front of two linear layers, where the original has it.
    """

    def __init__(self) -> None:
        super().__init__(
            *convolution(1, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *convolution(32, 96, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *convolution(96, 192, 3),
            nn.ReLU(),
            *convolution(192, 128, 3),
            nn.ReLU(),
            *convolution(128, 128, 3),
            nn.ReLU(),
            nn.Flatten(),
            *dropped(True),
            nn.Linear(1152, 672),
            nn.ReLU(),
            *dropped(True),
            nn.Linear(672, 672),
            nn.ReLU(),
            nn.Linear(672, 10),
        )


def convolution(channels: int, filters: int, kernel: int, batch_norm: bool = False) -> list[nn.Module]:
    """A convolution that keeps height and width, with batch norm behind it or without."""
    norm = [nn.BatchNorm2d(filters)] if batch_norm else []
    return [nn.Conv2d(channels, filters, kernel, padding=kernel // 2), *norm]


def dropped(dropout: bool) -> list[nn.Module]:
    """Dropout, or nothing."""
    return [nn.Dropout(DROPOUT)] if dropout else []


# ---- recipe: sections II.B and III of the report -------------------------------------------------------------------------

# The report says SGD for all but the linear net, and neither rates nor batches. They were chosen by the comparison error, in
# percent at the best epoch / after the last one, on 1,000 pairs of the last 10,000 training digits, the nets trained on 1,000
# pairs of the first 50,000 (means over s seeds, not the same ones for every kind; @: batch, m: momentum 0.9):
#   Linear, Adam, s = 4:  1e-3 @100 5.1/5.4, @50 5.1/5.3, @25 4.5/4.9; 3e-3 @100 4.7/5.2, @50 4.2/4.4; 3e-4 @25 5.2/5.7
#   with dropout, s = 4:  of 0.2: 1e-3 @25 4.2/4.8, 3e-3 @50 4.0/4.6, @100 4.1/4.2; of 0.5: 1e-3 @25 4.5/5.0, 3e-3 @50 4.2/4.7
#   LeNet, SGD, s = 2:    0.1 @50 2.0/2.2, @25 2.0/2.0; m 0.03 @50 1.6/1.8; m 0.01 @25 1.6/1.9
#   ResNet, SGD, s = 2, with the mean and the worst of the last five epochs in brackets, since its errors jump:
#     0.1 @25 1.9/2.1 (2.5, 3.8); 0.1 @10 1.8/2.1 (2.5, 4.1); 0.03 @10 1.8/2.3 (4.1, 19.0); m 0.03 @25 1.9/2.1 (2.4, 3.0)
#     m 0.01 @10 1.4/2.2 (2.2, 3.2); 0.1 @10 and a tenth of that in the last fifth of the epochs 1.7/1.9 (2.0, 2.4)
#   AlexNet, SGD, s = 1:  dropout 0.5: m 0.03 @25 2.2/3.0, m 0.01 @10 2.7/2.7; dropout 0.2: 0.1 @10 1.9/2.2
#     a second seed:      0.1 @10 with dropout 0.5 2.4/2.7, with dropout 0.2 2.1/2.1
# AlexNet, a costly one, was tried with the same layers in PyTorch, on the same pairs.


class Recipe(NamedTuple):
    """How nets of a kind are trained: the optimizer, the digits of a batch, the learning rate's factor in the last epochs."""

    optimizer: Callable[..., optim.Optimizer]
    batch: int
    last_fifth: float = 1.0


RECIPES: Mapping[type, Recipe] = {
    Linear: Recipe(partial(optim.Adam, lr=3e-3), 50),
    LeNet: Recipe(partial(optim.SGD, lr=0.01, momentum=0.9), 25),
    ResNet: Recipe(partial(optim.SGD, lr=0.1), 10, last_fifth=0.1),
    AlexNet: Recipe(partial(optim.SGD, lr=0.1), 10),
}
AUXILIARY = 0.3  # weight of the auxiliary classifier's loss, as in its source (Szegedy et al. 2014)


def train(net: Net, train_pairs: Pairs, test_pairs: Pairs, epochs: int, device: str) -> History:
    """Train one net on the digits of the pairs, with the recipe of its kind."""
    model = net.build().to(device)
    recipe = RECIPES[type(model)]
    optimizer = recipe.optimizer(model.parameters())
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, [round(epochs * 4 / 5)], gamma=recipe.last_fifth)
    digits = pulled_apart(train_pairs, device), pulled_apart(test_pairs, device)
    return fit_digits(model, optimizer, loss, *digits, epochs, recipe.batch, scheduler)


def loss(outputs: Tensor | tuple[Tensor, Tensor], classes: Tensor) -> Tensor:
    """Cross-entropy of the scores, plus that of the auxiliary classifier's where there is one."""
    if isinstance(outputs, tuple):
        scores, auxiliary = outputs
        return cross_entropy(scores, classes) + AUXILIARY * cross_entropy(auxiliary, classes)
    return cross_entropy(outputs, classes)


# ---- what is measured: tables II to IV and figure 1 ----------------------------------------------------------------------


def best_epoch(run: Mapping[str, Any]) -> int:
    """The first epoch of lowest comparison error, from 0."""
    return run["test_error"].index(min(run["test_error"]))


def at_best_epoch(run: Mapping[str, Any], quantity: str) -> float:
    """A figure after the epoch with the lowest error on the test pairs, which makes it too good."""
    return run[quantity][best_epoch(run)]


def at_final_epoch(run: Mapping[str, Any], quantity: str) -> float:
    """A figure after the last epoch."""
    return run[quantity][-1]


QUANTITIES = {"comparison error": "test_error", "digit error": "digit_error", "train error": "train_error"}
MEASURES = [
    Measure(f"{name}, {when} epoch", "%", partial(value, quantity=quantity), lower_is_better=True)
    for name, quantity in QUANTITIES.items()
    for when, value in {"best": at_best_epoch, "final": at_final_epoch}.items()
]


def reported(comparison: tuple, digit: tuple, train: tuple) -> dict[str, tuple[float, float]]:
    """Figures of the report's tables, all of the best epoch."""
    return {f"{name}, best epoch": figure for name, figure in zip(QUANTITIES, (comparison, digit, train))}


NETS = [
    Net("Linear", Linear, reported((4.590, 0.551), (6.802, 0.608), (0.022, 0.101))),
    Net("Linear + dropout", partial(Linear, dropout=True), reported((4.595, 0.772), (6.392, 0.765), (0.075, 0.094))),
    Net("LeNet", LeNet, reported((2.390, 0.594), (3.283, 0.452), (0.243, 0.117))),
    Net("LeNet + auxiliary loss", partial(LeNet, auxiliary=True), reported((2.330, 0.548), (2.962, 0.431), (0.160, 0.097))),
    Net("ResNet", ResNet, reported((2.085, 0.431), (2.803, 0.402), (0.238, 0.160))),
    Net("AlexNet", AlexNet, reported((3.150, 0.310), (4.160, 0.620), (1.240, 0.760))),
]

CURVES = {"train_error": "train error, digits", "digit_error": "test error, digits", "test_error": "test error, comparison"}


def figure_1(results: dict[str, Any]) -> Figure:
    """Figure 1: training loss and the three errors of the ResNet over the epochs, mean and standard deviation."""
    net = next(net for net in results["nets"] if net["name"] == "ResNet")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    mean_and_deviation(left, per_epoch(net, "train_loss"), COLOURS[1], "training loss")
    errors(right, net)
    left.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="error (%)", ylim=(0, 20))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    caption(figure, results, "ResNet. Lines: means; bands: one standard deviation.")
    return figure


def all_errors(results: dict[str, Any]) -> Figure:
    """The three errors of every net over the epochs, as figure 1 shows them for the ResNet."""
    nets = results["nets"]
    figure, grid = panels(len(nets), xlabel="epoch", ylabel="error (%)")
    for axes, net in zip(grid, nets):
        errors(axes, net)
        axes.set_title(net["name"], fontsize=10)
    grid[0].set_ylim(0, 20)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    caption(figure, results, "Lines: means; bands: one standard deviation.")
    return figure


def errors(axes: plt.Axes, net: dict[str, Any]) -> None:
    """A net's three errors over the epochs, with the reported comparison error of the best epoch."""
    for (quantity, name), colour in zip(CURVES.items(), (COLOURS[0], COLOURS[2], COLOURS[5])):
        mean_and_deviation(axes, per_epoch(net, quantity), colour, name)
    if (best := net["reported"].get(MEASURES[0].name)) is not None:
        axes.axhline(best["mean"], color="black", linestyle="--", linewidth=1, label="reported comparison error, best epoch")


# ---- the study of table I ------------------------------------------------------------------------------------------------

BUILDERS = {"Linear": Linear, "LeNet": LeNet, "ResNet": ResNet}
TABLE_2 = {"Linear": NETS[0], "LeNet": NETS[3], "ResNet": NETS[4]}  # the variants whose figures the report's table II gives
NO_YES = ["no", "yes"]
# fmt: off
GRIDS = [
    {"net": ["Linear"], "dropout": NO_YES, "nodes": [16, 32, 64, 128, 264], "layers": [1, 2, 3, 5]},
    {"net": ["LeNet"], "batch norm": NO_YES, "dropout": NO_YES, "kernel": [3, 5], "auxiliary": NO_YES},
    {"net": ["ResNet"], "batch norm": NO_YES, "dropout": NO_YES, "blocks": [1, 2, 3, 4, 5], "channels": [1, 2, 4, 8, 16],
     "kernel": [3, 5, 7]},
]
# fmt: on
QUICK_GRIDS = [
    {"net": ["Linear"], "dropout": NO_YES, "nodes": [32, 128], "layers": [1, 2]},
    {"net": ["LeNet"], "batch norm": NO_YES, "dropout": ["no"], "kernel": [5], "auxiliary": NO_YES},
    {"net": ["ResNet"], "batch norm": NO_YES, "dropout": ["no"], "blocks": [1, 2], "channels": [8], "kernel": [3]},
]
BOLD = [
    {"net": "Linear", "dropout": "no", "nodes": 128, "layers": 2},
    {"net": "LeNet", "batch norm": "yes", "dropout": "no", "kernel": 5, "auxiliary": "yes"},
    {"net": "ResNet", "batch norm": "yes", "dropout": "no", "blocks": 2, "channels": 16, "kernel": 7},
]


def candidate(point: Point) -> Net:
    """The net of a row of table I."""
    options = {name.replace(" ", "_"): value == "yes" if value in NO_YES else value for name, value in point.items()}
    kind = options.pop("net")
    described = ", ".join(f"{name} {value}" for name, value in point.items() if name != "net")
    return Net(f"{kind} ({described})", partial(BUILDERS[kind], **options))


@dataclass(frozen=True)
class TwoStages(Search):
    """A search on few pairs, then the best net of each kind trained as the report's own nets, to compare test errors."""

    def __call__(self, report: Report, job: Job) -> tuple[dict[str, Any], str, Mapping[str, Callable]]:
        results, text, figures = super().__call__(report, job)
        best = {one["point"]["net"]: one["point"] for one in reversed(results["evaluations"])}  # the first of a kind is kept
        nets = [replace(candidate(best[kind]), reported=net.reported) for kind, net in TABLE_2.items()]
        again = replace(report, title="the best nets of table I again, on all pairs", nets=nets)
        full = copy(job)  # the same tasks on disk, but as many runs as the report's main table
        full.settings = {**job.settings, "runs": report.quick_runs if job.settings["quick"] else report.runs}
        results["again"] = summary(again, full, all_runs(again, full))
        return results, f"{text}\n{table(results['again'])}", figures


def best_again(results: dict[str, Any]) -> Figure:
    """The runs of the best nets on all pairs, their long names in lines."""
    nets = [{**net, "name": net["name"].replace(" (", "\n(").replace(", ", ",\n")} for net in results["again"]["nets"]]
    return boxplot({**results["again"], "nets": nets})


def of_kind(results: dict[str, Any], kind: str) -> Figure:
    """What each option of one kind of net does."""
    tried = [one for one in results["evaluations"] if one["point"]["net"] == kind]
    options = [name for grid in GRIDS if grid["net"] == [kind] for name in grid if name != "net"]
    return accuracy_by_setting({**results, "evaluations": tried}, options)


TABLE_1 = TwoStages(
    title="the variants of table I on 350 training pairs",
    candidate=candidate,
    points=list(ParameterGrid(GRIDS)),
    quick_points=list(ParameterGrid(QUICK_GRIDS)),
    runs=1,
    epochs=25,
    quick_runs=1,
    quick_epochs=5,
    pairs=700,
    share=0.5,
    reported=BOLD,
    by="net",
    notes="The 350 inputs of the report are read as pairs, as its 1,000 data points are. Every variant of a kind is trained "
    "with that kind's recipe. They are ranked on 350 other pairs of training digits, after the last epoch; the report does not "
    "say on which pairs it chose, or whether it repeated a run. Only the best nets again see test digits.",
    figures={
        **{f"{kind.lower()}.png": partial(of_kind, kind=kind) for kind in BUILDERS},
        "best_again.png": best_again,
    },
)

REPORT = Report(
    number="002",
    title="digits classified, then compared by their classes",
    script="classify_then_compare.py",
    nets=NETS,
    train=train,
    runs=20,
    epochs=25,
    quick_runs=2,
    quick_epochs=4,
    measures=MEASURES,
    figures={"figure_1.png": figure_1, "errors.png": all_errors, "boxplot.png": boxplot},
    notes="The report gives figures of the best epoch alone. Best is read as the lowest comparison error on the test pairs, in "
    "each run anew: the linear net's train error of 0.022 ± 0.101 is what nineteen runs at 0 and one at 0.45 % give. A choice "
    "made on the test pairs flatters; the final epoch, beside it, is not chosen. Train and digit error are shares of single "
    "digits, in evaluation mode. The layers of LeNet and AlexNet, learning rates and batches are ours, where the report gives "
    "none.",
    studies={"table-1": TABLE_1},
)

if __name__ == "__main__":
    main(REPORT)
