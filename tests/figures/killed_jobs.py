"""Training jobs killed with SIGKILL at random moments and started again until done, against runs that nothing stopped.

`python -m tests.figures.killed_jobs --jobs 200 --seed 0` prints how many ended with the same bytes: weights, buffers, states of
optimizer, scheduler, loader and generators, history. Each start is a forked process that has first thrown away whatever
random state it inherited; it needs POSIX.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import layers as nn
import minitorch as mt
from minitorch import optim
from minitorch.optim import lr_scheduler
from minitorch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH, SAMPLES = 6, 8, 60
OPTIMIZERS: list[Callable] = [
    partial(optim.SGD, lr=0.05, momentum=0.9, nesterov=True),
    partial(optim.Adam, lr=0.01, amsgrad=True),
    partial(optim.AdamW, lr=0.01),
    partial(optim.RMSprop, lr=0.005, momentum=0.5, centered=True),
    partial(optim.Adagrad, lr=0.05, lr_decay=0.01),
]
SCHEDULERS: list[Callable] = [
    partial(lr_scheduler.StepLR, step_size=2),
    partial(lr_scheduler.MultiStepLR, milestones=[1, 4]),
    partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS),
    partial(lr_scheduler.ReduceLROnPlateau, patience=0, threshold=0.5),
]


@dataclass
class Run:
    """A training run: a small net with batch norm and dropout, and all that its next step depends on."""

    net: nn.Module
    optimizer: optim.Optimizer
    scheduler: lr_scheduler.LRScheduler
    loader: DataLoader
    epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=lambda: {"losses": [], "rates": []})

    @property
    def parts(self) -> dict[str, Any]:
        return {"net": self.net, "optimizer": self.optimizer, "scheduler": self.scheduler, "loader": self.loader}

    def save(self, path: Path) -> None:
        mt.save_checkpoint(path, **self.parts, epoch=self.epoch, history=self.history)

    def load(self, path: Path) -> None:
        values = mt.load_checkpoint(path, **self.parts)
        self.epoch, self.history = values["epoch"], values["history"]

    def batches(self) -> Iterator[None]:
        """Train to the end, with a pause after each batch."""
        while self.epoch < EPOCHS:
            for images, labels in self.loader:
                loss = nn.functional.cross_entropy(self.net(images), labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.history["losses"].append(loss.item())
                yield
            plateau = isinstance(self.scheduler, lr_scheduler.ReduceLROnPlateau)
            self.scheduler.step(*self.history["losses"][-1:] if plateau else ())
            self.history["rates"].append(self.optimizer.param_groups[0]["lr"])
            self.epoch += 1


def new_run(seed: int, device: str = "cpu") -> Run:
    """The run that belongs to `seed`, at its start: each has another rule, schedule and source of shuffles."""
    mt.manual_seed(seed)
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((SAMPLES, 1, 6, 6)).astype(np.float32), rng.integers(0, 3, SAMPLES)
    data = TensorDataset(mt.from_numpy(images).to(device), mt.from_numpy(labels).to(device))
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout2d(0.2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(36, 3),
    ).to(device)
    optimizer = OPTIMIZERS[seed % len(OPTIMIZERS)](net.parameters())
    scheduler = SCHEDULERS[seed % len(SCHEDULERS)](optimizer)
    own = mt.Generator().manual_seed(seed) if seed % 3 == 0 else None
    return Run(net, optimizer, scheduler, DataLoader(data, BATCH, shuffle=True, generator=own))


def finish(run: Run, result: Path) -> tuple[Any, bytes]:
    """Train to the end and write the run as it is then; its `content`."""
    for _ in run.batches():
        pass
    run.save(result)
    return content(result)


def content(path: Path) -> tuple[Any, bytes]:
    """The header of a file and the bytes of its tensors: equal for runs that are equal bit for bit.

    The files themselves are not, as safetensors writes their two metadata in any order.
    """
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    del header["__metadata__"]["sha256"]
    return header, raw[end:]


def work(folder: Path, seed: int, every: int) -> None:
    """One start of a job: go on from its checkpoint, if there is one, and write it anew after `every` batches."""
    run, path = new_run(seed), folder / "checkpoint"
    if path.exists():
        mt.seed()  # nothing but the file can make it right again
        run.load(path)
    for count, _ in enumerate(run.batches()):
        if count % every == 0:
            run.save(path)
    run.save(folder / "result")


def kill_until_done(folder: Path, seed: int, chance: random.Random, seconds: float) -> Counter[str]:
    """Start a job over and over, each start killed within `seconds` unless it is done by then; what happened how often."""
    counts: Counter[str] = Counter()
    every = chance.randint(1, 4)
    while not (folder / "result").exists():
        process = multiprocessing.get_context("fork").Process(target=work, args=(folder, seed, every))
        process.start()
        process.join(chance.uniform(0, seconds))
        process.kill()
        process.join()
        assert process.exitcode in (0, -9), f"job {seed} failed by itself"
        if process.exitcode == -9:
            counts["kills"] += 1
            counts["kills during a write"] += any(folder.glob(".*.part"))
            counts["kills before the first checkpoint"] += not (folder / "checkpoint").exists()
        elif not counts["kills"]:  # it was too quick
            for path in folder.iterdir():
                path.unlink()
    return counts


def kill_jobs(jobs: int, seed: int) -> Counter[str]:
    """Do `jobs` jobs; how many there were, how often they were killed, and how many ended as if they had not been."""
    chance, counts = random.Random(seed), Counter(jobs=jobs)
    for job in range(jobs):
        with tempfile.TemporaryDirectory() as name:
            folder, start = Path(name), time.perf_counter()
            undisturbed = finish(new_run(seed + job), folder / "undisturbed")
            (folder / "undisturbed").unlink()
            counts.update(kill_until_done(folder, seed + job, chance, time.perf_counter() - start))
            counts["equal"] += content(folder / "result") == undisturbed
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found = kill_jobs(arguments.jobs, arguments.seed)
    print(", ".join(f"{number} {what}" for what, number in found.items()))
    raise SystemExit(found["equal"] != arguments.jobs)
