"""Results: one JSON file with every figure, and the table that compares them with the reported ones."""

from __future__ import annotations

import statistics
from typing import Any

from runner.job import Job
from runner.report import Report


def summary(report: Report, job: Job, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The results of repeated runs, as they go into `results.json`."""
    comparable, measures = job.digits.is_mnist, report.measures
    return {
        **frame(report, job),
        "measures": [
            {"name": measure.name, "unit": measure.unit, "lower_is_better": measure.lower_is_better} for measure in measures
        ],
        "nets": [
            {
                "name": net.name,
                "parameters": net.parameters(),
                # a figure reported on MNIST says nothing about other digits
                "reported": {name: {"mean": mean, "std": std} for name, (mean, std) in net.reported.items() if comparable},
                "attained": {measure.name: spread([measure.value(run) for run in runs[net.name]]) for measure in measures},
                "runs": [{**run, **{measure.name: measure.value(run) for measure in measures}} for run in runs[net.name]],
            }
            for net in report.nets
        ],
    }


def frame(report: Report, job: Job) -> dict[str, Any]:
    """What a reader needs to judge or repeat any job: report, data, settings, versions."""
    return {
        "report": report.number,
        "title": report.title,
        "notes": report.notes,
        "data": {"name": job.digits.name, "note": job.digits.note, "comparable": job.digits.is_mnist},
        "settings": job.settings,
        "versions": job.versions(),
    }


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation (n - 1; None for a single run), smallest and largest."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table under a line that says what they are, with the reported figures if they are of MNIST.

    There is a row for each net or, with more than two measures, for each net and measure, so that the table is not too wide.
    """
    rows = _row_per_net(results) if len(results["measures"]) <= 2 else _row_per_measure(results)
    return "\n".join([heading(results), "", *(f"| {' | '.join(row)} |" for row in rows), ""])


def _row_per_net(results: dict[str, Any]) -> list[list[str]]:
    comparable = results["data"]["comparable"]
    head = ["net", "parameters"]
    for measure in results["measures"]:
        label = f"{measure['name']} ({measure['unit']})"
        head += [f"{label} reported", "attained", "lowest", "highest"] if comparable else [label, "lowest", "highest"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for net in results["nets"]:
        row = [net["name"], f"{net['parameters']:,}"]
        for measure in results["measures"]:
            row += _figures(net, measure["name"], comparable)
        rows.append(row)
    return rows


def _row_per_measure(results: dict[str, Any]) -> list[list[str]]:
    comparable = results["data"]["comparable"]
    head = ["net", "parameters", "", *(["reported"] if comparable else []), "attained", "lowest", "highest"]
    rows = [head, ["---", "---:", "---", *["---:"] * (len(head) - 3)]]
    for net in results["nets"]:
        named = [net["name"], f"{net['parameters']:,}"]
        for measure in results["measures"]:
            rows.append([*named, f"{measure['name']} ({measure['unit']})", *_figures(net, measure["name"], comparable)])
            named = ["", ""]
    return rows


def _figures(net: dict[str, Any], measure: str, comparable: bool) -> list[str]:
    """The cells for one measure: the reported figure if it may be compared, and the attained mean, lowest and highest."""
    got = net["attained"][measure]
    beside = [plus_minus(net["reported"].get(measure))] if comparable else []
    return [*beside, plus_minus(got), f"{got['min']:.2f}", f"{got['max']:.2f}"]


def heading(results: dict[str, Any]) -> str:
    """What the figures are means of, and the warning where they are not MNIST's."""
    settings, data = results["settings"], results["data"]
    lines = [
        f"Report {results['report']}, {results['title']}: mean ± standard deviation over {repetitions(settings)} "
        f"from seed {settings['seed']}, on {data['name']}."
    ]
    if not data["comparable"]:
        lines += ["", f"**Not MNIST**, so not to be compared with the report's figures. {data['note']}"]
    return "\n".join(lines + (["", results["notes"]] if results["notes"] else []))


def repetitions(settings: dict[str, Any]) -> str:
    """How often and how long each net was trained: "15 runs of 50 epochs"."""
    return f"{counted(settings['runs'], 'run')} of {counted(settings['epochs'], 'epoch')}"


def counted(number: int, what: str) -> str:
    """A number of things in words: "1 run", "15 runs"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def plus_minus(figure: dict[str, float | None] | None) -> str:
    """Mean ± standard deviation to two places; the mean alone where there is no deviation."""
    if figure is None:
        return "-"
    return f"{figure['mean']:.2f}" if figure["std"] is None else f"{figure['mean']:.2f} ± {figure['std']:.2f}"
