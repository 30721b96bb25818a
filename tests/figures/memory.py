"""Training with the garbage collector off: no tensor is left alive, and the process does not grow.

    python -m tests.figures.memory 10000 20000    # steps, and steps to warm up before them

It is measured in a process of its own, in which no earlier work has left free memory to use. Two things grow once and need the
warming up: CPython keeps up to 2,000 freed tuples of each length, and after some 20,000 steps rebuilds its table of interned
strings, about 1 MB (NumPy's `as_strided`, for the windows of a convolution, interns the names of the array interface anew).
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path

import layers as nn
import minitorch as mt
from minitorch import optim
from minitorch.autograd.node import Node
from minitorch.autograd.tensor import Tensor
from tests.figures.figure import Figure, at_most, not_run
from tests.figures.process import python

MEGABYTE = 2**20


def alive() -> int:
    """The tensors, and the nodes of tapes, that exist; the collector is not run."""
    return sum(issubclass(type(thing), (Tensor, Node)) for thing in gc.get_objects())


def resident() -> int | None:
    """Bytes of this process that lie in memory; None where Linux's /proc, which counts exactly, is missing."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def training() -> Callable[[], float]:
    """A function that does a step of a small net with everything in it, and gives its loss."""
    generator = mt.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 16),
        nn.Tanh(),
        nn.Dropout(0.1),
        nn.Linear(16, 3),
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x, labels = mt.randn(8, 1, 8, 8, generator=generator), mt.randint(0, 3, (8,), generator=generator)

    def step() -> float:
        loss = nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        return loss.item()

    return step


def train(steps: int, warm_up: int, step: Callable[[], float]) -> tuple[int, int | None]:
    """How many tensors and nodes, and bytes of memory, `steps` steps after `warm_up` leave behind with the collector off."""
    gc.collect()
    gc.disable()
    try:
        first = step()
        for _ in range(warm_up):
            step()
        tensors, memory = alive(), resident()
        for _ in range(steps):
            last = step()
        left, grown = alive() - tensors, None if memory is None else resident() - memory
    finally:
        gc.enable()
    assert last < first, "the net does not learn"
    return left, grown


def figures(steps: int, warm_up: int) -> list[Figure]:
    """Of `steps` steps in a fresh process, after `warm_up` that are not counted."""
    left, grown = json.loads(python("-m", "tests.figures.memory", steps, warm_up).stdout)
    what, cases = (
        f"{{}} after {steps:,} training steps, garbage collector off",
        f"1 net, Adam, after {warm_up:,} steps to warm up",
    )
    growth = what.format("growth of resident memory")
    return [
        at_most(what.format("tensors and nodes left alive"), 0, left, cases, 0),
        not_run(growth, "this system has no /proc")
        if grown is None
        else at_most(growth, 1, grown / MEGABYTE, cases, 0, unit=" MB"),
    ]


if __name__ == "__main__":
    print(json.dumps(train(int(sys.argv[1]), int(sys.argv[2]), training())))
