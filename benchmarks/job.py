"""A whole job: report 001, three nets by fifteen runs, from the command line to the figures, and the same job in PyTorch."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from benchmarks.peers import MINITORCH, TORCH
from benchmarks.report import Options, Row, measured
from benchmarks.timing import ROOT, Entry, Work

TITLE = "A whole job"
NOTE = """Wall seconds of report 001: three nets, 15 runs of 50 epochs each on the digits that come with minitorch, in two
processes of one thread. minitorch: `examples/weight_sharing.py`, with tables, pictures and every run kept on disk. PyTorch: the
same pairs, shuffled batches and evaluations after every epoch, without tables, pictures and files."""
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
    case = f"report 001, 3 nets, {runs} runs of {epochs} epochs, {PROCESSES} processes"
    return measured(case, entries, options, unit="s", scale=1.0, calls=1, warm_up=0)


def command(arguments: list[str], out: bool = False) -> Work:
    """A command of Python's; with `out`, it is given a folder that is removed afterwards."""

    def call() -> None:
        with tempfile.TemporaryDirectory() as folder:
            more = ["--out", folder] if out else []
            subprocess.run([sys.executable, *arguments, *more], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)

    return Work(call)
