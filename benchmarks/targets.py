"""The targets, which were set before the work that should reach them, and whether they are met: lower ratios are better."""

from __future__ import annotations

import statistics
from collections.abc import Container, Iterator, Mapping, Sequence, Sized
from typing import NamedTuple

from benchmarks import cases, growth, job, memory, nets, ops, overhead, steps
from benchmarks.peers import TORCH
from benchmarks.products import PRODUCTS
from benchmarks.report import Row, geometric_mean, markdown, ranged

Results = Mapping[str, Sequence[Row]]
"""Rows by subject."""

LIMITS = {  # of `cases` and reports' nets by the beginning of their names; all other operations may take 1.5
    ("linear (1,", "softmax (64,"): 2.0,  # up to depthwise, NumPy's own passes over the data decide
    ("gelu", "leaky_relu", "index rows", "conv7", "conv3 3->"): 2.5,
    ("silu", "logsigmoid", "randn", "cumsum", "embedding 50k"): 3.0,
    ("layernorm", "groupnorm"): 4.0,
    ("depthwise",): 6.0,
    ("GPT toy",): 0.70,
    ("MNIST CNN",): 0.80,
    ("GPT tiny", "002 LeNet"): 0.90,
    ("CIFAR", "002 AlexNet"): 0.95,
    ("MNIST MLP", "reports' nets, 1"): 0.60,
    ("reports' nets, 2",): 0.85,
    ("002 ResNet",): 1.30,
}
OF_PRODUCTS = (*cases.NETS, "00", "reports' nets", "linear", "conv", "depthwise", "causal attention", "scaled_dot_product")
PRODUCT = "matmul 1024^3"
ALLOWANCE = 0.15  # added to the limit of OF_PRODUCTS where the matrix products of PyTorch are as fast as NumPy's: where
AS_FAST = 0.85  # minitorch takes at least this share of PyTorch's time for PRODUCT; 0.5 and 0.9 to 1.1 were seen


class Target(NamedTuple):
    """A ratio, the most it may be, and what was measured: a median with its range, or None."""

    name: str
    limit: float
    measured: Mapping[str, float] | None


def all_targets(results: Results) -> list[Target]:
    """Every target with its figure, as far as the subjects were measured."""
    parts = _steps, _job, _operations, _overhead, _growth, _memory
    return [target for part in parts for target in part(results)]


def _ratio(
    results: Results, subject: str, other: str, ours: str = "minitorch", threads: int = 1, **wanted: str
) -> Mapping | None:
    for row in results.get(subject, ()):
        if row.threads == threads and all(getattr(row, name) == value for name, value in wanted.items()):
            return row.ratio(other, ours)
    return None


def product(results: Results) -> Mapping[str, float] | None:
    """minitorch's time over PyTorch's for a large matrix product, which compares the BLAS libraries of NumPy and PyTorch."""
    return _ratio(results, "ops", TORCH.name, case=PRODUCT, quantity=ops.INSTALLED)


def limit_of(name: str, results: Results) -> float:
    """The limit of a case or net; see `LIMITS` and `ALLOWANCE`."""
    measured = product(results)
    as_fast = measured is not None and measured["median"] >= AS_FAST
    limit = next((limit for names, limit in LIMITS.items() if name.startswith(names)), 1.5)
    return round(limit + ALLOWANCE * (as_fast and name.startswith(OF_PRODUCTS)), 2)


def _steps(results: Results) -> Iterator[Target]:
    main = {"subject": "steps", "case": nets.MAIN_NET}
    yield Target(f"step of {nets.MAIN_NET} / PyTorch's, 1 thread each", 0.65, _ratio(results, other=TORCH.name, **main))
    yield Target("the same, 2 threads each", 0.90, _ratio(results, other=TORCH.name, threads=2, **main))
    yield Target("the same / JAX jit's, 1 thread each", 1.4, _ratio(results, other=steps.JAX_JIT, **main))
    yield Target("the same / its matrix products, 1 thread", 2.0, _ratio(results, other=PRODUCTS, **main))
    for threads, name in ((1, "reports' nets, 1 thread each"), (2, "reports' nets, 2 threads each")):
        mean = geometric_mean([row for row in results.get("steps", ()) if row.threads == threads], TORCH.name)
        yield Target(f"geometric mean of the steps of the {name} / PyTorch's", limit_of(name, results), mean)
    for net in nets.NETS:
        if net != nets.MAIN_NET:
            limit = limit_of(net, results) if net in ("002 LeNet", "002 AlexNet", "002 ResNet") else 0.90
            yield Target(f"step of {net} / PyTorch's, 1 thread each", limit, _ratio(results, "steps", TORCH.name, case=net))


