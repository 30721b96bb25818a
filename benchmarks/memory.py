"""The memory of a training step of report 001's third net, and the time of imports, all in fresh processes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import nets
from benchmarks.peers import AUTOGRAD, JAX, MINITORCH, MYGRAD, TORCH
from benchmarks.report import Options, Row, measured
from benchmarks.timing import Entry, Work

TITLE = "Memory and import"
NOTE = """The peak memory of a fresh process that makes twenty training steps of report 001's third net: the peak of the whole
process, and how much it is above the memory after all imports. The time of an import is that of the import statement in a
fresh process, in milliseconds; "minitorch beyond NumPy" means that NumPy has been imported before."""
ROUNDS = 7
BESIDE = [TORCH.name]
STEP, IMPORT = f"{nets.MAIN_NET}, batch 100", "import"
BEYOND_NUMPY = "minitorch beyond NumPy"


def run(options: Options) -> list[Row]:
    """Two rows for the memory of a step, one for imports."""
    peers = [peer for peer in (MINITORCH, TORCH) if peer is MINITORCH or peer.name in options.peers]
    entries = [fresh(peer.name, f"from benchmarks.memory import step; step({peer.module!r})") for peer in peers]
    with tempfile.TemporaryDirectory() as folder:
        if JAX.name in options.peers:
            data = str(nets.save_pairs(Path(folder)))
            entries.append(fresh("JAX jit", f"from benchmarks.memory import jax_step; jax_step({data!r})"))
        rows = measured(STEP, entries, options, unit="MiB", scale=2**-20, calls=1, warm_up=0)
    entries = [fresh("NumPy", importing("numpy")), fresh(BEYOND_NUMPY, f"import numpy; {importing('minitorch')}")]
    for peer in (MINITORCH, TORCH, JAX, MYGRAD, AUTOGRAD):
        if peer is MINITORCH or peer.name in options.peers:
            entries.append(fresh(peer.name, importing(peer.module)))
    return rows + measured(IMPORT, entries, options, calls=1, warm_up=0)


def fresh(name: str, code: str) -> Entry:
    """A contender that runs `code` in a fresh process for each call; the code prints its figures as JSON."""
    return Entry(name, "benchmarks.memory:each_time", {"code": code})


def each_time(code: str) -> Work:
    """The work of `fresh`, done once before it is measured, so that all files are in the system's cache."""

    def call() -> dict[str, float]:
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)

    call()
    return Work(call)


def importing(module: str) -> str:
    """Code that prints the seconds of an import."""
    return f"import time; start = time.perf_counter(); import {module}; print('{{\"time\":', time.perf_counter() - start, '}}')"


def step(peer: str) -> None:
    """Print the peaks of twenty steps; both libraries run the same lines, and only the imports differ.

    The net is written here and not taken from the example, because the example's plotting libraries would count as memory.
    """
    engine, nn = importlib.import_module(peer), importlib.import_module("torch.nn" if peer == "torch" else "layers")
    functional = importlib.import_module("torch.nn.functional" if peer == "torch" else "minitorch.functional")
    optim = importlib.import_module(f"{peer}.optim")
    if peer == "torch":
        engine.set_num_threads(1)
    print_peaks(lambda: training_step(engine, nn, functional, optim))


def jax_step(data: str) -> None:
    """Do the same as `step` with the net in JAX."""
    import jax

    from benchmarks.jax_net import train

    jax.numpy.zeros(1)
    print_peaks(lambda: train(nets.MAIN_NET, data, threads=1, check=False).call)


def print_peaks(build: Callable[[], Callable[[], Any]]) -> None:
    """Build a training step, run it twenty times, and print the peaks in bytes."""
    imported = memory("VmRSS")
    one = build()
    for _ in range(20):
        one()
    peak = memory("VmHWM")
    print(json.dumps({"peak of the process": peak, "peak above the imports": peak - imported}))


def training_step(engine: Any, nn: Any, functional: Any, optim: Any) -> Callable[[], float]:
    """Forward, backward and update of report 001's third net, and reading the loss as a number."""
    engine.manual_seed(0)
    digit = nn.Sequential(
        nn.Conv2d(1, 32, 3),
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
        nn.Linear(100, 10),
        nn.Softmax(1),
    )
    compare = nn.Sequential(
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
    optimizer = optim.SGD([*digit.parameters(), *compare.parameters()], lr=0.09, weight_decay=5e-4)
    pairs, targets, classes = engine.rand(100, 2, 14, 14), engine.randint(0, 2, (100,)), engine.randint(0, 10, (100, 2))

    def step() -> float:
        first, second = digit(pairs[:, :1]), digit(pairs[:, 1:])
        answer = compare(engine.cat([first, second], 1))
        digits = functional.cross_entropy(first, classes[:, 0]) + functional.cross_entropy(second, classes[:, 1])
        loss = functional.cross_entropy(answer, targets) + 0.75 * digits
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def memory(entry: str) -> int:
    """The bytes of an entry of Linux's /proc/self/status: "VmRSS" is the memory in use, "VmHWM" its peak."""
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(f"{entry}:"))
