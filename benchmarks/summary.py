"""The page with everything that was measured: the targets, then a section for each subject with machine, tables and plots."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import plots, report, targets

SUBJECTS = ("steps", "parts", "job", "ops", "overhead", "growth", "memory")
PAGE = "speed.md"


def write(folder: Path) -> list[Path]:
    """Write the page and the plots of the subjects whose JSON is in `folder`, and return their paths."""
    contents, results = {}, {}
    for subject in SUBJECTS:
        if (path := folder / f"{subject}.json").exists():
            contents[subject], results[subject] = report.load(path)
    drawn = plots.draw_all(results, folder)
    on_gpu = any(content["device"] == "cuda" for content in contents.values())
    parts = ["# Speed on a GPU" if on_gpu else "# Speed", INTRODUCTION]
    if not on_gpu:
        parts += ["## Targets", TARGETS, targets.said(results)]
    for subject, rows in results.items():
        module = importlib.import_module(f"benchmarks.{subject}")
        parts += [f"## {module.TITLE}", module.NOTE, conditions(contents[subject]), report.tables(rows, module.BESIDE)]
        if hasattr(module, "summary") and (text := module.summary(rows)):
            parts.append(text)
        parts += [f"![{module.TITLE}]({name})" for name in drawn.get(subject, ())]
    (folder / PAGE).write_text("\n\n".join(parts) + "\n")
    return [folder / PAGE, *(folder / name for names in drawn.values() for name in names)]


INTRODUCTION = """This page is written by `python -m benchmarks`. `python -m benchmarks --help` says how it measures. Every
contender runs in a separate process, the contenders take turns, and the tables give the medians over the rounds. A ratio
compares two figures of the same round; its range, in brackets, is the 10 % and 90 % quantile over the rounds."""
TARGETS = """The targets were set before the work that should reach them; the median decides whether a target is met. The
ranges are those of the tables. For chains and imports, which are not ratios of two contenders, the range is the lowest and the
highest round."""
IDLE = 0.5  # cores; if other processes use more, the page says so


def conditions(content: Mapping[str, Any]) -> str:
    """The sentences on machine, versions, rounds, load, and what was left out."""
    machine = content["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    quick = " This was a quick version, whose figures mean little." if content["quick"] else ""
    left_out = "; ".join(f"{name} ({reason})" for name, reason in content["left out"].items())
    missing = f" Left out: {left_out}." if left_out else ""
    gpu = f"{machine['gpu']}, CuPy {machine['cupy']}; " if "gpu" in machine else ""
    switches = "".join(f", {name}={value}" for name, value in machine["switches"].items())
    others = f" Other processes used {content['others']} cores on average" if content.get("others") is not None else ""
    idle = others and (", so the machine was not idle." if content["others"] > IDLE else ".")
    return (
        f"Measured on {machine['date']}, {content['device']}; {gpu}{machine['processor']}, {machine['system']}; "
        f"{machine['blas']}{switches}; {versions}. Rounds: {content['rounds']}. Load average before: {machine['load']}, "
        f"after: {machine['load at the end']}.{others}{idle}{missing}{quick}"
    )
