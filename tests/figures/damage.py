"""Damaged copies of the files we read: every one is refused by name, or holds exactly what it held."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.figures import corrupt_checkpoint, corrupt_idx
from tests.figures.figure import Figure, all_of


def figures(number: int, seed: int = 0) -> list[Figure]:
    """`number` damaged copies, half of them of IDX files, half of checkpoints."""
    found = []
    for what, files in {"data sets (IDX, plain and gzip)": corrupt_idx, "checkpoints": corrupt_checkpoint}.items():
        what = f"damaged {what} refused by name, or read as they were before the damage"
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes = files.fuzz(number // 2, seed, Path(folder))
            except Exception as reason:  # the first copy that was neither, or at which the reader itself failed
                said = f"{type(reason).__name__}: {reason}"
                found.append(Figure(what, f"all {number // 2:,}", said, "", seed, False))
                continue
        refused, harmless = (sum(n for name, n in outcomes.items() if name.endswith(end)) for end in ("refused", "harmless"))
        cases = f"{refused:,} refused, {harmless:,} read as before"
        found.append(all_of(what, number // 2, refused + harmless, cases, seed))
    return found
