"""Measure the figures of correctness and print them as a table.

    python -m tests.figures                                # all of it
    python -m tests.figures --quick                        # the sizes of the tests
    python -m tests.figures --write docs/correctness.md    # recorded with date, versions and machine
    python -m tests.figures --only gradients memory

The exit status is 1 if a bound is missed. What needs PyTorch is not run where that is not installed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from minitorch.files.atomic import atomic_write
from runner.versions import versions
from tests.figures import damage, gradients, hessians, importing, killed, memory, parity, same_seed
from tests.figures.figure import Figure, table

Measurement = Callable[[], Iterable[Figure]]

FULL: dict[str, Measurement] = {
    "gradients": lambda: gradients.figures(gradients.families()),
    "hessians": partial(hessians.figures, 50),
    "parity": parity.figures,
    "memory": partial(memory.figures, 10_000, warm_up=20_000),
    "seed": partial(same_seed.figures, ["weight_sharing", "siamese", "fully_connected"], runs=4, epochs=2),
    "switches": lambda: [same_seed.switches()],
    "import": partial(importing.figures, 31),
    "damage": partial(damage.figures, 10_000),
    "killed": partial(killed.figures, 200),
}
QUICK: dict[str, Measurement] = {
    "gradients": FULL["gradients"],
    "hessians": FULL["hessians"],
    "parity": partial(parity.figures, 20, reports=False),
    "memory": partial(memory.figures, 1000, warm_up=1500),
    "seed": partial(same_seed.figures, ["weight_sharing"], runs=2, epochs=1, jobs=[2]),
    "switches": FULL["switches"],
    "import": partial(importing.figures, 5),
    "damage": partial(damage.figures, 400),
    "killed": partial(killed.figures, 5),
}


def measure(subjects: dict[str, Measurement]) -> list[Figure]:
    """The figures of each subject in turn, with what it took on standard error."""
    found = []
    for name, figures in subjects.items():
        start = time.perf_counter()
        found.extend(figures())
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


def document(figures: list[Figure], command: str) -> str:
    """The table under what a reader needs to judge or repeat it."""
    used, today = versions(), datetime.date.today()
    torch = f"PyTorch {importlib.metadata.version('torch')}" if parity.torch else "without PyTorch"
    return (
        "# Figures of correctness\n\n"
        f"`{command}`, {today.day} {today:%B %Y}: minitorch {used['minitorch']}, Python {used['python']}, NumPy {used['numpy']}, "
        f"{torch}, joblib {used['joblib']}; BLAS: {', '.join(used['blas'])}; {used['machine']}.\n\n"
        "Errors are of float64, and relative to the largest number of the same array plus 1 (central differences: plus 0.1), for "
        "parameters to the largest, or 1. Central differences lose half of the digits, so what they find is mostly their own "
        f"error. {parity.STEP_BY_STEP}\n\n{table(figures)}"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.figures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the sizes of the tests")
    parser.add_argument("--only", nargs="+", choices=list(FULL), help="these subjects alone")
    parser.add_argument("--write", type=Path, metavar="FILE", help="record the table there, with date, versions and machine")
    options = parser.parse_args(arguments)
    subjects = QUICK if options.quick else FULL
    figures = measure({name: subjects[name] for name in options.only or subjects})
    given = " ".join(
        [
            "python -m tests.figures",
            *(["--quick"] if options.quick else []),
            *(["--only", *options.only] if options.only else []),
        ]
    )
    text = document(figures, given)
    print(text)
    if options.write:
        with atomic_write(options.write) as file:
            file.write(text.encode())
    return int(any(one.kept is False for one in figures))


if __name__ == "__main__":
    sys.exit(main())
