"""Milliseconds per training step of report 001's largest net, minitorch beside PyTorch, in one interleaved run.

    python benchmarks/training_step.py [--threads 1] [--rounds 5] [--json FILE]

The net is the weight-sharing one with auxiliary losses: batch 100, forward, backward and SGD with weight decay, the loss read
as a number at the end of each step. Every round starts a fresh process for each peer in turn, so a machine that slows down
slows both; the figure of a round is the median of its steps, and the ratio is taken round by round. PyTorch is left out, and
said to be, where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

PEERS = {"minitorch": ("minitorch", "layers", "minitorch.functional"), "torch": ("torch", "torch.nn", "torch.nn.functional")}
WARM_UP = 20  # steps that are not counted
SECONDS = 2.0  # of counted steps in a round


def steps(peer: str, threads: int) -> float:
    """The median of a training step in milliseconds; the same lines for both, as only the imports differ."""
    engine, nn, functional = (importlib.import_module(name) for name in PEERS[peer])
    if peer == "torch":
        engine.set_num_threads(threads)

    def convnet(channels: int, classes: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(channels, 32, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(256, 200), nn.ReLU(), nn.BatchNorm1d(200), nn.Dropout(0.2),
            nn.Linear(200, 100), nn.ReLU(), nn.BatchNorm1d(100), nn.Dropout(0.2), nn.Linear(100, classes), nn.Softmax(1),
        )  # fmt: skip

    engine.manual_seed(0)
    digit = convnet(1, 10)
    compare = nn.Sequential(
        nn.Linear(20, 150), nn.ReLU(), nn.BatchNorm1d(150), nn.Dropout(0.2),
        nn.Linear(150, 50), nn.ReLU(), nn.BatchNorm1d(50), nn.Dropout(0.2), nn.Linear(50, 2), nn.Softmax(1),
    )  # fmt: skip
    parameters = [*digit.parameters(), *compare.parameters()]
    optimizer = importlib.import_module(f"{engine.__name__}.optim").SGD(parameters, lr=0.09, weight_decay=5e-4)
    pairs, targets = engine.rand(100, 2, 14, 14), engine.randint(0, 2, (100,))
    classes = engine.randint(0, 10, (100, 2))

    def step() -> float:
        first, second = digit(pairs[:, :1]), digit(pairs[:, 1:])
        answer = compare(engine.cat([first, second], 1))
        digits = functional.cross_entropy(first, classes[:, 0]) + functional.cross_entropy(second, classes[:, 1])
        loss = functional.cross_entropy(answer, targets) + 0.75 * digits
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(WARM_UP):
        step()
    taken, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def measured(peer: str, threads: int) -> float:
    """`steps` in a fresh process of so many threads."""
    environment = {**os.environ, **{f"{name}_NUM_THREADS": str(threads) for name in ("OPENBLAS", "OMP", "MKL")}}
    command = [sys.executable, __file__, "--peer", peer, "--threads", str(threads)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure the peers in turn and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="threads of each (default: 1)")
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes of each (default: 5)")
    parser.add_argument("--json", help="file for the figures")
    parser.add_argument("--peer", choices=list(PEERS), help=argparse.SUPPRESS)  # what a fresh process is told to measure
    options = parser.parse_args()
    if options.peer:
        print(steps(options.peer, options.threads))
        return
    peers = [peer for peer in PEERS if importlib.util.find_spec(peer)]
    rounds = [{peer: measured(peer, options.threads) for peer in peers} for _ in range(options.rounds)]
    print(f"Threads: {options.threads}; rounds: {options.rounds}\n")
    print("| | ms per step, median | lowest | highest |\n|---|---:|---:|---:|")
    for peer in peers:
        values = [one[peer] for one in rounds]
        print(f"| {peer} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |")
    if "torch" in peers:
        ratios = [one["minitorch"] / one["torch"] for one in rounds]
        print(f"\nminitorch takes {statistics.median(ratios):.2f} of PyTorch's time ({min(ratios):.2f} to {max(ratios):.2f}).")
    else:
        print("\nPyTorch is not installed, so it is not measured beside minitorch.")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"threads": options.threads, "rounds": rounds}, file, indent=1)


if __name__ == "__main__":
    main()
