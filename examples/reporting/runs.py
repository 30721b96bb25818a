"""Repeated runs: each from a seed of its own, in processes, kept on disk as it finishes.

A run depends on its seed alone. Whatever the number of processes, each computes with one BLAS thread, so the same seed gives
the same figures bit for bit on one machine.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import minitorch
import numpy as np
from minitorch.data import Digits, Pairs, normalise, pair_sets
from minitorch.files import atomic_write
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from reporting.report import Net, Report


class SettingsDiffer(Exception):
    """Finished runs in the output folder were made with other settings."""


def run_seed(seed: int, run: int) -> int:
    """The seed of run number `run` of a job with `seed`; the nets of one run share it, hence pairs and shuffles."""
    return int(np.random.SeedSequence([seed, run]).generate_state(1)[0])


def run_once(report: Report, net: Net, train: Pairs, test: Pairs, seed: int, epochs: int, device: str) -> dict[str, Any]:
    """Train one net once; the history, with its seed and the seconds it took."""
    with threadpool_limits(1):
        minitorch.manual_seed(seed)
        start = time.perf_counter()
        history = report.train(net, train, test, epochs, device)
        return {"seed": seed, **history, "seconds": time.perf_counter() - start}


def all_runs(
    report: Report, digits: Digits, settings: dict[str, Any], folder: Path, jobs: int, resume: bool
) -> dict[str, list[dict[str, Any]]]:
    """Every run of every net, by net name in the order of their numbers; finished ones are read back if `resume`.

    Raises SettingsDiffer if they were made with other settings. An interruption loses at most the runs under way.
    """
    store = Store(folder, {**settings, "data": digits.name}, resume)
    tasks = [(net, run) for run in range(settings["runs"]) for net in report.nets]
    open_tasks = [(net, run) for net, run in tasks if not store.has(net, run)]

    def jobs_to_do() -> Iterator[Any]:
        for net, run in open_tasks:
            seed = run_seed(settings["seed"], run)
            pairs = pair_sets(digits, report.pairs, rng=np.random.default_rng(seed), relation=report.relation)
            arguments = (report, net, *normalise(*pairs), seed, settings["epochs"], settings["device"])
            yield joblib.delayed(_numbered)(net, run, arguments)

    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    with tqdm(total=len(tasks), initial=len(tasks) - len(open_tasks), unit="run", desc=report.script) as progress:
        for net, run, result in parallel(jobs_to_do()):
            store.keep(net, run, result)
            progress.set_postfix_str(f"{net.name}: {100 - result['test_error'][-1]:.1f} %")
            progress.update()
    return {net.name: [store.read(net, run) for run in range(settings["runs"])] for net in report.nets}


def _numbered(net: Net, run: int, arguments: tuple) -> tuple[Net, int, dict[str, Any]]:
    return net, run, run_once(*arguments)


class Store:
    """Finished runs as small JSON files, one each, beside the settings they were made with."""

    def __init__(self, folder: Path, settings: dict[str, Any], resume: bool) -> None:
        self.folder = folder / "runs"
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self.folder / "settings.json"
        if resume and known.exists():
            before = json.loads(known.read_text())
            differing = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
            if differing:
                changes = ", ".join(f"{name} {before.get(name)} -> {settings.get(name)}" for name in differing)
                raise SettingsDiffer(
                    f"{folder} holds runs made with other settings ({changes}): resume with the same, or leave out --resume to "
                    "start anew there, or choose another --out"
                )
        else:
            for old in self.folder.glob("*.json"):
                old.unlink()
            _write(known, settings)

    def path(self, net: Net, run: int) -> Path:
        """Where the result of a run is kept."""
        return self.folder / f"{net.slug}-{run:03d}.json"

    def has(self, net: Net, run: int) -> bool:
        """Whether the run has finished."""
        return self.path(net, run).exists()

    def keep(self, net: Net, run: int, result: dict[str, Any]) -> None:
        """Keep the result of a run, whole or not at all."""
        _write(self.path(net, run), without_nan(result))

    def read(self, net: Net, run: int) -> dict[str, Any]:
        """The result of a finished run."""
        return json.loads(self.path(net, run).read_text())


def _write(path: Path, content: Any) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(content, indent=1, allow_nan=False).encode())


def without_nan(value: Any) -> Any:
    """The same with None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
