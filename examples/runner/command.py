"""The command line that every report's script has."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from minitorch import cuda
from minitorch.data import DatasetError, load_digits
from minitorch.files.atomic import atomic_write
from runner import console, kept
from runner.figures import boxplot, draw_all, learning_curves
from runner.job import FolderTaken, Job
from runner.lock import FolderInUse
from runner.processes import LOCAL, NEEDS, WorkersDie, missing
from runner.report import Report
from runner.results import summary, table
from runner.runs import all_runs

MISTAKE = 2  # the exit status for a user's mistake, as in argparse


def main(report: Report, arguments: list[str] | None = None) -> None:
    """Read the command line, run the report's job or one of its studies, and write results, table and figures.

    Exit statuses: 2 for a user's mistake, 1 for an error while the job ran, and 128 plus the number of the signal for a job
    that was stopped: 130 by Ctrl-C, 143 by SIGTERM, 129 by a terminal that was closed.
    """
    console.fit_any_console()
    options = parse(report, arguments)
    try:
        with stopped_by_signals():
            text, paths = _run(report, options)
    except (DatasetError, FolderInUse, FolderTaken) as error:
        _end(report, str(error), MISTAKE)
    except (OSError, WorkersDie) as error:
        _end(report, f"{error}\nWhat was finished is kept in {options.out}; go on with --resume.", 1)
    except Stopped as stop:
        print(file=sys.stderr)  # below the progress
        _end(report, f"{stop}; what was finished is kept in {options.out}, go on with --resume", 128 + stop.signal)
    print(f"\n{text}\nWritten:", *paths, sep="\n  ")


def _run(report: Report, options: argparse.Namespace) -> tuple[str, list[Path]]:
    """Do the job and write what it found; the table and the paths."""
    study = report.studies[options.study] if options.study else report
    digits = _load(options.data)
    names = ("study", "runs", "epochs", "seed", "device", "quick")
    settings = {"report": report.number, **{name: getattr(options, name) for name in names}}
    with Job(digits, settings, options.out, options.jobs, options.backend, options.resume, options.overwrite) as job:
        if isinstance(study, Report):
            results = summary(study, job, all_runs(study, job))
            text = table(results)
            figures = study.figures or {"learning_curves.png": learning_curves, "boxplot.png": boxplot}
        else:
            results, text, figures = study(report, job)
        results["seconds"], results["figures"] = job.seconds(), list(figures)
        for picture in {options.out / name for name in figures} - set(job.pictures()):
            if picture.exists():
                kept.set_aside(picture, "no job drew it", "the job's own takes its place")
        return text, _write(options.out, results, text) + draw_all(results, figures, options.out)


class Stopped(BaseException):
    """A signal asked the job to end. No `except Exception` on its way catches it."""

    def __init__(self, number: int) -> None:
        self.signal = number
        super().__init__("interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}")


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within the block Ctrl-C, SIGTERM and a closed terminal raise Stopped, except signals that are ignored, as under nohup."""

    def stop(number: int, frame: object) -> NoReturn:
        for each in before:  # no second signal may interrupt the ending of the workers
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(report: Report, said: str, status: int) -> NoReturn:
    print(f"{report.script}: {said}", file=sys.stderr)
    sys.exit(status)


def _write(folder: Path, results: dict[str, Any], text: str) -> list[Path]:
    for name, content in {"results.json": json.dumps(results, indent=1, allow_nan=False), "table.md": text}.items():
        with atomic_write(folder / name) as file:
            file.write(content.encode())
    return [folder / "results.json", folder / "table.md"]


def parse(report: Report, arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line, with what the report or the study has for those not given."""
    stem = Path(report.script).stem
    parser = _Parser(
        prog=report.script,
        description=f"Report {report.number}: {report.title}. Trains its nets and sets the results beside the report's.",
    )
    add = parser.add_argument
    add(
        "--data",
        default="auto",
        metavar="auto|mnist|digits|DIR",
        help="MNIST, or the embedded digits where there is none "
        "(auto, the default); MNIST; the embedded digits; a folder of four IDX files",
    )
    if report.studies:
        add("--study", choices=list(report.studies), help="run this study instead of the report's main table")
    else:
        parser.set_defaults(study=None)
    add("--runs", type=positive, help=f"runs of each net (default: {report.runs}, with --quick {report.quick_runs})")
    add("--epochs", type=positive, help=f"epochs of a run (default: {report.epochs}, with --quick {report.quick_epochs})")
    add(
        "--seed",
        type=_not_negative,
        default=0,
        help="where all random numbers start; the same seed gives the same figures (default: 0)",
    )
    add(
        "--jobs",
        type=positive,
        default=os.cpu_count() or 1,
        help="processes, each with one BLAS thread (default: one per processor)",
    )
    add("--backend", choices=list(NEEDS), default="loky", help="what runs the processes, or the cluster (default: loky)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute (default: cpu)")
    add("--out", type=Path, help=f"folder for the results (default: results/{stem}, and so on for quick ones and studies)")
    add("--quick", action="store_true", help="a small version, of about a minute")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with what a stopped job left in --out")
    again.add_argument("--overwrite", action="store_true", help="delete what an earlier job wrote in --out, and start again")
    options = parser.parse_args(arguments)
    study = report.studies.get(options.study)
    own = study if hasattr(study, "runs") else report  # a search has its own numbers of runs and epochs, too
    options.runs = options.runs or (own.quick_runs if options.quick else own.runs)
    options.epochs = options.epochs or (own.quick_epochs if options.quick else own.epochs)
    options.out = options.out or Path("results", "-".join(filter(None, [stem, options.study, options.quick and "quick"])))
    if options.device == "cuda" and not cuda.is_available():
        parser.error("--device cuda: there is no GPU that CuPy can use here")
    most = 8 * (os.cpu_count() or 1)
    if options.backend in LOCAL and options.jobs > most:
        parser.error(f"--jobs {options.jobs}: this machine has {os.cpu_count()} processors; expected at most {most}")
    if absent := missing(options.backend):
        parser.error(f"--backend {options.backend} needs {' and '.join(absent)}: pip install {' '.join(absent)}")
    return options


class _Parser(argparse.ArgumentParser):
    """A parser that names a mistake in one sentence, without a page of options."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (--help lists the options)", file=sys.stderr)
        sys.exit(MISTAKE)


def positive(text: str) -> int:
    return _whole(text, 1)


def _not_negative(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text[:40]}")
    return number


def _load(source: str) -> Any:
    """The digits; prints which they are."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        digits = load_digits(source)
    for warning in caught:
        print(warning.message, file=sys.stderr)
    print(f"Data: {digits.name}. {digits.note}", file=sys.stderr)
    return digits
