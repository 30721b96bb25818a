"""What was measured: rows of figures, which are saved as JSON, and the Markdown tables made from them."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.peers import MINITORCH, TORCH
from benchmarks.timing import Entry, Failed, interleave, ratio, spread


@dataclass(frozen=True)
class Options:
    """The options of the command line, and the names of the peers that are installed."""

    peers: frozenset[str]
    rounds: int
    quick: bool = False
    device: str = "cpu"


@dataclass(frozen=True)
class Row:
    """One quantity of one case: for every contender the figure of each round, or the reason why there is none."""

    case: str
    quantity: str
    unit: str
    threads: int
    rounds: dict[str, list[float]]
    failures: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, other: str, ours: str = MINITORCH.name) -> dict[str, float] | None:
        """The spread over the rounds of the ratio of `ours` to `other`; None unless both were measured."""
        if ours not in self.rounds or other not in self.rounds:
            return None
        return ratio(self.rounds[ours], self.rounds[other])


def geometric_mean(rows: Sequence[Row], other: str, ours: str = MINITORCH.name) -> dict[str, float] | None:
    """The spread over the rounds of the geometric mean of the rows' ratios; None if no row has both contenders."""
    ratios = [[a / b for a, b in zip(row.rounds[ours], row.rounds[other])] for row in rows if row.ratio(other, ours)]
    return spread([statistics.geometric_mean(one) for one in zip(*ratios)]) if ratios else None


def measured(
    case: str,
    entries: Sequence[Entry],
    options: Options,
    *,
    threads: int = 1,
    unit: str = "ms",
    scale: float = 1e3,
    calls: int | None = None,
    warm_up: int = 1,
    check: Callable[[dict], None] | None = None,
    facts: dict[str, Any] | None = None,
) -> list[Row]:
    """Measure the entries in turn, and return a row for each quantity; `scale` converts the figures to `unit`.

    A contender that fails is left out and the others go on; every row contains the reason.
    """
    print(f"{case}, {threads} thread{'s' * (threads > 1)}: {', '.join(entry.name for entry in entries)}", file=sys.stderr)
    try:
        figures, failures = interleave(entries, options.rounds, calls, warm_up, check)
    except Failed as reason:
        figures, failures = {}, {"all": str(reason)}
    for name, reason in failures.items():
        print(f"  failed: {name}: {reason}", file=sys.stderr)
    quantities = dict.fromkeys(quantity for of_one in figures.values() for quantity in of_one) or {"time": None}
    return [
        Row(
            case,
            quantity,
            unit,
            threads,
            {name: [scale * value for value in of_one[quantity]] for name, of_one in figures.items() if quantity in of_one},
            failures,
            dict(facts or {}),
        )
        for quantity in quantities
    ]


def measured_together(
    maker: str,
    cases: Mapping[str, Mapping[str, Any]],
    options: Options,
    quantity: str = "time",
    check: Callable[[dict], None] | None = None,
) -> list[Row]:
    """A row for each of `cases`, the arguments of `maker` by name: minitorch and PyTorch, each in a single process."""
    entries = [
        Entry(
            peer.name,
            "benchmarks.timing:together",
            {
                "maker": maker,
                "each": {case: {**more, "peer": peer.module, "device": options.device} for case, more in cases.items()},
            },
        )
        for peer in (MINITORCH, TORCH)
        if peer is MINITORCH or peer.name in options.peers
    ]
    rows = measured(f"{len(cases)} cases together", entries, options, calls=1, warm_up=0, check=check)
    return [replace(row, case=row.quantity, quantity=quantity) for row in rows]


def save(path: Path, content: dict[str, Any], rows: Sequence[Row]) -> None:
    """Write a subject's rows and `content`, which describes how they were measured, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def load(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read what `save` wrote."""
    content = json.loads(path.read_text())
    return content, [Row(**row) for row in content.pop("rows")]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is aligned to the left and the others to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables(rows: Sequence[Row], beside: Sequence[str]) -> str:
    """A table for each quantity and number of threads, with the ratios of minitorch's figures to those of `beside`."""

    def kind(row: Row) -> tuple[str, str, int]:
        return row.quantity, row.unit, row.threads

    order = list(dict.fromkeys(kind(row) for row in rows))
    parts = []
    for (quantity, unit, threads), group in groupby(sorted(rows, key=lambda row: order.index(kind(row))), kind):
        parts += [f"**{quantity} ({unit}), {threads} thread{'s' * (threads > 1)}**", table(list(group), beside)]
    failures = dict.fromkeys(f"{row.case}: {name}: {reason}" for row in rows for name, reason in row.failures.items())
    return "\n\n".join(parts + [f"Failed: {failure}" for failure in failures])


def table(rows: Sequence[Row], beside: Sequence[str]) -> str:
    """The medians of every contender, and the ratios with their 10 % to 90 % range."""
    names = list(dict.fromkeys(name for row in rows for name in row.rounds))
    others = [name for name in beside if name in names]
    lines = []
    for row in rows:
        medians = [number(spread(row.rounds[name])["median"]) if name in row.rounds else "" for name in names]
        lines.append([row.case, *medians, *(ranged(row.ratio(name)) for name in others)])
    return markdown(["", *names, *(f"minitorch / {name}" for name in others)], lines)


def number(value: float) -> str:
    """Format a number with three significant digits and without an exponent."""
    return f"{value:.3g}" if 0.001 <= abs(value) < 100 else f"{value:,.0f}"


def ranged(figures: dict[str, float] | None) -> str:
    """Format a median and its range, as 0.62 (0.58 to 0.66)."""
    if figures is None:
        return ""
    return f"{figures['median']:.2f} ({figures['low']:.2f} to {figures['high']:.2f})"
