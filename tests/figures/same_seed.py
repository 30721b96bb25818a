"""The same seed, the same result, bit for bit: whatever the number of processes, and whichever back end of joblib runs them.

    python -m tests.figures.same_seed weight_sharing 2 1 4 loky 0    # 2 runs of 1 epoch in 4 processes, seed 0

The tasks are those of the reports, computed as their jobs compute them. Threads are no back end for them: a process has one
default generator, so what one thread draws would depend on what the others drew.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minitorch.data import load_digits
from runner.job import Job
from runner.runs import all_runs
from tests.figures.figure import Figure, all_of
from tests.figures.process import python

BACKENDS = ("loky", "multiprocessing")
# Recording, anomaly mode, the default dtype and device: their tests of what keeps a switch within its thread and its block.
SETTINGS = [
    f"tests/{name}.py" for name in ("autograd/test_grad_mode", "autograd/test_anomaly", "ops/test_dtypes", "ops/test_devices")
]
LEAKS = "comes_back_after_an_exception or thread"


def results(script: str, runs: int, epochs: int, jobs: int, backend: str, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Every run of a report on the embedded digits, by the net's name, but for what a clock says."""
    report = importlib.import_module(script).REPORT
    settings = {"runs": runs, "epochs": epochs, "seed": seed, "device": "cpu"}
    with (
        tempfile.TemporaryDirectory() as folder,
        Job(load_digits("digits"), settings, Path(folder), jobs, backend) as job,
    ):
        found = all_runs(report, job)
    return {
        net: [{name: value for name, value in run.items() if name != "seconds"} for run in of_net]
        for net, of_net in found.items()
    }


def figures(
    scripts: Sequence[str],
    runs: int,
    epochs: int,
    jobs: Sequence[int] = (1, 2, 4),
    backends: Sequence[str] = BACKENDS,
    seed: int = 0,
) -> Iterator[Figure]:
    """A line for each report: its runs by each back end in each number of processes, against those of one loky process."""
    for script in scripts:
        settings = [(number, backend) for backend in backends for number in jobs]
        command = ["-m", "tests.figures.same_seed", script, runs, epochs]
        found = [json.loads(python(*command, number, backend, seed).stdout) for number, backend in settings]
        count = sum(map(len, found[0].values()))
        same = sum(mine == run for other in found[1:] for net in found[0] for mine, run in zip(other[net], found[0][net]))
        cases = f"{count} runs of {epochs} epochs, {', '.join(map(str, jobs))} jobs, {' and '.join(backends)}"
        yield all_of(
            f"runs of {script}.py the same bit for bit, a BLAS thread each", count * (len(found) - 1), same, cases, seed
        )


def switches() -> Figure:
    """The tests that no switch leaks from a thread or out of an exception, counted as pytest passes them."""
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *SETTINGS, "-k", LEAKS, check=False)
    last = done.stdout.strip().splitlines()[-1]
    passed, failed = (sum(map(int, re.findall(rf"(\d+) (?:{what})", last))) for what in ("passed", "failed|error"))
    what = "tests that no switch (recording, anomaly mode, dtype, device) leaks between threads or out of exceptions"
    return all_of(what, passed + failed + (done.returncode != 0 and not failed), passed, "pytest, passed", None)


if __name__ == "__main__":
    script, runs, epochs, jobs, backend, seed = sys.argv[1:]
    print(json.dumps(results(script, int(runs), int(epochs), int(jobs), backend, int(seed))))
