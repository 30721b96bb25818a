"""A whole job: report 001, three nets with fifteen runs each, from the command line to the figures, and the same in PyTorch."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from benchmarks.peers import MINITORCH, TORCH
from benchmarks.report import Options, Row, measured
from benchmarks.timing import ROOT, Entry, Work

TITLE = "A whole job"
NOTE = """The wall time in seconds of report 001: three nets, with 15 runs of 50 epochs each, on the digits that come with
minitorch, in two processes with one thread each. minitorch runs `examples/weight_sharing.py`, which also writes tables,
pictures and every run's result to disk. PyTorch trains on the same pairs in shuffled batches and evaluates after every epoch,
but writes no tables, pictures or files."""
ROUNDS = 3
BESIDE = [TORCH.name]
PROCESSES = 2


def run(options: Options) -> list[Row]:
    """One row: the seconds of the job."""
    runs, epochs = (1, 2) if options.quick else (15, 50)
    amount = [f"--runs={runs}", f"--epochs={epochs}", f"--jobs={PROCESSES}", f"--device={options.device}"]
    ours = [str(ROOT / "examples/weight_sharing.py"), *amount, "--data=digits"]
    entries = [Entry(MINITORCH.name, "benchmarks.job:command", {"arguments": ours, "out": True})]
    if TORCH.name in options.peers:
        theirs = ["-m", "benchmarks.torch_job", *amount]
        entries.append(Entry(TORCH.name, "benchmarks.job:command", {"arguments": theirs}))
    case = f"report 001, 3 nets, {runs} run{'s' * (runs > 1)} of {epochs} epochs, {PROCESSES} processes"
    return measured(case, entries, options, unit="s", scale=1.0, calls=1, warm_up=0)


def command(arguments: list[str], out: bool = False) -> Work:
    """Run a Python command; with `out`, the command gets a folder for its output, which is removed afterwards."""

    def call() -> None:
        with tempfile.TemporaryDirectory() as folder:
            more = ["--out", folder] if out else []
            subprocess.run([sys.executable, *arguments, *more], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)

    return Work(call)
