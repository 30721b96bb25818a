"""Nets trained by minitorch and by PyTorch from the same weights on the same batches: their parameters stay the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import layers
import minitorch as mt
from minitorch import functional, optim
from minitorch.data import Pairs, load_digits, normalise, pair_sets
from tests.figures.figure import Figure, at_most, not_run
from tests.figures.nets import RandomNet, random_nets
from tests.figures.report_nets import report_nets

try:
    import torch
except ImportError:
    torch = None

BOUND = 1e-9
UNDECIDED = 1e-10  # where PyTorch ends farther than this from itself after a change of one rounding, no two programs agree
STEPS = 100
STEP_BY_STEP = (
    f"A net is trained step by step where PyTorch, from weights that differ in the last digit, ends more than {UNDECIDED:g} from "
    "itself, so that no two programs could end alike: there each step starts from PyTorch's parameters and optimizer state. How far "
    "from itself stands behind the net's name."
)
BATCH = 16
RANDOM = 6  # random nets besides those of the reports
Batch = tuple[np.ndarray, np.ndarray]
# Where a gradient is zero but for rounding, as that of a bias in front of batch norm, an adaptive rule divides rounding by
# rounding; only its eps keeps the step small, so that is larger here than by default.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.05}),
    "SGD, momentum": ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.1}),
    "SGD, Nesterov": ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "SGD, weight decay": ("SGD", {"lr": 0.05, "weight_decay": 5e-4}),
    "Adam": ("Adam", {"lr": 1e-3, "eps": 1e-6}),
    "Adam, AMSGrad, weight decay": ("Adam", {"lr": 1e-3, "eps": 1e-6, "amsgrad": True, "weight_decay": 5e-4}),
    "AdamW": ("AdamW", {"lr": 1e-3, "eps": 1e-6}),
    "Adagrad": ("Adagrad", {"lr": 1e-2, "eps": 1e-4, "lr_decay": 0.01}),
    "RMSprop": ("RMSprop", {"lr": 1e-3, "eps": 1e-6}),
    "RMSprop, centered, momentum": ("RMSprop", {"lr": 1e-3, "eps": 1e-6, "centered": True, "momentum": 0.9}),
}


@dataclass(frozen=True)
class Trial:
    """A net to train in both: how each builds it, its batches, and the loss as a function of F, outputs and targets."""

    name: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    batch: Callable[[np.random.Generator], Batch]
    loss: Callable[[Any, Any, Any], Any]


def trials(seed: int, reports: bool = True) -> Iterator[Trial]:
    """The nets of the reports, and random ones of other layers."""
    for name, channels, ours, theirs in report_nets() if reports else ():
        yield Trial(name, ours, theirs, partial(pairs_of_digits, channels), loss_of_scores)
    for i, net in enumerate(random_nets(RANDOM, seed)):
        yield Trial(
            f"random net {i}", partial(net.build, layers), partial(net.build, torch.nn), net.batch, partial(loss_by_name, net)
        )


@functools.cache
def pairs() -> Pairs:
    """1,000 pairs of real digits, the embedded ones, as the reports train on them."""
    return normalise(*pair_sets(load_digits("digits"), 1000, rng=np.random.default_rng(0)))[0]


def pairs_of_digits(channels: int, rng: np.random.Generator) -> Batch:
    """Pairs, or with one channel their first digits, and what they are: the comparison, and both classes."""
    chosen = rng.choice(len(pairs().targets), BATCH, replace=False)
    inputs, classes = pairs().inputs[chosen, :channels], pairs().classes[chosen]
    comparison = pairs().targets[chosen] if channels == 2 else classes[:, 0]
    return inputs.astype(np.float64), np.column_stack([comparison, classes])


def loss_of_scores(F: Any, outputs: Any, targets: Any) -> Any:
    """The sum over what a net of the reports returns: a probability, scores, or the scores (n, 2, 10) of both digits."""
    total = 0.0
    for i, out in enumerate(outputs if isinstance(outputs, tuple) else (outputs,)):
        if out.ndim == 1:
            total = total + F.binary_cross_entropy(out, targets[:, i].double())
        elif out.ndim == 2:
            total = total + F.cross_entropy(out, targets[:, i])
        else:
            total = total + F.cross_entropy(out[:, 0], targets[:, 1]) + F.cross_entropy(out[:, 1], targets[:, 2])
    return total


def loss_by_name(net: RandomNet, F: Any, outputs: Any, targets: Any) -> Any:
    name = {"CrossEntropyLoss": "cross_entropy", "MSELoss": "mse_loss", "BCEWithLogitsLoss": "binary_cross_entropy_with_logits"}
    return getattr(F, name[net.loss])(outputs, targets)


def step(model: Any, optimizer: Any, F: Any, tensor: Callable, trial: Trial, batch: Batch) -> None:
    """One step; the same lines for both."""
    x, targets = map(tensor, batch)
    loss = trial.loss(F, model(x), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


class Twins:
    """The same net and optimizer in both, and PyTorch's a second time."""

    def __init__(self, trial: Trial, optimizer: str, seed: int) -> None:
        mt.manual_seed(seed)
        name, options = OPTIMIZERS[optimizer]
        self.trial, self.rng = trial, np.random.default_rng(seed)
        self.ours, self.theirs, self.moved = (
            without_dropout(build().double()) for build in (trial.ours, trial.theirs, trial.theirs)
        )
        self.our_optimizer = getattr(optim, name)(self.ours.parameters(), **options)
        self.their_optimizer, self.moved_optimizer = (
            getattr(torch.optim, name)(model.parameters(), **options) for model in (self.theirs, self.moved)
        )
        start = to_torch(self.ours.state_dict())
        self.theirs.load_state_dict(start)
        self.moved.load_state_dict(start)

    def run(self, steps: int) -> tuple[float, float]:
        """How far PyTorch's parameters end from ours, and from those that it reaches itself from weights a rounding away."""
        rounding = np.finfo(np.float64).eps
        with torch.no_grad():
            for parameter in self.moved.parameters():
                parameter *= torch.from_numpy(1 + rounding * self.rng.choice([-1.0, 1.0], tuple(parameter.shape)))
        for _ in range(steps):
            batch = self.trial.batch(self.rng)
            step(self.ours, self.our_optimizer, functional, mt.from_numpy, self.trial, batch)
            step(self.theirs, self.their_optimizer, torch.nn.functional, torch.from_numpy, self.trial, batch)
            step(self.moved, self.moved_optimizer, torch.nn.functional, torch.from_numpy, self.trial, batch)
        return distance(arrays(self.ours), arrays(self.theirs)), distance(arrays(self.moved), arrays(self.theirs))

    def run_step_by_step(self, steps: int) -> float:
        """The largest distance after a step, each from PyTorch's parameters, buffers and optimizer's state."""
        found = []
        for _ in range(steps):
            self.ours.load_state_dict(from_torch(self.theirs.state_dict()))
            self.our_optimizer.load_state_dict(from_torch(self.their_optimizer.state_dict()))
            batch = self.trial.batch(self.rng)
            step(self.ours, self.our_optimizer, functional, mt.from_numpy, self.trial, batch)
            step(self.theirs, self.their_optimizer, torch.nn.functional, torch.from_numpy, self.trial, batch)
            found.append(distance(arrays(self.ours), arrays(self.theirs)))
        return float(np.max(found))


