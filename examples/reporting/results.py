"""Results: one JSON with every figure, and the table that sets them beside the reported ones."""

from __future__ import annotations

import os
import platform
import statistics
from typing import Any

import joblib
import minitorch
import numpy as np
from minitorch.data import Digits
from threadpoolctl import threadpool_info

from reporting.report import Report


def summary(report: Report, digits: Digits, settings: dict[str, Any], runs: dict[str, list], seconds: float) -> dict[str, Any]:
    """Everything a reader needs to judge or repeat the job, as it goes into `results.json`."""
    return {
        "report": report.number,
        "title": report.title,
        "data": {"name": digits.name, "note": digits.note, "comparable": digits.is_mnist},
        "settings": settings,
        "versions": versions(),
        "seconds": seconds,
        "nets": [
            {
                "name": net.name,
                "parameters": net.parameters(),
                # a figure reported on MNIST says nothing about other digits
                "reported": {"accuracy": net.reported, "std": net.reported_std} if digits.is_mnist else None,
                "accuracy": spread([accuracy(run) for run in runs[net.name]]),
                "runs": runs[net.name],
            }
            for net in report.nets
        ],
    }


def accuracy(run: dict[str, Any]) -> float:
    """Test accuracy in percent after the last epoch; a run that diverged guesses wrong."""
    error = run["test_error"][-1]
    return 0.0 if error is None else 100.0 - error


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation (n - 1; None for a single run), smallest and largest."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def versions() -> dict[str, Any]:
    """What the figures were computed with."""
    blas = [f"{info['internal_api']} {info['version']} ({info.get('architecture')})" for info in threadpool_info()
            if info["user_api"] == "blas"]  # fmt: skip
    return {
        "minitorch": minitorch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "joblib": joblib.__version__,
        "blas": blas,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table under a line that says what they are; reported figures beside ours on MNIST only."""
    settings, comparable = results["settings"], results["data"]["comparable"]
    head = ["net", "parameters", *(["accuracy reported, %"] if comparable else []), "accuracy, %", "lowest", "highest"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for net in results["nets"]:
        got = net["accuracy"]
        reported = [_plus_minus(net["reported"]["accuracy"], net["reported"]["std"])] if comparable else []
        rows.append(
            [net["name"], f"{net['parameters']:,}", *reported, _plus_minus(got["mean"], got["std"]), f"{got['min']:.2f}",
             f"{got['max']:.2f}"]  # fmt: skip
        )
    lines = [
        f"Report {results['report']}, {results['title']}: test accuracy after {settings['epochs']} epochs, mean ± standard "
        f"deviation over {settings['runs']} runs from seed {settings['seed']}, on {results['data']['name']}.",
        "",
        *([] if comparable else [f"**Not MNIST**, so not comparable with the report's figures. {results['data']['note']}", ""]),
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    return "\n".join(lines)


def _plus_minus(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"
