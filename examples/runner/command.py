"""The command line that every report's script has."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from minitorch import cuda
from minitorch.data import DatasetError, load_digits
from minitorch.files.atomic import atomic_write
from runner.figures import boxplot, draw_all, learning_curves
from runner.job import Job, SettingsDiffer
from runner.report import Report
from runner.results import summary, table
from runner.runs import all_runs


def main(report: Report, arguments: list[str] | None = None) -> None:
    """Read the command line, run the report's job or one of its studies, and write results, table and figures."""
    options = parse(report, arguments)
    study = report.studies[options.study] if options.study else report
    try:
        digits = _load(options.data)
        settings = {name: getattr(options, name) for name in ("study", "runs", "epochs", "seed", "device", "quick")}
        job = Job(digits, settings, options.out, options.jobs, options.backend, options.resume)
        if isinstance(study, Report):
            results = summary(study, job, all_runs(study, job))
            text = table(results)
            figures = study.figures or {"learning_curves.png": learning_curves, "boxplot.png": boxplot}
        else:
            results, text, figures = study(report, job)
        results["seconds"] = job.seconds()
        paths = _write(options.out, results, text) + draw_all(results, figures, options.out)
    except (DatasetError, SettingsDiffer, OSError) as error:
        sys.exit(f"{report.script}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"\n{report.script}: interrupted; what was finished is kept in {options.out}, go on with --resume")
    print(f"\n{text}\nWritten:", *paths, sep="\n  ")


def _write(folder: Path, results: dict[str, Any], text: str) -> list[Path]:
    for name, content in {"results.json": json.dumps(results, indent=1, allow_nan=False), "table.md": text}.items():
        with atomic_write(folder / name) as file:
            file.write(content.encode())
    return [folder / "results.json", folder / "table.md"]


def parse(report: Report, arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line, with what the report or the study has for those not given."""
    stem = Path(report.script).stem
    parser = argparse.ArgumentParser(
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
    add("--runs", type=_positive, help=f"runs of each net (default: {report.runs}, with --quick {report.quick_runs})")
    add("--epochs", type=_positive, help=f"epochs of a run (default: {report.epochs}, with --quick {report.quick_epochs})")
    add("--seed", type=int, default=0, help="where all random numbers start; the same seed gives the same figures (default: 0)")
    add("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes of one BLAS thread (default: one a processor)")
    add("--backend", default="loky", help="joblib's back end for the processes: loky (the default), multiprocessing, dask, ray")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute (default: cpu)")
    add("--out", type=Path, help=f"folder for the results (default: results/{stem}, and so on for quick ones and studies)")
    add("--quick", action="store_true", help="a small version, in under a minute")
    add("--resume", action="store_true", help="go on with what a stopped job left in --out; without it, start anew there")
    options = parser.parse_args(arguments)
    study = report.studies.get(options.study)
    own = study if hasattr(study, "runs") else report  # a search has its own numbers of runs and epochs, too
    options.runs = options.runs or (own.quick_runs if options.quick else own.runs)
    options.epochs = options.epochs or (own.quick_epochs if options.quick else own.epochs)
    options.out = options.out or Path("results", "-".join(filter(None, [stem, options.study, options.quick and "quick"])))
    if options.device == "cuda" and not cuda.is_available():
        parser.error("--device cuda: there is no GPU that CuPy can use here")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {number}")
    return number


def _load(source: str) -> Any:
    """The digits, announced on the screen."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        digits = load_digits(source)
    for warning in caught:
        print(warning.message, file=sys.stderr)
    print(f"Data: {digits.name}. {digits.note}", file=sys.stderr)
    return digits