def _job(results: Results) -> Iterator[Target]:
    name = f"report 001 whole / PyTorch's, {job.PROCESSES} processes each"
    yield Target(name, 0.65, _ratio(results, "job", TORCH.name))


def _operations(results: Results) -> Iterator[Target]:
    for case in cases.NETS:
        measured = _ratio(results, "ops", TORCH.name, case=case, quantity=ops.INSTALLED)
        yield Target(f"{case} / PyTorch's, 1 thread each", limit_of(case, results), measured)
    for threads, limit, name in ((1, 1.0, "1 thread"), (2, 1.25, "2 threads")):
        seen = _measured(results, cases.TABLE, ops.SAME, threads)
        mean = f"geometric mean of {_count(seen, cases.TABLE)}, {ops.SAME}, {name} each"
        yield Target(mean, limit, geometric_mean(seen, TORCH.name))
    yield from _slowest(results, cases.TABLE, ops.SAME)
    yield from _slowest(results, cases.TEACHING, ops.INSTALLED)


def _measured(results: Results, names: Container[str], quantity: str, threads: int = 1) -> list[Row]:
    rows = [row for row in results.get("ops", ()) if row.case in names and row.ratio(TORCH.name)]
    return [row for row in rows if (row.quantity, row.threads) == (quantity, threads)]


def _count(seen: Sized, wanted: Sized) -> str:
    few = f"{len(seen)} of the " if 0 < len(seen) < len(wanted) else ""
    return f"{few}{len(wanted)} operation{'s' * (len(wanted) > 1)}"


def _slowest(results: Results, names: Mapping, quantity: str) -> Iterator[Target]:
    """For each limit the slowest of its operations, and every other that misses it."""
    ratios = {row.case: row.ratio(TORCH.name) for row in _measured(results, names, quantity)}
    for limit in sorted({limit_of(name, results) for name in names}):
        group = [name for name in names if limit_of(name, results) == limit]
        seen = sorted(set(group) & set(ratios), key=lambda name: -ratios[name]["median"])
        what = f"slowest of {_count(seen, group)}, {quantity}, 1 thread each"
        yield Target(f"{what}: {seen[0]}" if seen else what, limit, ratios[seen[0]] if seen else None)
        yield from (Target(f"also: {name}", limit, ratios[name]) for name in seen[1:] if ratios[name]["median"] > limit)


def _overhead(results: Results) -> Iterator[Target]:
    for quantity, limit in (("forward", 0.80), ("forward + backward", 0.40)):
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
        name = f"exponent of a step's time as a power of the {kind}, over all sizes; the work's exponent is {power}"
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


def said(results: Results) -> str:
    """The table of all targets, with what was measured and whether the median meets each; before it, how many do."""
    lines, count = [], {"met": 0, "missed": 0, "not measured": 0}
    for target in all_targets(results):
        word, measured = "not measured", ""
        if target.measured is not None:
            word = "met" if target.measured["median"] <= target.limit else "missed"
            measured = "{median:.3g} ({low:.3g} to {high:.3g})".format(**target.measured)
        count[word] += 1
        lines.append([target.name, f"{target.limit:g}", measured, word])
    total = ", ".join(f"{number} {word}" for word, number in count.items())
    return f"{total.capitalize()}. {_products(results)}\n\n" + markdown(["target", "at most", "measured", ""], lines)


def _products(results: Results) -> str:
    if (measured := product(results)) is None:
        return "The matrix products of NumPy and PyTorch were not compared, so nothing is added to any limit."
    added = ALLOWANCE if measured["median"] >= AS_FAST else "nothing"
    return (
        f"For a product of 1024x1024 matrices, minitorch takes {ranged(measured)} of PyTorch's time. From {AS_FAST} on, the "
        f"products of both count as equally fast, so {added} is added to the limits of nets, linear layers, attention and "
        "convolutions."
    )
