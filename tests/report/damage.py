"""Damaged copies of the files we read: every one is refused by name, or holds exactly what it held."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from test_serialization import checkpoint, same

import minitorch as mt
from minitorch.serialization import CheckpointError
from tests.corrupt_idx import DAMAGES, fuzz
from tests.report.figure import Figure, all_of

ON_ANY_FILE = ["bits flipped", "a block overwritten", "truncated", "a block lost", "bytes appended"]


def fuzz_checkpoint(number: int, seed: int, folder: Path) -> Counter[str]:
    """Load `number` damaged copies of a checkpoint; count what became of each kind of damage, as `corrupt_idx.fuzz` does.

    A block may be overwritten by what stood there: only then may a copy load, with the original content; `AssertionError`
    otherwise, and where the refusal does not name the file.
    """
    rng, path, saved = np.random.default_rng(seed), folder / "checkpoint", checkpoint()
    mt.save(saved, path)
    whole = path.read_bytes()
    outcomes: Counter[str] = Counter()
    for _ in range(number):
        kind = str(rng.choice(ON_ANY_FILE))
        path.write_bytes(DAMAGES[kind](rng, {"checkpoint": whole}, "checkpoint", False))
        outcomes[f"{kind}: {_attempt(path, saved)}"] += 1
    return outcomes


def _attempt(path: Path, saved: Any) -> str:
    try:
        loaded = mt.load(path)
    except CheckpointError as error:
        said = str(error)
    else:
        assert same(loaded, saved), "a damaged checkpoint was accepted with another content"
        return "harmless"
    assert str(path) in said, f"{path} is not named: {said}"
    return "refused"


def figures(number: int, seed: int = 0) -> list[Figure]:
    """`number` damaged copies, half of them of IDX files, half of checkpoints."""
    found = []
    for what, fuzzed in {"data sets (IDX, plain and gzip)": fuzz, "checkpoints": fuzz_checkpoint}.items():
        what = f"damaged {what} refused by name, or read as they were before the damage"
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes = fuzzed(number // 2, seed, Path(folder))
            except AssertionError as reason:  # the first copy that was neither
                found.append(Figure(what, f"all {number // 2:,}", str(reason), "", seed, False))
                continue
        refused, harmless = (sum(n for name, n in outcomes.items() if name.endswith(end)) for end in ("refused", "harmless"))
        cases = f"{refused:,} refused, {harmless:,} read as before"
        found.append(all_of(what, number // 2, refused + harmless, cases, seed))
    return found
