"""All five reports with their studies, one after another, and one page with every table, verdict and figure.

    python examples/all_reports.py            # hours; stop it at any time and go on with --resume
    python examples/all_reports.py --quick    # the small versions

The page is written as Markdown beside its figures, and as HTML in a single file.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import html
import json
import math
import os
import re
import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import architecture_search
import classify_then_compare
import fully_connected
import markdown
import siamese
import weight_sharing

from minitorch.files.atomic import atomic_write
from runner import main
from runner.results import plus_minus, spread
from runner.search_tables import verdict

SCRIPTS = [fully_connected, weight_sharing, classify_then_compare, siamese, architecture_search]

Results = dict[str, Any]


def jobs() -> Iterator[tuple[Any, str | None, str]]:
    """Every job of every report, its main table first: (report, study or None, name of its folder).

    The genetic search alone is left out: the study of both searches does it again.
    """
    for report in (script.REPORT for script in SCRIPTS):
        for study in (None, *(name for name in report.studies if name != "genetic")):
            yield report, study, "-".join(filter(None, [Path(report.script).stem, study]))


# ---- verdicts and conclusions --------------------------------------------------------------------------------------------


def verdicts(results: Results) -> list[str]:
    """For each net and measure that the report gives a figure of, whether ours is the same, better or worse, in plain words.

    The same means: within one reported standard deviation, or within two standard errors of our mean where none is reported.
    """
    lines = []
    for net in results.get("nets", []):
        for measure in results["measures"]:
            reported, got = net["reported"].get(measure["name"]), net["attained"][measure["name"]]
            if reported is None:
                continue
            gain = got["mean"] - reported["mean"] if not measure["lower_is_better"] else reported["mean"] - got["mean"]
            allowed = reported["std"] or 2 * standard_error(got, len(net["runs"]))
            word = "as reported" if abs(gain) <= allowed else "better than reported" if gain > 0 else "worse than reported"
            lines.append(
                f"{net['name']}: {measure['name']} {plus_minus(got)} {measure['unit']} (mean known to ± "
                f"{standard_error(got, len(net['runs'])):.2f}), reported {plus_minus(reported)}: **{word}**."
            )
    return lines


def standard_error(spread: dict[str, float | None], runs: int) -> float:
    """The standard error of a mean over `runs`; infinite where a single run says nothing about it."""
    return math.inf if spread["std"] is None else spread["std"] / math.sqrt(runs)


def advantage(results: Results, first: str, second: str) -> tuple[float, float]:
    """By how many points the first net beats the second in the first measure, and the standard error of that.

    Runs of one number saw the same pairs, so the differences are taken run by run.
    """
    measure, runs = results["measures"][0], {net["name"]: net["runs"] for net in results["nets"]}
    sign = -1 if measure["lower_is_better"] else 1
    gains = [sign * (one[measure["name"]] - other[measure["name"]]) for one, other in zip(runs[first], runs[second])]
    return statistics.fmean(gains), standard_error(spread(gains), len(gains))


def said(results: Results, first: str, second: str) -> str:
    """The advantage of the first net over the second as a clause."""
    points, error = advantage(results, first, second)
    word = "beats" if points > 2 * error else "loses to" if points < -2 * error else "cannot be told from"
    return f"“{first}” {word} “{second}” ({points:+.2f} ± {error:.2f} points, report {results['report']})"


def flatness(results: Results) -> str:
    """Over which values of a factor, a net for each, the first measure varies by less than one standard deviation of runs."""
    name, unit = (results["measures"][0][key] for key in ("name", "unit"))
    nets = [(net["name"], net["attained"][name]["mean"]) for net in results["nets"]]
    deviation = statistics.median(net["attained"][name]["std"] or 0.0 for net in results["nets"])
    stretches = [nets[i:j] for i, j in combinations(range(len(nets) + 1), 2)]
    flat = max((one for one in stretches if _range(one) <= deviation), key=len)
    means = [mean for _, mean in flat]
    others = [f"{mean:.2f} {unit} at {value}" for value, mean in nets if (value, mean) not in flat]
    word = "Nowhere" if len(flat) == 1 else f"From {flat[0][0]} to {flat[-1][0]}"
    return (
        f"{word}: the mean {name} is {min(means):.2f} to {max(means):.2f} {unit} there, and single runs have a standard "
        f"deviation of {deviation:.2f}{'; it is ' + ', '.join(others) if others else ''} (report {results['report']})."
    )


def _range(nets: Sequence[tuple[str, float]]) -> float:
    return max(mean for _, mean in nets) - min(mean for _, mean in nets)


def conclusions(found: dict[str, Results]) -> list[str]:
    """The reports' own conclusions, each checked against our runs in a sentence, as far as their jobs have been run."""
    checks: dict[str, tuple[list[str], Callable[..., str]]] = {
        "Does weight sharing help?": (
            ["fully_connected", "weight_sharing"],
            lambda dense, shared: f"{said(dense, 'Shared', 'Fully connected')}; {said(shared, 'Weight sharing', 'ConvNet')}.",
        ),
        "Does the auxiliary loss help?": (
            ["fully_connected", "weight_sharing"],
            lambda dense, shared: (
                f"{said(dense, 'Shared + auxiliary loss', 'Shared')}; "
                f"{said(shared, 'Weight sharing + auxiliary loss', 'Weight sharing')}."
            ),
        ),
        "Is the auxiliary factor flat?": (["fully_connected-auxiliary-factor"], flatness),
        "Does learned comparison lose to argmax?": (
            ["fully_connected"],
            lambda dense: f"{said(dense, 'LeNet5, argmax', 'LeNet5 + auxiliary loss')}.",
        ),
        "Does the genetic search beat the grid at equal budget?": (["architecture_search-both-searches"], verdict),
    }
    return [
        f"{question} {answer(*(found[job] for job in needed))}"
        for question, (needed, answer) in checks.items()
        if all(job in found for job in needed)
    ]


