"""Repeated runs: every net of a report, several times, each from a seed of its own."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import minitorch
from minitorch.data import Pairs, normalise, pair_sets
from runner.job import Job, Task
from runner.report import Net, Report


def all_runs(report: Report, job: Job) -> dict[str, list[dict[str, Any]]]:
    """Every run of every net, by net name, in the order of their numbers."""
    numbers = range(job.settings["runs"])
    results = job.do((_task(report, net, run, job) for run in numbers for net in report.nets), label=report.script)
    return {net.name: [results[_key(net, run)] for run in numbers] for net in report.nets}


def _key(net: Net, run: int) -> str:
    return f"{net.name} / run {run:03d}"


def _task(report: Report, net: Net, run: int, job: Job) -> Task:
    seed = job.seed(run)

    def arguments() -> tuple:
        pairs = pair_sets(job.digits, report.pairs, rng=np.random.default_rng(seed), relation=report.relation)
        return report.train, net, *(normalise(*pairs) if report.normalised else pairs), seed, job.settings

    return Task(_key(net, run), train_once, arguments)


def train_once(train: Any, net: Net, train_pairs: Pairs, test_pairs: Pairs, seed: int, settings: dict[str, Any]) -> dict:
    """Train one net once; its history, with its seed and the seconds it took."""
    minitorch.manual_seed(seed)
    start = time.perf_counter()
    history = train(net, train_pairs, test_pairs, settings["epochs"], settings["device"])
    return {"seed": seed, **history, "seconds": time.perf_counter() - start}