def arrays(model: Any) -> list[np.ndarray]:
    return [parameter.detach().numpy() for parameter in model.parameters()]


def distance(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference of two parameters, relative to 1 or the largest of them."""
    largest = max(1.0, max(float(np.abs(q).max()) for q in theirs))
    return float(np.max([np.abs(p - q).max() for p, q in zip(ours, theirs, strict=True)])) / largest


def to_torch(state: Any) -> Any:
    return {key: torch.from_numpy(value.array.copy()) for key, value in state.items()}


def from_torch(value: Any) -> Any:
    """A state dict with our tensors for PyTorch's."""
    if isinstance(value, dict):
        return {key: from_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [from_torch(entry) for entry in value]
    return mt.from_numpy(value.detach().numpy().copy()) if isinstance(value, torch.Tensor) else value


def without_dropout(model: Any) -> Any:
    """The model with every dropout at 0, whose random numbers the two draw differently."""
    for module in model.modules():
        if "Dropout" in type(module).__name__:
            module.p = 0.0
    return model


def figures(
    steps: int = STEPS, seed: int = 0, optimizers: Sequence[str] = tuple(OPTIMIZERS), reports: bool = True
) -> Iterator[Figure]:
    """A line for each optimizer, over all nets."""
    what = f"parameters after {steps} steps against PyTorch's, float64, {{}}"
    if torch is None:
        yield not_run(what.format("each optimizer"), "PyTorch is not installed")
        return
    with one_thread():
        for optimizer in optimizers:
            found, undecided = [], {}
            for trial in trials(seed, reports):
                ours, rounding = Twins(trial, optimizer, seed).run(steps)
                if rounding > UNDECIDED:
                    undecided[trial.name] = rounding
                    ours = Twins(trial, optimizer, seed).run_step_by_step(steps)
                found.append((ours, trial.name))
            worst, where = max(found, key=lambda one: (np.isnan(one[0]), one[0]))
            cases = f"{len(found)} nets"
            if undecided:
                cases += f", step by step: {', '.join(f'{name} (PyTorch: {far:.2g})' for name, far in undecided.items())}"
            yield at_most(what.format(optimizer), BOUND, worst, cases, seed, where)


@contextmanager
def one_thread() -> Iterator[None]:
    """Nets this small need no more threads, which would wait for each other on a machine that is busy with other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
