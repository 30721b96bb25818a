"""Report 001's job in PyTorch: the protocol of `examples/weight_sharing.py`, written as PyTorch's documentation recommends.

    python -m benchmarks.torch_job --runs 15 --epochs 50 --jobs 2

It prints the mean test accuracy of each net.
"""

from __future__ import annotations

import argparse
import statistics

import joblib
import numpy as np
import torch
from torch.optim.lr_scheduler import MultiStepLR
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.torch_nets import training

NETS = ["001 ConvNet", "001 Weight sharing", "001 Weight sharing + auxiliary loss"]
BATCH, EVALUATION_BATCH = 100, 500
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def train(net: str, train_arrays: Arrays, test_arrays: Arrays, seed: int, epochs: int, device: str) -> float:
    """Train a net once and return its test accuracy in percent after the last epoch."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, optimizer, loss_of = training(net, device)
    scheduler = MultiStepLR(optimizer, [round(epochs * 3 / 5)], gamma=1e-3 / 9e-2)
    train_pairs, test_pairs = (
        TensorDataset(*(torch.from_numpy(array).to(device) for array in arrays)) for arrays in (train_arrays, test_arrays)
    )
    history = []
    for _ in range(epochs):
        model.train()
        losses, errors = 0.0, 0.0
        for inputs, targets, classes in DataLoader(train_pairs, BATCH, shuffle=True):
            outputs = model(inputs)
            loss = loss_of(outputs, targets, classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item() * len(targets)
            errors += error_rate(outputs, targets) * len(targets)
        scheduler.step()
        history.append((losses / len(train_pairs), errors / len(train_pairs), *evaluate(model, loss_of, test_pairs)))
    return 100 - history[-1][-1]


def error_rate(outputs: torch.Tensor | tuple, targets: torch.Tensor) -> float:
    """The percentage of wrong comparisons."""
    scores = outputs[0] if isinstance(outputs, tuple) else outputs
    return 100 * (scores.argmax(1) != targets).float().mean().item()


@torch.no_grad()
def evaluate(model: torch.nn.Module, loss_of: object, pairs: TensorDataset) -> tuple[float, float]:
    """The mean loss and the error in percent, in evaluation mode."""
    model.eval()
    losses, errors = 0.0, 0.0
    for inputs, targets, classes in DataLoader(pairs, EVALUATION_BATCH):
        outputs = model(inputs)
        losses += loss_of(outputs, targets, classes).item() * len(targets)
        errors += error_rate(outputs, targets) * len(targets)
    return losses / len(pairs), errors / len(pairs)


def draw(seed: int) -> tuple[Arrays, Arrays]:
    """The training and test pairs of a run, drawn in this process, so that PyTorch's workers never import minitorch."""
    from minitorch.data import load_digits, normalise, pair_sets

    both = normalise(*pair_sets(load_digits("digits"), 1000, rng=np.random.default_rng(seed)))
    return tuple((pairs.inputs, pairs.targets, pairs.classes) for pairs in both)


def main() -> None:
    """Read the command line and do all runs of all nets in several processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"runs": 15, "epochs": 50, "jobs": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    seeds = [int(np.random.SeedSequence([0, run]).generate_state(1)[0]) for run in range(options.runs)]
    calls = [
        joblib.delayed(train)(net, *pairs, seed, options.epochs, options.device)
        for seed, pairs in zip(seeds, map(draw, seeds))
        for net in NETS
    ]
    accuracies = joblib.Parallel(options.jobs)(calls)
    for place, net in enumerate(NETS):
        print(f"{net}: {statistics.fmean(accuracies[place :: len(NETS)]):.2f} %")


if __name__ == "__main__":
    main()
