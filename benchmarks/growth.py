"""How the time of a training step grows with batch, image side, depth and width, compared with its arithmetic."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Sequence
from typing import Any

from benchmarks import nets
from benchmarks.peers import MINITORCH, TORCH
from benchmarks.report import Options, Row, markdown, measured
from benchmarks.timing import Entry, Work, spread

TITLE = "Growth"
NOTE = """The milliseconds of a training step (forward, backward, SGD) when one size grows and everything else stays the same.
The sizes are the batch of report 001's digit net; the side of the images, in batches of 10, for two 3x3 convolutions; the
number of linear layers of width 64; and the width of three linear layers, both on batches of 100. The arithmetic is
proportional to batch and depth, and to the square of side and width."""
ROUNDS = 7
BESIDE = [TORCH.name]

SIZES = {
    "batch": [10, 30, 100, 300, 1000, 3000, 10000],
    "image side": [14, 28, 56, 112],
    "depth": [2, 6, 20, 60, 200],
    "width": [32, 64, 128, 256, 512, 1024, 2048],
}
WORK = {"batch": 1, "image side": 2, "depth": 1, "width": 2}
"""The exponent of each size in the amount of arithmetic."""


def run(options: Options) -> list[Row]:
    """A row for each size of each kind."""
    rows = []
    for kind, sizes in SIZES.items():
        for size in sizes[:3] if options.quick else sizes:
            arguments = {"kind": kind, "size": size}
            entries = [Entry(MINITORCH.name, "benchmarks.growth:train", {**arguments, "peer": "minitorch"})]
            if TORCH.name in options.peers:
                entries.append(Entry(TORCH.name, "benchmarks.growth:train", {**arguments, "peer": "torch"}))
            rows += measured(f"{kind} {size:,}", entries, options, facts=arguments)
    return rows


def train(peer: str, kind: str, size: int) -> Work:
    """A training step at one size; both libraries run the same lines, and only the imports differ."""
    engine, nn = importlib.import_module(peer), importlib.import_module("torch.nn" if peer == "torch" else "layers")
    functional = importlib.import_module("torch.nn.functional" if peer == "torch" else "minitorch.functional")
    if peer == "torch":
        engine.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    engine.manual_seed(0)
    model, shape, classes = net(nn, kind, size)
    # With PyTorch's own weights, a deep net's activations become subnormal numbers, which are slow.
    nets.load_shared_weights(model, engine)
    inputs, targets = engine.randn(*shape), engine.randint(0, classes, shape[:1])
    optimizer = importlib.import_module(f"{peer}.optim").SGD(model.parameters(), lr=1e-3)

    def call() -> None:
        loss = functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert math.isfinite(loss.item())

    return Work(call)


def net(nn: Any, kind: str, size: int) -> tuple[Any, tuple[int, ...], int]:
    """A net for one size of a kind, the shape of its inputs, and the number of its classes."""
    if kind == "batch":
        convolutions = nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU()
        dense = nn.Linear(256, 200), nn.ReLU(), nn.BatchNorm1d(200), nn.Linear(200, 100), nn.ReLU(), nn.BatchNorm1d(100)
        return nn.Sequential(*convolutions, nn.Flatten(), *dense, nn.Linear(100, 10)), (size, 1, 14, 14), 10
    if kind == "image side":
        convolutions = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()
        return nn.Sequential(*convolutions, nn.AvgPool2d(size // 2), nn.Flatten(), nn.Linear(32, 10)), (10, 1, size, size), 10
    depth, width = (size, 64) if kind == "depth" else (3, size)
    hidden = [part for _ in range(depth) for part in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*hidden), (100, width), width


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """The exponent of time as a power of size: the least-squares slope of log(times) over log(sizes)."""
    x, y = [math.log(size) for size in sizes], [math.log(time) for time in times]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def exponents(rows: Sequence[Row], kind: str, name: str) -> dict[str, float] | None:
    """The spread of the exponent of one contender's time over the rounds; None unless two sizes or more were measured."""
    seen = [row for row in rows if row.facts.get("kind") == kind and name in row.rounds]
    if len(seen) < 2:
        return None
    sizes = [row.facts["size"] for row in seen]
    return spread([exponent(sizes, times) for times in zip(*(row.rounds[name] for row in seen))])


def summary(rows: Sequence[Row]) -> str:
    """The table of exponents over all sizes, and between the two largest."""
    lines = []
    for kind, power in WORK.items():
        seen = [row for row in rows if row.facts.get("kind") == kind]
        for name in dict.fromkeys(name for row in seen for name in row.rounds):
            both = exponents(seen, kind, name), exponents(seen[-2:], kind, name)
            shown = [f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})" if one else "" for one in both]
            lines.append([f"{kind}, {name}", str(power), *shown])
    return markdown(["exponent of", "the work", "time, all sizes", "time, the two largest"], lines)
