"""The command line that every report's script has."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from minitorch import cuda
from minitorch.data import DatasetError, load_digits
from minitorch.files import atomic_write

from reporting.figures import draw_all
from reporting.report import Report
from reporting.results import summary, table
from reporting.runs import SettingsDiffer, all_runs


def main(report: Report, arguments: list[str] | None = None) -> None:
    """Read the command line, run the report's job, and write its results, table and figures."""
    options = parse(report, arguments)
    folder: Path = options.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digits = _load(options.data)
        settings = {"runs": options.runs, "epochs": options.epochs, "seed": options.seed, "device": options.device}
        start = time.perf_counter()
        runs = all_runs(report, digits, settings, folder, options.jobs, options.resume)
    except (DatasetError, SettingsDiffer, OSError) as error:
        sys.exit(f"{report.script}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"\n{report.script}: interrupted; finished runs are kept in {folder / 'runs'}, go on with --resume")
    results = summary(report, digits, settings, runs, time.perf_counter() - start)
    text = table(results)
    for name, content in {"results.json": json.dumps(results, indent=1, allow_nan=False), "table.md": text}.items():
        with atomic_write(folder / name) as file:
            file.write(content.encode())
    paths = draw_all(results, folder)
    print(f"\n{text}")
    print("Written:", *(folder / "results.json", folder / "table.md"), *paths, sep="\n  ")


def parse(report: Report, arguments: list[str] | None) -> Any:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog=report.script, description=f"Report {report.number}: {report.title}. Trains its nets and sets the results beside "
        "the report's.", formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("--data", default="auto", metavar="auto|mnist|digits|DIR",
        help="MNIST if it can be had, else the embedded digits; MNIST; the embedded digits; a folder of four IDX files")
    add("--runs", type=_positive, help=f"runs of each net (default: {report.runs}; {report.quick_runs} with --quick)",
        default=argparse.SUPPRESS)
    add("--epochs", type=_positive, help=f"epochs of each run (default: {report.epochs}; {report.quick_epochs} with --quick)",
        default=argparse.SUPPRESS)
    add("--seed", type=int, default=0, help="where all random numbers start; the same seed gives the same figures")
    add("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes, each with one BLAS thread")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute")
    add("--out", type=Path, default=argparse.SUPPRESS, help=f"folder for the results (default: results/{Path(report.script).stem})")
    add("--quick", action="store_true", help="a small version, in under a minute")
    add("--resume", action="store_true", help="go on with the runs that a stopped job left in --out; without it, start anew")
    # fmt: skip
    options = parser.parse_args(arguments)
    stem = Path(report.script).stem
    defaults = {
        "runs": report.quick_runs if options.quick else report.runs,
        "epochs": report.quick_epochs if options.quick else report.epochs,
        "out": Path("results") / (f"{stem}-quick" if options.quick else stem),
    }
    for name, value in defaults.items():
        if not hasattr(options, name):
            setattr(options, name, value)
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
