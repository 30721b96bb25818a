"""The milliseconds of a training step of every net in the five reports: forward, backward, update, and reading the loss."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks import nets
from benchmarks.peers import JAX, MINITORCH, TORCH
from benchmarks.products import PRODUCTS
from benchmarks.report import Options, Row, measured, measured_together
from benchmarks.timing import Entry, Failed, Work

TITLE = "Training steps"
NOTE = """The milliseconds of one training step of every net of the five reports, with its report's batch size and recipe:
forward, backward, update, and reading the loss as a number. "Matrix products" are only the matrix products of the step,
computed by NumPy into arrays that already exist. torch.compile is measured on report 001's nets, and JAX on the third of them.
JAX pools by reshape and maximum, which is the faster of its two ways, and may use as many cores as it is given threads."""
ROUNDS = 15
COMPILED, JAX_JIT = "torch.compile", "JAX jit"
BESIDE = [TORCH.name, COMPILED, JAX_JIT, PRODUCTS]
TOLERANCE = 1e-4  # of the losses of the first three steps
QUICK = ["001 ConvNet", nets.MAIN_NET, "002 Linear"]


def run(options: Options) -> list[Row]:
    """A row for each net and number of threads."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        data, names = str(nets.save_pairs(Path(folder))), QUICK if options.quick else list(nets.NETS)
        if options.device == "cuda":
            cases = {net: {"net": net, "data": data} for net in names}
            return measured_together("benchmarks.steps:train", cases, options, check=same_work_in_each)
        for net in names:
            for threads in (1,) if options.quick else (1, 2):
                rows += measured(net, entries(net, data, threads, options), options, threads=threads, check=same_work)
    return rows


def entries(net: str, data: str, threads: int, options: Options) -> list[Entry]:
    """The contenders for a net on a processor that are installed."""
    here = {"net": net, "data": data}
    chosen = [Entry(MINITORCH.name, "benchmarks.steps:train", {**here, "peer": "minitorch", "device": "cpu"}, threads)]
    if TORCH.name in options.peers:
        torch = {**here, "peer": "torch", "device": "cpu"}
        chosen.append(Entry(TORCH.name, "benchmarks.steps:train", torch, threads))
        if net.startswith("001") and not options.quick:
            chosen.append(Entry(COMPILED, "benchmarks.steps:train", {**torch, "compiled": True}, threads))
    if JAX.name in options.peers and net == nets.MAIN_NET:
        chosen.append(Entry(JAX_JIT, "benchmarks.jax_net:train", {**here, "threads": threads}, threads))
    return [*chosen, Entry(PRODUCTS, "benchmarks.products:of_net", here, threads)]


def same_work(facts: dict[str, dict[str, Any]]) -> None:
    """Raise `Failed` unless all nets have the same number of parameters and the same first losses."""
    claims = {name: said for name, said in facts.items() if "losses" in said}
    for name, said in claims.items():
        first = next(iter(claims.values()))
        differences = [abs(a - b) for a, b in zip(first["losses"], said["losses"])]
        if said["parameters"] != first["parameters"] or not max(differences) <= TOLERANCE:
            raise Failed(f"{name} computes something else than {next(iter(claims))}: {said} and {first}")


def same_work_in_each(facts: dict[str, dict[str, Any]]) -> None:
    """`same_work` for each net of contenders that train several."""
    for net in next(iter(facts.values())):
        same_work({name: said[net] for name, said in facts.items()})


def train(peer: str, net: str, data: str, device: str, compiled: bool = False) -> Work:
    """The training step of a net, which takes the batches of an epoch in turn; `same_work` compares its facts.

    The facts are measured without dropout, and in float64 if the net has batch norm, which divides by small deviations and so
    increases rounding errors: after three steps in float32, PyTorch with one thread and with two threads differ by 2e-3.
    """
    engine = importlib.import_module(peer)
    training = importlib.import_module(f"benchmarks.{peer}_nets").training
    if peer == "torch":
        engine.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        engine.backends.cudnn.allow_tf32 = False  # the same arithmetic as everybody's
    batches = [tuple(engine.from_numpy(array).to(device) for array in batch) for batch in nets.batches(net, data)]

    def stepper(check: bool) -> tuple[Any, Callable[[], float]]:
        engine.manual_seed(0)
        model, optimizer, loss_of = training(net, device)
        nets.load_shared_weights(model, engine)
        turns, kinds = cycle(batches), [type(module).__name__ for module in model.modules()]
        if check:
            for module, kind in zip(model.modules(), kinds):
                if kind == "Dropout":
                    module.p = 0.0
            if any(kind.startswith("BatchNorm") for kind in kinds):
                model.double()
                turns = ((inputs.double(), *rest) for inputs, *rest in batches)
        run = engine.compile(model) if compiled and not check else model

        def step() -> float:
            inputs, targets, classes = next(turns)
            loss = loss_of(run(inputs), targets, classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        return model, step

    model, step = stepper(check=True)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    facts = {"parameters": parameters, "losses": [step() for _ in range(3)]}
    return Work(stepper(check=False)[1], facts)