# ---- the page ------------------------------------------------------------------------------------------------------------


def page(folder: Path, page_folder: Path) -> tuple[Path, Path]:
    """Write the page of the results under `folder` as Markdown and HTML into `page_folder`; the two paths.

    Tables, figures and, compressed, the results are copied beside it, job by job; of a job without results in `folder` those
    that an earlier page has there stay. Jobs without either are named on the page.
    """
    files = {name: page_folder / name / "results.json.gz" for _, _, name in jobs()}
    for name, file in files.items():
        if (folder / name / "results.json").exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(gzip.compress((folder / name / "results.json").read_bytes(), mtime=0))
            for copied in (folder / name / "table.md", *(folder / name).glob("*.png")):
                if _inside(copied, folder / name):
                    shutil.copyfile(copied, file.parent / copied.name)
    found = {name: json.loads(gzip.decompress(file.read_bytes())) for name, file in files.items() if file.exists()}
    parts = ["# The five reports, rebuilt", _made_with(found)]
    if missing := ", ".join(name for name in files if name not in found):
        parts.append(f"**Not run for this page:** {missing}.")
    parts.append("## What the reports conclude")
    parts += (
        [f"- {line}" for line in conclusions(found)]
        if all(one["data"]["comparable"] for one in found.values())
        else ["These runs did not see MNIST: what they say about the reports' conclusions is not written here."]
    )
    for report, study, name in (job for job in jobs() if job[2] in found):
        title = found[name]["title"] if study else report.title
        parts.append(f"## Report {report.number}: {report.title}" if study is None else f"### {title}")
        parts.append((page_folder / name / "table.md").read_text().strip())
        parts += [f"- {line}" for line in verdicts(found[name])]
        for figure in sorted((page_folder / name).glob("*.png")):
            parts.append(f"![{title}: {figure.stem.replace('_', ' ')}]({name}/{figure.name})")
    text = re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", "\n\n".join(parts)) + "\n"
    paths = page_folder / "README.md", page_folder / "reports.html"
    for path, content in zip(paths, (text, _as_html(text, page_folder))):
        with atomic_write(path) as file:
            file.write(content.encode())
    return paths


def _made_with(found: dict[str, Results]) -> str:
    """What made the page: command, versions and machine, and the time of each job."""
    known = {json.dumps(one["versions"], sort_keys=True): one["versions"] for one in found.values()}
    made = [
        ", ".join(
            [
                *(f"{name} {version}" for name, version in versions.items() if isinstance(version, str)),
                f"BLAS {', '.join(versions['blas'])}",
            ]
        )
        for versions in known.values()
    ]
    rows = [
        f"| {name} | {one['data']['name']} | {' | '.join(str(one['settings'][key]) for key in ('runs', 'epochs', 'seed'))} | "
        f"{one['seconds'] / 60:.1f} |"
        for name, one in found.items()
    ]
    total = sum(one["seconds"] for one in found.values()) / 60
    return "\n".join(
        [
            f"Made by `python examples/all_reports.py` with {'; and '.join(made)}. {total:.0f} minutes in all.",
            "",
            "| job | data | runs | epochs | seed | minutes |",
            "| --- | --- | ---: | ---: | ---: | ---: |",
            *rows,
        ]
    )


def _inside(path: Path, folder: Path) -> bool:
    """Whether a file is in the folder itself, and no link or path leads out of it."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _as_html(text: str, folder: Path) -> str:
    """The page in one file: figures are part of it. What looks like HTML in names and tables is shown as it is written."""

    def inline(match: re.Match) -> str:
        path = folder / html.unescape(match[2])
        if path.suffix != ".png" or not _inside(path, folder):
            return match[1]
        return f'<img alt="{match[1]}" src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'

    converter = markdown.Markdown(extensions=["tables", "sane_lists"])
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    body = converter.convert(text)
    body = re.sub(r'<img alt="([^"]*)" src="([^"]+)"[^>]*>', inline, body)
    body = re.sub(r'<a href="(?!https?://|#)[^"]*"[^>]*>(.*?)</a>', r"\1", body)  # no script in a link
    style = (
        "body{font:16px/1.5 sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem}img{max-width:100%}"
        "table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #bbb;padding:.25rem .6rem}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>The five reports, rebuilt</title><style>{style}</style>'
        f"{body}</html>\n"
    )


def run_all(arguments: list[str] | None = None) -> None:
    """Run every job with the options given, then write the page."""
    parser = argparse.ArgumentParser(prog="all_reports.py", description="All five reports and their studies, and one page.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the results (default: results)")
    parser.add_argument("--page", type=Path, help="folder for the page (default: page in --out)")
    options, rest = parser.parse_known_args(arguments)  # the others are those of every report's script
    folder = options.out / "quick" if "--quick" in rest else options.out
    for report, study, name in jobs():
        print(f"\n== {name} ==", flush=True)
        main(report, [*rest, "--out", str(folder / name), *(["--study", study] if study else [])])
    for path in page(folder, options.page or folder / "page"):
        print(f"Page: {os.fspath(path)}")


if __name__ == "__main__":
    run_all()
