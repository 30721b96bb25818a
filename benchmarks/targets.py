"""The targets, which were set before the figures were measured, and whether they are met: ratios, the lower the better."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks import growth, job, memory, nets, overhead, steps
from benchmarks.peers import TORCH
from benchmarks.products import PRODUCTS
from benchmarks.report import Row, markdown

Results = Mapping[str, Sequence[Row]]
"""Rows by subject."""


class Target(NamedTuple):
    """A ratio, the most it may be, and what was measured: a median with its range, or None."""

    name: str
    limit: float
    measured: Mapping[str, float] | None


def all_targets(results: Results) -> list[Target]:
    """Every target with its figure, as far as the subjects were measured."""
    return [*_steps(results), *_job(results), *_overhead(results), *_growth(results), *_memory(results)]


def _ratio(
    results: Results, subject: str, other: str, ours: str = "minitorch", threads: int = 1, **wanted: str
) -> Mapping | None:
    for row in results.get(subject, ()):
        if row.threads == threads and all(getattr(row, name) == value for name, value in wanted.items()):
            return row.ratio(other, ours)
    return None


def _steps(results: Results) -> Iterator[Target]:
    main = {"subject": "steps", "case": nets.MAIN_NET}
    yield Target(f"step of {nets.MAIN_NET} / PyTorch's, 1 thread each", 0.65, _ratio(results, other=TORCH.name, **main))
    yield Target("the same, 2 threads each", 0.90, _ratio(results, other=TORCH.name, threads=2, **main))
    yield Target("the same / JAX jit's, 1 thread each", 1.4, _ratio(results, other=steps.JAX_JIT, **main))
    yield Target("the same / its matrix products, 1 thread", 2.0, _ratio(results, other=PRODUCTS, **main))
    for net in nets.NETS:
        if net != nets.MAIN_NET:
            limit = 1.2 if net in ("002 ResNet", "002 AlexNet") else 0.90
            yield Target(f"step of {net} / PyTorch's, 1 thread each", limit, _ratio(results, "steps", TORCH.name, case=net))


def _job(results: Results) -> Iterator[Target]:
    name = f"report 001 whole / PyTorch's, {job.PROCESSES} processes each"
    yield Target(name, 0.65, _ratio(results, "job", TORCH.name))


def _overhead(results: Results) -> Iterator[Target]:
    for quantity, limit in (("forward", 1.5), ("forward + backward", 0.7)):
        case = "y = x * w + b, 1 element"
        measured = _ratio(results, "overhead", TORCH.name, case=case, quantity=quantity)
        yield Target(f"{case}, {quantity} / PyTorch's", limit, measured)
    long, short = overhead.LENGTHS[2], overhead.LENGTHS[1]
    backward = {row.case: row.rounds["minitorch"] for row in results.get("overhead", ()) if row.quantity == "backward"}
    both = [backward.get(f"chain of {length:,}") for length in (long, short)]
    measured = None
    if all(both):
        ratios = [long / short * a / b for a, b in zip(*both)]  # figures are per operation
        measured = {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
    yield Target(f"backward of a chain of {long:,} / of {short:,}", 12, measured)


def _growth(results: Results) -> Iterator[Target]:
    for kind, power in growth.WORK.items():
        name = f"exponent of a step's time with {kind}, all sizes, of which the work has {power}"
        yield Target(name, power, growth.exponents(results.get("growth", ()), kind, "minitorch"))


def _memory(results: Results) -> Iterator[Target]:
    peak = _ratio(results, "memory", TORCH.name, quantity="peak of the process")
    yield Target("peak memory of a process that trains report 001's third net / PyTorch's", 0.5, peak)
    seconds = None
    for row in results.get("memory", ()):
        if row.case == memory.IMPORT and memory.BEYOND_NUMPY in row.rounds:
            ordered = sorted(value / 1000 for value in row.rounds[memory.BEYOND_NUMPY])
            seconds = {"median": statistics.median(ordered), "low": ordered[0], "high": ordered[-1]}
    yield Target("seconds of import minitorch beyond NumPy", 0.05, seconds)


def table(targets: Sequence[Target]) -> str:
    """The targets, with what was measured and whether the median meets them."""
    lines = []
    for target in targets:
        said, measured = "not measured", ""
        if target.measured is not None:
            said = "met" if target.measured["median"] <= target.limit else "missed"
            measured = "{median:.3g} ({low:.3g} to {high:.3g})".format(**target.measured)
        lines.append([target.name, f"{target.limit:g}", measured, said])
    return markdown(["target", "at most", "measured", ""], lines)
