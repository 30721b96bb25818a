"""Jobs killed at random moments, which must go on to the same bytes: measured by `tests.figures.killed_jobs`."""

from __future__ import annotations

import os

from tests.figures.figure import Figure, not_run
from tests.figures.process import python


def figures(jobs: int, seed: int = 0) -> list[Figure]:
    """Its exit status says whether all ended as if nothing had stopped them, its last line what it counted."""
    what = "training jobs killed at random moments that end with the same bytes"
    if os.name != "posix":
        return [not_run(what, "it needs POSIX")]
    done = python("-m", "tests.figures.killed_jobs", "--jobs", jobs, "--seed", seed, check=False)
    last = (done.stdout.strip() or done.stderr.strip() or "nothing said").splitlines()[-1]
    return [Figure(what, f"all {jobs:,}", last, f"{jobs:,} jobs", seed, done.returncode == 0)]
