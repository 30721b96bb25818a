"""The page of all that was measured: targets, then a section for each subject with its machine, tables and plots."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import plots, report, targets

SUBJECTS = ("steps", "parts", "job", "ops", "overhead", "growth", "memory")
PAGE = "speed.md"


def write(folder: Path) -> list[Path]:
    """Write the page and the plots of the subjects whose JSON is in `folder`; their paths."""
    contents, results = {}, {}
    for subject in SUBJECTS:
        if (path := folder / f"{subject}.json").exists():
            contents[subject], results[subject] = report.load(path)
    drawn = plots.draw_all(results, folder)
    parts = ["# Speed", INTRODUCTION]
    if not any(content["device"] == "cuda" for content in contents.values()):
        parts += ["## Targets", TARGETS, targets.table(targets.all_targets(results))]
    for subject, rows in results.items():
        module = importlib.import_module(f"benchmarks.{subject}")
        parts += [f"## {module.TITLE}", module.NOTE, conditions(contents[subject]), report.tables(rows, module.BESIDE)]
        if hasattr(module, "summary"):
            parts.append(module.summary(rows))
        parts += [f"![{module.TITLE}]({name})" for name in drawn.get(subject, ())]
    (folder / PAGE).write_text("\n\n".join(parts) + "\n")
    return [folder / PAGE, *(folder / name for names in drawn.values() for name in names)]


INTRODUCTION = """Written by `python -m benchmarks`, whose documentation says how it measures: every contender a process of its
own, turns in rotation, medians over the rounds; ratios are taken within a round, their ranges are the 10 and 90 % quantiles."""
TARGETS = """Set before anything was measured; the median decides. Ranges are as in the tables; of chains and imports, which are
no ratios of two contenders, the lowest and the highest round."""


def conditions(content: Mapping[str, Any]) -> str:
    """A sentence on machine, versions, rounds and what was left out."""
    machine = content["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    quick = " A quick version: its figures mean little." if content["quick"] else ""
    left_out = "; ".join(f"{name} ({reason})" for name, reason in content["left out"].items())
    missing = f" Left out: {left_out}." if left_out else ""
    switches = "".join(f", {name}={value}" for name, value in machine["switches"].items())
    return (
        f"{machine['date']}, {content['device']}; {machine['processor']}, {machine['system']}; {machine['blas']}{switches}; "
        f"{versions}. Rounds: "
        f"{content['rounds']}; load average before {machine['load']}, after {machine['load at the end']}.{missing}{quick}"
    )
